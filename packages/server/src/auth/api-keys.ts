import { hash, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { type ApiKeyEntry, keysFileSchema } from '../config/api-key-entry.ts';
import { ConfigError } from '../config/config-error.ts';
import { jsonSchemaOf } from '../config/fields.ts';
import { readJsonFile } from '../config/json-file.ts';
import { describeIssues } from '../config/problems.ts';
import type { Principal } from './principal.ts';

interface StoredKey {
  /** SHA-256: keys are long random texts, so a slow hash would protect nothing and cost every request. */
  readonly digest: Buffer;
  /** Milliseconds since 1970; `Infinity` for keys that never expire. */
  readonly expiresAt: number;
  readonly principal: Principal;
}

/** The keys that open the server; in memory only their digests. */
export class ApiKeys {
  readonly #keys: readonly StoredKey[];

  /** Entries with an empty key, or with an `expires_at` that is no time, are left out (PX-040, PX-043). */
  constructor(entries: readonly ApiKeyEntry[]) {
    this.#keys = entries.flatMap((entry): readonly StoredKey[] => {
      const key = entry.key.reveal();
      const expiresAt = expiryOf(entry.expires_at);
      if (key === '' || expiresAt === null) return [];
      const principal = {
        userId: entry.user_id,
        role: entry.role,
        permissions: new Set(entry.permissions),
      };
      return [{ digest: sha256(Buffer.from(key, 'utf8')), expiresAt, principal }];
    });
  }

  /** Number of keys that can match, expired ones included. */
  get size(): number {
    return this.#keys.length;
  }

  /**
   * Who holds this key; `null` for an unknown or expired one. The first entry that is not expired counts, so
   * two entries with one key can follow each other (PX-042). Every entry is compared, in constant time, so
   * that the answer's timing tells nothing about them (PX-055).
   * @param presented the bytes of the header.
   * @param now milliseconds since 1970.
   */
  find(presented: Buffer, now: number): Principal | null {
    const digest = sha256(presented);
    let found: Principal | null = null;
    for (const key of this.#keys) {
      const same = timingSafeEqual(key.digest, digest);
      if (same && found === null && now <= key.expiresAt) found = key.principal;
    }
    return found;
  }
}

function sha256(bytes: Buffer): Buffer {
  return hash('sha256', bytes, 'buffer');
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
export function readKeysFile(path: string): readonly ApiKeyEntry[] {
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
