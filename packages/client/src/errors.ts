import type { SessionDetails } from './schemas.ts';

/**
 * What an {@link ApiError} means for the caller.
 *
 * - `invalid_request`: the request itself is wrong (400, 405, 413, 415, 422 and other 4xx)
 * - `unauthorized`: no key, or a key the server does not accept (401)
 * - `forbidden`: the key may not do this, or the session is somebody else's (403)
 * - `not_found`: no such session, or no such route (404)
 * - `conflict`: the thing is in a state that does not allow this (409), or was changed since (412)
 * - `rate_limited`: too many sessions or too many starts (429)
 * - `agent_busy`: the agent is not waiting for input, so the message was refused
 * - `unavailable`: starting, shutting down or unreachable behind the proxy (502, 503, 504)
 * - `redirect`: the server sent the request elsewhere (3xx); the client never follows
 * - `server_error`: every other failure of the server
 */
export type ApiErrorKind =
  | 'invalid_request'
  | 'unauthorized'
  | 'forbidden'
  | 'not_found'
  | 'conflict'
  | 'rate_limited'
  | 'agent_busy'
  | 'unavailable'
  | 'redirect'
  | 'server_error';

/** Every `kind` an error of this package can have. */
export type ClientErrorKind =
  | ApiErrorKind
  | 'connection'
  | 'timeout'
  | 'invalid_response'
  | 'invalid_argument'
  | 'session_ended';

/**
 * Base of all errors of this package. Tell them apart by `kind` or by `instanceof` of the subclasses.
 * A call that its own `signal` aborts rejects with the reason of that signal instead.
 */
export class ClientError extends Error {
  override readonly name: string = 'ClientError';
  readonly kind: ClientErrorKind;

  constructor(kind: ClientErrorKind, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.kind = kind;
  }
}

/** What the server said when it refused or failed; see {@link ApiError}. */
export interface ApiErrorDetails {
  /** HTTP status; 0 where a browser hides it (a redirect). */
  readonly status: number;
  /** Stable error code of the proxy; absent from answers of the agent and of other proxies. */
  readonly code?: string | undefined;
  /** Id of the request in the server's log. */
  readonly requestId?: string | undefined;
  /** How long the server asks to wait before the next try, in milliseconds. */
  readonly retryAfterMs?: number | undefined;
  /** The answer's body: parsed if it was JSON, else its text. */
  readonly body?: unknown;
}

/** The server answered, but not with success. `message` is the server's own text (PX-216). */
export class ApiError extends ClientError implements ApiErrorDetails {
  override readonly name = 'ApiError';
  declare readonly kind: ApiErrorKind;
  readonly status: number;
  readonly code: string | undefined;
  readonly requestId: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly body: unknown;

  constructor(kind: ApiErrorKind, message: string, details: ApiErrorDetails) {
    super(kind, message);
    this.status = details.status;
    this.code = details.code;
    this.requestId = details.requestId;
    this.retryAfterMs = details.retryAfterMs;
    this.body = details.body;
  }
}

/** No answer, or an answer that broke off. Whether the server acted on the request is not known. */
export class ConnectionError extends ClientError {
  override readonly name = 'ConnectionError';
  declare readonly kind: 'connection';

  constructor(message: string, options?: { cause?: unknown }) {
    super('connection', message, options);
  }
}

/** A time limit of the client passed. Whether the server acted on the request is not known. */
export class TimeoutError extends ClientError {
  override readonly name = 'TimeoutError';
  declare readonly kind: 'timeout';
  /** The limit that passed, in milliseconds. */
  readonly timeoutMs: number;

  constructor(what: string, timeoutMs: number, options?: { cause?: unknown }) {
    super('timeout', `${what} took longer than ${timeoutMs} ms`, options);
    this.timeoutMs = timeoutMs;
  }
}

/** The server answered with success, but with something this API does not answer: often a wrong base URL. */
export class InvalidResponseError extends ClientError {
  override readonly name = 'InvalidResponseError';
  declare readonly kind: 'invalid_response';

  constructor(message: string, options?: { cause?: unknown }) {
    super('invalid_response', message, options);
  }
}

/** An argument cannot be right; no request was made (PX-217). */
export class InvalidArgumentError extends ClientError {
  override readonly name = 'InvalidArgumentError';
  declare readonly kind: 'invalid_argument';

  constructor(message: string) {
    super('invalid_argument', message);
  }
}

/** The session is over, so what the caller waits for cannot come any more. */
export class SessionEndedError extends ClientError {
  override readonly name = 'SessionEndedError';
  declare readonly kind: 'session_ended';
  readonly sessionId: string;
  /** The record with state, reason, exit code and last output; `null` when the server keeps none. */
  readonly session: SessionDetails | null;

  constructor(sessionId: string, session: SessionDetails | null, options?: { cause?: unknown }) {
    const reason = session?.reason === undefined ? '' : `: ${session.reason}`;
    super('session_ended', `Session ${sessionId} has ${session?.state ?? 'ended'}${reason}`, options);
    this.sessionId = sessionId;
    this.session = session;
  }
}
