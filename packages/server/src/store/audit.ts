import type { Selectable } from 'kysely';
import { z } from 'zod';
import { checkColumn, isMap, parseColumn, storable, storableOrNull, timeOf } from './columns.ts';
import { permitAuditChanges, refuseAuditChanges } from './migrations/audit-guard.ts';
import { inTransaction } from './tables.ts';
import type { AuditRow, Database, Dialect } from './tables.ts';

/** How an action ended: done, refused for lack of rights, or failed otherwise. */
export const AUDIT_OUTCOMES = ['allowed', 'denied', 'failed'] as const;
export type AuditOutcome = (typeof AUDIT_OUTCOMES)[number];

/** One action that matters for security. Holds no secret. */
export interface AuditEvent {
  readonly at: Date;
  /** User; `null` when nobody was authenticated. */
  readonly actor: string | null;
  /** Id of the API key used. */
  readonly actorKeyId: string | null;
  /** Such as `session.start` or `key.revoke`. */
  readonly action: string;
  readonly outcome: AuditOutcome;
  /** What it was done to, such as `session`. */
  readonly targetKind: string | null;
  readonly targetId: string | null;
  readonly remoteAddress: string | null;
  readonly requestId: string | null;
  readonly details: Readonly<Record<string, string | number | boolean | null>>;
}

/** An event as recorded. */
export interface AuditEntry extends AuditEvent {
  /** Grows with every event; there may be gaps. */
  readonly sequence: number;
}

export interface AuditFilter {
  readonly actor?: string;
  readonly action?: string;
  readonly outcome?: AuditOutcome;
  readonly targetKind?: string;
  readonly targetId?: string;
  /** From this time on. */
  readonly since?: Date;
  /** Before this time. */
  readonly until?: Date;
}

export interface AuditPage {
  /** Newest first. */
  readonly entries: readonly AuditEntry[];
  /** Give it as `before` for the next page; `null` on the last one. */
  readonly next: number | null;
}

const details = z.custom<AuditEvent['details']>(
  (value) => isMap(value) && Object.values(value).every(isScalar),
);
const outcome = z.enum(AUDIT_OUTCOMES);

/** Entries that are forgotten in one transaction; nobody can write to the log meanwhile. */
const PRUNED_AT_ONCE = 1000;

/**
 * The audit log. It can be written and read, never changed: the database itself refuses that. Only {@link prune}
 * takes away what is old.
 */
export class AuditTable {
  readonly #db: Database;
  readonly #dialect: Dialect;

  constructor(db: Database, dialect: Dialect) {
    this.#db = db;
    this.#dialect = dialect;
  }

  /** Records events; durable when the promise resolves. */
  async append(...events: readonly AuditEvent[]): Promise<void> {
    if (events.length === 0) return;
    await this.#db
      .insertInto('audit_log')
      .values(
        events.map((event) => ({
          at: event.at.getTime(),
          actor: storableOrNull(event.actor),
          actor_key_id: storableOrNull(event.actorKeyId),
          action: storable(event.action),
          outcome: event.outcome,
          target_kind: storableOrNull(event.targetKind),
          target_id: storableOrNull(event.targetId),
          remote_address: storableOrNull(event.remoteAddress),
          request_id: storableOrNull(event.requestId),
          details: JSON.stringify(event.details),
        })),
      )
      .execute();
  }

  /** @param before - only entries with a smaller sequence; `null` = from the newest. */
  async list(filter: AuditFilter, limit: number, before: number | null = null): Promise<AuditPage> {
    const { actor, action, targetKind, targetId, since, until } = filter;
    let query = this.#db
      .selectFrom('audit_log')
      .selectAll()
      .orderBy('sequence', 'desc')
      .limit(limit + 1);
    if (actor !== undefined) query = query.where('actor', '=', storable(actor));
    if (action !== undefined) query = query.where('action', '=', storable(action));
    if (filter.outcome !== undefined) query = query.where('outcome', '=', filter.outcome);
    if (targetKind !== undefined) query = query.where('target_kind', '=', storable(targetKind));
    if (targetId !== undefined) query = query.where('target_id', '=', storable(targetId));
    if (since !== undefined) query = query.where('at', '>=', since.getTime());
    if (until !== undefined) query = query.where('at', '<', until.getTime());
    if (before !== null) query = query.where('sequence', '<', before);
    const rows = await query.execute();
    const entries = rows.slice(0, limit).map(read);
    return { entries, next: rows.length > limit ? (entries.at(-1)?.sequence ?? null) : null };
  }

  /**
   * Forgets some of the entries from before `before`, the oldest first; to be called until it answers 0.
   * @returns how many.
   */
  async prune(before: Date): Promise<number> {
    const old = this.#db.selectFrom('audit_log').select('sequence').where('at', '<', before.getTime());
    // Lifting the database's refusal stops all writers, so it is done only for a reason.
    if ((await old.limit(1).execute()).length === 0) return 0;
    return inTransaction(this.#db, async (db) => {
      await permitAuditChanges(db, this.#dialect);
      const { numDeletedRows } = await db
        .deleteFrom('audit_log')
        .where('sequence', 'in', old.orderBy('sequence').limit(PRUNED_AT_ONCE))
        .executeTakeFirstOrThrow();
      await refuseAuditChanges(db, this.#dialect);
      return Number(numDeletedRows);
    });
  }
}

function isScalar(value: unknown): boolean {
  return value === null || ['string', 'number', 'boolean'].includes(typeof value);
}

function read(row: Selectable<AuditRow>): AuditEntry {
  return {
    sequence: row.sequence,
    at: timeOf(row.at),
    actor: row.actor,
    actorKeyId: row.actor_key_id,
    action: row.action,
    outcome: checkColumn(outcome, row.outcome, `audit_log.outcome of ${row.sequence}`),
    targetKind: row.target_kind,
    targetId: row.target_id,
    remoteAddress: row.remote_address,
    requestId: row.request_id,
    details: parseColumn(details, row.details, `audit_log.details of ${row.sequence}`),
  };
}
