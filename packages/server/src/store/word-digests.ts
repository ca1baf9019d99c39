import { createHmac, randomBytes } from 'node:crypto';
import type { SecretBox } from './secret-box.ts';
import type { Database } from './tables.ts';

const KEY_ID = 'words';
const KEY_BYTES = 32;
/** 64 bits: two words of a store have the same digest about never. */
const DIGEST_BYTES = 8;
/** What is kept of the digests that were made, because the same words come again and again. */
const MAX_KNOWN = 20_000;
const LETTERS = 'abcdefghijklmnop';

/**
 * Keyed digests of words: a store, or a backup of it, does not show what was said to anybody who does not have its
 * encryption key, and can be searched all the same.
 */
export class WordDigests {
  readonly #db: Database;
  readonly #box: SecretBox;
  readonly #known = new Map<string, string>();
  #key: Buffer | null = null;

  constructor(db: Database, box: SecretBox) {
    this.#db = db;
    this.#box = box;
  }

  /** Reads the key, or makes one. To be awaited before {@link of}, and outside of any transaction. @throws StoreError */
  async ready(): Promise<void> {
    if (this.#key !== null) return;
    const place = { table: 'search_keys', id: KEY_ID, field: 'key' };
    await this.#db
      .insertInto('search_keys')
      .values({ id: KEY_ID, key_sealed: this.#box.seal(randomBytes(KEY_BYTES).toString('base64url'), place) })
      .onConflict((conflict) => conflict.column('id').doNothing())
      .execute();
    const { key_sealed: sealed } = await this.#db
      .selectFrom('search_keys')
      .select('key_sealed')
      .where('id', '=', KEY_ID)
      .executeTakeFirstOrThrow();
    this.#key = Buffer.from(await this.#box.open(sealed, place), 'base64url');
  }

  /** The digest of a word, as letters. */
  of(word: string): string {
    if (this.#key === null) throw new Error('the key of the search index has not been read');
    const known = this.#known.get(word);
    if (known !== undefined) return known;
    const bytes = createHmac('sha256', this.#key).update(word).digest().subarray(0, DIGEST_BYTES);
    let digest = '';
    for (const byte of bytes) digest += LETTERS.charAt(byte >> 4) + LETTERS.charAt(byte & 15);
    if (this.#known.size >= MAX_KNOWN) this.#known.clear();
    this.#known.set(word, digest);
    return digest;
  }
}
