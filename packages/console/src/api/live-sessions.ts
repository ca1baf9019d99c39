import { signal, type ReadonlySignal } from '@preact/signals';
import type { Client, OverviewEvent, SessionSummary } from '@agentapi-proxy/client';
import { parseOverviewEvent, type SessionNews } from './overview-event.ts';
import { isSameSession, liveSessionOf, type LiveSession, type SessionFacts } from './live-session.ts';

/** How the list of sessions comes to the page. */
export type ListState =
  | { readonly kind: 'loading' }
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly error: unknown };

/** Whether the page hears of changes. */
export type Connection = 'connecting' | 'open' | 'reconnecting';

/** What the list asks of the API. */
export type SessionsClient = Pick<Client, 'events' | 'search' | 'searchAll'>;

/** Told of every session that has begun to do something else while the page watched. */
export type PhaseListener = (session: LiveSession, before: LiveSession) => void;

/** Told of every message that is new or has grown. */
export type MessageListener = (
  sessionId: string,
  message: { readonly id: number; readonly role: string },
) => void;

/** Agents at work report many times a second; nobody sees more than this. */
const PUBLISH_MS = 100;
/** Agents at work grow their messages all the time; a list that is sorted by that would never be at rest. */
const ACTIVITY_STEP_MS = 30_000;
/** Sessions that appear together are asked for together. */
const DISCOVER_MS = 150;
const DISCOVER_PAGE = 100;
const PAGE = 1_000;
/** The client repeats what broke; this is for what it gave up. */
const RETRY_MS = 5_000;

/** All sessions that the person may see, up to date through one event stream. */
export class LiveSessions {
  readonly #client: SessionsClient;
  readonly #rows = new Map<string, SessionSummary>();
  readonly #facts = new Map<string, SessionFacts>();
  /** For each list that is on its way: sessions that have gone since it was asked for. */
  readonly #gone = new Set<Set<string>>();
  readonly #list = signal<ReadonlyMap<string, LiveSession>>(new Map());
  readonly #state = signal<ListState>({ kind: 'loading' });
  readonly #connection = signal<Connection>('connecting');
  readonly #phaseListeners = new Set<PhaseListener>();
  readonly #messageListeners = new Set<MessageListener>();
  #life = new AbortController();
  #publishTimer: ReturnType<typeof setTimeout> | undefined;
  #discoverTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(client: SessionsClient) {
    this.#client = client;
  }

  /** By id, in no particular order. */
  get list(): ReadonlySignal<ReadonlyMap<string, LiveSession>> {
    return this.#list;
  }

  get state(): ReadonlySignal<ListState> {
    return this.#state;
  }

  get connection(): ReadonlySignal<Connection> {
    return this.#connection;
  }

  /** Begins to watch; ends what was watched before. */
  start(): void {
    this.stop();
    this.#life = new AbortController();
    void this.#watch(this.#life.signal);
  }

  /** Ends the watching, and forgets everything. */
  stop(): void {
    this.#life.abort();
    clearTimeout(this.#publishTimer);
    clearTimeout(this.#discoverTimer);
    this.#publishTimer = undefined;
    this.#discoverTimer = undefined;
    this.#rows.clear();
    this.#facts.clear();
    this.#list.value = new Map();
    this.#state.value = { kind: 'loading' };
    this.#connection.value = 'connecting';
  }

  /** @returns ends it */
  onPhase(listener: PhaseListener): () => void {
    this.#phaseListeners.add(listener);
    return () => this.#phaseListeners.delete(listener);
  }

  /** @returns ends it */
  onMessage(listener: MessageListener): () => void {
    this.#messageListeners.add(listener);
    return () => this.#messageListeners.delete(listener);
  }

  /** Fetches the list anew; for those who do not trust what they see. */
  async reload(): Promise<void> {
    await this.#load(this.#life.signal);
  }

  async #watch(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        const events = this.#client.events({
          signal,
          onConnect: () => this.#onConnect(signal),
          onReconnect: () => {
            this.#connection.value = 'reconnecting';
          },
        });
        for await (const event of events) this.#onEvent(event, signal);
      } catch (error) {
        if (signal.aborted) return;
        this.#connection.value = 'reconnecting';
        if (this.#state.value.kind === 'loading') this.#state.value = { kind: 'failed', error };
      }
      await pause(RETRY_MS, signal);
    }
  }

  /** What was told over the connection before may be old; the new one tells how everything is now. */
  #onConnect(signal: AbortSignal): void {
    this.#connection.value = 'open';
    this.#facts.clear();
    void this.#load(signal);
  }

  async #load(signal: AbortSignal): Promise<void> {
    const gone = new Set<string>();
    this.#gone.add(gone);
    try {
      const rows: SessionSummary[] = [];
      for await (const row of this.#client.searchAll(
        { state: 'all', shared: true, limit: PAGE },
        { signal },
      )) {
        rows.push(row);
      }
      if (signal.aborted) return;
      this.#rows.clear();
      this.#take(rows, gone);
      this.#state.value = { kind: 'ready' };
      this.#publish();
    } catch (error) {
      if (signal.aborted) return;
      if (this.#state.value.kind !== 'ready') this.#state.value = { kind: 'failed', error };
    } finally {
      this.#gone.delete(gone);
    }
  }

  #take(rows: readonly SessionSummary[], gone: ReadonlySet<string>): void {
    for (const row of rows) if (!gone.has(row.session_id)) this.#rows.set(row.session_id, row);
  }

  #onEvent(event: OverviewEvent, signal: AbortSignal): void {
    const news = parseOverviewEvent(event);
    if (news === null) return;
    if (news.kind === 'resync') {
      this.#facts.clear();
      void this.#load(signal);
      return;
    }
    if (news.kind === 'gone') {
      this.#rows.delete(news.id);
      this.#facts.delete(news.id);
      for (const gone of this.#gone) gone.add(news.id);
    } else {
      // One that was hidden can be shared again.
      for (const gone of this.#gone) gone.delete(news.id);
      const known = this.#facts.get(news.id);
      const facts = { ...known, ...factsOf(news) };
      const isSoon = news.kind === 'message' && Date.now() - (known?.lastActivity ?? 0) < ACTIVITY_STEP_MS;
      this.#facts.set(news.id, isSoon ? { ...facts, lastActivity: known?.lastActivity ?? 0 } : facts);
      if (!this.#rows.has(news.id) && this.#state.value.kind === 'ready') this.#discoverSoon(signal);
      if (news.kind === 'message') {
        for (const listener of this.#messageListeners) listener(news.id, news.message);
      }
    }
    this.#publishTimer ??= setTimeout(() => this.#publish(), PUBLISH_MS);
  }

  #discoverSoon(signal: AbortSignal): void {
    this.#discoverTimer ??= setTimeout(() => {
      this.#discoverTimer = undefined;
      void this.#discover(signal);
    }, DISCOVER_MS);
  }

  /** Fetches the rows of sessions that events have told of. */
  async #discover(signal: AbortSignal): Promise<void> {
    const gone = new Set<string>();
    this.#gone.add(gone);
    try {
      const filter = { state: 'all', shared: true, limit: DISCOVER_PAGE } as const;
      const { sessions } = await this.#client.search(filter, { signal });
      if (signal.aborted) return;
      this.#take(sessions, gone);
    } catch {
      // The next event of the session, or the next connection, asks again.
      return;
    } finally {
      this.#gone.delete(gone);
    }
    const isUnknown = (id: string): boolean => !this.#rows.has(id);
    if ([...this.#facts.keys()].some(isUnknown)) {
      // An older session of somebody else that is shared now.
      await this.#load(signal);
      for (const id of [...this.#facts.keys()].filter(isUnknown)) this.#facts.delete(id);
    } else {
      this.#publish();
    }
  }

  #publish(): void {
    clearTimeout(this.#publishTimer);
    this.#publishTimer = undefined;
    const before = this.#list.value;
    const after = new Map<string, LiveSession>();
    const changed: (readonly [LiveSession, LiveSession])[] = [];
    let isSame = before.size === this.#rows.size;
    for (const [id, row] of this.#rows) {
      const known = before.get(id);
      const session = liveSessionOf(row, this.#facts.get(id));
      const next = known !== undefined && isSameSession(known, session) ? known : session;
      after.set(id, next);
      if (next !== known) isSame = false;
      if (known !== undefined && known.phase !== next.phase) changed.push([next, known]);
    }
    if (isSame) return;
    this.#list.value = after;
    for (const [session, was] of changed) for (const listener of this.#phaseListeners) listener(session, was);
  }
}

function factsOf(news: Exclude<SessionNews, { kind: 'gone' | 'resync' }>): SessionFacts {
  switch (news.kind) {
    case 'session':
      return {
        ownerId: news.ownerId,
        state: news.state,
        agentStatus: news.agentStatus,
        isAsking: news.isAsking,
      };
    case 'state':
      // A new life begins with an agent of which nothing is known.
      return {
        state: news.state,
        lastActivity: news.at,
        ...(news.state === 'running' ? {} : { agentStatus: null }),
      };
    case 'status':
      return { agentStatus: news.agentStatus, isAsking: news.isAsking, lastActivity: Date.now() };
    case 'message':
      return { lastActivity: Date.now() };
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    const end = (): void => {
      clearTimeout(timer);
      resolve();
    };
    signal.addEventListener('abort', end, { once: true });
    // Somebody who has just come back online does not want to wait.
    addEventListener('online', end, { once: true, signal });
  });
}
