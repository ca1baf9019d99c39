import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { SessionUse } from '../../auth/authorize.ts';
import type { Principal } from '../../auth/principal.ts';
import type { SessionAccess } from '../../auth/session-access.ts';
import { AppError } from '../../errors.ts';
import { plainText } from '../../plain-text.ts';
import type { MessageQueue } from '../../queue/message-queue.ts';
import type { Sessions } from '../../sessions/manager.ts';
import type { SessionView } from '../../sessions/session.ts';
import { QUEUE_STATES } from '../../store/queue.ts';
import type { QueuedMessage } from '../../store/queue.ts';
import { principalOf } from '../control-server.ts';
import { cursorParameter, limitParameter, queuedSchema, queuePage } from './conversation-wire.ts';

const PAGE = { usual: 100, most: 500 } as const;
const MAX_KEY_CHARS = 255;

const sessionParams = z.object({ sessionId: z.string().meta({ description: 'Id of the session.' }) });
const messageParams = sessionParams.extend({
  messageId: z.string().meta({ description: 'Id of the queued message.' }),
});

const contentBody = z
  .strictObject({
    content: plainText()
      .refine((text) => text.trim() !== '', 'the message is empty')
      .meta({ description: 'White space around it is left out.' }),
  })
  .meta({ id: 'QueueMessageRequest' });

const idempotencyHeaders = z.object({
  'idempotency-key': z.string().min(1).max(MAX_KEY_CHARS).optional().meta({
    description: 'A name for this request; a second one with it adds nothing and gets the same message.',
  }),
});

const queueQuery = z.object({
  state: z.enum(QUEUE_STATES).optional().meta({ description: 'Only messages in this state.' }),
  limit: limitParameter(PAGE),
  cursor: cursorParameter,
});

const REFUSALS = ['foreign_session_access', 'session_not_found'] as const;

/** `POST /sessions/:sessionId/messages` and `/sessions/:sessionId/queue`: messages that wait for their agent. */
export function queueRoutes(
  app: FastifyInstance,
  sessions: Sessions,
  queue: MessageQueue,
  access: SessionAccess,
): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();

  const usable = async (id: string, principal: Principal, use: SessionUse): Promise<SessionView> => {
    const session = await sessions.get(id);
    if (session === null) throw new AppError('session_not_found');
    access.check(principal, session.facts, use);
    return session;
  };

  routes.post(
    '/sessions/:sessionId/messages',
    {
      config: {
        permission: 'session:access',
        refusals: [...REFUSALS, 'session_elsewhere', 'session_ended', 'queue_full', 'idempotency_key_reused'],
      },
      schema: {
        operationId: 'queueMessage',
        tags: ['Conversations'],
        summary: 'Leaves a message for the agent',
        description:
          'At any time while the session lives, also while it starts or its agent works; it is delivered once, in order, as soon as the agent waits for input. 200 instead of 201 when the idempotency key was used before.',
        params: sessionParams,
        headers: idempotencyHeaders,
        body: contentBody,
        response: { 200: queuedSchema, 201: queuedSchema },
      },
    },
    async (request, reply) => {
      const principal = principalOf(request);
      const session = await usable(request.params.sessionId, principal, 'write');
      const key = request.headers['idempotency-key'] ?? null;
      const added = await queue.add(session, principal, request.body.content.trim(), key);
      return reply.code(added.isNew ? 201 : 200).send(replyOf(added.message));
    },
  );

  routes.get(
    '/sessions/:sessionId/queue',
    {
      config: { permission: 'session:access', refusals: REFUSALS },
      schema: {
        operationId: 'listQueue',
        tags: ['Conversations'],
        summary: 'Lists the messages that wait for the agent, or did',
        description: 'In the order of their delivery.',
        params: sessionParams,
        querystring: queueQuery,
        response: { 200: queuePage },
      },
    },
    async (request) => {
      const { facts } = await usable(request.params.sessionId, principalOf(request), 'read');
      const { state, limit, cursor = 0 } = request.query;
      const found = await queue.list(facts.id, cursor, limit + 1, state === undefined ? undefined : [state]);
      const messages = found.slice(0, limit);
      const last = messages.at(-1);
      return {
        messages: messages.map(replyOf),
        ...(found.length > limit && last !== undefined ? { next_cursor: String(last.position) } : {}),
      };
    },
  );

  routes.get(
    '/sessions/:sessionId/queue/:messageId',
    {
      config: { permission: 'session:access', refusals: [...REFUSALS, 'queued_message_not_found'] },
      schema: {
        operationId: 'getQueuedMessage',
        tags: ['Conversations'],
        summary: 'Shows what became of a message',
        params: messageParams,
        response: { 200: queuedSchema },
      },
    },
    async (request) => {
      const { facts } = await usable(request.params.sessionId, principalOf(request), 'read');
      return replyOf(await queue.get(facts.id, request.params.messageId));
    },
  );

  const changes = [...REFUSALS, 'queued_message_not_found', 'message_not_pending'] as const;

  routes.patch(
    '/sessions/:sessionId/queue/:messageId',
    {
      config: { permission: 'session:access', refusals: changes },
      schema: {
        operationId: 'editQueuedMessage',
        tags: ['Conversations'],
        summary: 'Changes a message that waits',
        params: messageParams,
        body: contentBody,
        response: { 200: queuedSchema },
      },
    },
    async (request) => {
      const { facts } = await usable(request.params.sessionId, principalOf(request), 'write');
      return replyOf(await queue.edit(facts.id, request.params.messageId, request.body.content.trim()));
    },
  );

  routes.delete(
    '/sessions/:sessionId/queue/:messageId',
    {
      config: { permission: 'session:access', refusals: changes },
      schema: {
        operationId: 'cancelQueuedMessage',
        tags: ['Conversations'],
        summary: 'Takes a message back that waits',
        description: 'It stays in the list, cancelled.',
        params: messageParams,
        response: { 200: queuedSchema },
      },
    },
    async (request) => {
      const { facts } = await usable(request.params.sessionId, principalOf(request), 'write');
      return replyOf(await queue.cancel(facts.id, request.params.messageId));
    },
  );
}

function replyOf(message: QueuedMessage): z.infer<typeof queuedSchema> {
  return {
    id: message.id,
    session_id: message.sessionId,
    position: message.position,
    state: message.state,
    reason: message.reason,
    content: message.content,
    created_by: message.createdBy,
    created_at: message.createdAt.toISOString(),
    updated_at: message.updatedAt.toISOString(),
  };
}
