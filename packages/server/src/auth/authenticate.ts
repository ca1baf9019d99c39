import type { IncomingHttpHeaders } from 'node:http';
import type { Config } from '../config/schema.ts';
import { AppError } from '../errors.ts';
import type { SecretRegistry } from '../secret-registry.ts';
import { ApiKeys, readKeysFile } from './api-keys.ts';
import { ALL_PERMISSIONS } from './permissions.ts';
import { ANONYMOUS_USER, type Principal } from './principal.ts';

/** Finds out who a request comes from. */
export interface Authenticator {
  /** `false`: everybody is the anonymous user and may do everything. */
  readonly enabled: boolean;
  /** Lower-case names of headers that carry the caller's credentials; agents must never see them (DF-05). */
  readonly credentialHeaders: readonly string[];
  /**
   * The caller. The configured header decides where it is not empty, else `Authorization: Bearer` (PX-044).
   * @throws AppError `api_key_required` (PX-037) or `invalid_api_key` (PX-038, PX-039).
   */
  authenticate(headers: IncomingHttpHeaders): Principal;
  /**
   * Reads the keys file again and answers how many keys there are now.
   * @throws ConfigError when it is broken; the keys from before stay (DF-08).
   */
  reload(): number;
}

const ANONYMOUS: Principal = {
  userId: ANONYMOUS_USER,
  role: 'admin',
  permissions: new Set([ALL_PERMISSIONS]),
};

/**
 * The authenticator of a configuration.
 * @param secrets learns the keys of the keys file, so that no log line shows one.
 * @param clock milliseconds since 1970.
 * @throws ConfigError when `auth.keys_file` cannot be used (exit code 2, PX-035).
 */
export function createAuthenticator(
  config: Config,
  secrets?: SecretRegistry,
  clock: () => number = Date.now,
): Authenticator {
  const { auth } = config;
  const header = auth.header_name.toLowerCase();
  const credentialHeaders = [...new Set([header, 'authorization', 'proxy-authorization', 'cookie'])];
  if (!auth.enabled) {
    return { enabled: false, credentialHeaders, authenticate: () => ANONYMOUS, reload: () => 0 };
  }

  let forget: readonly (() => void)[] = [];
  const load = (): ApiKeys => {
    const entries = auth.keys_file === '' ? auth.api_keys : readKeysFile(auth.keys_file);
    const known = entries.flatMap((entry) =>
      secrets === undefined ? [] : [secrets.add(entry.key.reveal())],
    );
    for (const remove of forget) remove();
    forget = known;
    return new ApiKeys(entries);
  };
  let keys = load();

  return {
    enabled: true,
    credentialHeaders,
    authenticate: (headers) => {
      const presented = presentedKeys(headers, header);
      if (presented.length === 0) throw new AppError('api_key_required');
      for (const key of presented) {
        // Node decodes header bytes as Latin-1; digests are over the bytes that were sent.
        const principal = keys.find(Buffer.from(key, 'latin1'), clock());
        if (principal !== null) return principal;
      }
      throw new AppError('invalid_api_key');
    },
    reload: () => {
      keys = load();
      return keys.size;
    },
  };
}

/** The readings of the one credential that counts; none when there is no credential. */
function presentedKeys(headers: IncomingHttpHeaders, header: string): readonly string[] {
  const own = headers[header];
  const bearer = /^bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1];
  if (own === undefined || own === '') return bearer === undefined ? [] : [bearer];
  if (typeof own !== 'string') return own;
  // A server whose key header is Authorization itself takes the bare key as well as the scheme.
  return header === 'authorization' && bearer !== undefined ? [own, bearer] : [own];
}
