import { AppError } from '../errors.ts';
import { LaunchError } from '../runtime/runtime.ts';
import type { PortReservation, Run, RunExit } from '../runtime/runtime.ts';
import { deliverFirstMessage, LeavingError } from './first-message.ts';
import type { FirstMessageContext } from './first-message.ts';
import type { StartOutcome } from './observer.ts';
import { provision } from './provision.ts';
import type { ProvisionContext, StartPlan } from './provision.ts';
import type { Session } from './session.ts';

export interface LifeContext extends ProvisionContext, FirstMessageContext {
  /** A session that ignores SIGTERM this long is killed. */
  readonly stopGraceMs: number;
}

/** What a life holds and gives back at its end. */
export interface Holdings {
  readonly reservation: PortReservation;
  /** Gives back the place in the limits. */
  readonly releaseLimit: () => void;
  /** Lets the log forget the values of the environment. */
  readonly forgetSecrets: () => void;
}

/** A session from its start, or from being found again, to its end: its processes and everything done with them. */
export class SessionLife {
  readonly session: Session;
  /** Resolves when nothing of the session runs any more and its record says so; never rejects. */
  readonly over: Promise<void>;
  readonly #context: LifeContext;
  readonly #holdings: Holdings;
  /** Ends provisioning and delivery. */
  readonly #abort = new AbortController();
  /** The server is about to go away. */
  readonly #leave = new AbortController();
  #run: Run | null = null;
  /** Settles when provisioning and delivery are over; never rejects. */
  #work: Promise<void> = Promise.resolve();
  /** The end of the session, once it has begun; callers share it. */
  #stopping: Promise<readonly string[]> | null = null;
  #resolveOver: () => void = () => undefined;

  constructor(context: LifeContext, session: Session, holdings: Holdings) {
    this.#context = context;
    this.session = session;
    this.#holdings = holdings;
    this.over = new Promise((resolve) => {
      this.#resolveOver = resolve;
    });
  }

  /** Begins to bring the session to life, in the background. Call this or {@link takeOver}, once. */
  begin(plan: StartPlan): void {
    this.#work = this.#bringUp(plan);
  }

  /**
   * Goes on with a run that an earlier server has started.
   * @param message - the first message, as far as it may have to be sent.
   */
  takeOver(run: Run, message: string | null): void {
    this.#run = run;
    this.#watch(run);
    this.#work = this.#deliver(message);
  }

  /**
   * Ends the session; callers at the same time share one end.
   * @param why - an error that says why, for everything that is interrupted.
   * @returns what could not be ended; then it may be tried again.
   */
  stop(why: Error): Promise<readonly string[]> {
    this.#stopping ??= this.#end(why).then(
      (left) => {
        // Somebody may try again later.
        if (left.length > 0) this.#stopping = null;
        return left;
      },
      (error: unknown) => {
        this.#stopping = null;
        throw error;
      },
    );
    return this.#stopping;
  }

  /**
   * Prepares for the end of the server while the session goes on: a start and a message that are under way are
   * waited for, `graceMs` at most. A session that ends anyway is waited for, too.
   */
  async letGo(graceMs: number): Promise<void> {
    this.#leave.abort();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), graceMs);
    });
    const outcome = await Promise.race([this.#work, late]);
    clearTimeout(timer);
    if (this.#stopping !== null) await this.#stopping;
    else if (outcome === 'late') {
      const why = new LeavingError('The server was stopped while the session was starting');
      if (this.session.state === 'creating' || this.session.state === 'starting') await this.stop(why);
      else this.#abort.abort(why);
      await this.#work;
    }
  }

  async #bringUp(plan: StartPlan): Promise<void> {
    const { session } = this;
    const { observer, log } = this.#context;
    const startedAt = performance.now();
    const started = (outcome: StartOutcome): void =>
      observer.started(session.facts, outcome, performance.now() - startedAt);
    try {
      const run = await observer.step('session start', session.facts, async () =>
        provision(this.#context, session, plan, this.#holdings.reservation, this.#abort.signal),
      );
      this.#run = run;
      started('running');
      const startMs = Math.round(performance.now() - startedAt);
      log.info({ sessionId: session.id, port: run.port, startMs }, 'session running');
      this.#watch(run);
    } catch (error) {
      started(this.#abort.signal.aborted ? 'stopped' : 'failed');
      if (!this.#abort.signal.aborted) this.#fail(error);
      return;
    }
    await this.#deliver(plan.message);
  }

  #watch(run: Run): void {
    run.exited.then((exit) => this.#onExit(exit)).catch((error: unknown) => this.#report(error));
  }

  async #deliver(message: string | null): Promise<void> {
    if (message === null) return;
    await deliverFirstMessage(this.#context, this.session, message, this.#leave.signal, this.#abort.signal);
  }

  #fail(error: unknown): void {
    const { session } = this;
    const { records, log } = this.#context;
    const known = error instanceof LaunchError || error instanceof AppError;
    const reason = known
      ? error.message
      : 'The session could not be started because of an error in the server';
    const isLaunch = error instanceof LaunchError;
    const exit = isLaunch
      ? {
          code: error.exit?.code ?? null,
          signal: error.exit?.signal ?? null,
          lastOutput: error.lastOutput,
          ...(error.failure === undefined ? {} : { failure: error.failure }),
        }
      : undefined;
    if (session.initialMessage?.state === 'pending') {
      const failed = { state: 'failed', at: new Date(), reason: 'The session failed to start' } as const;
      records.message(session, failed);
    }
    if (!records.end(session, 'failed', reason, exit)) return;
    this.#context.observer.ended(session.facts, 'failed');
    log.warn({ sessionId: session.id, reason, ...(known ? {} : { err: error }) }, 'session failed to start');
    this.#stopping ??= this.#release();
  }

  /** The agent or its server ended without being asked to. */
  #onExit(exit: RunExit): void {
    const { session } = this;
    if (session.state !== 'starting' && session.state !== 'running') return;
    const { code, signal, lastOutput } = exit;
    // Whoever has taken a message was ready, also when the runtime has not noticed yet.
    const wasReady = exit.wasReady || session.initialMessage?.state === 'delivered';
    const { kind, reason } = verdictOn({ ...exit, wasReady });
    const to = kind === 'failed' ? 'failed' : 'stopping';
    const { records, observer, log } = this.#context;
    const isNew = records.end(session, to, reason, { code, signal, lastOutput });
    observer.exited(session.facts, exit.kind, kind);
    if (isNew && to === 'failed') observer.ended(session.facts, 'failed');
    log.info({ sessionId: session.id, reason, code, signal }, 'session ended by itself');
    this.stop(new Error(reason)).catch((error: unknown) => this.#report(error));
  }

  async #end(why: Error): Promise<readonly string[]> {
    const { session } = this;
    const { records, runtime, stopGraceMs, log } = this.#context;
    records.end(session, 'stopping', why.message);
    this.#abort.abort(why);
    await this.#work;
    if (this.#run !== null) {
      const report = await runtime.stop(this.#run, stopGraceMs);
      if (report.left.length > 0) {
        const left = report.left.map((process) => `session ${session.id}: ${process}`);
        log.error({ sessionId: session.id, left }, 'processes of the session cannot be ended');
        return left;
      }
    }
    if (records.end(session, 'stopped', session.reason ?? why.message)) {
      this.#context.observer.ended(session.facts, 'stopped');
      log.info({ sessionId: session.id }, 'session stopped');
    }
    return this.#release();
  }

  async #release(): Promise<readonly string[]> {
    this.#holdings.reservation.release();
    this.#holdings.releaseLimit();
    this.#finish().catch((error: unknown) => this.#report(error));
    return Promise.resolve([]);
  }

  /** Waits for the store, for which nobody else needs to wait. */
  async #finish(): Promise<void> {
    await this.#context.records.settled(this.session.id);
    this.#holdings.forgetSecrets();
    this.#resolveOver();
  }

  #report(error: unknown): void {
    this.#context.log.error({ sessionId: this.session.id, err: error }, 'unexpected failure in a session');
  }
}

/** What the end of an agent or its server means for the session. */
export function verdictOn(exit: RunExit): { readonly kind: 'stopped' | 'failed'; readonly reason: string } {
  const who = exit.kind === 'agent' ? 'The agent' : 'The agent server';
  if (exit.signal !== null) return { kind: 'failed', reason: `${who} was ended by signal ${exit.signal}` };
  if (exit.kind === 'server') {
    const how = exit.code === null ? '' : ` with exit code ${exit.code}`;
    const why = exit.reason === undefined || exit.code !== null ? '' : `: ${exit.reason}`;
    return { kind: 'failed', reason: `${who} ended unexpectedly${how}${why}` };
  }
  if (!exit.wasReady)
    return { kind: 'failed', reason: `${who} exited with code ${exit.code} before it was ready` };
  return { kind: 'stopped', reason: `${who} exited with code ${exit.code}` };
}
