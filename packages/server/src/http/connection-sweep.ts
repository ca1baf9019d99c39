import type { ClientConnection } from '../wire/client-connection.ts';

/** How long clients may take; milliseconds. */
export interface ConnectionTimes {
  /** For the head of a request, from its first byte. */
  readonly head: number;
  /** For the whole body of a request. */
  readonly body: number;
  /** For the next request on a connection, as it is announced. */
  readonly idle: number;
  /** For taking anything of what was written to them. */
  readonly stall: number;
}

/** So much longer than was announced: a request that is on its way must not meet a closed connection. */
const IDLE_MARGIN_MS = 5_000;

/** A body that is wanted must not stand still longer than this. */
const BODY_PAUSE_MS = 60_000;

/** When a client has been sent its last answer, it has this long to go. */
const CLOSING_MS = 30_000;

/** Why a connection is ended. */
export type Overdue = 'unused' | 'late' | 'stalled';

/** What is overdue on a connection; `null` when nothing is. To be asked again and again, with growing `now`. */
export function overdueOf(connection: ClientConnection, now: number, times: ConnectionTimes): Overdue | null {
  if (connection.stalledFor(now) > times.stall) return 'stalled';
  const waited = now - connection.since;
  switch (connection.phase) {
    case 'idle':
      return waited > times.idle + IDLE_MARGIN_MS ? 'unused' : null;
    case 'head':
      return waited > times.head ? 'late' : null;
    case 'body':
      return waited > times.body || connection.silentFor(now) > BODY_PAUSE_MS ? 'late' : null;
    case 'closing':
      return connection.closingFor(now) > CLOSING_MS ? 'stalled' : null;
    case 'answer':
      return null;
  }
}
