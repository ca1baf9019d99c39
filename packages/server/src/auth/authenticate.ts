import type { IncomingHttpHeaders } from 'node:http';
import type { Config } from '../config/schema.ts';
import { AppError } from '../errors.ts';
import type { SecretRegistry } from '../secret-registry.ts';
import { AttemptLimiter } from './attempt-limiter.ts';
import { ConfiguredKeys } from './configured-keys.ts';
import type { ConsoleCookies } from './console-cookies.ts';
import { sourceOf } from './cookie-proof.ts';
import { digestOf } from './credential-index.ts';
import type { CredentialSource } from './credential-index.ts';
import { ALL_PERMISSIONS } from './permissions.ts';
import { ANONYMOUS_USER, type Principal } from './principal.ts';

/** Where a request comes from. */
export interface RequestOrigin {
  /** The client's address. */
  readonly address: string;
  readonly requestId: string;
}

/** Why a request from outside was not let in. */
export type AuthFailure = 'api_key_required' | 'invalid_api_key' | 'too_many_failures';

/** Finds out who a request comes from. */
export interface Authenticator {
  /** `false`: everybody is the anonymous user and may do everything. */
  readonly enabled: boolean;
  /** Lower-case names of the headers that a key is looked for in. */
  readonly keyHeaders: readonly string[];
  /** Lower-case names of headers that carry the caller's credentials; agents must never see them (DF-05). */
  readonly credentialHeaders: readonly string[];
  /**
   * The caller. The configured header decides where it is not empty, else `Authorization: Bearer` (PX-044). With an
   * origin, wrong credentials from it are counted and reported, and answered otherwise when there are too many.
   * Where no header has one, the console's cookie counts, unless a browser opens a page with it.
   * @throws AppError `api_key_required` (PX-037), `invalid_api_key` (PX-038, PX-039), `too_many_failures`, `csrf` for a
   *   cookie that a page of another origin has had sent.
   */
  authenticate(headers: IncomingHttpHeaders, origin?: RequestOrigin): Principal;
  /**
   * Who has this key, and its digest; counted and reported like {@link authenticate}.
   * @throws AppError `invalid_api_key`, `too_many_failures`.
   */
  signIn(key: string, origin: RequestOrigin): SignedIn;
  /** Lets in who brings such a cookie. */
  acceptCookies(cookies: Pick<ConsoleCookies, 'read'>): void;
  /** Lets credentials of this source in as well; those of the configuration come first. */
  accept(source: CredentialSource): void;
  /** Has every request counted that is not let in; unlike refusals, with those that are known by now. */
  countFailures(listener: (failure: AuthFailure) => void): void;
  /** How many addresses are refused without a look, because they were wrong too often. */
  countLimited(): number;
  /** Has every wrong credential reported. */
  reportRefusals(listener: (origin: RequestOrigin) => void): void;
  /**
   * Reads the keys file again and answers how many keys there are now.
   * @throws ConfigError when it is broken; the keys from before stay (DF-08).
   */
  reload(): number;
}

/** Somebody who has shown a key. */
export interface SignedIn {
  readonly principal: Principal;
  readonly digest: Buffer;
}

const ANONYMOUS: Principal = {
  userId: ANONYMOUS_USER,
  role: 'admin',
  permissions: new Set([ALL_PERMISSIONS]),
};

/**
 * The authenticator of a configuration.
 * @param secrets learns the keys of the keys file, so that no log line shows one.
 * @param clock milliseconds since 1970, for the ends of credentials.
 * @throws ConfigError when `auth.keys_file` cannot be used (exit code 2, PX-035).
 */
export function createAuthenticator(
  config: Config,
  secrets?: SecretRegistry,
  clock: () => number = Date.now,
): Authenticator {
  const { auth } = config;
  const header = auth.header_name.toLowerCase();
  const keyHeaders = [...new Set([header, 'authorization'])];
  const credentialHeaders = [...new Set([...keyHeaders, 'proxy-authorization', 'cookie'])];
  if (!auth.enabled) {
    return {
      enabled: false,
      keyHeaders,
      credentialHeaders,
      authenticate: () => ANONYMOUS,
      signIn: (key) => ({ principal: ANONYMOUS, digest: digestOf(key) }),
      acceptCookies: () => undefined,
      accept: () => undefined,
      countFailures: () => undefined,
      countLimited: () => 0,
      reportRefusals: () => undefined,
      reload: () => 0,
    };
  }
  const configured = new ConfiguredKeys(auth, secrets);
  const sources: CredentialSource[] = [configured];
  const limiter = new AttemptLimiter(config.limits.failed_keys_per_minute);
  const listeners: ((origin: RequestOrigin) => void)[] = [];
  const counters: ((failure: AuthFailure) => void)[] = [];
  /** What is asked again about connections that are open already comes without an origin, and is no request. */
  const count = (failure: AuthFailure, origin: RequestOrigin | undefined): void => {
    if (origin !== undefined) for (const counter of counters) counter(failure);
  };

  let cookies: Pick<ConsoleCookies, 'read'> | null = null;
  /** The holder of one of these, which are readings of one credential. */
  const holderOf = (digests: readonly Buffer[], origin: RequestOrigin | undefined): SignedIn => {
    const now = clock();
    for (const digest of digests) {
      const principal = findIn(sources, digest, now);
      if (principal !== null) return { principal, digest };
    }
    if (origin !== undefined) {
      const monotonic = performance.now();
      const waitSeconds = limiter.waitSeconds(origin.address, monotonic);
      if (waitSeconds > 0) {
        count('too_many_failures', origin);
        throw new AppError('too_many_failures', { retryAfterSeconds: waitSeconds });
      }
      limiter.failed(origin.address, monotonic);
      for (const listener of listeners) listener(origin);
    }
    count('invalid_api_key', origin);
    throw new AppError('invalid_api_key');
  };
  /** The holder of the cookie, which nobody can guess: one that has become worthless is no attack. */
  const byCookie = (headers: IncomingHttpHeaders): Principal | null => {
    const now = clock();
    const digest = cookies?.read(headers.cookie, now) ?? null;
    const principal = digest === null ? null : findIn(sources, digest, now);
    if (principal === null) return null;
    const source = sourceOf(headers);
    if (source === 'foreign') throw new AppError('csrf');
    if (source === 'navigation') return null;
    return { ...principal, byCookie: source === 'own' ? 'proven' : 'unproven' };
  };

  return {
    enabled: true,
    keyHeaders,
    credentialHeaders,
    authenticate: (headers, origin) => {
      const presented = presentedKeys(headers, header);
      if (presented.length === 0) {
        const principal = byCookie(headers);
        if (principal !== null) return principal;
        count('api_key_required', origin);
        throw new AppError('api_key_required');
      }
      // Node decodes header bytes as Latin-1; digests are over the bytes that were sent.
      const digests = presented.map((key) => digestOf(Buffer.from(key, 'latin1')));
      return holderOf(digests, origin).principal;
    },
    signIn: (key, origin) => holderOf([digestOf(key)], origin),
    acceptCookies: (reader) => {
      cookies = reader;
    },
    countFailures: (listener) => void counters.push(listener),
    countLimited: () => limiter.countLimited(performance.now()),
    accept: (source) => void sources.push(source),
    reportRefusals: (listener) => void listeners.push(listener),
    reload: () => configured.reload(),
  };
}

function findIn(sources: readonly CredentialSource[], digest: Buffer, now: number): Principal | null {
  for (const source of sources) {
    const principal = source.find(digest, now);
    if (principal !== null) return principal;
  }
  return null;
}

/** The readings of the one credential that counts; none when there is no credential. */
function presentedKeys(headers: IncomingHttpHeaders, header: string): readonly string[] {
  const own = headers[header];
  const { authorization } = headers;
  const bearer = authorization === undefined ? undefined : /^bearer +(\S+)$/i.exec(authorization)?.[1];
  if (own === undefined || own === '') return bearer === undefined ? [] : [bearer];
  if (typeof own !== 'string') return own;
  // A server whose key header is Authorization itself takes the bare key as well as the scheme.
  return header === 'authorization' && bearer !== undefined ? [own, bearer] : [own];
}

/** Whether the authenticator lets requests with these headers in now; nothing is counted or reported. */
export function isAccepted(
  authenticator: Pick<Authenticator, 'authenticate'>,
  headers: IncomingHttpHeaders,
): boolean {
  try {
    authenticator.authenticate(headers);
    return true;
  } catch (error) {
    if (error instanceof AppError) return false;
    throw error;
  }
}

/** Whether a text is an API key of this server that is good now. */
export function isKey(authenticator: Authenticator, text: string): boolean {
  return authenticator.enabled && isAccepted(authenticator, { authorization: `Bearer ${text}` });
}
