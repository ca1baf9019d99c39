import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import type { Expression, RawBuilder } from 'kysely';
import { Keyring } from './keyring.ts';
import type { SealKey } from './keyring.ts';
import { StoreError } from './store-error.ts';

const CIPHER = 'aes-256-gcm';
/** The nonce size that GCM is made for; random ones do for 2^32 envelopes a key (NIST SP 800-38D, 8.3). */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const VERSION = 'v1';
const ENVELOPE = /^v1\.([0-9a-f]{8})\.([A-Za-z0-9_-]+)$/;

/** Where an envelope belongs. It opens nowhere else: not in another record, not in another field. */
export interface Place {
  readonly table: string;
  /** Id of the record. */
  readonly id: string;
  readonly field: string;
}

/**
 * Seals texts with AES-256-GCM (DF-10). An envelope is `v1.<key id>.<base64url of nonce, ciphertext, tag>`;
 * key id and place are authenticated with it.
 */
export class SecretBox {
  #keyring: Keyring;
  readonly #reload: (() => Promise<Keyring>) | null;

  /** @param reload - reads the keys again when an envelope names one that is not known yet; `null` = never. */
  constructor(keyring: Keyring, reload: (() => Promise<Keyring>) | null = null) {
    this.#keyring = keyring;
    this.#reload = reload;
  }

  get keyring(): Keyring {
    return this.#keyring;
  }

  /** Takes other keys from now on. */
  use(keyring: Keyring): void {
    this.#keyring = keyring;
  }

  /** Seals with the newest key. Equal texts give different envelopes (PX-170). */
  seal(text: string, place: Place): string {
    const key = this.#keyring.newest;
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, key.reveal(), nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(associatedData(key, place));
    const sealed = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return `${envelopePrefix(key.id)}${sealed.toString('base64url')}`;
  }

  /**
   * The text that was sealed for this place.
   * @throws StoreError `key` for an envelope of an unknown key, `corrupt` for one that was changed or moved.
   */
  async open(envelope: string, place: Place): Promise<string> {
    const keyId = keyIdOf(envelope);
    if (keyId !== null && this.#keyring.find(keyId) === null && this.#reload !== null) {
      // Another server has sealed with a newer key. It opens from now on, but what seals stays as it was admitted.
      const { keys } = await this.#reload();
      this.#keyring = new Keyring([...keys, this.#keyring.newest]);
    }
    return openWith(this.#keyring, envelope, place);
  }
}

/**
 * Opens an envelope with one of these keys.
 * @throws StoreError as {@link SecretBox.open}.
 */
export function openWith(keyring: Keyring, envelope: string, place: Place): string {
  const [, keyId = '', body = ''] = ENVELOPE.exec(envelope) ?? [];
  const sealed = Buffer.from(body, 'base64url');
  // Node accepts stray last bits in base64; another spelling of the same bytes is a changed envelope too.
  if (sealed.length < NONCE_BYTES + TAG_BYTES || sealed.toString('base64url') !== body) throw damaged(place);
  const key = keyring.find(keyId);
  if (key === null) {
    throw new StoreError(
      'key',
      `${nameOf(place)} is sealed with the encryption key ${keyId}, which is not among the configured ones (${keyring.ids.join(', ')}); add that key`,
    );
  }
  const decipher = createDecipheriv(CIPHER, key.reveal(), sealed.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(associatedData(key, place));
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  try {
    const text = decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES));
    return Buffer.concat([text, decipher.final()]).toString('utf8');
  } catch (error) {
    throw damaged(place, error);
  }
}

/** What every envelope of this key begins with. */
export function envelopePrefix(keyId: string): string {
  return `${VERSION}.${keyId}.`;
}

/** SQL for the key id of the envelope in a column. */
export function keyIdIn(column: Expression<unknown>): RawBuilder<string> {
  return sql`substr(${column}, ${sql.lit(VERSION.length + 2)}, 8)`;
}

/** The key that an envelope needs; `null` when the text is no envelope. */
export function keyIdOf(envelope: string): string | null {
  return ENVELOPE.exec(envelope)?.[1] ?? null;
}

function associatedData(key: SealKey, { table, id, field }: Place): Buffer {
  return Buffer.from(JSON.stringify([VERSION, key.id, table, field, id]), 'utf8');
}

function damaged(place: Place, cause?: unknown): StoreError {
  return new StoreError('corrupt', `${nameOf(place)} was changed outside the server and cannot be opened`, {
    cause,
  });
}

function nameOf({ table, id, field }: Place): string {
  return `${table}.${field} of ${id}`;
}
