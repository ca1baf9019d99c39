import { z } from 'zod';
import { SESSION_STATES } from '../../sessions/session.ts';
import { MESSAGE_ROLES } from '../../store/messages.ts';
import { QUEUE_STATES } from '../../store/queue.ts';

const messageShape = {
  id: z.int().meta({ description: 'Number of the message in its conversation, from 0.' }),
  role: z.enum(MESSAGE_ROLES).meta({ description: 'Who says it.' }),
  time: z.string().meta({ description: 'When, as the agent server says; RFC 3339.' }),
};

const nextCursor = z
  .string()
  .optional()
  .meta({ description: '`cursor` of the next page; absent on the last one.' });

/** A parameter with the most rows of a page. */
export function limitParameter({ usual, most }: { readonly usual: number; readonly most: number }) {
  return z.coerce
    .number()
    .int()
    .min(1)
    .default(usual)
    .transform((limit) => Math.min(limit, most))
    .meta({ description: `Rows of the page; more than ${most} are taken for ${most}.` });
}

/** A parameter with the place where a page begins. */
export const cursorParameter = z.coerce
  .number()
  .int()
  .min(0)
  .max(Number.MAX_SAFE_INTEGER)
  .optional()
  .meta({ description: '`next_cursor` of the page before.' });

/** Answer of `GET /sessions/:sessionId/messages`. */
export const conversationPage = z
  .object({
    messages: z
      .array(
        z
          .object({
            ...messageShape,
            content: z.string().meta({ description: 'The text as it is now.' }),
            event_id: z.int().meta({ description: 'Event of the last change of the message.' }),
          })
          .meta({ id: 'ConversationMessage' }),
      )
      .meta({ description: 'Oldest first.' }),
    next_cursor: nextCursor,
  })
  .meta({ id: 'ConversationPage' });

/** Answer of `GET /search/messages`. */
export const matchPage = z
  .object({
    matches: z
      .array(
        z
          .object({
            session_id: z.string().meta({ description: 'Id of the session.' }),
            ...messageShape,
            snippet: z.string().meta({ description: 'The text around the first word that was found.' }),
          })
          .meta({ id: 'MessageMatch' }),
      )
      .meta({ description: 'Newest first.' }),
    next_cursor: nextCursor,
  })
  .meta({ id: 'MessageMatchPage' });

/** A message that waits for its agent, or did. */
export const queuedSchema = z
  .object({
    id: z.string().meta({ description: 'Id of the queued message.' }),
    session_id: z.string().meta({ description: 'Id of the session.' }),
    position: z.int().meta({ description: 'Order of delivery in the session, from 1.' }),
    state: z.enum(QUEUE_STATES).meta({
      description:
        '`pending` (waits), `sending` (may have arrived), `delivered`, `failed` (`reason` says why; it is not sent again), or `cancelled`.',
    }),
    reason: z.string().nullable().meta({ description: 'Why it was not delivered; `null` otherwise.' }),
    content: z.string().meta({ description: 'The text.' }),
    created_by: z.string().meta({ description: 'User who has left it.' }),
    created_at: z.iso.datetime().meta({ description: 'When it was left.' }),
    updated_at: z.iso.datetime().meta({ description: 'Last change of its state or its text.' }),
  })
  .meta({ id: 'QueuedMessage' });

/** Answer of `GET /sessions/:sessionId/queue`. */
export const queuePage = z
  .object({
    messages: z.array(queuedSchema).meta({ description: 'In the order of their delivery.' }),
    next_cursor: nextCursor,
  })
  .meta({ id: 'QueuePage' });

/** Answer of `GET /sessions/:sessionId/wait`. */
export const waitSchema = z
  .object({
    result: z.enum(['stable', 'message', 'ended', 'timeout']).meta({
      description: 'What was waited for, or that the session has ended, or that the time is over.',
    }),
    state: z.enum(SESSION_STATES).meta({ description: 'State of the session now.' }),
    event_id: z.int().meta({ description: 'The last event; `after` of the next wait.' }),
    message: z
      .object({ ...messageShape, content: z.string().meta({ description: 'The text so far.' }) })
      .optional()
      .meta({ description: 'What the agent says, for `message`.' }),
  })
  .meta({ id: 'WaitResult' });
