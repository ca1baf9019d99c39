import type { FastifyInstance } from 'fastify';
import type { AccessControl } from './auth/access-control.ts';
import type { Config } from './config/schema.ts';
import { EventViewers } from './http/event-viewers.ts';
import { conversationRoutes } from './http/routes/conversations.ts';
import { eventRoutes } from './http/routes/events.ts';
import { queueRoutes } from './http/routes/queue.ts';
import { sessionEventRoutes } from './http/routes/session-events.ts';
import { waitRoute } from './http/routes/wait.ts';
import { Journal } from './journal/journal.ts';
import { MessageSearch } from './journal/message-search.ts';
import type { JournalFigures, JournalObserver } from './journal/observer.ts';
import { Overview } from './journal/overview.ts';
import type { Log } from './log.ts';
import { MessageQueue } from './queue/message-queue.ts';
import type { QueueFigures, QueueObserver } from './queue/observer.ts';
import type { Sessions } from './sessions/manager.ts';
import type { RequestObserver } from './request-observer.ts';
import type { SessionFollower } from './sessions/follower.ts';
import type { Store } from './store/store.ts';

const HOUR_MS = 3_600_000;

/** What is known of conversations besides their agents, until its disposal. */
export interface Conversations extends AsyncDisposable {
  /** To be told of sessions. */
  readonly followers: readonly SessionFollower[];
  /** Declares the routes. */
  declare(app: FastifyInstance, sessions: Sessions): void;
  /** Ends streams of those who may not see them any more. */
  recheck(): void;
  /** Writes what has become of sessions that have ended while no server looked after them. */
  catchUp(ids: readonly string[]): Promise<void>;
  /** Whether the store does not take what happens in sessions at the moment. */
  isBehind(): boolean;
  journalFigures(): JournalFigures;
  /** @throws StoreError */
  queueFigures(): Promise<QueueFigures>;
}

/** Who is told of what they do. */
interface ConversationObservers {
  readonly journal: JournalObserver | undefined;
  readonly queue: QueueObserver | undefined;
  readonly requests: RequestObserver;
}

/** The journal and the queue of all sessions, and what is served from them. */
export function openConversations(
  config: Config,
  store: Store,
  instanceId: string,
  access: AccessControl,
  observers: ConversationObservers,
  log: Log,
): Conversations {
  const journal = new Journal({
    store,
    maxBytes: config.journal.session_bytes,
    maxAgeMs: config.journal.retention_hours * HOUR_MS,
    observer: observers.journal,
    log,
  });
  const overview = new Overview(journal);
  const queue = new MessageQueue({
    store,
    instanceId,
    mostWaiting: config.limits.queued_messages,
    observer: observers.queue,
    log,
  });
  const viewers = new EventViewers(observers.requests, log);
  const closing = new AbortController();
  const { authenticator, sessions: sessionAccess } = access;
  return {
    followers: [journal, queue, overview],
    declare: (app, sessions) => {
      const common = { sessions, journal, access: sessionAccess, authenticator, viewers };
      sessionEventRoutes(app, common);
      conversationRoutes(app, { ...common, search: new MessageSearch(store) });
      queueRoutes(app, sessions, queue, sessionAccess);
      waitRoute(app, { ...common, queue, closing: closing.signal });
      eventRoutes(app, { ...common, overview });
    },
    recheck: () => {
      // The streams learn first who their viewers are now, then what those may see.
      viewers.recheck();
      overview.recheck();
    },
    catchUp: async (ids) => journal.catchUp(ids),
    isBehind: () => journal.isBehind,
    journalFigures: () => journal.figures(),
    queueFigures: async () => queue.figures(),
    [Symbol.asyncDispose]: async () => {
      closing.abort();
      await queue[Symbol.asyncDispose]();
      await journal[Symbol.asyncDispose]();
      await viewers.close();
    },
  };
}
