import { sql } from 'kysely';
import { z } from 'zod';
import { checkColumn, storable, storableOrNull, timeOf } from './columns.ts';
import type { SecretBox } from './secret-box.ts';
import { inTransaction } from './tables.ts';
import type { Database, Dialect, QueuedMessageRow } from './tables.ts';

/** `sending` says that it may have arrived: look before sending it again. */
export const QUEUE_STATES = ['pending', 'sending', 'delivered', 'failed', 'cancelled'] as const;
export type QueueState = (typeof QUEUE_STATES)[number];

/** A message that waits for its agent, or did. */
export interface QueuedMessage {
  readonly id: string;
  readonly sessionId: string;
  /** Order of delivery within the session; begins with 1. */
  readonly position: number;
  readonly state: QueueState;
  /** Why it was not delivered. */
  readonly reason: string | null;
  readonly content: string;
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** How many messages with this text were in the history before it was sent; `null` before the first attempt. */
  readonly alikeBefore: number | null;
}

export interface NewQueuedMessage {
  readonly id: string;
  readonly sessionId: string;
  readonly content: string;
  readonly createdBy: string;
  readonly createdAt: Date;
  /** The caller's name for this request; a second one with it adds nothing. */
  readonly idempotencyKey: string | null;
}

export type AddResult =
  | { readonly kind: 'added'; readonly message: QueuedMessage }
  /** One with this idempotency key is there already. */
  | { readonly kind: 'known'; readonly message: QueuedMessage }
  | { readonly kind: 'full' }
  /** There is no such session. */
  | { readonly kind: 'missing' };

const state = z.enum(QUEUE_STATES);

/** Engines take so many values in a statement and more. */
const COUNTED_SESSIONS = 500;

/** Messages to sessions, in the order of their delivery. They go with their session. */
export class QueueTable {
  readonly #db: Database;
  readonly #box: SecretBox;
  readonly #dialect: Dialect;

  constructor(db: Database, box: SecretBox, dialect: Dialect) {
    this.#db = db;
    this.#box = box;
    this.#dialect = dialect;
  }

  /** Puts a message at the end of the queue, unless `most` wait there already. */
  async add(message: NewQueuedMessage, most: number): Promise<AddResult> {
    return inTransaction(this.#db, async (db) => {
      // Others who add to the same session wait; positions and the limit hold.
      let session = db.selectFrom('sessions').select('id').where('id', '=', message.sessionId);
      if (this.#dialect.locksRows) session = session.forNoKeyUpdate();
      if ((await session.executeTakeFirst()) === undefined) return { kind: 'missing' };
      const own = db.selectFrom('queued_messages').where('session_id', '=', message.sessionId);
      if (message.idempotencyKey !== null) {
        const key = storable(message.idempotencyKey);
        const known = await own.selectAll().where('idempotency_key', '=', key).executeTakeFirst();
        if (known !== undefined) return { kind: 'known', message: await this.#read(known) };
      }
      const { waiting } = await own
        .select((select) => select.fn.countAll<number>().as('waiting'))
        .where('state', 'in', ['pending', 'sending'])
        .executeTakeFirstOrThrow();
      if (waiting >= most) return { kind: 'full' };
      const row = await db
        .insertInto('queued_messages')
        .values((insert) => ({
          id: message.id,
          session_id: message.sessionId,
          position: insert
            .selectFrom('queued_messages')
            .select(sql<number>`coalesce(max(position), 0) + 1`.as('next'))
            .where('session_id', '=', message.sessionId),
          state: 'pending',
          reason: null,
          created_by: storable(message.createdBy),
          created_at: message.createdAt.getTime(),
          updated_at: message.createdAt.getTime(),
          alike_before: null,
          idempotency_key: storableOrNull(message.idempotencyKey),
          content_sealed: this.#box.seal(message.content, placeOf(message.id)),
        }))
        .returningAll()
        .executeTakeFirstOrThrow();
      return { kind: 'added', message: await this.#read(row) };
    });
  }

  /** `null` when the session has no such message. */
  async get(sessionId: string, id: string): Promise<QueuedMessage | null> {
    const row = await this.#db
      .selectFrom('queued_messages')
      .selectAll()
      .where('id', '=', id)
      .where('session_id', '=', sessionId)
      .executeTakeFirst();
    return row === undefined ? null : this.#read(row);
  }

  /** Messages of a session after `after`, in order. @param states - absent: all. */
  async list(
    sessionId: string,
    after: number,
    limit: number,
    states?: readonly QueueState[],
  ): Promise<readonly QueuedMessage[]> {
    let query = this.#db
      .selectFrom('queued_messages')
      .selectAll()
      .where('session_id', '=', sessionId)
      .where('position', '>', after)
      .orderBy('position')
      .limit(limit);
    if (states !== undefined) query = query.where('state', 'in', states);
    return Promise.all((await query.execute()).map(async (row) => this.#read(row)));
  }

  /** The one that is delivered next: one that may have arrived, else the first that waits. */
  async next(sessionId: string): Promise<QueuedMessage | null> {
    const row = await this.#db
      .selectFrom('queued_messages')
      .selectAll()
      .where('session_id', '=', sessionId)
      .where('state', 'in', ['pending', 'sending'])
      .orderBy('state', 'desc')
      .orderBy('position')
      .limit(1)
      .executeTakeFirst();
    return row === undefined ? null : this.#read(row);
  }

  /** How many messages to these sessions wait, and how many are under way. */
  async countWaiting(
    sessionIds: readonly string[],
  ): Promise<Readonly<Record<'pending' | 'sending', number>>> {
    const counts = { pending: 0, sending: 0 };
    for (let from = 0; from < sessionIds.length; from += COUNTED_SESSIONS) {
      const rows = await this.#db
        .selectFrom('queued_messages')
        .select((select) => ['state', select.fn.countAll<number>().as('count')])
        .where('session_id', 'in', sessionIds.slice(from, from + COUNTED_SESSIONS))
        .where('state', 'in', ['pending', 'sending'])
        .groupBy('state')
        .execute();
      for (const { state, count } of rows) {
        if (state === 'pending' || state === 'sending') counts[state] += count;
      }
    }
    return counts;
  }

  /**
   * Takes note that a message is about to be sent.
   * @returns it as it is to be sent; `null` when it does not wait any more.
   */
  async markSending(id: string, text: string, alikeBefore: number, at: Date): Promise<boolean> {
    return inTransaction(this.#db, async (db) => {
      let query = db.selectFrom('queued_messages').selectAll().where('id', '=', id);
      if (this.#dialect.locksRows) query = query.forUpdate();
      const row = await query.executeTakeFirst();
      if (row === undefined || (row.state !== 'pending' && row.state !== 'sending')) return false;
      // It was edited since.
      if ((await this.#read(row)).content !== text) return false;
      await db
        .updateTable('queued_messages')
        .set({ state: 'sending', alike_before: alikeBefore, updated_at: at.getTime() })
        .where('id', '=', id)
        .execute();
      return true;
    });
  }

  /** Compare-and-set of the state. @returns whether it was in one of `from`. */
  async mark(
    id: string,
    from: readonly QueueState[],
    to: QueueState,
    at: Date,
    reason: string | null = null,
  ): Promise<boolean> {
    const result = await this.#db
      .updateTable('queued_messages')
      .set({ state: to, reason: storableOrNull(reason), updated_at: at.getTime() })
      .where('id', '=', id)
      .where('state', 'in', from)
      .executeTakeFirst();
    return result.numUpdatedRows > 0n;
  }

  /** Changes the text of a message that waits. @returns whether it waited. */
  async edit(id: string, content: string, at: Date): Promise<boolean> {
    const result = await this.#db
      .updateTable('queued_messages')
      .set({ content_sealed: this.#box.seal(content, placeOf(id)), updated_at: at.getTime() })
      .where('id', '=', id)
      .where('state', '=', 'pending')
      .executeTakeFirst();
    return result.numUpdatedRows > 0n;
  }

  async #read(row: QueuedMessageRow): Promise<QueuedMessage> {
    return {
      id: row.id,
      sessionId: row.session_id,
      position: row.position,
      state: checkColumn(state, row.state, `queued_messages.state of ${row.id}`),
      reason: row.reason,
      content: await this.#box.open(row.content_sealed, placeOf(row.id)),
      createdBy: row.created_by,
      createdAt: timeOf(row.created_at),
      updatedAt: timeOf(row.updated_at),
      alikeBefore: row.alike_before,
    };
  }
}

function placeOf(id: string) {
  return { table: 'queued_messages', id, field: 'content' };
}
