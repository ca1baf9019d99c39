import { setImmediate as nextTurn } from 'node:timers/promises';
import { sql } from 'kysely';
import type { RawBuilder } from 'kysely';
import { placeOf, SEALED_COLUMNS } from './sealed-columns.ts';
import type { SealedColumn } from './sealed-columns.ts';
import { envelopePrefix } from './secret-box.ts';
import type { SecretBox } from './secret-box.ts';
import { StoreError } from './store-error.ts';
import { inTransaction } from './tables.ts';
import type { Database, Dialect } from './tables.ts';

/** Records of a batch: a transaction of some milliseconds, so that requests get their turn in between. */
const BATCH_SIZE = 100;

export interface ResealOptions {
  /** Ends the work between two batches; what is done stays done, and the next call goes on from there. */
  readonly signal?: AbortSignal;
  /** Told after each batch how many envelopes were sealed again so far. */
  readonly onProgress?: (resealed: number) => void;
}

export interface ResealReport {
  /** Envelopes that were sealed again. */
  readonly resealed: number;
  /** Envelopes that no key opens, such as `profiles.private of 4711`; while there are any, their keys stay needed. */
  readonly unreadable: readonly string[];
  /** Ids of keys that nothing in the store needs any more. Backups made before may. */
  readonly retired: readonly string[];
}

/**
 * Seals everything with the newest key while the store is in use, batch by batch. It can be interrupted at any
 * moment and started again.
 * @throws StoreError; the abort reason of `signal`.
 */
export async function reseal(
  db: Database,
  dialect: Dialect,
  box: SecretBox,
  options: ResealOptions = {},
): Promise<ResealReport> {
  let resealed = 0;
  for (;;) {
    const unreadable: string[] = [];
    const before = resealed;
    for (const column of SEALED_COLUMNS) {
      let after = '';
      for (;;) {
        options.signal?.throwIfAborted();
        const batch = await resealBatch(db, box, column, after, unreadable);
        if (batch === null) break;
        resealed += batch.resealed;
        after = batch.last;
        options.onProgress?.(resealed);
        await nextTurn();
      }
    }
    const retired = await retireKeys(db, dialect, box);
    // A write that was under way when the new key came may have used the old one: look again.
    if (retired !== null || resealed === before) return { resealed, unreadable, retired: retired ?? [] };
  }
}

/** @returns `null` when there is nothing after `after` that another key has sealed. */
async function resealBatch(
  db: Database,
  box: SecretBox,
  column: SealedColumn,
  after: string,
  unreadable: string[],
): Promise<{ readonly resealed: number; readonly last: string } | null> {
  return inTransaction(db, async (transaction) => {
    const { rows } = await sql<{ id: string; envelope: string }>`
      select id, ${sql.ref(column.column)} as envelope from ${sql.table(column.table)}
      where ${sealedByOthers(column, box)} and id > ${after}
      order by id limit ${BATCH_SIZE}`.execute(transaction);
    const last = rows.at(-1)?.id;
    if (last === undefined) return null;
    let resealed = 0;
    for (const { id, envelope } of rows) {
      const place = placeOf(column, id);
      let text: string;
      try {
        text = await box.open(envelope, place);
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        unreadable.push(`${place.table}.${place.field} of ${id}`);
        continue;
      }
      // Somebody may have written in between; that is sealed with the newest key already.
      const { numAffectedRows } = await sql`
        update ${sql.table(column.table)} set ${sql.ref(column.column)} = ${box.seal(text, place)}
        where id = ${id} and ${sql.ref(column.column)} = ${envelope}`.execute(transaction);
      resealed += Number(numAffectedRows ?? 0n);
    }
    return { resealed, last };
  });
}

/**
 * Forgets the keys with which nothing is sealed.
 * @returns `null` when something still is.
 */
async function retireKeys(db: Database, dialect: Dialect, box: SecretBox): Promise<readonly string[] | null> {
  return inTransaction(db, async (transaction) => {
    if (dialect.locksRows) await sql`lock table encryption_keys in exclusive mode`.execute(transaction);
    for (const column of SEALED_COLUMNS) {
      const { rows } = await sql`
        select 1 from ${sql.table(column.table)} where ${sealedByOthers(column, box)} limit 1`.execute(
        transaction,
      );
      if (rows.length > 0) return null;
    }
    const retired = await transaction
      .deleteFrom('encryption_keys')
      .where('key_id', '!=', box.keyring.newest.id)
      .returning('key_id')
      .execute();
    return retired.map((row) => row.key_id);
  });
}

function sealedByOthers(column: SealedColumn, box: SecretBox): RawBuilder<boolean> {
  const name = sql.ref(column.column);
  return sql<boolean>`${name} is not null and ${name} not like ${`${envelopePrefix(box.keyring.newest.id)}%`}`;
}
