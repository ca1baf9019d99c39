import { ApiError, type ApiErrorKind } from './errors.ts';
import { errorBodySchema } from './schemas.ts';

/** Longest plain text that is taken over as an error's message. */
const MAX_TEXT_MESSAGE_CHARS = 300;

/** How an agent server words "not now" (agentapi section 2.6); its status is 500 for every refusal. */
const BUSY_TEXT = 'waiting for user input';

/** Makes the typed error of an answer that is not a success. Reads the body. */
export async function apiErrorOf(response: Response): Promise<ApiError> {
  const status = response.status;
  const text = await response.text();
  const contentType = response.headers.get('content-type') ?? '';
  const json = /[/+]json\b/i.test(contentType) ? parseJson(text) : undefined;
  const said = errorBodySchema.safeParse(json);
  const members = said.success ? said.data : {};
  const plain = contentType.startsWith('text/plain') ? text.trim() : '';
  const reasons = (members.errors ?? []).flatMap((error) => error.message ?? []);
  const detail = [members.detail ?? members.title, ...reasons]
    .filter((part) => part !== undefined)
    .join(': ');
  const message =
    members.message ||
    detail ||
    (plain.length <= MAX_TEXT_MESSAGE_CHARS ? plain : '') ||
    `HTTP ${status} ${response.statusText}`.trim();
  return new ApiError(kindOf(status, message), message, {
    status,
    code: members.code,
    requestId: members.request_id ?? response.headers.get('x-request-id') ?? undefined,
    retryAfterMs: parseRetryAfter(response.headers.get('retry-after')),
    body: json ?? text,
  });
}

/** The typed error of a redirect, which is never followed: the key must not reach another server. */
export function redirectErrorOf(response: Response): ApiError {
  // Browsers hide status and target of a redirect (`opaqueredirect`).
  const target = response.headers.get('location');
  const where = target === null ? 'elsewhere' : `to ${target}`;
  return new ApiError('redirect', `The server redirects ${where}; use the final address as baseUrl`, {
    status: response.status,
  });
}

/** Whether the same request may succeed later, without any change on the caller's side. */
export function isTransient(error: ApiError): boolean {
  if (error.status === 501) return false;
  return error.status >= 500 || error.status === 408 || error.status === 425 || error.status === 429;
}

/** Whether the proxy says that it does not know the session (any more). */
export function isSessionUnknown(error: ApiError): boolean {
  return (
    error.status === 404 &&
    (error.code ?? error.message.toLowerCase().replaceAll(' ', '_')) === 'session_not_found'
  );
}

/** Milliseconds of a `Retry-After` header: seconds, or a date. */
export function parseRetryAfter(value: string | null, now = Date.now()): number | undefined {
  if (value === null) return undefined;
  if (/^\s*\d+\s*$/.test(value)) return Number(value) * 1000;
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function kindOf(status: number, message: string): ApiErrorKind {
  if (message.includes(BUSY_TEXT)) return 'agent_busy';
  switch (status) {
    case 401:
      return 'unauthorized';
    case 403:
      return 'forbidden';
    case 404:
      return 'not_found';
    case 409:
    case 412:
      return 'conflict';
    case 429:
      return 'rate_limited';
    case 502:
    case 503:
    case 504:
      return 'unavailable';
    default:
      return status < 500 ? 'invalid_request' : 'server_error';
  }
}
