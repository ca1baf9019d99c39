import { meSchema, type Me } from './access-schemas.ts';
import { ApiKeys } from './api-keys.ts';
import { AuditLog } from './audit-log.ts';
import { messageMatchPageSchema, type MessageMatchPage } from './conversation-schemas.ts';
import { checkTimeout } from './deadline.ts';
import { InvalidArgumentError } from './errors.ts';
import { followOverview, type OverviewEvent, type StreamOptions } from './journal.ts';
import { allPages, queryOf } from './paging.ts';
import type { StartWithProfileRequest } from './profile-schemas.ts';
import { Profiles } from './profiles.ts';
import {
  agentListSchema,
  healthSchema,
  openApiDocumentSchema,
  readinessSchema,
  scriptListSchema,
  searchPageSchema,
  startReplySchema,
  versionSchema,
  type AgentList,
  type DeleteResult,
  type Health,
  type OpenApiDocument,
  type Readiness,
  type ScriptList,
  type SearchPage,
  type SessionDetails,
  type SessionState,
  type SessionSummary,
  type StartRequest,
  type Version,
} from './schemas.ts';
import { Session, type LogOptions } from './session.ts';
import type { PageOptions } from './session-conversation.ts';
import { Transport, type CallOptions, type FetchFunction } from './transport.ts';

/** Pages of other origins cannot send it. */
const FROM_CONSOLE = { 'X-Console': '1' };

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

/** Which sessions to find; all conditions must hold. */
export interface SearchFilter {
  /** The coarse word; prefer `state`. */
  readonly status?: string | undefined;
  /** `all` finds sessions that have ended, too; without it only those that live. */
  readonly state?: SessionState | readonly SessionState[] | 'all' | undefined;
  /** Whether sessions that others have shared with the caller are found, too. */
  readonly shared?: boolean | undefined;
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
  readonly profiles: Profiles;
  /** Keys that are made while the server is in use. */
  readonly apiKeys: ApiKeys;
  readonly audit: AuditLog;
  readonly #transport: Transport;

  /** @internal Use {@link createClient}. */
  constructor(transport: Transport) {
    this.#transport = transport;
    this.profiles = new Profiles(transport);
    this.apiKeys = new ApiKeys(transport);
    this.audit = new AuditLog(transport);
  }

  /** Starts a session and returns as soon as it is recorded; see {@link Session.waitUntilReady}. */
  async start(request: StartRequest = {}, options: CallOptions = {}): Promise<Session> {
    const call = { ...options, method: 'POST', path: '/start', json: request } as const;
    return this.session((await this.#transport.json(call, startReplySchema)).session_id);
  }

  /** Starts a session from a profile. */
  async startWithProfile(request: StartWithProfileRequest = {}, options: CallOptions = {}): Promise<Session> {
    const call = { ...options, method: 'POST', path: '/start-with-profile', json: request } as const;
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
  searchAll(
    filter: SearchFilter = {},
    options: CallOptions = {},
  ): AsyncGenerator<SessionSummary, void, undefined> {
    return allPages(
      'GET /search',
      filter.cursor,
      (cursor) => this.search({ ...filter, cursor }, options),
      (page) => page.sessions,
    );
  }

  /**
   * What changes in all sessions that the caller may see; first how they are. Connections that break are replaced, and
   * begin with that again.
   */
  events(options: StreamOptions = {}): AsyncGenerator<OverviewEvent, void, undefined> {
    return followOverview(this.#transport, options);
  }

  /** Messages in the caller's own sessions that hold all the words of `q`, newest first. */
  searchMessages(q: string, { limit, cursor, ...options }: PageOptions = {}): Promise<MessageMatchPage> {
    const query = queryOf({ q, limit, cursor });
    const call = { ...options, method: 'GET', path: '/search/messages', query } as const;
    return this.#transport.json(call, messageMatchPageSchema);
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

  /** Whom the server takes the caller for. */
  me(options: CallOptions = {}): Promise<Me> {
    return this.#transport.json({ ...options, method: 'GET', path: '/me' }, meSchema);
  }

  /** What sessions can run. */
  agents(options: CallOptions = {}): Promise<AgentList> {
    return this.#transport.json({ ...options, method: 'GET', path: '/start/agents' }, agentListSchema);
  }

  /** Scripts that agent servers can be started by. */
  scripts(options: CallOptions = {}): Promise<ScriptList> {
    return this.#transport.json({ ...options, method: 'GET', path: '/start/scripts' }, scriptListSchema);
  }

  /** For pages of the server itself: has the browser show a cookie from now on, so that the page can forget the key. */
  async signIn(apiKey: string, options: CallOptions = {}): Promise<void> {
    const json = { api_key: apiKey };
    const call = {
      ...options,
      method: 'POST',
      path: '/console/sign-in',
      headers: FROM_CONSOLE,
      json,
    } as const;
    await this.#transport.text(call);
  }

  /** Has the browser forget the cookie of {@link Client.signIn}. */
  async signOut(options: CallOptions = {}): Promise<void> {
    const call = { ...options, method: 'POST', path: '/console/sign-out', headers: FROM_CONSOLE } as const;
    await this.#transport.text(call);
  }

  /** What the server measures, in the text form of Prometheus; for admins with the permission `metrics:read`. */
  metrics(options: CallOptions = {}): Promise<string> {
    return this.#transport.text({ ...options, method: 'GET', path: '/metrics' });
  }

  /** Whether the server works. */
  health(options: CallOptions = {}): Promise<Health> {
    return this.#transport.json({ ...options, method: 'GET', path: '/health' }, healthSchema);
  }

  /** Whether the process works: `GET /livez`, which answers as {@link Client.health} does. */
  live(options: CallOptions = {}): Promise<Health> {
    return this.#transport.json({ ...options, method: 'GET', path: '/livez' }, healthSchema);
  }

  /**
   * Resolves with `ready` when the server takes work.
   *
   * @throws ApiError of kind `unavailable` while it starts or stops; its `body` says which
   */
  ready(options: CallOptions = {}): Promise<Readiness> {
    return this.#transport.json({ ...options, method: 'GET', path: '/readyz' }, readinessSchema);
  }

  /** Which version of the server it is. */
  version(options: CallOptions = {}): Promise<Version> {
    return this.#transport.json({ ...options, method: 'GET', path: '/version' }, versionSchema);
  }

  /** The server's description of its API, for programs. */
  openApiDocument(options: CallOptions = {}): Promise<OpenApiDocument> {
    return this.#transport.json({ ...options, method: 'GET', path: '/openapi.json' }, openApiDocumentSchema);
  }

  /** The same for people: a page of HTML. */
  reference(options: CallOptions = {}): Promise<string> {
    return this.#transport.text({ ...options, method: 'GET', path: '/docs' });
  }
}

function searchQuery({ tags = {}, state, shared, ...filter }: SearchFilter): URLSearchParams {
  const query = queryOf({
    ...filter,
    state: typeof state === 'object' ? state.join(',') : state,
    ...(shared === undefined ? {} : { shared: String(shared) }),
  });
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
