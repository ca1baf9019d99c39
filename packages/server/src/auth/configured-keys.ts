import { z } from 'zod';
import { type ApiKeyEntry, keysFileSchema } from '../config/api-key-entry.ts';
import { ConfigError } from '../config/config-error.ts';
import { jsonSchemaOf } from '../config/fields.ts';
import { readJsonFile } from '../config/json-file.ts';
import { describeIssues } from '../config/problems.ts';
import type { Config } from '../config/schema.ts';
import type { SecretRegistry } from '../secret-registry.ts';
import { CredentialIndex, digestOf } from './credential-index.ts';
import type { Credential, CredentialSource } from './credential-index.ts';
import type { Principal } from './principal.ts';

/** The keys of the configuration: inline ones, or those of the keys file (PX-034). In memory only their digests. */
export class ConfiguredKeys implements CredentialSource {
  readonly #auth: Config['auth'];
  readonly #secrets: SecretRegistry | undefined;
  #forget: readonly (() => void)[] = [];
  #index: CredentialIndex;

  /**
   * @param secrets learns the keys of the keys file, so that no log line shows one.
   * @throws ConfigError when the keys file cannot be used (exit code 2, PX-035).
   */
  constructor(auth: Config['auth'], secrets?: SecretRegistry) {
    this.#auth = auth;
    this.#secrets = secrets;
    this.#index = this.#load();
  }

  /**
   * Reads the keys file again and answers how many keys there are now.
   * @throws ConfigError when it is broken; the keys from before stay (DF-08).
   */
  reload(): number {
    this.#index = this.#load();
    return this.#index.size;
  }

  find(digest: Buffer, now: number): Principal | null {
    return this.#index.find(digest, now);
  }

  #load(): CredentialIndex {
    const { keys_file: path, api_keys: inline } = this.#auth;
    const entries = path === '' ? inline : readKeysFile(path);
    const index = new CredentialIndex(entries.flatMap(credentialOf));
    const secrets = this.#secrets;
    const forget = secrets === undefined ? [] : entries.map((entry) => secrets.add(entry.key.reveal()));
    for (const remove of this.#forget) remove();
    this.#forget = forget;
    return index;
  }
}

/** None for entries with an empty key, or with an `expires_at` that is no time (PX-040, PX-043). */
function credentialOf(entry: ApiKeyEntry): readonly Credential[] {
  const key = entry.key.reveal();
  const expiresAt = expiryOf(entry.expires_at);
  if (key === '' || expiresAt === null) return [];
  const principal: Principal = {
    userId: entry.user_id,
    role: entry.role,
    permissions: new Set(entry.permissions),
    ...(Number.isFinite(expiresAt) ? { expiresAt } : {}),
  };
  return [{ digest: digestOf(key), expiresAt, principal }];
}

const rfc3339 = z.iso.datetime({ offset: true });

/** `null` for a text that is no RFC 3339 time: whoever wrote it wanted an end, so there is no safe reading. */
function expiryOf(text: string | undefined): number | null {
  if (text === undefined) return Number.POSITIVE_INFINITY;
  return rfc3339.safeParse(text).success ? Date.parse(text) : null;
}

/**
 * Reads a keys file (proxy-api section 3).
 * @throws ConfigError when it is missing, unreadable or not what the schema says (DF-08, PX-035).
 */
function readKeysFile(path: string): readonly ApiKeyEntry[] {
  const file = readJsonFile(path, path);
  if (file === null) {
    throw new ConfigError([
      { place: path, text: 'no such file; auth.keys_file must name a JSON file {"api_keys": […]}' },
    ]);
  }
  const parsed = keysFileSchema.safeParse(file.value);
  if (parsed.success) return parsed.data.api_keys;
  const issues = describeIssues(parsed.error.issues, file.value, jsonSchemaOf(keysFileSchema));
  throw new ConfigError(
    issues.map(({ path: at, member, text }) => ({
      place: member === null ? file.place(at) : file.placeOfName(at, member),
      text,
    })),
  );
}
