import { isLive, SESSION_STATES } from '../sessions/session.ts';
import type { SessionFacts, SessionState } from '../sessions/session.ts';
import { millisecondsOrNull, storable, storableOrNull } from './columns.ts';
import type { SecretBox } from './secret-box.ts';
import type {
  MessageState,
  StoredRun,
  NewSession,
  SessionRecord,
  SessionSecrets,
  TransitionChange,
  SessionFilter,
  SessionCursor,
  SessionPage,
} from './session-record.ts';
import {
  addHistory,
  addPresentStates,
  historiesOf,
  matches,
  MAX_ROWS_A_STATEMENT,
  tagDigest,
} from './session-queries.ts';
import { readExit, readRecord, readSecrets, readSummary } from './session-rows.ts';
import { inTransaction } from './tables.ts';
import type { Database } from './tables.ts';

const LIVE_STATES = SESSION_STATES.filter(isLive);

/** Sessions in the store. Every write is durable when its promise resolves. */
export class SessionTable {
  readonly #db: Database;
  readonly #box: SecretBox;

  constructor(db: Database, box: SecretBox) {
    this.#db = db;
    this.#box = box;
  }

  /**
   * Records a new session in the state `creating`.
   * @throws StoreError `conflict` when the id is taken.
   */
  async insert(session: NewSession): Promise<void> {
    const { facts } = session;
    const at = facts.createdAt.getTime();
    const seal = (field: string, text: string): string => this.#seal(facts.id, field, text);
    await inTransaction(this.#db, async (db) => {
      await db
        .insertInto('sessions')
        .values({
          id: facts.id,
          instance_id: session.instanceId,
          owner_id: storable(facts.ownerId),
          agent: facts.agent,
          agent_type: facts.agentType,
          agent_server: facts.agentServer,
          tags: JSON.stringify(facts.tags),
          environment_names: JSON.stringify(facts.environmentNames),
          workspace_name: facts.workspaceName ?? null,
          profile_id: facts.profileId ?? null,
          created_at: at,
          updated_at: at,
          state: 'creating',
          reason: null,
          port: session.port,
          pid: null,
          start_time: null,
          boot_id: null,
          token_sealed: null,
          start_sealed: seal('start', JSON.stringify(session.start)),
          exit_sealed: null,
          message_state: session.message === null ? null : 'pending',
          message_at: null,
          message_reason: null,
          message_sealed: session.message === null ? null : seal('message', session.message),
        })
        .execute();
      await addHistory(db, facts.id, { state: 'creating', at: facts.createdAt });
      const digests = new Set(Object.entries(facts.tags).map(([name, value]) => tagDigest(name, value)));
      if (digests.size > 0) {
        await db
          .insertInto('session_tags')
          .values([...digests].map((digest) => ({ session_id: facts.id, digest })))
          .execute();
      }
    });
  }

  /** `null` when there is no such session. */
  async get(id: string): Promise<SessionRecord | null> {
    const row = await this.#db.selectFrom('sessions').selectAll().where('id', '=', id).executeTakeFirst();
    if (row === undefined) return null;
    const history = await historiesOf(this.#db, [id]);
    return readRecord(row, history.get(id) ?? [], await readExit(this.#box, row));
  }

  /** @throws StoreError `key` or `corrupt`; never returns a sealed text as if it were the secret. */
  async readSecrets(id: string): Promise<SessionSecrets | null> {
    const row = await this.#db
      .selectFrom('sessions')
      .select(['id', 'start_sealed', 'message_sealed', 'token_sealed'])
      .where('id', '=', id)
      .executeTakeFirst();
    return row === undefined ? null : readSecrets(this.#box, row);
  }

  /**
   * A page of sessions, newest first.
   * @param limit - most sessions of the page; `null` for all.
   */
  async list(
    filter: SessionFilter = {},
    limit: number | null = null,
    after: SessionCursor | null = null,
  ): Promise<SessionPage> {
    let query = this.#db
      .selectFrom('sessions')
      .select(['id', 'instance_id', 'owner_id', 'agent', 'agent_type', 'agent_server', 'tags'])
      .select(['environment_names', 'workspace_name', 'profile_id', 'created_at', 'updated_at', 'state'])
      .select(['reason', 'port'])
      .where((where) => matches(where, filter))
      .orderBy('created_at', 'desc')
      .orderBy('id');
    if (after !== null) {
      const createdAt = after.createdAt.getTime();
      // The first condition alone lets the index seek; the second settles equal times.
      query = query
        .where('created_at', '<=', createdAt)
        .where((where) => where.or([where('created_at', '<', createdAt), where('id', '>', after.id)]));
    }
    if (limit !== null) query = query.limit(limit + 1);
    const rows = await query.execute();
    const sessions = rows.slice(0, limit ?? rows.length).map(readSummary);
    const last = sessions.at(-1);
    const next =
      sessions.length < rows.length && last !== undefined
        ? { createdAt: last.facts.createdAt, id: last.facts.id }
        : null;
    return { sessions, next };
  }

  /** How many sessions match. */
  async count(filter: SessionFilter = {}): Promise<number> {
    const { total } = await this.#db
      .selectFrom('sessions')
      .select((select) => select.fn.countAll<number>().as('total'))
      .where((where) => matches(where, filter))
      .executeTakeFirstOrThrow();
    return total;
  }

  /**
   * Gives every session to this data folder; only right when no other one can use the store. The processes of an
   * earlier owner are none of its business.
   * @returns how many changed hands.
   */
  async claimAll(instanceId: string): Promise<number> {
    const result = await this.#db
      .updateTable('sessions')
      .set({ instance_id: instanceId, pid: null, start_time: null, boot_id: null, token_sealed: null })
      .where('instance_id', '!=', instanceId)
      .executeTakeFirst();
    return Number(result.numUpdatedRows);
  }

  /** Every session of this data folder that had not ended, oldest first: what a restart must look after. */
  async listOpen(instanceId: string): Promise<readonly SessionRecord[]> {
    const rows = await this.#db
      .selectFrom('sessions')
      .selectAll()
      .where('state', 'in', LIVE_STATES)
      .where('instance_id', '=', instanceId)
      .orderBy('created_at')
      .orderBy('id')
      .execute();
    const histories = await historiesOf(
      this.#db,
      rows.map((row) => row.id),
    );
    return Promise.all(
      rows.map(async (row) => readRecord(row, histories.get(row.id) ?? [], await readExit(this.#box, row))),
    );
  }

  /** Ids of sessions of this data folder that ended, and were last used, before `before`; oldest use first. */
  async listEndedBefore(instanceId: string, before: Date, limit: number): Promise<readonly string[]> {
    const rows = await this.#db
      .selectFrom('sessions')
      .select('id')
      .where('state', 'in', ['stopped', 'failed'])
      .where('instance_id', '=', instanceId)
      .where('updated_at', '<', before.getTime())
      .orderBy('updated_at')
      .limit(limit)
      .execute();
    return rows.map((row) => row.id);
  }

  /**
   * Compare-and-set of the state, with a line in the history.
   * @returns whether the session was in one of `from`; if not, nothing has changed.
   */
  async transition(
    id: string,
    from: readonly SessionState[],
    to: SessionState,
    change: TransitionChange,
  ): Promise<boolean> {
    if (from.length === 0) return false;
    const at = change.at.getTime();
    const { exit, port } = change;
    return inTransaction(this.#db, async (db) => {
      const result = await db
        .updateTable('sessions')
        .set({
          state: to,
          reason: storableOrNull(change.reason),
          updated_at: at,
          ...(port === undefined ? {} : { port }),
          ...(exit === undefined
            ? {}
            : { exit_sealed: exit === null ? null : this.#seal(id, 'exit', JSON.stringify(exit)) }),
        })
        .where('id', '=', id)
        .where('state', 'in', from)
        .executeTakeFirst();
      if (result.numUpdatedRows === 0n) return false;
      await addHistory(db, id, {
        state: to,
        at: change.at,
        ...(change.reason === undefined ? {} : { reason: change.reason }),
      });
      return true;
    });
  }

  /**
   * {@link transition} of many sessions to the same state for the same reason.
   * @returns those that were in one of `from`.
   */
  async transitionAll(
    ids: readonly string[],
    from: readonly SessionState[],
    to: SessionState,
    change: { readonly at: Date; readonly reason: string },
  ): Promise<ReadonlySet<string>> {
    const at = change.at.getTime();
    const reason = storable(change.reason);
    const moved = new Set<string>();
    await inTransaction(this.#db, async (db) => {
      for (let start = 0; start < ids.length; start += MAX_ROWS_A_STATEMENT) {
        const rows = await db
          .updateTable('sessions')
          .set({ state: to, reason, updated_at: at })
          .where('id', 'in', ids.slice(start, start + MAX_ROWS_A_STATEMENT))
          .where('state', 'in', from)
          .returning('id')
          .execute();
        if (rows.length === 0) continue;
        for (const { id } of rows) moved.add(id);
        await addPresentStates(
          db,
          rows.map(({ id }) => id),
        );
      }
    });
    return moved;
  }

  /**
   * Begins another life of a session that has ended: state `creating`, nothing known of a process or an exit.
   * @returns whether it had ended; if not, nothing has changed.
   */
  async reopen(
    id: string,
    change: {
      readonly at: Date;
      readonly reason: string;
      readonly port: number;
      readonly agentServer: SessionFacts['agentServer'];
    },
  ): Promise<boolean> {
    return inTransaction(this.#db, async (db) => {
      const from = SESSION_STATES.filter((state) => !isLive(state));
      const { at, reason, port } = change;
      const isMine = await new SessionTable(db, this.#box).transition(id, from, 'creating', {
        at,
        reason,
        port,
        exit: null,
      });
      if (!isMine) return false;
      await db
        .updateTable('sessions')
        .set({
          agent_server: change.agentServer,
          pid: null,
          start_time: null,
          boot_id: null,
          token_sealed: null,
        })
        .where('id', '=', id)
        .execute();
      return true;
    });
  }

  /** Those of the ids that are sessions of this store. */
  async findKnown(ids: readonly string[]): Promise<ReadonlySet<string>> {
    const known = new Set<string>();
    for (let start = 0; start < ids.length; start += MAX_ROWS_A_STATEMENT) {
      const rows = await this.#db
        .selectFrom('sessions')
        .select('id')
        .where('id', 'in', ids.slice(start, start + MAX_ROWS_A_STATEMENT))
        .execute();
      for (const { id } of rows) known.add(id);
    }
    return known;
  }

  /**
   * Records the process of a session, or with `null` that there is none any more.
   * @returns whether there is such a session.
   */
  async saveRun(id: string, run: StoredRun | null, token: string | null): Promise<boolean> {
    const result = await this.#db
      .updateTable('sessions')
      .set({
        pid: run?.pid ?? null,
        start_time: run?.startTime ?? null,
        boot_id: run?.bootId ?? null,
        token_sealed: token === null ? null : this.#seal(id, 'token', token),
        ...(run === null ? {} : { port: run.port }),
      })
      .where('id', '=', id)
      .executeTakeFirst();
    return result.numUpdatedRows > 0n;
  }

  /**
   * Compare-and-set of the first message's state. A delivered one is no longer kept.
   * @returns whether it was in one of `from`.
   */
  async markMessage(id: string, from: readonly MessageState['state'][], to: MessageState): Promise<boolean> {
    if (from.length === 0) return false;
    const result = await this.#db
      .updateTable('sessions')
      .set({
        message_state: to.state,
        message_at: millisecondsOrNull('at' in to ? to.at : null),
        message_reason: storableOrNull('reason' in to ? to.reason : null),
        ...(to.state === 'delivered' ? { message_sealed: null } : {}),
      })
      .where('id', '=', id)
      .where('message_state', 'in', from)
      .executeTakeFirst();
    return result.numUpdatedRows > 0n;
  }

  /** Notes when sessions were last used; a session that is gone is skipped, an older time changes nothing. */
  async touch(uses: ReadonlyMap<string, Date>): Promise<void> {
    if (uses.size === 0) return;
    await inTransaction(this.#db, async (db) => {
      for (const [id, at] of uses) {
        const time = at.getTime();
        await db
          .updateTable('sessions')
          .set({ updated_at: time })
          .where('id', '=', id)
          .where('updated_at', '<', time)
          .execute();
      }
    });
  }

  /**
   * Forgets a session with its history, tags and shares (PX-173).
   * @returns whether there was one.
   */
  async delete(id: string): Promise<boolean> {
    const result = await this.#db.deleteFrom('sessions').where('id', '=', id).executeTakeFirst();
    return result.numDeletedRows > 0n;
  }

  #seal(id: string, field: string, text: string): string {
    return this.#box.seal(text, { table: 'sessions', id, field });
  }
}
