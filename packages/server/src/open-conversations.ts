import type { FastifyInstance } from 'fastify';
import type { AccessControl } from './auth/access-control.ts';
import type { Config } from './config/schema.ts';
import { EventViewers } from './http/event-viewers.ts';
import { sessionEventRoutes } from './http/routes/session-events.ts';
import { Journal } from './journal/journal.ts';
import type { Log } from './log.ts';
import type { Sessions } from './sessions/manager.ts';
import type { SessionObserver } from './sessions/observer.ts';
import type { Store } from './store/store.ts';

const HOUR_MS = 3_600_000;

/** What is known of conversations besides their agents, until its disposal. */
export interface Conversations extends AsyncDisposable {
  /** To be told of sessions. */
  readonly observers: readonly SessionObserver[];
  /** Declares the routes. */
  declare(app: FastifyInstance, sessions: Sessions): void;
  /** Ends streams of those who may not see them any more. */
  recheck(): void;
  /** Writes what has become of sessions that have ended while no server looked after them. */
  catchUp(ids: readonly string[]): Promise<void>;
}

/** The journal of all sessions, and what is served from it. */
export function openConversations(
  config: Config,
  store: Store,
  access: AccessControl,
  log: Log,
): Conversations {
  const journal = new Journal({
    store,
    maxBytes: config.journal.session_bytes,
    maxAgeMs: config.journal.retention_hours * HOUR_MS,
    log,
  });
  const viewers = new EventViewers(log);
  const { authenticator, sessions: sessionAccess } = access;
  return {
    observers: [journal],
    declare: (app, sessions) => {
      sessionEventRoutes(app, { sessions, journal, access: sessionAccess, authenticator, viewers });
    },
    recheck: () => viewers.recheck(),
    catchUp: async (ids) => journal.catchUp(ids),
    [Symbol.asyncDispose]: async () => {
      await journal[Symbol.asyncDispose]();
      await viewers.close();
    },
  };
}
