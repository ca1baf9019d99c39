import { isSessionUnknown, isTransient } from './api-error.ts';
import { ApiError, ClientError, ConnectionError, SessionEndedError, TimeoutError } from './errors.ts';
import type { SessionDetails, SessionState } from './schemas.ts';
import { connectionError } from './transport.ts';

/** A session and the way to its record. */
export interface SessionRecord {
  readonly sessionId: string;
  /** Reads the record, once. */
  readonly inspect: (signal: AbortSignal) => Promise<SessionDetails>;
}

const ENDING: readonly SessionState[] = ['stopping', 'stopped', 'failed'];
const ENDED: readonly SessionState[] = ['stopped', 'failed'];

/**
 * Judges a failed call to a session that is being watched. Returns the error when trying again can help.
 *
 * @param known - whether the session has answered before, so that "unknown" means "gone"
 * @throws SessionEndedError when the session is over, else the error itself when trying again is useless
 */
export async function transientCause(
  record: SessionRecord,
  error: unknown,
  known: boolean,
  signal: AbortSignal,
): Promise<ClientError> {
  if (!(error instanceof ClientError)) return connectionError(`Session ${record.sessionId}`, error);
  if (error instanceof ConnectionError || error instanceof TimeoutError) return error;
  if (!(error instanceof ApiError)) throw error;
  const unknown = isSessionUnknown(error);
  if (!unknown && !isTransient(error)) throw error;
  const session = await recordOf(record, signal);
  // A failed session may answer "unavailable" for as long as its record is kept; "unknown" is said of ending ones too.
  const over = session === null ? unknown && known : (unknown ? ENDING : ENDED).includes(session.state);
  if (over) throw new SessionEndedError(record.sessionId, session, { cause: error });
  if (unknown) throw error;
  return error;
}

async function recordOf(record: SessionRecord, signal: AbortSignal): Promise<SessionDetails | null> {
  try {
    return await record.inspect(signal);
  } catch (error) {
    if (signal.aborted || !(error instanceof ClientError)) throw error;
    // No record, or no way to it: the failed call itself has to tell.
    return null;
  }
}
