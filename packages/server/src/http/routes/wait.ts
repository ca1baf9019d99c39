import { setTimeout as pause } from 'node:timers/promises';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { AgentClient } from '../../agents/agent-client.ts';
import type { Authenticator } from '../../auth/authenticate.ts';
import type { SessionAccess } from '../../auth/session-access.ts';
import { AppError } from '../../errors.ts';
import type { Journal } from '../../journal/journal.ts';
import { waitInSession } from '../../journal/wait.ts';
import type { MessageQueue } from '../../queue/message-queue.ts';
import type { Sessions } from '../../sessions/manager.ts';
import { isLive } from '../../sessions/session.ts';
import { principalOf } from '../control-server.ts';
import { waitSchema } from './conversation-wire.ts';

/** Proxies on the way end what is silent for 60 s. */
const SECONDS = { default: 30, most: 300 } as const;

/** Before an agent server that did not tell its status is asked again. */
const STATUS_RETRY_MS = 250;

const waitQuery = z.object({
  for: z.enum(['stable', 'message']).meta({
    description:
      '`stable`: the agent waits for input, and no message waits for it. `message`: the agent says something.',
  }),
  timeout: z.coerce
    .number()
    .min(0)
    .default(SECONDS.default)
    .transform((seconds) => Math.min(seconds, SECONDS.most))
    .meta({ description: 'Seconds.' }),
  after: z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).optional().meta({
    description: 'Id of an event: only what comes behind it counts.',
  }),
});

export interface WaitParts {
  readonly sessions: Sessions;
  readonly journal: Journal;
  readonly queue: MessageQueue;
  readonly access: SessionAccess;
  readonly authenticator: Pick<Authenticator, 'authenticate'>;
  /** Aborts when the server stops. */
  readonly closing: AbortSignal;
}

/** `GET /sessions/:sessionId/wait`: an answer when something happens. */
export function waitRoute(app: FastifyInstance, parts: WaitParts): void {
  const { sessions, journal, queue, access, authenticator, closing } = parts;
  app.withTypeProvider<ZodTypeProvider>().get(
    '/sessions/:sessionId/wait',
    {
      config: { permission: 'session:access', refusals: ['foreign_session_access', 'session_not_found'] },
      schema: {
        operationId: 'waitForSession',
        tags: ['Conversations'],
        summary: 'Waits until something happens in a session',
        description: 'Answers at once when it is so already, and after the time-out in any case.',
        params: z.object({ sessionId: z.string().meta({ description: 'Id of the session.' }) }),
        querystring: waitQuery,
        response: { 200: waitSchema },
      },
    },
    async (request, reply) => {
      const session = await sessions.get(request.params.sessionId);
      if (session === null) throw new AppError('session_not_found');
      access.check(principalOf(request), session.facts, 'read');
      const { id } = session.facts;
      const { timeout, after = null } = request.query;
      const patience = patienceOf(reply, timeout * 1_000, closing);
      const isNowLive = (): boolean => {
        const now = sessions.find(id);
        return now !== undefined && isLive(now.state);
      };
      try {
        const result = await waitInSession(journal, {
          sessionId: id,
          for: request.query.for,
          after,
          isAtRest: async () => {
            for (;;) {
              const now = sessions.find(id);
              // In this order: what was delivered by now has made the agent work.
              if (now === undefined || now.firstMessageWaits || (await queue.isWaiting(id))) return false;
              if (now.endpoint === null) return false;
              const status = await new AgentClient(now.endpoint).status(patience.signal).catch(() => null);
              if (status !== null || patience.signal.aborted) return status === 'stable';
              await pause(STATUS_RETRY_MS, undefined, { signal: patience.signal }).catch(() => undefined);
            }
          },
          onLessWaiting: (askAgain) => {
            const unlisten = queue.listen((of) => {
              if (of === id) askAgain();
            });
            const unwatch = sessions.find(id)?.watch(askAgain);
            return () => {
              unlisten();
              unwatch?.();
            };
          },
          isLive: isNowLive,
          signal: patience.signal,
        });
        // Keys and shares may have ended during the wait.
        access.check(authenticator.authenticate(request.headers), session.facts, 'read');
        return {
          result: result.kind,
          state: sessions.find(id)?.state ?? session.state,
          event_id: await journal.lastPosition(id),
          ...(result.kind === 'message' ? { message: result.message } : {}),
        };
      } finally {
        patience.end();
      }
    },
  );
}

/** Not AbortSignal.any and .timeout: Node 20 may collect such a signal before it fires. */
function patienceOf(
  reply: FastifyReply,
  timeoutMs: number,
  closing: AbortSignal,
): { readonly signal: AbortSignal; readonly end: () => void } {
  const patience = new AbortController();
  const abort = (): void => patience.abort();
  const timer = setTimeout(abort, timeoutMs);
  reply.raw.once('close', abort);
  closing.addEventListener('abort', abort);
  if (closing.aborted) abort();
  return {
    signal: patience.signal,
    end: () => {
      clearTimeout(timer);
      reply.raw.off('close', abort);
      closing.removeEventListener('abort', abort);
    },
  };
}
