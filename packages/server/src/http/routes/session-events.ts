import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { authorize } from '../../auth/authorize.ts';
import type { SessionAccess } from '../../auth/session-access.ts';
import type { Authenticator } from '../../auth/authenticate.ts';
import { AppError } from '../../errors.ts';
import type { Journal } from '../../journal/journal.ts';
import type { Sessions } from '../../sessions/manager.ts';
import { isLive } from '../../sessions/session.ts';
import { principalOf } from '../control-server.ts';
import { wouldPass } from '../event-viewers.ts';
import type { EventViewers } from '../event-viewers.ts';

const sessionParams = z.object({ sessionId: z.string().meta({ description: 'Id of the session.' }) });

const position = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER);

const eventsQuery = z.object({
  after: z
    .union([z.literal('now'), position])
    .optional()
    .meta({
      description:
        'Id of the last event that is known; the stream goes on behind it. `0` or nothing: from the oldest that is kept; `now`: only what comes.',
    }),
});

/** The header of browsers that reconnect; it knows better than the address that they began with. */
const eventsHeaders = z.object({
  'last-event-id': z.string().optional().meta({ description: 'As `after`, and before it.' }),
});

export interface SessionEventParts {
  readonly sessions: Sessions;
  readonly journal: Journal;
  readonly access: SessionAccess;
  readonly authenticator: Pick<Authenticator, 'authenticate'>;
  readonly viewers: EventViewers;
}

/** `GET /sessions/:sessionId/events`: what happened in a session, from any place on, and what happens. */
export function sessionEventRoutes(app: FastifyInstance, parts: SessionEventParts): void {
  const { sessions, journal, access, authenticator, viewers } = parts;
  app.withTypeProvider<ZodTypeProvider>().get(
    '/sessions/:sessionId/events',
    {
      config: { permission: 'session:access', refusals: ['foreign_session_access', 'session_not_found'] },
      schema: {
        operationId: 'streamSessionEvents',
        tags: ['Conversations'],
        summary: 'Streams what happened and happens in a session',
        description:
          'Server-sent events with ids that count from 1: `message_update`, `status_change` and `agent_error` as agentapi has them, but with `waiting_for` (`dialog`, `permission`) while the agent asks something, `state_change` of the session, and `journal_gap` where events are not kept any more. Ends with the session; 204 when it has ended and there is nothing more.',
        params: sessionParams,
        querystring: eventsQuery,
        headers: eventsHeaders,
        response: {
          200: { content: { 'text/event-stream': { schema: z.unknown() } } },
          204: z.undefined(),
        },
      },
    },
    async (request, reply) => {
      const principal = principalOf(request);
      const session = await sessions.get(request.params.sessionId);
      if (session === null) throw new AppError('session_not_found');
      access.check(principal, session.facts, 'read');
      const { id } = session.facts;
      const wanted = afterOf(request.headers['last-event-id'], request.query.after);
      const last = await journal.lastPosition(id);
      const after = wanted === 'now' ? last : wanted;
      // What makes a browser stop asking.
      if (!isLive(session.state) && journal.life(id) === undefined && after > 0 && after === last) {
        return reply.code(204).send();
      }
      return viewers.show(reply, {
        frames: (signal) => journal.follow(id, after, signal),
        stillAllowed: () =>
          wouldPass(authenticator, request.headers, (caller) => {
            authorize(caller, 'session:access');
            access.check(caller, session.facts, 'read');
          }),
        onUse: () => sessions.find(id)?.touch(),
      });
    },
  );
}

/** @throws AppError `invalid_query` for a header that is no position. */
function afterOf(header: string | undefined, query: number | 'now' | undefined): number | 'now' {
  if (header === undefined || header === '') return query ?? 0;
  const parsed = position.safeParse(header);
  if (parsed.success) return parsed.data;
  throw new AppError('invalid_query', {
    message: 'Last-Event-ID: expected the id of an event',
    details: { field: 'Last-Event-ID' },
  });
}
