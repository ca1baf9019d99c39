import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

/** The proxy takes cookies of this prefix out of what it passes on. */
export const CONSOLE_COOKIE = 'agentapi_proxy_console';

/** Whoever comes back within a month need not sign in again. */
const MAX_AGE_SECONDS = 30 * 24 * 3600;

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const DIGEST_BYTES = 32;
/** The end, in milliseconds since 1970. */
const TIME_BYTES = 8;
const SEALED_BYTES = NONCE_BYTES + DIGEST_BYTES + TIME_BYTES + TAG_BYTES;
/** No right one is longer; a browser may send some of other paths as well. */
const MAX_TRIED = 4;

/** Where a cookie is valid. */
export interface CookieScope {
  /** Path under which browsers see the server, with slashes at both ends. */
  readonly path: string;
  /** Whether they come over HTTPS. */
  readonly secure: boolean;
}

/**
 * The cookies of the web console. One holds the digest of a key, sealed, and when it ends; so neither the key nor its
 * digest can be found out from it, and it ends with the key.
 */
export class ConsoleCookies {
  readonly #keys: () => readonly Buffer[];

  /** @param keys - 32 bytes each, newest first; asked for every cookie, because they can be replaced. */
  constructor(keys: () => readonly Buffer[]) {
    this.#keys = keys;
  }

  /**
   * Value of `Set-Cookie` for whoever has shown a key.
   * @param expiresAt - when the key ends, in milliseconds since 1970; absent = never.
   */
  issue(digest: Buffer, expiresAt: number | undefined, now: number, scope: CookieScope): string {
    const left = Math.floor(((expiresAt ?? Number.POSITIVE_INFINITY) - now) / 1000);
    const seconds = Math.max(0, Math.min(MAX_AGE_SECONDS, left));
    return cookieLine(this.#seal(digest, now + seconds * 1000), seconds, scope);
  }

  /** Value of `Set-Cookie` that makes a browser forget it. */
  clear(scope: CookieScope): string {
    return cookieLine('', 0, scope);
  }

  /** Digest of the key that a `Cookie` header stands for; `null` when it holds none of our cookies that is good. */
  read(header: string | undefined, now: number): Buffer | null {
    if (header === undefined || !header.includes(CONSOLE_COOKIE)) return null;
    const values = header
      .split(';')
      .map((pair) => pair.trim())
      .filter((pair) => pair.startsWith(`${CONSOLE_COOKIE}=`))
      .slice(0, MAX_TRIED);
    for (const value of values) {
      const digest = this.#open(value.slice(CONSOLE_COOKIE.length + 1), now);
      if (digest !== null) return digest;
    }
    return null;
  }

  #seal(digest: Buffer, end: number): string {
    const [key] = this.#keys();
    if (key === undefined) throw new Error('there is no key to seal cookies with');
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
    const time = Buffer.alloc(TIME_BYTES);
    time.writeBigUInt64BE(BigInt(end));
    const sealed = Buffer.concat([nonce, cipher.update(digest), cipher.update(time), cipher.final()]);
    return Buffer.concat([sealed, cipher.getAuthTag()]).toString('base64url');
  }

  #open(value: string, now: number): Buffer | null {
    const sealed = Buffer.from(value, 'base64url');
    if (sealed.length !== SEALED_BYTES) return null;
    for (const key of this.#keys()) {
      const text = opened(sealed, key);
      if (text === null) continue;
      const end = Number(text.readBigUInt64BE(DIGEST_BYTES));
      return now < end ? text.subarray(0, DIGEST_BYTES) : null;
    }
    return null;
  }
}

function opened(sealed: Buffer, key: Buffer): Buffer | null {
  const decipher = createDecipheriv(CIPHER, key, sealed.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
  } catch {
    return null;
  }
}

function cookieLine(value: string, seconds: number, { path, secure }: CookieScope): string {
  const parts = [`${CONSOLE_COOKIE}=${value}`, `Path=${path}`, `Max-Age=${seconds}`];
  return [...parts, 'HttpOnly', 'SameSite=Strict', ...(secure ? ['Secure'] : [])].join('; ');
}
