import { randomUUID } from 'node:crypto';
import type { AgentDefinition } from '../config/agents.ts';
import { canAccess } from '../auth/authorize.ts';
import type { Principal } from '../auth/principal.ts';
import { AppError } from '../errors.ts';
import type { SecretRegistry } from '../secret-registry.ts';
import { LaunchError } from '../runtime/runtime.ts';
import type { PortReservation, Run, RunExit } from '../runtime/runtime.ts';
import { readTail } from '../runtime/local/bounded-log.ts';
import { checkEnvironment } from './environment.ts';
import type { StartLimiter } from './limits.ts';
import { deliverFirstMessage, provision } from './provision.ts';
import type { ProvisionContext } from './provision.ts';
import { searchSessions } from './search.ts';
import type { SearchFilter, SearchPage } from './search.ts';
import { isLive, Session } from './session.ts';
import { checkTags, NO_ADDITION, startRequestOf } from './start-request.ts';
import type { StartAddition, StartBody, StartRequest, TagLimits } from './start-request.ts';

/** How often ended sessions are looked at for their retention; it is counted in hours. */
const RETENTION_SWEEP_MS = 60_000;

export interface SessionsOptions extends ProvisionContext {
  readonly agents: ReadonlyMap<string, AgentDefinition>;
  /** The agent of a request that names none. */
  readonly defaultAgent: () => string;
  readonly limiter: StartLimiter;
  /** Learns the values of each request's environment, so that no log line shows one (DF-04). */
  readonly secrets: SecretRegistry;
  readonly tagLimits: TagLimits;
  /** A session that ignores SIGTERM this long is killed. */
  readonly stopGraceMs: number;
  /** How long an ended session stays readable. */
  readonly retentionMs: number;
  /** Whether callers may choose the owner: while authentication is off, and for admins (proxy-api DD-01). */
  readonly mayChooseOwner: (principal: Principal) => boolean;
}

/** What only the manager knows of a session. */
interface Entry {
  readonly session: Session;
  readonly request: StartRequest;
  readonly reservation: PortReservation;
  readonly releaseLimit: () => void;
  /** Lets the log forget the values of the environment. */
  readonly forgetSecrets: () => void;
  /** Ends provisioning and delivery. */
  readonly abort: AbortController;
  run: Run | null;
  /** Settles when provisioning and delivery are over; never rejects. */
  work: Promise<void>;
  /** The end of the session, once it has begun; callers share it. */
  stopping: Promise<readonly string[]> | null;
}

/** All sessions of this server: start, look-up, search and end. */
export class Sessions implements AsyncDisposable {
  readonly #options: SessionsOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #sweeper: NodeJS.Timeout;
  #closing = false;

  constructor(options: SessionsOptions) {
    this.#options = options;
    this.#sweeper = setInterval(() => this.#sweep(), RETENTION_SWEEP_MS).unref();
  }

  /**
   * Checks a request, records the session and begins to provision it in the background.
   * @throws AppError for anything wrong with the request or over a limit; then nothing was started.
   */
  async start(
    principal: Principal,
    body: StartBody,
    addition: StartAddition = NO_ADDITION,
  ): Promise<{ readonly session: Session; readonly ownerWasChosen: boolean }> {
    if (this.#closing) throw new AppError('shutting_down', { retryAfterSeconds: 5 });
    const ownerWasChosen = body.user_id !== undefined && this.#options.mayChooseOwner(principal);
    const ownerId = ownerWasChosen && body.user_id !== undefined ? body.user_id : principal.userId;
    const request = startRequestOf(ownerId, body, addition);
    checkTags(request.tags, this.#options.tagLimits);
    checkEnvironment(request.environment, this.#options.environment);
    const agent = this.agentOf(request.agent);
    const releaseLimit = this.#options.limiter.admit(request.ownerId);
    let reservation: PortReservation;
    try {
      reservation = await this.#options.runtime.reservePort();
    } catch (error) {
      releaseLimit();
      throw error;
    }
    if (this.#closing) {
      reservation.release();
      releaseLimit();
      throw new AppError('shutting_down', { retryAfterSeconds: 5 });
    }
    const session = this.#record(request, agent, reservation, releaseLimit);
    return { session, ownerWasChosen };
  }

  /**
   * The agent that a start with this name runs; `null` = the default one.
   * @throws AppError `unknown_agent`, naming those there are.
   */
  agentOf(wanted: string | null): AgentDefinition {
    const name = wanted ?? this.#options.defaultAgent();
    const agent = this.#options.agents.get(name);
    if (agent === undefined) {
      throw new AppError('unknown_agent', {
        message: `There is no agent ${JSON.stringify(name)}; known agents: ${[...this.#options.agents.keys()].join(', ')}`,
        details: { field: 'agent' },
      });
    }
    return agent;
  }

  /** A session of any state that has not been deleted. */
  find(id: string): Session | undefined {
    return this.#entries.get(id)?.session;
  }

  /** The sessions that `principal` may see, filtered (PX-121). */
  search(principal: Principal, filter: SearchFilter): SearchPage {
    return searchSessions(this.#visibleTo(principal), filter);
  }

  /** The last lines of a session's log, oldest first. */
  async readLog(session: Session, maxLines: number): Promise<readonly string[]> {
    return readTail(this.#options.workspaces.locate(session.id).logPath, maxLines);
  }

  /**
   * Ends a session, removes its workspace and forgets it. Callers at the same time share one end.
   * @returns what could not be ended; then the session stays and may be deleted again.
   */
  async delete(session: Session): Promise<readonly string[]> {
    const entry = this.#entries.get(session.id);
    if (entry === undefined) return [];
    const left = await this.#stop(entry, 'The session was deleted');
    if (left.length > 0) return left;
    await this.#forget(entry);
    return [];
  }

  /** Number of sessions by their state, for logs and metrics. */
  countLive(): number {
    return [...this.#entries.values()].filter((entry) => isLive(entry.session.state)).length;
  }

  /**
   * Refuses new sessions and ends all.
   * @returns what could not be ended.
   */
  async close(reason: string): Promise<readonly string[]> {
    this.#closing = true;
    clearInterval(this.#sweeper);
    const entries = [...this.#entries.values()];
    const left = await Promise.all(entries.map((entry) => this.#stop(entry, reason)));
    return left.flat();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close('The server is shutting down');
  }

  *#visibleTo(principal: Principal): Iterable<Session> {
    for (const { session } of this.#entries.values()) {
      if (canAccess(principal, session.ownerId)) yield session;
    }
  }

  #record(
    request: StartRequest,
    agent: AgentDefinition,
    reservation: PortReservation,
    releaseLimit: () => void,
  ): Session {
    const session = new Session(
      {
        id: randomUUID(),
        ownerId: request.ownerId,
        agent: agent.name,
        agentType: agent.type,
        agentServer: this.#options.agentServer.kind,
        tags: request.tags,
        environmentNames: Object.keys(request.environment),
        createdAt: new Date(),
      },
      reservation.port,
    );
    if (request.message !== null) session.initialMessage = { state: 'pending' };
    const entry: Entry = {
      session,
      request,
      reservation,
      releaseLimit,
      forgetSecrets: this.#mask(Object.values(request.environment)),
      abort: new AbortController(),
      run: null,
      work: Promise.resolve(),
      stopping: null,
    };
    this.#entries.set(session.id, entry);
    this.#options.log.info(
      {
        sessionId: session.id,
        owner: request.ownerId,
        agent: agent.name,
        port: reservation.port,
        environmentNames: session.facts.environmentNames,
      },
      'session created',
    );
    entry.work = this.#bringUp(entry, agent);
    return session;
  }

  #mask(values: readonly string[]): () => void {
    const removers = values.map((value) => this.#options.secrets.add(value));
    return () => {
      for (const remove of removers) remove();
    };
  }

  async #bringUp(entry: Entry, agent: AgentDefinition): Promise<void> {
    const { session, request, abort } = entry;
    try {
      const run = await provision(this.#options, session, request, agent, entry.reservation, abort.signal);
      entry.run = run;
      const startMs = Date.now() - session.facts.createdAt.getTime();
      this.#options.log.info({ sessionId: session.id, port: run.port, startMs }, 'session running');
      run.exited
        .then((exit) => this.#onExit(entry, exit))
        .catch((error: unknown) => this.#report(entry, error));
    } catch (error) {
      if (!abort.signal.aborted) this.#fail(entry, error);
      return;
    }
    if (request.message !== null) {
      await deliverFirstMessage(this.#options, session, request.message, abort.signal);
    }
  }

  #fail(entry: Entry, error: unknown): void {
    const { session } = entry;
    const known = error instanceof LaunchError || error instanceof AppError;
    const reason = known
      ? error.message
      : 'The session could not be started because of an error in the server';
    if (error instanceof LaunchError) {
      const { exit, lastOutput } = error;
      session.exit = { code: exit?.code ?? null, signal: exit?.signal ?? null, lastOutput };
    }
    if (session.initialMessage?.state === 'pending') {
      session.initialMessage = { state: 'failed', at: new Date(), reason: 'The session failed to start' };
    }
    if (!session.transition('failed', reason)) return;
    this.#options.log.warn(
      { sessionId: session.id, reason, ...(known ? {} : { err: error }) },
      'session failed to start',
    );
    this.#release(entry);
  }

  /** The agent or its server ended without being asked to. */
  #onExit(entry: Entry, exit: RunExit): void {
    const { session } = entry;
    if (session.state !== 'starting' && session.state !== 'running') return;
    session.exit = { code: exit.code, signal: exit.signal, lastOutput: exit.lastOutput };
    // Whoever has taken a message was ready, also when the runtime has not noticed yet.
    const wasReady = exit.wasReady || session.initialMessage?.state === 'delivered';
    const { kind, reason } = verdictOn({ ...exit, wasReady });
    session.transition(kind === 'failed' ? 'failed' : 'stopping', reason);
    this.#options.log.info(
      { sessionId: session.id, reason, code: exit.code, signal: exit.signal },
      'session ended by itself',
    );
    this.#stop(entry, reason).catch((error: unknown) => this.#report(entry, error));
  }

  #stop(entry: Entry, reason: string): Promise<readonly string[]> {
    entry.stopping ??= this.#end(entry, reason).then((left) => {
      // Somebody may try again later.
      if (left.length > 0) entry.stopping = null;
      return left;
    });
    return entry.stopping;
  }

  async #end(entry: Entry, reason: string): Promise<readonly string[]> {
    const { session, abort, run } = entry;
    session.transition('stopping', reason);
    abort.abort(new Error(reason));
    await entry.work;
    const toStop = run ?? entry.run;
    if (toStop !== null) {
      const report = await this.#options.runtime.stop(toStop, this.#options.stopGraceMs);
      if (report.left.length > 0) {
        const left = report.left.map((process) => `session ${session.id}: ${process}`);
        this.#options.log.error({ sessionId: session.id, left }, 'processes of the session cannot be ended');
        return left;
      }
    }
    if (session.transition('stopped', reason))
      this.#options.log.info({ sessionId: session.id }, 'session stopped');
    this.#release(entry);
    return [];
  }

  #release(entry: Entry): void {
    entry.reservation.release();
    entry.releaseLimit();
  }

  async #forget(entry: Entry): Promise<void> {
    await this.#options.workspaces.remove(entry.session.id);
    entry.forgetSecrets();
    this.#entries.delete(entry.session.id);
  }

  #sweep(): void {
    const oldest = Date.now() - this.#options.retentionMs;
    for (const entry of this.#entries.values()) {
      const { session } = entry;
      if (isLive(session.state) || session.updatedAt.getTime() > oldest) continue;
      this.#forget(entry).catch((error: unknown) => this.#report(entry, error));
    }
  }

  #report(entry: Entry, error: unknown): void {
    this.#options.log.error({ sessionId: entry.session.id, err: error }, 'unexpected failure in a session');
  }
}

function verdictOn(exit: RunExit): { kind: 'stopped' | 'failed'; reason: string } {
  const who = exit.kind === 'agent' ? 'The agent' : 'The agent server';
  if (exit.signal !== null) return { kind: 'failed', reason: `${who} was ended by signal ${exit.signal}` };
  if (exit.kind === 'server')
    return { kind: 'failed', reason: `${who} ended unexpectedly with exit code ${exit.code}` };
  if (!exit.wasReady)
    return { kind: 'failed', reason: `${who} exited with code ${exit.code} before it was ready` };
  return { kind: 'stopped', reason: `${who} exited with code ${exit.code}` };
}
