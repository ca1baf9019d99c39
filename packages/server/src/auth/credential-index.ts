import { hash, timingSafeEqual } from 'node:crypto';
import type { Principal } from './principal.ts';

/** What opens the server: the digest of a key or of a link, and who holds it. */
export interface Credential {
  /** SHA-256: keys are long random texts, so a slow hash would protect nothing and cost every request. */
  readonly digest: Buffer;
  /** Milliseconds since 1970; `Infinity` for keys that never expire. */
  readonly expiresAt: number;
  readonly principal: Principal;
}

/** Anything that knows credentials. */
export interface CredentialSource {
  /**
   * Who holds the credential with this digest; `null` for an unknown or expired one.
   * @param now milliseconds since 1970.
   */
  find(digest: Buffer, now: number): Principal | null;
}

/**
 * Credentials by their digest. The first bytes choose the few candidates, which are compared in constant time. Both
 * are digests: what timing could tell about them helps nobody to find a key (PX-055).
 */
export class CredentialIndex implements CredentialSource {
  readonly #byStart = new Map<number, Credential[]>();
  readonly #size: number;

  constructor(credentials: readonly Credential[]) {
    this.#size = credentials.length;
    for (const credential of credentials) {
      const start = startOf(credential.digest);
      const same = this.#byStart.get(start);
      if (same === undefined) this.#byStart.set(start, [credential]);
      else same.push(credential);
    }
  }

  /** Number of credentials that can match, expired ones included. */
  get size(): number {
    return this.#size;
  }

  /**
   * The same, but what has this id ends at `at` if not before.
   * @param at milliseconds since 1970; `-Infinity` = it has never been good.
   */
  ending(keyId: string, at: number): CredentialIndex {
    const all = [...this.#byStart.values()].flat();
    return new CredentialIndex(
      all.map((one) => {
        if (one.principal.keyId !== keyId || one.expiresAt <= at) return one;
        return { ...one, expiresAt: at, principal: { ...one.principal, expiresAt: at } };
      }),
    );
  }

  /** The first one that is not expired counts, so two entries with one key can follow each other (PX-042). */
  find(digest: Buffer, now: number): Principal | null {
    for (const candidate of this.#byStart.get(startOf(digest)) ?? []) {
      if (timingSafeEqual(candidate.digest, digest) && now <= candidate.expiresAt) return candidate.principal;
    }
    return null;
  }
}

/** The digest under which a credential is known. */
export function digestOf(credential: string | Buffer): Buffer {
  return hash('sha256', credential, 'buffer');
}

function startOf(digest: Buffer): number {
  return digest.readUInt32BE(0);
}
