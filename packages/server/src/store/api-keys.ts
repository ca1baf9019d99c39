import { millisecondsOrNull, parseColumn, storable, textList, timeOf, timeOrNull } from './columns.ts';
import { inTransaction, takeTurns } from './tables.ts';
import type { ApiKeyRow, Database, Dialect } from './tables.ts';

/** An issued API key; the key itself is nowhere (DF-09). */
export interface ApiKeyRecord {
  readonly id: string;
  /** SHA-256 of the key, hexadecimal. */
  readonly hash: string;
  /** The part of the key that lists may show. */
  readonly hint: string;
  /** What its owner calls it. */
  readonly label: string;
  readonly userId: string;
  readonly role: string;
  readonly permissions: readonly string[];
  /** User who made it. */
  readonly createdBy: string;
  readonly createdAt: Date;
  /** `null` = never. */
  readonly expiresAt: Date | null;
  /** `null` while it is good. */
  readonly revokedAt: Date | null;
  readonly lastUsedAt: Date | null;
}

/** API keys in the store. Every write is durable when its promise resolves. */
export class ApiKeyTable {
  readonly #db: Database;
  readonly #dialect: Dialect;

  constructor(db: Database, dialect: Dialect) {
    this.#db = db;
    this.#dialect = dialect;
  }

  /** @throws StoreError `conflict` when the id or the hash is taken. */
  async insert(key: ApiKeyRecord): Promise<void> {
    await this.#insert(this.#db, key);
  }

  /**
   * As {@link insert}, unless its user has `most` keys already that are good when it is made, however many are added
   * at once.
   * @returns whether it was added.
   */
  async insertWithin(key: ApiKeyRecord, most: number): Promise<boolean> {
    return inTransaction(this.#db, async (db) => {
      await takeTurns(db, this.#dialect, `API keys of ${storable(key.userId)}`);
      const { total } = await db
        .selectFrom('api_keys')
        .select((select) => select.fn.countAll<number>().as('total'))
        .where('user_id', '=', storable(key.userId))
        .where('revoked_at', 'is', null)
        .where((where) =>
          where.or([where('expires_at', 'is', null), where('expires_at', '>', key.createdAt.getTime())]),
        )
        .executeTakeFirstOrThrow();
      if (total >= most) return false;
      await this.#insert(db, key);
      return true;
    });
  }

  /** `null` when there is no such key. */
  async get(id: string): Promise<ApiKeyRecord | null> {
    const row = await this.#db.selectFrom('api_keys').selectAll().where('id', '=', id).executeTakeFirst();
    return row === undefined ? null : read(row);
  }

  /** Every key, oldest first; with a user only theirs. Revoked and expired ones are among them. */
  async list(userId?: string): Promise<readonly ApiKeyRecord[]> {
    let query = this.#db.selectFrom('api_keys').selectAll().orderBy('created_at').orderBy('id');
    if (userId !== undefined) query = query.where('user_id', '=', storable(userId));
    return (await query.execute()).map(read);
  }

  /** Every key that is not revoked, for the index in memory; expired ones are among them. */
  async findAll(): Promise<readonly ApiKeyRecord[]> {
    const rows = await this.#db.selectFrom('api_keys').selectAll().where('revoked_at', 'is', null).execute();
    return rows.map(read);
  }

  /**
   * Revokes a key for good.
   * @returns whether it was good until now.
   */
  async revoke(id: string, at: Date): Promise<boolean> {
    const result = await this.#db
      .updateTable('api_keys')
      .set({ revoked_at: at.getTime() })
      .where('id', '=', id)
      .where('revoked_at', 'is', null)
      .executeTakeFirst();
    return result.numUpdatedRows > 0n;
  }

  /**
   * Lets a key end at another time, as for the old one of a rotation.
   * @returns whether there is such a key and it is not revoked.
   */
  async setExpiry(id: string, expiresAt: Date | null): Promise<boolean> {
    const result = await this.#db
      .updateTable('api_keys')
      .set({ expires_at: millisecondsOrNull(expiresAt) })
      .where('id', '=', id)
      .where('revoked_at', 'is', null)
      .executeTakeFirst();
    return result.numUpdatedRows > 0n;
  }

  /** Notes the latest use of many keys at once; a key that is gone is skipped, an older time changes nothing. */
  async touchLastUsed(uses: ReadonlyMap<string, Date>): Promise<void> {
    if (uses.size === 0) return;
    await inTransaction(this.#db, async (db) => {
      for (const [id, at] of uses) {
        const time = at.getTime();
        await db
          .updateTable('api_keys')
          .set({ last_used_at: time })
          .where('id', '=', id)
          .where((where) => where.or([where('last_used_at', 'is', null), where('last_used_at', '<', time)]))
          .execute();
      }
    });
  }

  /**
   * Forgets keys that were revoked or expired before `before`.
   * @returns how many.
   */
  async prune(before: Date): Promise<number> {
    const time = before.getTime();
    const { numDeletedRows } = await this.#db
      .deleteFrom('api_keys')
      .where((where) => where.or([where('revoked_at', '<', time), where('expires_at', '<', time)]))
      .executeTakeFirst();
    return Number(numDeletedRows);
  }

  async #insert(db: Database, key: ApiKeyRecord): Promise<void> {
    await db
      .insertInto('api_keys')
      .values({
        id: key.id,
        hash: key.hash,
        hint: storable(key.hint),
        label: storable(key.label),
        user_id: storable(key.userId),
        role: storable(key.role),
        permissions: JSON.stringify(key.permissions),
        created_by: storable(key.createdBy),
        created_at: key.createdAt.getTime(),
        expires_at: millisecondsOrNull(key.expiresAt),
        revoked_at: millisecondsOrNull(key.revokedAt),
        last_used_at: millisecondsOrNull(key.lastUsedAt),
      })
      .execute();
  }
}

function read(row: ApiKeyRow): ApiKeyRecord {
  return {
    id: row.id,
    hash: row.hash,
    hint: row.hint,
    label: row.label,
    userId: row.user_id,
    role: row.role,
    permissions: parseColumn(textList, row.permissions, `api_keys.permissions of ${row.id}`),
    createdBy: row.created_by,
    createdAt: timeOf(row.created_at),
    expiresAt: timeOrNull(row.expires_at),
    revokedAt: timeOrNull(row.revoked_at),
    lastUsedAt: timeOrNull(row.last_used_at),
  };
}
