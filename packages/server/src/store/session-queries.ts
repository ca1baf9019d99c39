import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import type { ExpressionBuilder, ExpressionWrapper, SqlBool } from 'kysely';
import { isLive, SESSION_STATES } from '../sessions/session.ts';
import type { SessionState, StateChange } from '../sessions/session.ts';
import { storable, storableOrNull, timeOf } from './columns.ts';
import type { SessionFilter } from './session-record.ts';
import type { Database, Tables } from './tables.ts';

/** SQLite takes 32,766 parameters a statement, PostgreSQL 65,535. */
export const MAX_ROWS_A_STATEMENT = 1000;

/** The condition of a filter. */
export function matches(
  where: ExpressionBuilder<Tables, 'sessions'>,
  { states, ownerId, visibleTo, tags }: SessionFilter,
): ExpressionWrapper<Tables, 'sessions', SqlBool> {
  const shared = (userId: string, at: number): ExpressionWrapper<Tables, 'sessions', SqlBool> =>
    where.exists(
      where
        .selectFrom('share_grants')
        .select(sql<number>`1`.as('found'))
        .whereRef('share_grants.session_id', '=', 'sessions.id')
        .where('share_grants.user_id', '=', userId)
        .where('share_grants.revoked_at', 'is', null)
        .where((grant) => grant.or([grant('expires_at', 'is', null), grant('expires_at', '>', at)])),
    );
  const tagged = (digest: string): ExpressionWrapper<Tables, 'sessions', SqlBool> =>
    where(
      'id',
      'in',
      where.selectFrom('session_tags').select('session_id').where('session_tags.digest', '=', digest),
    );
  return where.and([
    ...(states === undefined ? [] : [isIn(where, states)]),
    ...(ownerId === undefined ? [] : [where('owner_id', '=', storable(ownerId))]),
    ...(visibleTo === undefined
      ? []
      : [
          where.or([
            where('owner_id', '=', storable(visibleTo.userId)),
            shared(storable(visibleTo.userId), visibleTo.at.getTime()),
          ]),
        ]),
    ...[...(tags ?? [])].map(([name, value]) => tagged(tagDigest(name, value))),
  ]);
}

/**
 * Nearly all sessions have ended. Asked for all of those by name, SQLite reads and sorts each of them for every page;
 * told which ones to leave out, it goes along the index of the order and ends with the page.
 */
function isIn(
  where: ExpressionBuilder<Tables, 'sessions'>,
  states: ReadonlySet<SessionState>,
): ExpressionWrapper<Tables, 'sessions', SqlBool> {
  const others = SESSION_STATES.filter((state) => !states.has(state));
  if (others.length === 0) return where.lit(true);
  if (others.every(isLive)) return where('state', 'not in', others);
  return states.size === 0 ? where.lit(false) : where('state', 'in', [...states]);
}

/** Adds a line to the past of a session; in the transaction of the change itself. */
export async function addHistory(db: Database, id: string, change: StateChange): Promise<void> {
  await db
    .insertInto('session_states')
    .values((insert) => ({
      session_id: id,
      position: insert
        .selectFrom('session_states')
        .select(sql<number>`coalesce(max(position), 0) + 1`.as('next'))
        .where('session_id', '=', id),
      state: change.state,
      at: change.at.getTime(),
      reason: storableOrNull(change.reason),
    }))
    .execute();
}

/** Adds to the past of each session a line for the state it is in now; in the transaction that has changed them. */
export async function addPresentStates(db: Database, ids: readonly string[]): Promise<void> {
  await db
    .insertInto('session_states')
    .columns(['session_id', 'position', 'state', 'at', 'reason'])
    .expression((insert) =>
      insert
        .selectFrom('sessions')
        .select((select) => [
          'sessions.id',
          select
            .selectFrom('session_states')
            .select(sql<number>`coalesce(max(position), 0) + 1`.as('next'))
            .whereRef('session_states.session_id', '=', 'sessions.id')
            .$asScalar()
            .as('next_position'),
          'sessions.state',
          'sessions.updated_at',
          'sessions.reason',
        ])
        .where('sessions.id', 'in', ids),
    )
    .execute();
}

/** The past of sessions, oldest first. */
export async function historiesOf(
  db: Database,
  ids: readonly string[],
): Promise<ReadonlyMap<string, readonly { state: string; at: Date; reason: string | null }[]>> {
  const histories = new Map<string, { state: string; at: Date; reason: string | null }[]>();
  for (let start = 0; start < ids.length; start += MAX_ROWS_A_STATEMENT) {
    const rows = await db
      .selectFrom('session_states')
      .select(['session_id', 'state', 'at', 'reason'])
      .where('session_id', 'in', ids.slice(start, start + MAX_ROWS_A_STATEMENT))
      .orderBy('session_id')
      .orderBy('position')
      .execute();
    for (const { session_id: id, state, at, reason } of rows) {
      const history = histories.get(id) ?? [];
      history.push({ state, at: timeOf(at), reason });
      histories.set(id, history);
    }
  }
  return histories;
}

/** What the index over tags holds of one. */
export function tagDigest(name: string, value: string): string {
  return createHash('sha256')
    .update(JSON.stringify([name, value]))
    .digest('base64url');
}
