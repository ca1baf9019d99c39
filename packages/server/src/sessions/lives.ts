import { AppError } from '../errors.ts';
import type { PortReservation } from '../runtime/runtime.ts';
import type { SecretRegistry } from '../secret-registry.ts';
import { SessionLife } from './life.ts';
import type { Holdings, LifeContext } from './life.ts';
import type { StartLimiter } from './limits.ts';
import { isLive } from './session.ts';
import type { Session } from './session.ts';

/** Sessions that have ended are remembered for the data plane, which does not ask the store. */
const MAX_RECENT = 500;
/** What a client that came during the shutdown is asked to wait: another server may be there then. */
const RETRY_SECONDS = 5;

export interface LivesOptions {
  readonly context: LifeContext;
  readonly limiter: StartLimiter;
  /** Learns the secrets of each session, so that no log line shows one (DF-04). */
  readonly secrets: SecretRegistry;
  /** Told of every session that begins to live. */
  readonly onLife: (session: Session) => void;
  /** Called when a session has ended and its record says so. */
  readonly onOver: (session: Session) => Promise<void>;
}

/** The sessions that live, with what each of them holds, and those that have ended lately. All of it is in memory. */
export class Lives {
  readonly #options: LivesOptions;
  readonly #lives = new Map<string, SessionLife>();
  /** Oldest end first. */
  readonly #recent = new Map<string, Session>();
  /** Starts and resumes that have not come to a life yet. */
  readonly #beginning = new Set<Promise<unknown>>();
  #closed = false;

  constructor(options: LivesOptions) {
    this.#options = options;
  }

  /** One that lives, or whose end is not in the store yet. */
  get(id: string): SessionLife | undefined {
    return this.#lives.get(id);
  }

  /** One that lives or has ended lately. */
  find(id: string): Session | undefined {
    return this.#lives.get(id)?.session ?? this.#recent.get(id);
  }

  all(): readonly SessionLife[] {
    return [...this.#lives.values()];
  }

  sessions(): readonly Session[] {
    return this.all().map(({ session }) => session);
  }

  countLive(): number {
    return this.sessions().filter(({ state }) => isLive(state)).length;
  }

  /**
   * Takes a place in the limits and a port, and lets `begin` make a session of them; all is given back when that fails.
   * @param secrets - values of the session's environment, tokens.
   * @throws AppError `shutting_down`, over a limit, or `no_free_port`; whatever `begin` throws.
   */
  async begin(
    ownerId: string,
    secrets: readonly string[],
    begin: (holdings: Holdings) => Promise<Session>,
  ): Promise<Session> {
    if (this.#closed) throw new AppError('shutting_down', { retryAfterSeconds: RETRY_SECONDS });
    const beginning = this.#hold(ownerId, secrets, begin);
    this.#beginning.add(beginning);
    try {
      return await beginning;
    } finally {
      this.#beginning.delete(beginning);
    }
  }

  /** What a session holds that lives already, with its port; the limits do not refuse it. */
  holdingsOf(ownerId: string, secrets: readonly string[], reservation: PortReservation): Holdings {
    const releaseLimit = this.#options.limiter.restore(ownerId);
    return { reservation, releaseLimit, forgetSecrets: this.#mask(secrets) };
  }

  /** From now on the session lives. */
  add(session: Session, holdings: Holdings): SessionLife {
    const { context } = this.#options;
    const life = new SessionLife(context, session, holdings);
    this.#lives.set(session.id, life);
    this.#recent.delete(session.id);
    this.#options.onLife(session);
    life.over
      .then(async () => this.#remove(life))
      .catch((err: unknown) => context.log.error({ err, sessionId: session.id }, 'clearing up failed'));
    return life;
  }

  /** Forgets a session that was deleted. */
  forget(id: string): void {
    this.#lives.delete(id);
    this.#recent.delete(id);
  }

  /** Refuses new ones from now on; resolves when those that had begun are here. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#beginning);
  }

  async #hold(
    ownerId: string,
    secrets: readonly string[],
    begin: (holdings: Holdings) => Promise<Session>,
  ): Promise<Session> {
    const { limiter, context } = this.#options;
    const releaseLimit = limiter.admit(ownerId);
    const forgetSecrets = this.#mask(secrets);
    let reservation: PortReservation | null = null;
    try {
      reservation = await context.runtime.reservePort();
      return await begin({ reservation, releaseLimit, forgetSecrets });
    } catch (error) {
      reservation?.release();
      releaseLimit();
      forgetSecrets();
      throw error;
    }
  }

  async #remove(life: SessionLife): Promise<void> {
    const { session } = life;
    // Deleted meanwhile, or resumed.
    if (this.#lives.get(session.id) !== life) return;
    this.#lives.delete(session.id);
    this.#recent.set(session.id, session);
    const [oldest] = this.#recent.keys();
    if (this.#recent.size > MAX_RECENT && oldest !== undefined) this.#recent.delete(oldest);
    if (!this.#closed) await this.#options.onOver(session);
  }

  #mask(secrets: readonly string[]): () => void {
    const removers = secrets.map((value) => this.#options.secrets.add(value));
    return () => {
      for (const remove of removers) remove();
    };
  }
}
