import type { Log } from '../log.ts';
import type { Run } from '../runtime/runtime.ts';
import { StoreError } from '../store/store-error.ts';
import type { Store } from '../store/store.ts';
import type { NewSession } from '../store/session-record.ts';
import type { InitialMessageState, Session, SessionExit, SessionState } from './session.ts';
import { Turns } from './turns.ts';

/** Pauses before the store is asked again to take what has happened already. */
const RETRY_MS = { first: 500, longest: 30_000 } as const;

/** States from which each state is reached; what the store holds may be behind by one that it could not take. */
const BEFORE: Readonly<Record<'stopping' | 'stopped' | 'failed', readonly SessionState[]>> = {
  stopping: ['creating', 'starting', 'running'],
  stopped: ['creating', 'starting', 'running', 'stopping'],
  failed: ['creating', 'starting', 'running'],
};

/** A write that must not be lost, because it records what has happened outside the store. */
type Write = (store: Store) => Promise<unknown>;

/**
 * Keeps the records of live sessions true. A step forward is in the store before anybody can see it. An end is a fact
 * whether the store takes it or not: it is seen at once, and recorded as soon as the store can. Writes of one session
 * keep their order.
 */
export class SessionRecords {
  readonly #store: Store;
  readonly #instanceId: string;
  readonly #log: Log;
  readonly #turns = new Turns();
  /** What the store knows of the last use of each session, in milliseconds since 1970. */
  readonly #savedUses = new WeakMap<Session, number>();
  readonly #closed = new AbortController();

  constructor(store: Store, instanceId: string, log: Log) {
    this.#store = store;
    this.#instanceId = instanceId;
    this.#log = log;
  }

  /** Records a new session (PX-167). @throws StoreError; then there is none. */
  async insert(session: Omit<NewSession, 'instanceId'>): Promise<void> {
    await this.#store.sessions.insert({ ...session, instanceId: this.#instanceId });
  }

  /** Records that the agent server is about to be started. @throws StoreError */
  async starting(session: Session): Promise<void> {
    const at = new Date();
    await this.#turns.take(session.id, async () =>
      this.#store.sessions.transition(session.id, ['creating'], 'starting', { at }),
    );
    session.transition('starting', undefined, at);
  }

  /** Records the process that serves a session, and with it the state `running`. @throws StoreError */
  async running(session: Session, run: Run, token: string | null): Promise<void> {
    const at = new Date();
    await this.#turns.take(session.id, async () =>
      this.#store.transaction(async ({ sessions }) => {
        await sessions.saveRun(session.id, run.ref, token);
        await sessions.transition(session.id, ['starting'], 'running', { at, port: run.port });
      }),
    );
    session.port = run.port;
    session.endpoint = { port: run.port, token };
    session.transition('running', undefined, at);
  }

  /**
   * Moves a session towards its end if it is not there yet.
   * @returns whether it did.
   */
  end(session: Session, to: 'stopping' | 'stopped' | 'failed', reason: string, exit?: SessionExit): boolean {
    const at = new Date();
    if (exit !== undefined) session.exit = exit;
    if (!session.transition(to, reason, at)) return false;
    const change = { at, reason, ...(session.exit === null ? {} : { exit: session.exit }) };
    this.#insist(session.id, async (store) => store.sessions.transition(session.id, BEFORE[to], to, change));
    return true;
  }

  /** Records that the first message is about to be sent, so that it is never sent twice. @throws StoreError */
  async sending(session: Session): Promise<void> {
    const state = { state: 'sending', at: new Date() } as const;
    await this.#turns.take(session.id, async () =>
      this.#store.sessions.markMessage(session.id, ['pending', 'sending'], state),
    );
    session.initialMessage = state;
  }

  /** Records what became of the first message. */
  message(session: Session, state: InitialMessageState): void {
    session.initialMessage = state;
    this.#insist(session.id, async (store) =>
      store.sessions.markMessage(session.id, ['pending', 'sending'], state),
    );
  }

  /** Records when sessions were last used, as far as that has changed; a failure is logged and no more. */
  async saveUses(sessions: Iterable<Session>): Promise<void> {
    const uses = new Map<string, Date>();
    for (const session of sessions) {
      const at = session.updatedAt.getTime();
      if (this.#savedUses.get(session) === at) continue;
      this.#savedUses.set(session, at);
      uses.set(session.id, session.updatedAt);
    }
    try {
      await this.#store.sessions.touch(uses);
    } catch (error) {
      this.#log.warn({ err: error }, 'the last use of sessions could not be stored');
    }
  }

  /** Resolves when the store has taken everything of a session, or `close` has given up. */
  async settled(id: string): Promise<void> {
    await this.#turns.done(id);
  }

  /** Writes what is left to be written, as far as the store takes it now. */
  async close(): Promise<void> {
    this.#closed.abort();
    await this.#turns.allDone();
  }

  #insist(id: string, write: Write): void {
    const keepTrying = async (): Promise<void> => {
      for (let pauseMs: number = RETRY_MS.first; ; pauseMs = Math.min(pauseMs * 2, RETRY_MS.longest)) {
        try {
          await write(this.#store);
          return;
        } catch (error) {
          const isFinal = !(error instanceof StoreError) || this.#closed.signal.aborted;
          const fields = { err: error, sessionId: id };
          if (isFinal) this.#log.error(fields, 'a change of a session could not be stored');
          else this.#log.warn({ ...fields, retryMs: pauseMs }, 'a change of a session is not stored yet');
          if (isFinal) return;
        }
        await this.#pause(pauseMs);
      }
    };
    void this.#turns.take(id, keepTrying);
  }

  /** Ends early when the records are closed: then there is one more attempt. */
  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#closed.signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      if (this.#closed.signal.aborted) done();
      else this.#closed.signal.addEventListener('abort', done);
    });
  }
}
