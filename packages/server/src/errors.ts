/**
 * Every failure a caller can meet. Codes never change. `message` is the wire text of the reference
 * where it has one (proxy-api section 4.2), so clients that compare texts keep working.
 */
export const ERRORS = {
  invalid_request: { status: 400, message: 'Invalid request body' },
  invalid_query: { status: 400, message: 'Invalid query' },
  invalid_environment: { status: 400, message: 'Invalid environment' },
  invalid_tags: { status: 400, message: 'Invalid tags' },
  invalid_repository: { status: 400, message: 'Invalid repository' },
  invalid_ref: { status: 400, message: 'Invalid branch, tag or commit' },
  invalid_session_id: { status: 400, message: 'Invalid session id' },
  script_not_allowed: { status: 400, message: 'Script not allowed' },
  unknown_agent: { status: 400, message: 'Unknown agent' },
  invalid_profile: { status: 400, message: 'Invalid profile' },
  invalid_template: { status: 400, message: 'Invalid template' },
  profile_id_required: { status: 400, message: 'Profile ID is required' },
  host_not_allowed: { status: 403, message: 'Host not allowed' },
  origin_not_allowed: { status: 403, message: 'Origin not allowed' },
  api_key_required: { status: 401, message: 'API key required' },
  invalid_api_key: { status: 401, message: 'Invalid API key' },
  too_many_failures: { status: 429, message: 'Too many failed attempts' },
  authentication_off: { status: 409, message: 'Authentication is off' },
  csrf: {
    status: 403,
    message: 'The request does not prove that it comes from the console; send X-Console: 1',
  },
  permissions_exceeded: { status: 403, message: 'A key can do at most what its creator can' },
  foreign_key: { status: 403, message: 'You can only manage your own API keys' },
  foreign_session_share: { status: 403, message: 'You can only share your own sessions' },
  shared_for_reading: { status: 403, message: 'The session is shared with you for reading only' },
  insufficient_permissions: { status: 403, message: 'Insufficient permissions' },
  foreign_session_delete: { status: 403, message: 'You can only delete your own sessions' },
  foreign_session_access: { status: 403, message: 'You can only access your own sessions' },
  foreign_profile_access: { status: 403, message: 'You can only access your own profiles' },
  foreign_profile_update: { status: 403, message: 'You can only update your own profiles' },
  foreign_profile_delete: { status: 403, message: 'You can only delete your own profiles' },
  foreign_profile_modify: { status: 403, message: 'You can only modify your own profiles' },
  foreign_profile_use: { status: 403, message: 'You can only use your own profiles' },
  not_found: { status: 404, message: 'Not Found' },
  session_not_found: { status: 404, message: 'Session not found' },
  profile_not_found: { status: 404, message: 'Profile not found' },
  api_key_not_found: { status: 404, message: 'API key not found' },
  queued_message_not_found: { status: 404, message: 'Queued message not found' },
  share_not_found: { status: 404, message: 'Share not found' },
  method_not_allowed: { status: 405, message: 'Method Not Allowed' },
  too_many_profiles: { status: 409, message: 'Too many profiles' },
  too_many_shares: { status: 409, message: 'Too many shares' },
  too_many_api_keys: { status: 409, message: 'Too many API keys' },
  session_ended: { status: 409, message: 'The session has ended' },
  message_not_pending: { status: 409, message: 'The message does not wait any more' },
  idempotency_key_reused: { status: 409, message: 'The idempotency key was used for another message' },
  session_not_ended: { status: 409, message: 'The session has not ended' },
  session_elsewhere: { status: 409, message: 'The session belongs to another server' },
  session_not_resumable: { status: 409, message: 'The session cannot be resumed' },
  workspace_missing: { status: 409, message: 'The workspace of the session is not there any more' },
  not_a_repository: { status: 409, message: 'The workspace of the session is not a git repository' },
  nothing_to_push: { status: 409, message: 'There is nothing to push' },
  no_github_token: { status: 409, message: 'There is no token for the repository' },
  github_refused: { status: 409, message: 'GitHub refused it' },
  request_timeout: { status: 408, message: 'The request took too long to arrive' },
  version_conflict: { status: 412, message: 'It has been changed since you read it' },
  body_too_large: { status: 413, message: 'Request body too large' },
  target_too_long: { status: 414, message: 'The request target is too long' },
  unsupported_media_type: { status: 415, message: 'Unsupported content type' },
  headers_too_large: { status: 431, message: 'Request headers too large' },
  too_many_sessions: { status: 429, message: 'Too many sessions' },
  queue_full: { status: 429, message: 'Too many messages wait for the agent' },
  too_many_starts: { status: 429, message: 'Too many session starts' },
  internal: { status: 500, message: 'Internal server error' },
  git_failed: { status: 500, message: 'git could not do its work' },
  github_unreachable: { status: 502, message: 'GitHub cannot be reached' },
  upstream_failed: { status: 502, message: 'Bad Gateway' },
  no_free_port: { status: 503, message: 'Failed to allocate port' },
  session_starting: { status: 503, message: 'Session is still starting' },
  server_starting: { status: 503, message: 'Server is starting' },
  store_unavailable: { status: 503, message: 'The store cannot be used at the moment' },
  overloaded: { status: 503, message: 'The server is overloaded' },
  session_overloaded: { status: 503, message: 'Too many requests are in progress on this session' },
  too_many_connections: { status: 503, message: 'Too many connections' },
  shutting_down: { status: 503, message: 'Server is shutting down' },
  git_timeout: { status: 504, message: 'git did not finish in time' },
  upstream_timeout: { status: 504, message: 'The agent server did not answer in time' },
  version_not_supported: { status: 505, message: 'HTTP version not supported' },
  store_full: { status: 507, message: 'The store has no room left; nothing was changed' },
} as const satisfies Record<string, { status: number; message: string }>;

export type ErrorCode = keyof typeof ERRORS;

/** Whatever cannot be done now may be tried again after so many seconds, unless somebody knows better. */
const RETRY_AFTER_SECONDS = 1;

/** A failure with a stable code. The HTTP status and the exit code belong to the edge. */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: ErrorCode;
  /** Seconds for a `Retry-After` header, when trying again can help. */
  readonly retryAfterSeconds: number | undefined;
  /** Further members of the JSON error body; never secrets. */
  readonly details: Readonly<Record<string, string | number>> | undefined;

  constructor(
    code: ErrorCode,
    options: {
      message?: string;
      cause?: unknown;
      retryAfterSeconds?: number;
      details?: Readonly<Record<string, string | number>>;
    } = {},
  ) {
    super(options.message ?? ERRORS[code].message, { cause: options.cause });
    this.code = code;
    const unavailable = ERRORS[code].status === 503;
    this.retryAfterSeconds = options.retryAfterSeconds ?? (unavailable ? RETRY_AFTER_SECONDS : undefined);
    this.details = options.details;
  }
}

/** The one JSON error shape: `{"message", "code", "request_id", …details}` (PX-057). */
export function errorBody(error: AppError, requestId: string): Record<string, string | number> {
  return { message: error.message, code: error.code, request_id: requestId, ...error.details };
}
