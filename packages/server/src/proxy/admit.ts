import type { IncomingHttpHeaders } from 'node:http';
import type { SessionRefusal } from '../auth/access-control.ts';
import type { Authenticator, RequestOrigin } from '../auth/authenticate.ts';
import type { Principal } from '../auth/principal.ts';
import { AppError, ERRORS } from '../errors.ts';
import type { Endpoint, SessionRoute } from '../sessions/session.ts';

/** After this many seconds a client may ask again for a session that is still starting. */
const RETRY_AFTER_SECONDS = 2;

/** What the admission needs from the rest of the server. */
export interface AdmissionOptions {
  /** A session by its id, ended ones included while they are remembered. */
  readonly find: (id: string) => SessionRoute | undefined;
  readonly authenticator: Pick<Authenticator, 'enabled' | 'authenticate' | 'credentialHeaders'>;
  /** Throws `insufficient_permissions`. */
  readonly authorize: (principal: Principal, permission: 'session:access') => void;
  /** Throws `foreign_session_access` or `shared_for_reading`. */
  readonly checkUse: (principal: Principal, session: SessionRoute, use: 'read' | 'write') => void;
  /** Told of every refusal of somebody who is known, for the record. */
  readonly refused?: (refusal: SessionRefusal) => void;
  /** How long a request waits for a session that is starting, in milliseconds. */
  readonly startTimeoutMs: number;
}

/** What a caller wants with a session. */
export interface Wish {
  /** First path segment exactly as it was sent. */
  readonly segment: string;
  readonly use: 'read' | 'write';
  readonly headers: IncomingHttpHeaders;
}

/** Who asks, and for what session. */
export interface Found {
  readonly principal: Principal;
  readonly session: SessionRoute;
}

/** A session that a caller may use, and where it answers. */
export interface Admitted {
  readonly session: SessionRoute;
  readonly endpoint: Endpoint;
}

/**
 * The checks before anything reaches an agent, for requests and upgrades alike: key, permission, existence,
 * ownership, state – in this order (proxy-api section 4.5).
 */
export class Admission {
  readonly #options: AdmissionOptions;

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  /**
   * The caller, and the session as it is now.
   * @throws AppError `api_key_required`, `invalid_api_key`, `too_many_failures`, `insufficient_permissions`,
   *   `invalid_session_id`, `session_not_found`, `foreign_session_access`, `shared_for_reading`.
   */
  find(wish: Wish, origin: RequestOrigin): Found {
    const { authenticator, refused } = this.#options;
    const principal = authenticator.authenticate(wish.headers, origin);
    try {
      return { principal, session: this.#findFor(principal, wish) };
    } catch (error) {
      if (error instanceof AppError && ERRORS[error.code].status === 403) {
        refused?.({ ...origin, principal, segment: wish.segment, use: wish.use });
      }
      throw error;
    }
  }

  /**
   * Whether somebody who was let in would be let in now; keys and shares can end meanwhile. To be asked again and again
   * while a stream is open: it counts as a use of the session.
   */
  stillAllows(wish: Wish): boolean {
    try {
      this.#findFor(this.#options.authenticator.authenticate(wish.headers), wish).touch();
      return true;
    } catch {
      return false;
    }
  }

  #findFor(principal: Principal, { segment, use }: Wish): SessionRoute {
    const { authorize, find, checkUse } = this.#options;
    authorize(principal, 'session:access');
    // An id has nothing to encode. Decoding it here could make two servers see two sessions (DF-23).
    if (segment.includes('%')) throw new AppError('invalid_session_id');
    const session = find(segment);
    if (session === undefined) throw new AppError('session_not_found');
    checkUse(principal, session, use);
    return session;
  }

  /** Where the session answers, or `null` while it is starting. @throws AppError `session_not_found` when it has ended. */
  ready(session: SessionRoute): Admitted | null {
    if (session.state === 'creating' || session.state === 'starting') return null;
    const { endpoint } = session;
    if (endpoint === null || session.ended.aborted) throw ended(session);
    session.touch();
    return { session, endpoint };
  }

  /**
   * Waits for a session that is starting. Aborting `wait` ends that, as when the client leaves; the start timeout aborts it.
   * @throws AppError `session_starting` after the start timeout, `session_not_found` when the start failed.
   */
  async untilReady(session: SessionRoute, wait: AbortController): Promise<Admitted> {
    // Not AbortSignal.any and .timeout: Node 20 may collect such a signal before it fires.
    const timer = setTimeout(() => wait.abort(), this.#options.startTimeoutMs);
    try {
      await session.untilStarted(wait.signal);
    } catch (cause) {
      throw new AppError('session_starting', { cause, retryAfterSeconds: RETRY_AFTER_SECONDS });
    } finally {
      clearTimeout(timer);
    }
    const admitted = this.ready(session);
    if (admitted === null) throw new AppError('session_starting', { retryAfterSeconds: RETRY_AFTER_SECONDS });
    return admitted;
  }
}

function ended(session: SessionRoute): AppError {
  const { state, reason } = session;
  return new AppError('session_not_found', { details: reason === null ? { state } : { state, reason } });
}
