import type { AuditFilter, AuditOutcome } from '@agentapi-proxy/client';

/** Results of what was done. */
export const OUTCOMES: readonly AuditOutcome[] = ['allowed', 'denied', 'failed'];

/** What somebody looks for in the audit log; all of it is in the address of the page. Empty texts choose nothing. */
export interface AuditQuery {
  readonly user: string;
  readonly action: string;
  readonly outcome: AuditOutcome | '';
  readonly target: string;
  /** As a field for date and time has them: `2026-11-01T10:30`, in the time of this place. */
  readonly since: string;
  readonly until: string;
}

/** Everything. */
export const NO_AUDIT_QUERY: AuditQuery = {
  user: '',
  action: '',
  outcome: '',
  target: '',
  since: '',
  until: '',
};

/** Reads the filters from the query of the page. */
export function auditQueryOf(query: URLSearchParams): AuditQuery {
  const text = (name: string): string => query.get(name) ?? '';
  return {
    user: text('user'),
    action: text('action'),
    outcome: OUTCOMES.find((outcome) => outcome === text('outcome')) ?? '',
    target: text('target'),
    since: text('since'),
    until: text('until'),
  };
}

/** The query of the page; empty without any filter. */
export function searchOf(filters: AuditQuery): URLSearchParams {
  return new URLSearchParams(Object.entries(filters).filter(([, value]) => value !== ''));
}

/** The filters as the API takes them; a time that is none chooses nothing. */
export function auditFilterOf(filters: AuditQuery): AuditFilter {
  const { user, action, outcome, target } = filters;
  const [since, until] = [timeOf(filters.since), timeOf(filters.until)];
  return {
    ...(user.trim() === '' ? {} : { user_id: user.trim() }),
    ...(action.trim() === '' ? {} : { action: action.trim() }),
    ...(outcome === '' ? {} : { outcome }),
    ...(target.trim() === '' ? {} : { target_id: target.trim() }),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
  };
}

function timeOf(local: string): string | undefined {
  const time = new Date(local);
  return local === '' || Number.isNaN(time.getTime()) ? undefined : time.toISOString();
}
