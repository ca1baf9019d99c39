// See schemas.ts for the ways of these schemas.
import * as z from 'zod/mini';
import type { components } from './schema.gen.ts';

/** A message as the server keeps it, also after the session. */
export type ConversationMessage = components['schemas']['ConversationMessage'];

/** One page of a conversation, oldest first. */
export type ConversationPage = components['schemas']['ConversationPage'];

/** A message that holds what was searched for. */
export type MessageMatch = components['schemas']['MessageMatch'];

/** One page of a search, newest first. */
export type MessageMatchPage = components['schemas']['MessageMatchPage'];

/** A message that waits for its agent, or did. */
export type QueuedMessage = components['schemas']['QueuedMessage'];

/** `sending`: it may have arrived, and nobody can take it back. */
export type QueueState = QueuedMessage['state'];

/** One page of a queue, in the order of delivery. */
export type QueuePage = components['schemas']['QueuePage'];

/** Why a wait has ended. */
export type WaitResult = components['schemas']['WaitResult'];

const messageShape = {
  id: z.int(),
  role: z.enum(['agent', 'user']),
  time: z.string(),
};

/** Body of `GET /sessions/:id/messages`. */
export const conversationPageSchema: z.ZodMiniType<ConversationPage> = z.looseObject({
  messages: z.array(z.looseObject({ ...messageShape, content: z.string(), event_id: z.int() })),
  next_cursor: z.optional(z.string()),
});

/** Body of `GET /search/messages`. */
export const messageMatchPageSchema: z.ZodMiniType<MessageMatchPage> = z.looseObject({
  matches: z.array(z.looseObject({ ...messageShape, session_id: z.string(), snippet: z.string() })),
  next_cursor: z.optional(z.string()),
});

/** Body of everything that answers with one queued message. */
export const queuedMessageSchema: z.ZodMiniType<QueuedMessage> = z.looseObject({
  id: z.string(),
  session_id: z.string(),
  position: z.int(),
  state: z.enum(['pending', 'sending', 'delivered', 'failed', 'cancelled']),
  reason: z.nullable(z.string()),
  content: z.string(),
  created_by: z.string(),
  created_at: z.string(),
  updated_at: z.string(),
});

/** Body of `GET /sessions/:id/queue`. */
export const queuePageSchema: z.ZodMiniType<QueuePage> = z.looseObject({
  messages: z.array(queuedMessageSchema),
  next_cursor: z.optional(z.string()),
});

/** Body of `GET /sessions/:id/wait`. */
export const waitResultSchema: z.ZodMiniType<WaitResult> = z.looseObject({
  result: z.enum(['stable', 'message', 'ended', 'timeout']),
  state: z.enum(['creating', 'starting', 'running', 'stopping', 'stopped', 'failed']),
  event_id: z.int(),
  message: z.optional(z.looseObject({ ...messageShape, content: z.string() })),
});
