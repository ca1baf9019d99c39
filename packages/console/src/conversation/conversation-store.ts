import { signal, type ReadonlySignal } from '@preact/signals';
import type {
  AgentStatus,
  AgentStatusReport,
  ConversationMessage,
  Session,
  SessionDetails,
  SessionState,
} from '@agentapi-proxy/client';
import { isPassing } from '../api/passing-error.ts';
import type { StreamTurns } from '../api/stream-turns.ts';
import { pause, whileSeen } from '../api/while-seen.ts';
import { newsOf, type AgentNotice, type JournalNews } from './journal-news.ts';
import { lastEventOf, withMessages } from './message-list.ts';

/** Whether there is something to show. */
export type LoadPhase =
  | { readonly kind: 'loading' }
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly error: unknown };

/** Whether what is shown is what is. `over`: nothing more will come. */
export type LiveConnection = 'connecting' | 'live' | 'reconnecting' | 'over';

/** What is known of messages before the first one that is shown. */
export type OlderMessages =
  | { readonly kind: 'none' }
  | { readonly kind: 'some' }
  | { readonly kind: 'loading' }
  | { readonly kind: 'failed'; readonly error: unknown };

/** The agent's present status, and since when it has it, in milliseconds of this machine's clock. */
export interface TimedStatus {
  readonly status: AgentStatus;
  readonly since: number;
}

/** Messages of one page: some screens full. */
const PAGE = 100;
/** An agent that draws its screen changes a message many times a second; nobody reads that fast. */
const GATHER_MS = 80;
/** Details that could not be read, because the server was away, are asked for again after this. */
const RETRY_MS = 3_000;
/** Notices of an agent server that are kept in view. */
const MAX_NOTICES = 5;

/**
 * One conversation as it is and becomes. The newest messages come first, older ones on request; then every event of the
 * journal behind them, over as many connections as it takes.
 */
export class ConversationStore {
  readonly #session: Session;
  readonly #turns: StreamTurns;
  readonly #life = new AbortController();
  readonly #messages = signal<readonly ConversationMessage[]>([]);
  readonly #phase = signal<LoadPhase>({ kind: 'loading' });
  readonly #connection = signal<LiveConnection>('connecting');
  readonly #older = signal<OlderMessages>({ kind: 'none' });
  readonly #status = signal<TimedStatus | undefined>(undefined);
  readonly #transport = signal<AgentStatusReport['transport']>(undefined);
  readonly #details = signal<SessionDetails | undefined>(undefined);
  readonly #notices = signal<readonly AgentNotice[]>([]);
  readonly #watchers = new Set<(news: JournalNews) => void>();
  #olderCursor: string | undefined;
  #gathered: ConversationMessage[] = [];
  #gathering: ReturnType<typeof setTimeout> | undefined;
  #statusReports = 0;
  #lastEvent = 0;
  #isRenewing = false;

  readonly messages: ReadonlySignal<readonly ConversationMessage[]> = this.#messages;
  readonly phase: ReadonlySignal<LoadPhase> = this.#phase;
  readonly connection: ReadonlySignal<LiveConnection> = this.#connection;
  readonly older: ReadonlySignal<OlderMessages> = this.#older;
  /** `undefined` while it is not known, and for sessions that have none. */
  readonly status: ReadonlySignal<TimedStatus | undefined> = this.#status;
  /** How the agent is driven; `undefined` while it is not known. */
  readonly transport: ReadonlySignal<AgentStatusReport['transport']> = this.#transport;
  readonly details: ReadonlySignal<SessionDetails | undefined> = this.#details;
  readonly notices: ReadonlySignal<readonly AgentNotice[]> = this.#notices;

  /** @param turns - while it has none the store rests, and catches up afterwards */
  constructor(session: Session, turns: StreamTurns) {
    this.#session = session;
    this.#turns = turns;
  }

  /** Reads the end of the conversation and follows it until `close`. */
  start(): void {
    void this.#run();
  }

  /** Ends everything that this store does. */
  close(): void {
    this.#life.abort();
    clearTimeout(this.#gathering);
  }

  /** Tells of everything that happens from now on. @returns what ends that */
  watch(onNews: (news: JournalNews) => void): () => void {
    this.#watchers.add(onNews);
    return () => this.#watchers.delete(onNews);
  }

  /** After a failure, and for a session that lives again. Does nothing while it works. */
  restart(): void {
    if (this.#life.signal.aborted) return;
    if (this.#phase.value.kind !== 'failed' && this.#connection.value !== 'over') return;
    this.start();
  }

  /** Reads the page before the first message. */
  async loadOlder(): Promise<void> {
    const { kind } = this.#older.value;
    if (kind !== 'some' && kind !== 'failed') return;
    this.#older.value = { kind: 'loading' };
    try {
      const page = await this.#page(this.#olderCursor);
      this.#messages.value = withMessages(this.#messages.value, page.messages);
      this.#setOlder(page.next_cursor);
    } catch (error) {
      if (!this.#life.signal.aborted) this.#older.value = { kind: 'failed', error };
    }
  }

  /** Forgets all but the end, which keeps the memory of a page that is open for days within bounds. */
  async forgetOld(): Promise<void> {
    if (this.#older.value.kind === 'loading') return;
    const before = this.#older.value;
    this.#older.value = { kind: 'loading' };
    try {
      const page = await this.#page(undefined);
      const first = page.messages[0]?.id ?? 0;
      const known = this.#messages.value.filter(({ id }) => id >= first);
      this.#messages.value = withMessages(page.messages, known);
      this.#setOlder(page.next_cursor);
    } catch {
      // It can wait until the server is there again.
      this.#older.value = before;
    }
  }

  dismissNotice(eventId: number): void {
    this.#notices.value = this.#notices.value.filter((notice) => notice.eventId !== eventId);
  }

  async #run(): Promise<void> {
    const { signal } = this.#life;
    try {
      if (this.#phase.value.kind !== 'ready') {
        this.#phase.value = { kind: 'loading' };
        await this.#readEnd();
        this.#phase.value = { kind: 'ready' };
      } else {
        await this.#renewDetails();
      }
      this.#connection.value = 'connecting';
      void this.#askStatus();
      await this.#follow(signal);
      this.#flush();
      this.#setStatus(undefined);
      await this.#renewDetails();
      this.#connection.value = 'over';
    } catch (error) {
      if (!signal.aborted) this.#phase.value = { kind: 'failed', error };
    }
  }

  async #readEnd(): Promise<void> {
    const [page] = await Promise.all([this.#page(undefined), this.#readDetails()]);
    this.#messages.value = page.messages;
    this.#lastEvent = lastEventOf(page.messages);
    this.#setOlder(page.next_cursor);
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const onConnect = (): void => {
      this.#connection.value = 'live';
      void this.#askStatus();
    };
    const onReconnect = (): void => {
      if (!signal.aborted) this.#connection.value = 'reconnecting';
    };
    const open = (end: AbortSignal) =>
      this.#session.conversation.events({ signal: end, after: this.#lastEvent, onConnect, onReconnect });
    const stream = { turns: this.#turns, signal, open, onRetry: onReconnect };
    for await (const event of whileSeen(stream)) {
      this.#lastEvent = event.id;
      const news = newsOf(event);
      if (news === undefined) continue;
      await this.#take(news);
      for (const tell of this.#watchers) tell(news);
    }
  }

  async #take(news: JournalNews): Promise<void> {
    if (news.kind === 'message') {
      this.#gathered.push(news.message);
      this.#gathering ??= setTimeout(() => this.#flush(), GATHER_MS);
      return;
    }
    // What was said before is shown before.
    this.#flush();
    switch (news.kind) {
      case 'status':
        this.#setStatus(news.status);
        return;
      case 'notice':
        this.#notices.value = [...this.#notices.value, news.notice].slice(-MAX_NOTICES);
        return;
      case 'state':
        if (news.state !== 'running') this.#setStatus(undefined);
        await this.#renewDetails(news.state);
        void this.#askStatus();
        return;
      case 'gap':
        this.#messages.value = [];
        await this.#readEnd();
    }
  }

  #flush(): void {
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
    this.#messages.value = withMessages(this.#messages.value, this.#gathered);
    this.#gathered = [];
  }

  #setStatus(status: AgentStatus | undefined): void {
    this.#statusReports += 1;
    if (status === this.#status.value?.status) return;
    this.#status.value = status === undefined ? undefined : { status, since: Date.now() };
  }

  /** The journal tells changes only; how things are now is asked for once. */
  async #askStatus(): Promise<void> {
    if (this.#details.value?.state !== 'running') return;
    const reports = this.#statusReports;
    try {
      const report = await this.#session.status({ signal: this.#life.signal });
      this.#transport.value = report.transport ?? 'pty';
      if (reports !== this.#statusReports || this.#status.value?.status === report.status) return;
      this.#statusReports += 1;
      this.#status.value = { status: report.status, since: this.#lastRequestAt() };
    } catch {
      // It is not running (yet); the next event says so.
    }
  }

  /** An agent that works has done so since it was last told something. */
  #lastRequestAt(): number {
    const now = Date.now();
    const said = this.#messages.value.findLast(({ role }) => role === 'user')?.time;
    const at = said === undefined ? Number.NaN : Date.parse(said);
    return Number.isNaN(at) ? now : Math.min(at, now);
  }

  async #readDetails(): Promise<void> {
    this.#details.value = await this.#session.details({ signal: this.#life.signal });
  }

  /**
   * Reads them now; or, when the server cannot be reached, as soon as it can.
   *
   * @param state - what is known meanwhile
   */
  async #renewDetails(state?: SessionState): Promise<void> {
    try {
      await this.#readDetails();
    } catch (error) {
      if (!isPassing(error)) throw error;
      const known = this.#details.value;
      if (known !== undefined && state !== undefined) this.#details.value = { ...known, state };
      if (!this.#isRenewing) void this.#renewLater();
    }
  }

  async #renewLater(): Promise<void> {
    const { signal } = this.#life;
    this.#isRenewing = true;
    while (this.#isRenewing) {
      await pause(RETRY_MS, signal);
      try {
        await this.#readDetails();
        await this.#askStatus();
        this.#isRenewing = false;
      } catch (error) {
        // What else may be wrong with the session shows where it is used.
        this.#isRenewing = !signal.aborted && isPassing(error);
      }
    }
  }

  async #page(cursor: string | undefined) {
    const { signal } = this.#life;
    return this.#session.conversation.messages({ order: 'newest', limit: PAGE, cursor, signal });
  }

  #setOlder(cursor: string | undefined): void {
    this.#olderCursor = cursor;
    this.#older.value = cursor === undefined ? { kind: 'none' } : { kind: 'some' };
  }
}
