import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { canAccess, isAdmin } from '../auth/authorize.ts';
import type { Principal } from '../auth/principal.ts';
import type { AgentDefinition } from '../config/agents.ts';
import { AppError } from '../errors.ts';
import type { Adoption, Orphans } from '../runtime/runtime.ts';
import { readTail } from '../runtime/local/bounded-log.ts';
import type { SecretRegistry } from '../secret-registry.ts';
import type { SessionFilter, SessionRecord, SessionStart } from '../store/session-record.ts';
import type { Store } from '../store/store.ts';
import { WORKSPACE_NAME_VARIABLE, workspaceNameOf } from '../workspace/workspace-name.ts';
import type { RepositoryRules } from '../workspace/repository-rules.ts';
import { checkEnvironment } from './environment.ts';
import { LeavingError } from './first-message.ts';
import type { Holdings, LifeContext } from './life.ts';
import type { StartLimiter } from './limits.ts';
import { Lives } from './lives.ts';
import { LOST_MESSAGE } from './message-delivery.ts';
import type { SessionFollower } from './follower.ts';
import { recoverSessions } from './recover.ts';
import type { Recovery } from './recover.ts';
import { Retention } from './retention.ts';
import { matchesSearch, MAX_PAGE, pageOf, searchSessions, statesOf } from './search.ts';
import type { SearchFilter, SearchPage } from './search.ts';
import { isLive, Session } from './session.ts';
import type { SessionFacts, SessionView } from './session.ts';
import { planOf, recordedStart } from './start-plan.ts';
import { checkTags, NO_ADDITION, startRequestOf } from './start-request.ts';
import type { StartAddition, StartBody, StartRequest, TagLimits } from './start-request.ts';
import { Turns } from './turns.ts';

const SESSION_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** How late the store may learn that somebody has used a session; a crash forgets no more than this. */
const SAVE_USES_MS = 30_000;
/** The end of a session is in the store within milliseconds, if the store works. */
const LAST_WORDS_MS = 5_000;
/** At an orderly end of the server that leaves sessions running, a start or a message under way gets this long. */
const LET_GO_MS = 5_000;

export interface SessionsOptions extends LifeContext {
  readonly store: Store;
  /** Identity of the data folder; its sessions are this server's to look after. */
  readonly instanceId: string;
  readonly agents: ReadonlyMap<string, AgentDefinition>;
  /** The agent of a request that names none. */
  readonly defaultAgent: () => string;
  readonly limiter: StartLimiter;
  /** Learns the values of each request's environment, so that no log line shows one (DF-04). */
  readonly secrets: SecretRegistry;
  readonly tagLimits: TagLimits;
  readonly repositoryRules: RepositoryRules;
  readonly retention: {
    /** How long an ended session without files stays readable. */
    readonly recordMs: number;
    /** How long the files of an ended session stay; `Infinity` = until it is deleted. */
    readonly filesMs: number;
  };
  /** Told of every session that lives, and of every one that is deleted. */
  readonly followers: readonly SessionFollower[];
  /** Whether somebody else's session is shared with a user. */
  readonly sharedWith: (userId: string, sessionId: string) => boolean;
  /** Whether callers may choose the owner: while authentication is off, and for admins (proxy-api DD-01). */
  readonly mayChooseOwner: (principal: Principal) => boolean;
}

/** All sessions of this server: start, look-up, search, end and resume. Those that live are in memory, all are in the store. */
export class Sessions {
  readonly #options: SessionsOptions;
  readonly #lives: Lives;
  /** Deleting, resuming and clearing away one session exclude one another. */
  readonly #turns = new Turns();
  readonly #retention: Retention;
  readonly #useSaver: NodeJS.Timeout;
  /** What an earlier server has left is being ended; sessions with processes among it are neither resumed nor deleted before. */
  #clearing: Promise<unknown> = Promise.resolve();
  /** Those processes; `null` before the recovery. */
  #orphans: Orphans | null = null;

  constructor(options: SessionsOptions) {
    this.#options = options;
    const { store, instanceId, workspaces, limiter, secrets, log } = options;
    this.#lives = new Lives({
      context: options,
      limiter,
      secrets,
      onLife: (session) => options.followers.forEach((follower) => follower.onLife(session)),
      onOver: async ({ id }) => this.#retention.afterEnd(id),
    });
    this.#retention = new Retention({
      store,
      instanceId,
      workspaces,
      ...options.retention,
      whileEnded: async (id, work) =>
        this.#turns.take(id, async () => {
          if (this.#lives.get(id) === undefined) await work();
        }),
      onForgotten: (id, ownerId) => this.#tellDeleted(id, ownerId),
      log,
    });
    this.#useSaver = setInterval(() => void this.#saveUses(), SAVE_USES_MS).unref();
  }

  /**
   * Takes up the sessions of an earlier server on the same data folder, before anything is started.
   * @throws StoreError
   */
  async recover(): Promise<Recovery> {
    const recovery = await recoverSessions({
      ...this.#options,
      revive: async (record, adoption) => this.#revive(record, adoption),
    });
    this.#orphans = recovery.orphans;
    this.#clearing = this.#clearAway(recovery).catch((error: unknown) =>
      this.#options.log.error({ err: error }, 'what an earlier server has left cannot be cleared away'),
    );
    return recovery;
  }

  /**
   * Checks a request, records the session and begins to provision it in the background. On return the session is
   * in the store (PX-167).
   * @throws AppError for anything wrong with the request or over a limit, StoreError; then nothing was started.
   */
  async start(
    principal: Principal,
    body: StartBody,
    addition: StartAddition = NO_ADDITION,
  ): Promise<{ readonly session: Session; readonly ownerWasChosen: boolean }> {
    const ownerWasChosen = body.user_id !== undefined && this.#options.mayChooseOwner(principal);
    const ownerId = ownerWasChosen && body.user_id !== undefined ? body.user_id : principal.userId;
    const request = startRequestOf(ownerId, body, addition, this.#options.repositoryRules);
    checkTags(request.tags, this.#options.tagLimits);
    checkEnvironment(request.environment, this.#options.environment);
    const agent = this.agentOf(request.agent);
    if (request.script !== null) await this.#options.scripts.check(request.script);
    const session = await this.#lives.begin(ownerId, secretsIn(request), async (holdings) =>
      this.#record(request, agent, holdings),
    );
    return { session, ownerWasChosen };
  }

  /**
   * Starts a session that has ended again, in its workspace and with its conversation.
   * @param session - from {@link get}.
   * @throws AppError `session_not_ended`, `session_not_resumable`, `session_not_found` when it was deleted meanwhile,
   * or over a limit; StoreError.
   */
  async resume(session: SessionView): Promise<Session> {
    await this.#clearing;
    return this.#startAgain(session, 'The session was resumed');
  }

  async #startAgain(session: SessionView, why: string): Promise<Session> {
    const { id } = session.facts;
    const last = this.#lives.get(id);
    // One that has ended just now may still be writing its last words.
    if (last !== undefined && !isLive(session.state)) await Promise.race([last.over, pause(LAST_WORDS_MS)]);
    return this.#turns.take(id, async () => {
      if (this.#lives.get(id) !== undefined) throw new AppError('session_not_ended');
      const { store, workspaces, instanceId } = this.#options;
      const record = await store.sessions.get(id);
      const secrets = await store.sessions.readSecrets(id);
      if (record === null || secrets === null) throw new AppError('session_not_found');
      const neverRan = record.history.every(({ state }) => state !== 'running');
      if (record.instanceId !== instanceId) {
        throw new AppError('session_not_resumable', { message: 'The session belongs to another server' });
      }
      if (!neverRan && !(await workspaces.isThere(id))) {
        throw new AppError('session_not_resumable', {
          message: 'The workspace of the session is not there any more',
        });
      }
      const { ownerId } = record.facts;
      return this.#lives.begin(ownerId, secretsIn(secrets), async (holdings) =>
        this.#reopen(record, secrets, secrets.message, why, holdings),
      );
    });
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

  /** A session that lives, or has ended lately; in memory, for the data plane. */
  find(id: string): Session | undefined {
    return this.#lives.find(id);
  }

  /** A session of any state that has not been deleted; `null` when there is none. @throws StoreError */
  async get(id: string): Promise<SessionView | null> {
    const live = this.#lives.get(id)?.session;
    if (live !== undefined) return live;
    if (!SESSION_ID.test(id)) return null;
    const record = await this.#options.store.sessions.get(id);
    // It may have been resumed while the store was asked.
    return this.#lives.get(id)?.session ?? (record === null ? null : viewOf(record));
  }

  /**
   * The sessions that `principal` may see, filtered (PX-121). Those that live are as they are, the others as recorded.
   * @throws StoreError
   */
  async search(principal: Principal, filter: SearchFilter): Promise<SearchPage> {
    const { cursor } = filter;
    const states = new Set([...statesOf(filter)].filter((state) => !isLive(state)));
    const before = this.#matchingLives(principal, filter);
    if (states.size === 0) return searchSessions(before, filter);
    const limit = filter.limit ?? MAX_PAGE;
    const wanted: SessionFilter = {
      states,
      tags: filter.tags,
      ...ownersIn(principal, filter),
    };
    const ended = await this.#options.store.sessions.list(wanted, limit, cursor);
    // While the store was asked a session may have ended, or may have been resumed.
    const now = this.#matchingLives(principal, filter);
    const since = before.filter((session) => matchesSearch(session, filter));
    return pageOf([...now, ...since, ...ended.sessions], cursor, limit, ended.next !== null);
  }

  /** The last lines of a session's log, oldest first. */
  async readLog(id: string, maxLines: number): Promise<readonly string[]> {
    return readTail(this.#options.workspaces.locate(id).logPath, maxLines);
  }

  /**
   * Ends a session, removes its workspace and forgets it. Callers at the same time share one end.
   * @returns what could not be ended; then the session stays and may be deleted again.
   * @throws AppError `session_elsewhere`; StoreError: then the session has ended, and may be deleted again.
   */
  async delete({ id, ownerId }: Pick<SessionFacts, 'id' | 'ownerId'>): Promise<readonly string[]> {
    const orphans = this.#orphans?.sessionIds.includes(id) === true ? this.#orphans : null;
    if (orphans !== null) await this.#clearing;
    const life = this.#lives.get(id);
    if (life !== undefined) {
      const left = await life.stop(new Error('The session was to be deleted'));
      if (left.length > 0) return left;
    }
    return this.#turns.take(id, async () => {
      const now = this.#lives.get(id);
      // Somebody has resumed it meanwhile.
      if (now !== undefined && now !== life) return [`session ${id} has been resumed`];
      const { store, workspaces, stopGraceMs } = this.#options;
      if (life === undefined) {
        await this.#checkIsOurs(id);
        const report = await orphans?.endOf(id, stopGraceMs);
        if (report !== undefined && report.left.length > 0) return report.left;
      }
      await workspaces.remove(id);
      await store.sessions.delete(id);
      this.#lives.forget(id);
      this.#retention.forget(id);
      this.#tellDeleted(id, ownerId);
      return [];
    });
  }

  /** Sessions that live. */
  live(): readonly Session[] {
    return this.#lives.sessions().filter(({ state }) => isLive(state));
  }

  /** Number of sessions that live. */
  countLive(): number {
    return this.#lives.countLive();
  }

  /**
   * Refuses new sessions and comes to an end: of the sessions too (`terminate`), or only of this server's work for
   * them (`keep`).
   * @returns what could not be ended.
   */
  async close(mode: 'terminate' | 'keep', reason: string): Promise<readonly string[]> {
    clearInterval(this.#useSaver);
    await this.#lives.close();
    await this.#retention[Symbol.asyncDispose]();
    await this.#turns.allDone();
    const lives = this.#lives.all();
    let left: readonly string[] = [];
    if (mode === 'terminate') {
      const why = new LeavingError(reason);
      left = (await Promise.all(lives.map(async (life) => life.stop(why)))).flat();
    } else {
      await Promise.all(lives.map(async (life) => life.letGo(LET_GO_MS)));
    }
    await this.#clearing;
    await this.#saveUses();
    await this.#options.records.close();
    return left;
  }

  #tellDeleted(id: string, ownerId: string): void {
    for (const follower of this.#options.followers) follower.onDeleted(id, ownerId);
  }

  /** Processes and files of the others are out of reach. */
  async #checkIsOurs(id: string): Promise<void> {
    const record = await this.#options.store.sessions.get(id);
    if (record !== null && record.instanceId !== this.#options.instanceId) {
      throw new AppError('session_elsewhere');
    }
  }

  #matchingLives(principal: Principal, filter: SearchFilter): readonly Session[] {
    return this.#lives
      .sessions()
      .filter((session) => this.#isListed(principal, filter, session) && matchesSearch(session, filter));
  }

  /** What somebody else has shared is listed only when it is asked for (PX-121). */
  #isListed(principal: Principal, { shared }: SearchFilter, { id, ownerId }: Session): boolean {
    if (canAccess(principal, ownerId)) return true;
    return shared && this.#options.sharedWith(principal.userId, id);
  }

  async #clearAway({ ended, interrupted, orphans }: Recovery): Promise<void> {
    const { log, stopGraceMs } = this.#options;
    const { left } = await orphans.end(stopGraceMs);
    if (left.length > 0) log.error({ left }, 'processes of an earlier server cannot be ended');
    for (const id of interrupted) await this.#startInterrupted(id);
    for (const id of ended) if (this.#lives.get(id) === undefined) await this.#retention.afterEnd(id);
  }

  /** Whoever has asked for a session was promised one; that the server ended is not for them to notice. */
  async #startInterrupted(id: string): Promise<void> {
    try {
      const session = await this.get(id);
      if (session !== null) await this.#startAgain(session, 'Started again: the server had ended meanwhile');
    } catch (error) {
      this.#options.log.warn({ sessionId: id, err: error }, 'an interrupted start cannot be repeated');
    }
  }

  async #record(request: StartRequest, agent: AgentDefinition, holdings: Holdings): Promise<Session> {
    const { agentServer, log, records } = this.#options;
    const { port } = holdings.reservation;
    const id = randomUUID();
    const workspaceName = workspaceNameOf(request.environment[WORKSPACE_NAME_VARIABLE], id);
    const session = new Session(
      {
        id,
        ownerId: request.ownerId,
        agent: agent.name,
        agentType: agent.type,
        agentServer: agentServer.kind,
        tags: request.tags,
        environmentNames: Object.keys(request.environment),
        ...(workspaceName === null ? {} : { workspaceName }),
        ...(request.profileId === null ? {} : { profileId: request.profileId }),
        createdAt: new Date(),
      },
      port,
    );
    const start = recordedStart(request, agent);
    const { message } = request;
    if (message !== null) session.initialMessage = { state: 'pending' };
    await records.insert({ facts: session.facts, port, start, message });
    const { environmentNames } = session.facts;
    log.info(
      { sessionId: session.id, owner: request.ownerId, agent: agent.name, port, environmentNames },
      'session created',
    );
    this.#lives.add(session, holdings).begin(planOf(session.facts, start, message));
    return session;
  }

  async #reopen(
    record: SessionRecord,
    start: SessionStart,
    message: string | null,
    why: string,
    holdings: Holdings,
  ): Promise<Session> {
    const { store, records, agentServer, log } = this.#options;
    const facts = { ...record.facts, agentServer: agentServer.kind };
    const { port } = holdings.reservation;
    const change = { state: 'creating', at: new Date(), reason: why } as const;
    const isOurs = await store.sessions.reopen(facts.id, { ...change, port, agentServer: facts.agentServer });
    if (!isOurs) throw new AppError('session_not_ended');
    const session = new Session(facts, port, [...record.history, change]);
    session.initialMessage = record.message;
    // Whoever was to receive it is gone, and took the answer along.
    if (record.message?.state === 'sending') {
      records.message(session, { state: 'failed', at: new Date(), reason: LOST_MESSAGE });
    }
    this.#retention.forget(facts.id);
    log.info({ sessionId: facts.id, owner: facts.ownerId, agent: facts.agent, port }, 'session resumed');
    const pending = record.message?.state === 'pending' ? message : null;
    const known = this.#options.agents.get(facts.agent);
    this.#lives.add(session, holdings).begin(planOf(facts, start, pending, known));
    return session;
  }

  async #revive(record: SessionRecord, adoption: Extract<Adoption, { kind: 'adopted' }>): Promise<void> {
    const { facts } = record;
    const { run, reservation } = adoption;
    const secrets = await this.#options.store.sessions.readSecrets(facts.id);
    const session = new Session(facts, run.port, record.history);
    session.touch(record.updatedAt);
    session.endpoint = { port: run.port, token: secrets?.token ?? null };
    session.initialMessage = record.message;
    const state = record.message?.state;
    const message = state === 'pending' || state === 'sending' ? (secrets?.message ?? null) : null;
    const holdings = this.#lives.holdingsOf(
      facts.ownerId,
      secrets === null ? [] : secretsIn(secrets),
      reservation,
    );
    this.#lives.add(session, holdings).takeOver(run, message);
    this.#options.log.info({ sessionId: facts.id, port: run.port }, 'session goes on');
  }

  async #saveUses(): Promise<void> {
    await this.#options.records.saveUses(this.#lives.sessions());
  }
}

function viewOf({ message, ...record }: SessionRecord): SessionView {
  return { ...record, initialMessage: message, progress: null };
}

/** What no log line may show. */
function secretsIn(start: Pick<SessionStart, 'environment' | 'githubToken'>): readonly string[] {
  const token = start.githubToken ?? '';
  return [...Object.values(start.environment), ...(token === '' ? [] : [token])];
}

/** Whose sessions a search in the store may find. */
function ownersIn(principal: Principal, { shared, userId }: SearchFilter): SessionFilter {
  if (isAdmin(principal)) return userId === null ? {} : { ownerId: userId };
  const visibleTo = { userId: principal.userId, at: new Date() };
  if (userId !== null) return { ownerId: userId, visibleTo };
  return shared ? { visibleTo } : { ownerId: principal.userId };
}
