import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { SessionAccess } from '../../auth/session-access.ts';
import { AppError } from '../../errors.ts';
import type { Journal } from '../../journal/journal.ts';
import type { MessageSearch } from '../../journal/message-search.ts';
import type { MessagePlace } from '../../store/messages.ts';
import type { Sessions } from '../../sessions/manager.ts';
import { principalOf } from '../control-server.ts';
import { conversationPage, cursorParameter, limitParameter, matchPage } from './conversation-wire.ts';

const PAGE = { usual: 100, most: 1_000 } as const;
const MATCHES = { usual: 20, most: 100 } as const;
/** Longer questions are no questions. */
const MAX_QUERY_CHARS = 1_000;

const sessionParams = z.object({ sessionId: z.string().meta({ description: 'Id of the session.' }) });

const messagesQuery = z.object({
  order: z.enum(['oldest', 'newest']).default('oldest').meta({
    description:
      'Which end the first page is of, and so which way `next_cursor` leads. Pages are oldest first either way.',
  }),
  limit: limitParameter(PAGE),
  cursor: cursorParameter,
});

const searchQuery = z.object({
  q: z
    .string()
    .min(1)
    .max(MAX_QUERY_CHARS)
    .meta({ description: 'Words that must all be there; texts in quotation marks as they are.' }),
  limit: limitParameter(MATCHES),
  cursor: cursorParameter,
});

export interface ConversationParts {
  readonly sessions: Sessions;
  readonly journal: Journal;
  readonly search: MessageSearch;
  readonly access: SessionAccess;
}

/** `GET /sessions/:sessionId/messages` and `GET /search/messages`: conversations, whether their sessions live or not. */
export function conversationRoutes(app: FastifyInstance, parts: ConversationParts): void {
  const { sessions, journal, search, access } = parts;
  const routes = app.withTypeProvider<ZodTypeProvider>();

  routes.get(
    '/sessions/:sessionId/messages',
    {
      config: { permission: 'session:access', refusals: ['foreign_session_access', 'session_not_found'] },
      schema: {
        operationId: 'readConversation',
        tags: ['Conversations'],
        summary: 'Shows what was said in a session',
        description:
          'Oldest first; also after the end of the session. With `order=newest` the first page is the last one, for readers who begin at the end.',
        params: sessionParams,
        querystring: messagesQuery,
        response: { 200: conversationPage },
      },
    },
    async (request) => {
      const session = await sessions.get(request.params.sessionId);
      if (session === null) throw new AppError('session_not_found');
      access.check(principalOf(request), session.facts, 'read');
      const { limit, cursor, order } = request.query;
      const found = await journal.messages(session.facts.id, placeOf(order, cursor), limit + 1);
      const next = found[limit];
      const page = found.slice(0, limit);
      return {
        messages: (order === 'newest' ? page.toReversed() : page).map(
          ({ id, role, content, time, position }) => ({
            id,
            role,
            content,
            time,
            event_id: position,
          }),
        ),
        ...(next === undefined ? {} : { next_cursor: String(next.id) }),
      };
    },
  );

  routes.get(
    '/search/messages',
    {
      config: { permission: 'session:access' },
      schema: {
        operationId: 'searchMessages',
        tags: ['Conversations'],
        summary: "Finds messages in the caller's own sessions",
        description:
          'Newest first. Whole words count, without case and accents; in scripts without spaces between words, any part of them.',
        querystring: searchQuery,
        response: { 200: matchPage },
      },
    },
    async (request) => {
      const { userId, linkedSession } = principalOf(request);
      // The holder of a link has no sessions.
      if (linkedSession !== undefined) throw new AppError('insufficient_permissions');
      const { q, limit, cursor: before } = request.query;
      const { matches, next } = await search.find(userId, q, before ?? null, limit);
      return {
        matches: matches.map(({ sessionId, id, role, time, snippet }) => ({
          session_id: sessionId,
          id,
          role,
          time,
          snippet,
        })),
        ...(next === null ? {} : { next_cursor: String(next) }),
      };
    },
  );
}

function placeOf(order: 'oldest' | 'newest', cursor: number | undefined): MessagePlace {
  if (order === 'oldest') return { after: (cursor ?? 0) - 1 };
  return { before: cursor === undefined ? Number.MAX_SAFE_INTEGER : cursor + 1 };
}
