import { checkTimeout } from './deadline.ts';
import { InvalidArgumentError, InvalidResponseError } from './errors.ts';
import {
  healthSchema,
  searchPageSchema,
  startReplySchema,
  versionSchema,
  type DeleteResult,
  type Health,
  type SearchPage,
  type SessionDetails,
  type SessionState,
  type SessionSummary,
  type Version,
} from './schemas.ts';
import { Session, type LogOptions } from './session.ts';
import { Transport, type CallOptions, type FetchFunction } from './transport.ts';

/** Options of {@link createClient}. */
export interface ClientOptions {
  /** Where the proxy answers, with a path prefix if it has one. In a browser it may be relative to the page. */
  readonly baseUrl: string | URL;
  /** Sent as `X-API-Key`. */
  readonly apiKey?: string | undefined;
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Instead of the platform's `fetch`. */
  readonly fetch?: FetchFunction | undefined;
  /**
   * Longest time of a call, in milliseconds (30,000). Sending, uploading and the waiting helpers have their own,
   * longer limits; of an event stream it limits the time until the answer begins, never the stream.
   */
  readonly timeoutMs?: number | undefined;
}

/** What a new session gets; everything is optional. */
export interface StartRequest {
  /** Name of an agent in the server's configuration; default: the server's choice. */
  readonly agent?: string | undefined;
  /** Further arguments for the agent's command. */
  readonly agent_args?: readonly string[] | undefined;
  /** Owner. Only administrators, and everyone while authentication is off, may name one. */
  readonly user_id?: string | undefined;
  /** Environment variables for the agent. */
  readonly environment?: Readonly<Record<string, string>> | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
  /** First message; delivered once the agent is ready. */
  readonly message?: string | undefined;
}

/** Which sessions to find; all conditions must hold. */
export interface SearchFilter {
  /** The coarse word; prefer `state`. */
  readonly status?: string | undefined;
  readonly state?: SessionState | undefined;
  /** Owner; a filter for those who may see other people's sessions. */
  readonly user_id?: string | undefined;
  /** Each tag must have exactly this value. */
  readonly tags?: Readonly<Record<string, string>> | undefined;
  /** Rows of one page. */
  readonly limit?: number | undefined;
  /** `next_cursor` of the page before. */
  readonly cursor?: string | undefined;
}

/** Limit of an ordinary call (PX-213). */
const DEFAULT_TIMEOUT_MS = 30_000;

/**
 * Makes a client. It opens no connection and keeps none of its own; there is nothing to close.
 *
 * @throws InvalidArgumentError for a base URL, header or limit that cannot be right; never shows the key
 */
export function createClient(options: ClientOptions): Client {
  return new Client(
    new Transport({
      baseUrl: parseBaseUrl(options.baseUrl),
      headers: requestHeaders(options.apiKey, options.headers ?? {}),
      // Looked up at each call, and called without `this`, which browsers insist on.
      fetch: options.fetch ?? ((url, init) => globalThis.fetch(url, init)),
      timeoutMs: checkTimeout('timeoutMs', options.timeoutMs ?? DEFAULT_TIMEOUT_MS),
    }),
  );
}

/**
 * A proxy and its sessions (PX-213). Every method rejects with an {@link ApiError}, a {@link ConnectionError} or a
 * {@link TimeoutError}. Calls that only read are repeated up to twice after a broken connection and after a 503
 * that names a time; others never.
 */
export class Client {
  readonly #transport: Transport;

  /** @internal Use {@link createClient}. */
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Starts a session and returns as soon as it is recorded; see {@link Session.waitUntilReady}. */
  async start(request: StartRequest = {}, options: CallOptions = {}): Promise<Session> {
    const call = { ...options, method: 'POST', path: '/start', json: request } as const;
    return this.session((await this.#transport.json(call, startReplySchema)).session_id);
  }

  /**
   * A handle for a session that exists; makes no request.
   *
   * @throws InvalidArgumentError for an empty id (PX-217)
   */
  session(id: string): Session {
    return new Session(this.#transport, id);
  }

  /** One page of sessions, newest first. */
  search(filter: SearchFilter = {}, options: CallOptions = {}): Promise<SearchPage> {
    const call = { ...options, method: 'GET', path: '/search', query: searchQuery(filter) } as const;
    return this.#transport.json(call, searchPageSchema);
  }

  /** All sessions that match, newest first, page by page as they are consumed. Limits apply to each page. */
  async *searchAll(
    filter: SearchFilter = {},
    options: CallOptions = {},
  ): AsyncGenerator<SessionSummary, void, undefined> {
    let cursor = filter.cursor;
    for (;;) {
      const page = await this.search({ ...filter, cursor }, options);
      yield* page.sessions;
      const next = page.next_cursor ?? undefined;
      if (next === undefined) return;
      if (next === cursor) throw new InvalidResponseError('GET /search: the same page twice');
      cursor = next;
    }
  }

  /** A session's record. */
  async get(id: string, options: CallOptions = {}): Promise<SessionDetails> {
    return this.session(id).details(options);
  }

  /** The output of a session's processes. */
  async log(id: string, options: LogOptions = {}): Promise<string> {
    return this.session(id).log(options);
  }

  /** Ends a session; resolves when its processes are gone. An unknown one is an error of kind `not_found` (PX-217). */
  async delete(id: string, options: CallOptions = {}): Promise<DeleteResult> {
    return this.session(id).delete(options);
  }

  /** Whether the server works. */
  health(options: CallOptions = {}): Promise<Health> {
    return this.#transport.json({ ...options, method: 'GET', path: '/health' }, healthSchema);
  }

  /** Which version of the server it is. */
  version(options: CallOptions = {}): Promise<Version> {
    return this.#transport.json({ ...options, method: 'GET', path: '/version' }, versionSchema);
  }
}

function searchQuery({ tags = {}, limit, ...filter }: SearchFilter): URLSearchParams {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(filter)) {
    if (value !== undefined) query.set(name, value);
  }
  if (limit !== undefined) query.set('limit', String(limit));
  for (const [key, value] of Object.entries(tags)) query.set(`tag.${key}`, value);
  return query;
}

function parseBaseUrl(baseUrl: string | URL): string {
  const page = typeof location === 'undefined' ? undefined : location.href;
  let url: URL;
  try {
    url = new URL(baseUrl, page);
  } catch {
    throw new InvalidArgumentError('baseUrl is no URL; it looks like http://localhost:8080');
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new InvalidArgumentError(`baseUrl must begin with http:// or https://, not ${url.protocol}`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new InvalidArgumentError('baseUrl must not contain a user name or password; use apiKey or headers');
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}

function requestHeaders(
  apiKey: string | undefined,
  headers: Readonly<Record<string, string>>,
): Record<string, string> {
  const all = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    try {
      all.set(name, value);
    } catch {
      // The platform's own error shows the value, which may be a secret.
      throw new InvalidArgumentError(
        `headers: ${JSON.stringify(name)} is no header, or its value is not allowed in one`,
      );
    }
  }
  if (apiKey !== undefined) {
    if (!/^[\x21-\x7e]+$/.test(apiKey)) {
      throw new InvalidArgumentError('apiKey must be printable ASCII without spaces, and not empty');
    }
    all.set('x-api-key', apiKey);
  }
  return Object.fromEntries(all);
}
