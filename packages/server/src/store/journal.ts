import { z } from 'zod';
import { parseColumn, textList, timeOf } from './columns.ts';
import { MessageTable } from './messages.ts';
import type { StoredMessage } from './messages.ts';
import type { SecretBox } from './secret-box.ts';
import { inTransaction } from './tables.ts';
import type { Database, Dialect } from './tables.ts';
import type { WordDigests } from './word-digests.ts';

/** How far the journal of a session is. Positions count its events and begin with 1. */
export interface JournalHead {
  readonly lastPosition: number;
  /** First position of the newest segment: what is read from there on needs nothing before it. */
  readonly segment: number;
  /** How many lines of the session's past are in it. */
  readonly states: number;
  /** Last status of the agent; `null` before the first one. */
  readonly status: string | null;
  /** Digests of the agent's errors that it may repeat, oldest first. */
  readonly errors: readonly string[];
}

/** Events of one moment; what an event looks like is the journal's business. */
export interface JournalBatch {
  readonly firstPosition: number;
  readonly lastPosition: number;
  readonly segment: number;
  readonly at: Date;
  readonly events: readonly unknown[];
}

/** What is written of a session at one time. */
export interface JournalWrite {
  readonly sessionId: string;
  readonly head: JournalHead;
  /** `null` when there is no new event. */
  readonly batch: JournalBatch | null;
  /** Messages that have changed. */
  readonly messages: readonly StoredMessage[];
}

const eventList = z.array(z.unknown());

/** Ids sort by session and position. */
const POSITION_DIGITS = 15;

/** What happened in sessions, in order. It goes with its session. Every write is durable when its promise resolves. */
export class JournalTable {
  readonly #db: Database;
  readonly #box: SecretBox;
  readonly #dialect: Dialect;
  readonly #words: WordDigests;

  constructor(db: Database, box: SecretBox, dialect: Dialect, words: WordDigests) {
    this.#db = db;
    this.#box = box;
    this.#dialect = dialect;
    this.#words = words;
  }

  /** `null` for a session that has no journal yet. */
  async readHead(sessionId: string): Promise<JournalHead | null> {
    const row = await this.#db
      .selectFrom('journals')
      .selectAll()
      .where('id', '=', sessionId)
      .executeTakeFirst();
    if (row === undefined) return null;
    const errors =
      row.errors_sealed === null ? '[]' : await this.#box.open(row.errors_sealed, placeOfErrors(sessionId));
    return {
      lastPosition: row.last_position,
      segment: row.segment,
      states: row.states,
      status: row.status,
      errors: parseColumn(textList, errors, `journals.errors of ${sessionId}`),
    };
  }

  /**
   * Writes what has happened in several sessions, all of it or nothing. Not inside of a transaction.
   * @returns ids of sessions that are not there any more; nothing was written for those.
   */
  async append(writes: readonly JournalWrite[]): Promise<ReadonlySet<string>> {
    if (writes.some(({ messages }) => messages.length > 0)) await this.#words.ready();
    return inTransaction(this.#db, async (db) => {
      const ids = writes.map(({ sessionId }) => sessionId);
      let query = db.selectFrom('sessions').select('id').where('id', 'in', ids);
      if (this.#dialect.locksRows) query = query.forKeyShare();
      const present = new Set((await query.execute()).map(({ id }) => id));
      for (const write of writes) if (present.has(write.sessionId)) await this.#write(db, write);
      return new Set(ids.filter((id) => !present.has(id)));
    });
  }

  /** Batches with events from `position` on, oldest first. */
  async read(sessionId: string, position: number, limit: number): Promise<readonly JournalBatch[]> {
    const rows = await this.#db
      .selectFrom('journal_batches')
      .selectAll()
      .where('session_id', '=', sessionId)
      .where('last_position', '>=', position)
      .orderBy('last_position')
      .limit(limit)
      .execute();
    return Promise.all(
      rows.map(async (row) => ({
        firstPosition: row.first_position,
        lastPosition: row.last_position,
        segment: row.segment,
        at: timeOf(row.at),
        events: parseColumn(
          eventList,
          await this.#box.open(row.events_sealed, placeOfEvents(row.id)),
          `journal_batches.events of ${row.id}`,
        ),
      })),
    );
  }

  /** Where the segment begins that holds `position`, or the first one after it; `null` when there is none. */
  async segmentOf(sessionId: string, position: number): Promise<number | null> {
    const row = await this.#db
      .selectFrom('journal_batches')
      .select('segment')
      .where('session_id', '=', sessionId)
      .where('last_position', '>=', position)
      .orderBy('last_position')
      .limit(1)
      .executeTakeFirst();
    return row?.segment ?? null;
  }

  /**
   * Forgets whole segments of a session, oldest first, until the others take `maxBytes` at most; the newest one stays.
   * @returns how many batches were forgotten.
   */
  async pruneToSize(sessionId: string, maxBytes: number): Promise<number> {
    const segments = await this.#db
      .selectFrom('journal_batches')
      .select((select) => [
        'segment',
        select.fn.sum<number>(select.fn<number>('length', ['events_sealed'])).as('bytes'),
      ])
      .where('session_id', '=', sessionId)
      .groupBy('segment')
      .orderBy('segment', 'desc')
      .execute();
    let total = 0;
    const [, ...older] = segments;
    total += segments[0]?.bytes ?? 0;
    for (const { segment, bytes } of older) {
      total += bytes;
      if (total <= maxBytes) continue;
      const result = await this.#db
        .deleteFrom('journal_batches')
        .where('session_id', '=', sessionId)
        .where('segment', '<=', segment)
        .executeTakeFirst();
      return Number(result.numDeletedRows);
    }
    return 0;
  }

  /**
   * Forgets segments whose last event was before `before`; some of them at a time.
   * @returns how many batches were forgotten; 0 = there are none any more.
   */
  async pruneToAge(before: Date, limit: number): Promise<number> {
    const time = before.getTime();
    const old = await this.#db
      .selectFrom('journal_batches as batch')
      .select('id')
      .where('at', '<', time)
      .where((where) =>
        where.not(
          where.exists(
            where
              .selectFrom('journal_batches as other')
              .select('other.id')
              .whereRef('other.session_id', '=', 'batch.session_id')
              .whereRef('other.segment', '=', 'batch.segment')
              .where('other.at', '>=', time),
          ),
        ),
      )
      .orderBy('at')
      .limit(limit)
      .execute();
    if (old.length === 0) return 0;
    const result = await this.#db
      .deleteFrom('journal_batches')
      .where(
        'id',
        'in',
        old.map(({ id }) => id),
      )
      .executeTakeFirst();
    return Number(result.numDeletedRows);
  }

  async #write(db: Database, { sessionId, head, batch, messages }: JournalWrite): Promise<void> {
    const present = {
      last_position: head.lastPosition,
      segment: head.segment,
      states: head.states,
      status: head.status,
      errors_sealed:
        head.errors.length === 0
          ? null
          : this.#box.seal(JSON.stringify(head.errors), placeOfErrors(sessionId)),
    };
    await db
      .insertInto('journals')
      .values({ id: sessionId, ...present })
      .onConflict((conflict) => conflict.column('id').doUpdateSet(present))
      .execute();
    if (batch !== null) {
      const id = `${sessionId}.${String(batch.firstPosition).padStart(POSITION_DIGITS, '0')}`;
      await db
        .insertInto('journal_batches')
        .values({
          id,
          session_id: sessionId,
          first_position: batch.firstPosition,
          last_position: batch.lastPosition,
          segment: batch.segment,
          at: batch.at.getTime(),
          events_sealed: this.#box.seal(JSON.stringify(batch.events), placeOfEvents(id)),
        })
        .execute();
    }
    await new MessageTable(db, this.#box, this.#dialect, this.#words).save(sessionId, messages);
  }
}

function placeOfErrors(sessionId: string) {
  return { table: 'journals', id: sessionId, field: 'errors' };
}

function placeOfEvents(id: string) {
  return { table: 'journal_batches', id, field: 'events' };
}
