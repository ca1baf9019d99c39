import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { SessionAccess } from '../../auth/session-access.ts';
import { AppError } from '../../errors.ts';
import type { Sessions } from '../../sessions/manager.ts';
import { parseSearch } from '../../sessions/search.ts';
import { ignoredMembers, startBodySchema } from '../../sessions/start-request.ts';
import { principalOf } from '../control-server.ts';
import { nameIgnored } from '../ignored-members.ts';
import { SEARCH_PARAMETERS } from '../openapi/search-parameters.ts';
import {
  deletionSchema,
  detailOf,
  searchPageSchema,
  sessionDetailSchema,
  summaryOf,
} from './session-wire.ts';
import { START_REFUSALS, startReplySchema } from './start-wire.ts';
import { usableSessions } from './usable-session.ts';

/** Lines of a session's log that one request may have. */
const LOG_LINES = { default: 200, most: 5_000 } as const;

const sessionParams = z.object({ sessionId: z.string().meta({ description: 'Id of the session.' }) });
const logQuery = z.object({
  lines: z.coerce
    .number()
    .int()
    .min(1)
    .max(LOG_LINES.most)
    .default(LOG_LINES.default)
    .meta({ description: 'How many lines.' }),
});

/** `POST /start`, `GET /search` and `/sessions/:sessionId` (proxy-api section 5). */
export function sessionRoutes(app: FastifyInstance, sessions: Sessions, access: SessionAccess): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();

  const usable = usableSessions(sessions, access);

  routes.post(
    '/start',
    {
      config: {
        permission: 'session:create',
        audit: { action: 'session.start', target: 'session' },
        refusals: START_REFUSALS,
        replyHeaders: ['X-Ignored-Members'],
      },
      schema: {
        operationId: 'startSession',
        tags: ['Sessions'],
        summary: 'Starts a session',
        description:
          'Answers as soon as the session is recorded; requests to it wait until its agent server answers. Members that are not known are ignored.',
        body: startBodySchema.nullish(),
        response: { 200: startReplySchema },
      },
    },
    async (request, reply) => {
      const body = request.body ?? {};
      const { session, ownerWasChosen } = await sessions.start(principalOf(request), body);
      nameIgnored(reply, ignoredMembers(body, ownerWasChosen));
      request.auditTarget = session.id;
      if (ownerWasChosen) request.auditDetails = { owner: session.ownerId };
      return { session_id: session.id };
    },
  );

  routes.get(
    '/search',
    {
      config: { permission: 'session:list', query: SEARCH_PARAMETERS },
      schema: {
        operationId: 'searchSessions',
        tags: ['Sessions'],
        summary: 'Finds sessions',
        description: 'Newest first. Parameters that are not known are ignored.',
        response: { 200: searchPageSchema },
      },
    },
    async (request) => {
      const filter = parseSearch(new URL(request.url, 'http://localhost').searchParams);
      const principal = principalOf(request);
      const page = await sessions.search(principal, filter);
      return {
        sessions: page.sessions.map((session) =>
          summaryOf(session, access.levelOf(principal, session.facts)),
        ),
        ...(page.nextCursor === null ? {} : { next_cursor: page.nextCursor }),
      };
    },
  );

  routes.get(
    '/sessions/:sessionId',
    {
      config: { permission: 'session:access', refusals: ['foreign_session_access', 'session_not_found'] },
      schema: {
        operationId: 'getSession',
        tags: ['Sessions'],
        summary: 'Shows a session',
        params: sessionParams,
        response: { 200: sessionDetailSchema },
      },
    },
    async (request) => {
      const principal = principalOf(request);
      const session = await usable(request.params.sessionId, principal, 'read');
      return detailOf(session, access.levelOf(principal, session.facts));
    },
  );

  routes.get(
    '/sessions/:sessionId/log',
    {
      config: { permission: 'session:access', refusals: ['foreign_session_access', 'session_not_found'] },
      schema: {
        operationId: 'getSessionLog',
        tags: ['Sessions'],
        summary: "Shows what the session's processes printed",
        description: 'The last lines, oldest first.',
        params: sessionParams,
        querystring: logQuery,
        response: { 200: { content: { 'text/plain': { schema: z.string() } } } },
      },
    },
    async (request, reply) => {
      const { facts } = await usable(request.params.sessionId, principalOf(request), 'read');
      const lines = await sessions.readLog(facts.id, request.query.lines);
      return reply
        .header('content-type', 'text/plain; charset=utf-8')
        .header('x-content-type-options', 'nosniff')
        .send(lines.map((line) => `${line}\n`).join(''));
    },
  );

  routes.post(
    '/sessions/:sessionId/resume',
    {
      config: {
        permission: 'session:create',
        audit: { action: 'session.resume', target: 'session' },
        refusals: [
          ...START_REFUSALS,
          'foreign_session_access',
          'session_not_ended',
          'session_not_found',
          'session_not_resumable',
        ],
      },
      schema: {
        operationId: 'resumeSession',
        tags: ['Sessions'],
        summary: 'Starts a session that has ended again',
        description: 'In its workspace, with its conversation; id, owner, tags and variables stay.',
        params: sessionParams,
        response: { 200: startReplySchema },
      },
    },
    async (request) => {
      const session = await usable(request.params.sessionId, principalOf(request), 'write');
      return { session_id: (await sessions.resume(session)).id };
    },
  );

  routes.delete(
    '/sessions/:sessionId',
    {
      config: {
        permission: 'session:delete',
        audit: { action: 'session.delete', target: 'session' },
        refusals: ['foreign_session_delete', 'session_elsewhere', 'session_not_found'],
      },
      schema: {
        operationId: 'deleteSession',
        tags: ['Sessions'],
        summary: 'Ends a session and removes its workspace',
        description:
          'Answers when none of its processes is left; `terminating` means that one cannot be ended yet.',
        params: sessionParams,
        response: { 200: deletionSchema },
      },
    },
    async (request) => {
      const id = request.params.sessionId;
      const session = await sessions.get(id);
      if (session === null) throw new AppError('session_not_found');
      if (!access.allows(principalOf(request), session.facts, 'manage')) {
        throw new AppError('foreign_session_delete');
      }
      const left = await sessions.delete(session.facts);
      return left.length === 0
        ? { message: 'Session terminated successfully', session_id: id, status: 'terminated' as const }
        : {
            message: `Session is still ending: ${left.length} of its processes cannot be ended yet`,
            session_id: id,
            status: 'terminating' as const,
          };
    },
  );
}
