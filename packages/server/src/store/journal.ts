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

/** What was forgotten. */
export interface Pruned {
  /** As they were stored. */
  readonly bytes: number;
  /** Last position of what was forgotten, by session. */
  readonly upTo: ReadonlyMap<string, number>;
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

  /** Forgets whole segments of a session, oldest first, until the others take `maxBytes` at most; the newest one stays. */
  async pruneToSize(sessionId: string, maxBytes: number): Promise<Pruned> {
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
    let kept = 0;
    const excess = segments.findIndex(({ bytes }, index) => {
      kept += bytes;
      return index > 0 && kept > maxBytes;
    });
    return this.#forget(
      segments.slice(excess === -1 ? segments.length : excess).map(({ segment }) => ({ sessionId, segment })),
    );
  }

  /**
   * Forgets whole segments whose last event was before `before`, those of the oldest `most` batches at a time; with none
   * of them forgotten there are none any more.
   */
  async pruneToAge(before: Date, most: number): Promise<Pruned> {
    const time = before.getTime();
    const old = await this.#db
      .selectFrom('journal_batches as batch')
      .select(['session_id as sessionId', 'segment'])
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
      .limit(most)
      .execute();
    return this.#forget(old);
  }

  /** The rest of a segment could not be read without its beginning: each goes at once. */
  async #forget(segments: readonly { sessionId: string; segment: number }[]): Promise<Pruned> {
    let bytes = 0;
    const upTo = new Map<string, number>();
    for (const { sessionId, segment } of segments) {
      const gone = await this.#db
        .deleteFrom('journal_batches')
        .where('session_id', '=', sessionId)
        .where('segment', '=', segment)
        .returning((row) => ['last_position', row.fn<number>('length', ['events_sealed']).as('bytes')])
        .execute();
      for (const row of gone) {
        bytes += row.bytes;
        upTo.set(sessionId, Math.max(row.last_position, upTo.get(sessionId) ?? 0));
      }
    }
    return { bytes, upTo };
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
      const values = {
        session_id: sessionId,
        first_position: batch.firstPosition,
        last_position: batch.lastPosition,
        segment: batch.segment,
        at: batch.at.getTime(),
        events_sealed: this.#box.seal(JSON.stringify(batch.events), placeOfEvents(id)),
      };
      await db
        .insertInto('journal_batches')
        .values({ id, ...values })
        // A connection that breaks at the end of a transaction does not tell whether it took place; then this is the
        // same once more.
        .onConflict((conflict) => conflict.column('id').doUpdateSet(values))
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
