import { hkdfSync } from 'node:crypto';
import { StoreError } from './store-error.ts';

/** AES-256. */
export const KEY_BYTES = 32;

/** One encryption key. It never prints: the bytes are private. */
export class SealKey {
  /** Eight hexadecimal digits, derived from the key one way; stands in every envelope. */
  readonly id: string;
  readonly #bytes: Buffer;

  /** @throws RangeError unless there are exactly 32 bytes. */
  constructor(bytes: Buffer) {
    if (bytes.length !== KEY_BYTES) throw new RangeError(`an encryption key has ${KEY_BYTES} bytes`);
    this.#bytes = Buffer.from(bytes);
    this.id = Buffer.from(hkdfSync('sha256', bytes, '', 'agentapi-proxy key id', 4)).toString('hex');
  }

  /** A key for one purpose, from which this one cannot be found out. */
  derive(purpose: string): Buffer {
    return Buffer.from(hkdfSync('sha256', this.#bytes, '', `agentapi-proxy ${purpose}`, KEY_BYTES));
  }

  /** For the cipher only. */
  reveal(): Buffer {
    return this.#bytes;
  }
}

/** The encryption keys of a server; the newest seals, all open. */
export class Keyring {
  readonly newest: SealKey;
  /** Oldest first. */
  readonly keys: readonly SealKey[];
  readonly #byId: ReadonlyMap<string, SealKey>;

  /**
   * @param keys - oldest first; a repeated key counts once.
   * @throws StoreError `key` when there is none, or two keys happen to share an id.
   */
  constructor(keys: readonly SealKey[]) {
    const newest = keys.at(-1);
    if (newest === undefined) throw new StoreError('key', 'There is no encryption key');
    const byId = new Map<string, SealKey>();
    for (const key of keys) {
      const known = byId.get(key.id);
      if (known !== undefined && !known.reveal().equals(key.reveal())) {
        throw new StoreError('key', `Two encryption keys have the id ${key.id}; make another key`);
      }
      byId.set(key.id, key);
    }
    this.newest = newest;
    this.keys = [...byId.values()]
      .filter((key) => key.id !== newest.id)
      .concat(byId.get(newest.id) ?? newest);
    this.#byId = byId;
  }

  get ids(): readonly string[] {
    return this.keys.map((key) => key.id);
  }

  find(id: string): SealKey | null {
    return this.#byId.get(id) ?? null;
  }
}
