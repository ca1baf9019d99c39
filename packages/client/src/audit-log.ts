import { auditPageSchema, type AuditEntry, type AuditOutcome, type AuditPage } from './access-schemas.ts';
import { allPages, queryOf } from './paging.ts';
import type { CallOptions, Transport } from './transport.ts';

/** Which entries to find; all conditions must hold. */
export interface AuditFilter {
  /** Who did it. */
  readonly user_id?: string | undefined;
  /** Such as `session.start`. */
  readonly action?: string | undefined;
  readonly outcome?: AuditOutcome | undefined;
  readonly target_kind?: string | undefined;
  readonly target_id?: string | undefined;
  /** RFC 3339; from this time on. */
  readonly since?: string | undefined;
  /** RFC 3339; before this time. */
  readonly until?: string | undefined;
  /** Rows of one page. */
  readonly limit?: number | undefined;
  /** `next_cursor` of the page before. */
  readonly cursor?: string | undefined;
}

/** What was done and refused on the server; for administrators. */
export class AuditLog {
  readonly #transport: Transport;

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** One page, newest entry first. */
  list(filter: AuditFilter = {}, options: CallOptions = {}): Promise<AuditPage> {
    const call = { ...options, method: 'GET', path: '/audit', query: queryOf({ ...filter }) } as const;
    return this.#transport.json(call, auditPageSchema);
  }

  /** All entries that match, newest first, page by page as they are consumed. Limits apply to each page. */
  listAll(filter: AuditFilter = {}, options: CallOptions = {}): AsyncGenerator<AuditEntry, void, undefined> {
    return allPages(
      'GET /audit',
      filter.cursor,
      (cursor) => this.list({ ...filter, cursor }, options),
      (page) => page.entries,
    );
  }
}
