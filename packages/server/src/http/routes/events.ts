import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Authenticator } from '../../auth/authenticate.ts';
import { authorize } from '../../auth/authorize.ts';
import type { SessionAccess } from '../../auth/session-access.ts';
import type { Overview } from '../../journal/overview.ts';
import { principalOf } from '../control-server.ts';
import { wouldPass } from '../event-viewers.ts';
import type { EventViewers } from '../event-viewers.ts';

export interface EventParts {
  readonly overview: Overview;
  readonly access: SessionAccess;
  readonly authenticator: Pick<Authenticator, 'authenticate'>;
  readonly viewers: EventViewers;
}

/** `GET /events`: one stream over all sessions that the caller may see. */
export function eventRoutes(app: FastifyInstance, parts: EventParts): void {
  const { overview, access, authenticator, viewers } = parts;
  app.get(
    '/events',
    {
      config: { permission: 'session:list' },
      schema: {
        operationId: 'streamEvents',
        tags: ['Conversations'],
        summary: 'Streams what changes in all sessions',
        description:
          'Server-sent events: first `session` for each session that lives, then `session_state`, `session_status`, `message_created`, `message_updated`, `agent_error` and `session_deleted`; `session_hidden` when a share ends, `resync` before everything is told anew to a client that was too slow. `event_id` is the place in the journal of the session. `session` and `session_status` say with `waiting_for` that the agent asks something: `dialog` or `permission`.',
        response: { 200: { content: { 'text/event-stream': { schema: z.unknown() } } } },
      },
    },
    async (request, reply) => {
      let principal = principalOf(request);
      return viewers.show(reply, {
        frames: (signal) => overview.watch((session) => access.allows(principal, session, 'read'), signal),
        stillAllowed: () =>
          wouldPass(authenticator, request.headers, (caller) => {
            authorize(caller, 'session:list');
            // The same key can have become another user's, or that of no admin any more.
            principal = caller;
          }),
      });
    },
  );
}
