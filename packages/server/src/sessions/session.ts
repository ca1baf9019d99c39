/** States of a session; `failed` is reached from the first three only. */
export const SESSION_STATES = ['creating', 'starting', 'running', 'stopping', 'stopped', 'failed'] as const;
export type SessionState = (typeof SESSION_STATES)[number];

const NEXT: Readonly<Record<SessionState, readonly SessionState[]>> = {
  creating: ['starting', 'stopping', 'failed'],
  starting: ['running', 'stopping', 'failed'],
  running: ['stopping', 'failed'],
  stopping: ['stopped'],
  stopped: [],
  failed: [],
};

/** Whether a session in `state` still has, or will have, processes of its own. */
export function isLive(state: SessionState): boolean {
  return state !== 'stopped' && state !== 'failed';
}

/** One entry of a session's state history. */
export interface StateChange {
  readonly state: SessionState;
  readonly at: Date;
  /** Why, as a sentence for the session's owner; absent for the ordinary way forward. */
  readonly reason?: string;
}

/** What became of the first message of a session (DF-35). */
export type InitialMessageState =
  | { readonly state: 'pending' }
  /** It may have arrived: after a crash the agent's history tells (PX-109). */
  | { readonly state: 'sending'; readonly at: Date }
  | { readonly state: 'delivered'; readonly at: Date }
  | { readonly state: 'failed'; readonly at: Date; readonly reason: string };

/** How far a start is that takes long; nothing of it is recorded. */
export interface SessionProgress {
  /** Name of the step, such as `fetching`. */
  readonly step: string;
  /** Percent of the step; `null` while nothing is known. */
  readonly percent: number | null;
  /** In words. */
  readonly detail: string;
}

/** Why a session failed, for programs. */
export interface SessionFailure {
  /** What failed; never changes once it has a name. */
  readonly code: string;
  /** How, such as `authentication_failed`. */
  readonly kind: string;
}

/** How the agent, or the agent server with it, ended. */
export interface SessionExit {
  /** Exit code; `null` when a signal ended it. */
  readonly code: number | null;
  /** Name of the signal, such as `SIGKILL`; `null` when it ended by itself. */
  readonly signal: string | null;
  /** Last lines of output, oldest first. */
  readonly lastOutput: readonly string[];
  /** Absent for what has no name. */
  readonly failure?: SessionFailure;
}

/** Where a session's agent server answers. */
export interface Endpoint {
  /** TCP port on 127.0.0.1. */
  readonly port: number;
  /** Sent in `x-agentapi-token`; `null` for an external `agentapi`, which has none. */
  readonly token: string | null;
}

/** What the data plane needs of a session; all of it in memory. */
export interface SessionRoute {
  readonly id: string;
  readonly ownerId: string;
  readonly state: SessionState;
  /** Why the session failed or stopped, if it did. */
  readonly reason: string | null;
  /** Set while the state is `running` or `stopping`. */
  readonly endpoint: Endpoint | null;
  /** Resolves when the session leaves `creating` and `starting`; immediately if it has. Rejects when `signal` aborts. */
  untilStarted(signal: AbortSignal): Promise<void>;
  /** Aborted when the session ends: open streams and requests to it end then. */
  readonly ended: AbortSignal;
  /** Notes that somebody used the session. */
  touch(): void;
}

/** What does not change during the life of a session. */
export interface SessionFacts {
  readonly id: string;
  readonly ownerId: string;
  /** Name of the agent in the configuration. */
  readonly agent: string;
  /** Canonical agent type; decides how the terminal is read. */
  readonly agentType: string;
  readonly agentServer: 'embedded' | 'external';
  readonly tags: Readonly<Record<string, string>>;
  /** Names of the variables that the request set; values are not kept. */
  readonly environmentNames: readonly string[];
  /** Folder of the workspace; absent when the session has not named it. */
  readonly workspaceName?: string;
  /** The profile that it was started with; absent when it was started without one. */
  readonly profileId?: string;
  readonly createdAt: Date;
}

/** What lists show of a session, of one that runs and of one that has ended long ago alike. */
export interface SessionOverview {
  readonly facts: SessionFacts;
  readonly state: SessionState;
  /** Reason of the latest state change. */
  readonly reason: string | null;
  /** Last state change or use. */
  readonly updatedAt: Date;
  readonly port: number;
}

/** Everything of a session that its owner may see. */
export interface SessionView extends SessionOverview {
  /** Oldest first; never empty. */
  readonly history: readonly StateChange[];
  readonly exit: SessionExit | null;
  /** `null` when the session was started without a message. */
  readonly initialMessage: InitialMessageState | null;
  /** `null` when there is nothing to wait for. */
  readonly progress: SessionProgress | null;
}

/** One life of a session: its facts, its state and what is known of its end. A resume begins another one. */
export class Session implements SessionRoute, SessionView {
  readonly facts: SessionFacts;
  /** TCP port of the agent server; reserved from the beginning, so `/search` can show it (PX-079). */
  port: number;
  endpoint: Endpoint | null = null;
  exit: SessionExit | null = null;
  progress: SessionProgress | null = null;
  #initialMessage: InitialMessageState | null = null;
  readonly #watchers = new Set<() => void>();
  readonly #history: StateChange[];
  #updatedAt: Date;
  readonly #started = new AbortController();
  readonly #ended = new AbortController();

  /** @param past - what is behind it; its last state is the present one. Absent: a new session. */
  constructor(facts: SessionFacts, port: number, past?: readonly StateChange[]) {
    this.facts = facts;
    this.port = port;
    this.#history = past === undefined ? [{ state: 'creating', at: facts.createdAt }] : [...past];
    const { state, at } = this.#latest();
    this.#updatedAt = at;
    if (state !== 'creating' && state !== 'starting') this.#started.abort();
    if (!isLive(state) || state === 'stopping') this.#ended.abort();
  }

  get id(): string {
    return this.facts.id;
  }

  get ownerId(): string {
    return this.facts.ownerId;
  }

  /** `null` when the session was started without a message. */
  get initialMessage(): InitialMessageState | null {
    return this.#initialMessage;
  }

  set initialMessage(message: InitialMessageState | null) {
    this.#initialMessage = message;
    this.#changed();
  }

  /** Whether the first message is still to be delivered; nobody else speaks before that. */
  get firstMessageWaits(): boolean {
    const state = this.#initialMessage?.state;
    return state === 'pending' || state === 'sending';
  }

  get state(): SessionState {
    return this.#latest().state;
  }

  get reason(): string | null {
    return this.#latest().reason ?? null;
  }

  get history(): readonly StateChange[] {
    return this.#history;
  }

  /** Last state change or use. */
  get updatedAt(): Date {
    return this.#updatedAt;
  }

  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  /**
   * Moves on to another state if that is allowed from the present one.
   * @returns whether it did; `false` means somebody else was first.
   */
  transition(state: SessionState, reason?: string, at: Date = new Date()): boolean {
    if (!NEXT[this.state].includes(state)) return false;
    this.#history.push(reason === undefined ? { state, at } : { state, at, reason });
    this.#updatedAt = at;
    if (state !== 'starting') this.#started.abort();
    if (!isLive(state) || state === 'stopping') this.#ended.abort();
    if (!isLive(state)) this.endpoint = null;
    this.#changed();
    return true;
  }

  /** Calls `watcher` after every change of the state and of what became of the first message; returns how to end it. */
  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  touch(at: Date = new Date()): void {
    this.#updatedAt = at;
  }

  untilStarted(signal: AbortSignal): Promise<void> {
    if (this.#started.signal.aborted) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const started = (): void => {
        signal.removeEventListener('abort', aborted);
        resolve();
      };
      const aborted = (): void => {
        this.#started.signal.removeEventListener('abort', started);
        reject(signal.reason instanceof Error ? signal.reason : new Error('The wait was aborted'));
      };
      if (signal.aborted) {
        aborted();
        return;
      }
      this.#started.signal.addEventListener('abort', started, { once: true });
      signal.addEventListener('abort', aborted, { once: true });
    });
  }

  #changed(): void {
    for (const watcher of this.#watchers) watcher();
  }

  #latest(): StateChange {
    const latest = this.#history.at(-1);
    if (latest === undefined) throw new Error('a session has at least one state');
    return latest;
  }
}
