import { z } from 'zod';
import { QUESTIONS } from '../agents/conversation-events.ts';
import { SESSION_STATES } from '../sessions/session.ts';
import { MESSAGE_ROLES } from '../store/messages.ts';
import { StoreError } from '../store/store-error.ts';
import type { JournalEvent } from './journal-event.ts';

/*
 * How events are kept. An agent's message is reported with its full text whenever it has grown; what is kept is how much
 * of the text before stays, and what comes after that. The text before is one of the same segment, so that a segment
 * can be read with nothing before it.
 */

const kept = z.discriminatedUnion('k', [
  z.object({
    k: z.literal('m'),
    id: z.int(),
    role: z.enum(MESSAGE_ROLES),
    time: z.string(),
    /** UTF-16 units that stay of the text before. */
    keep: z.int().min(0),
    add: z.string(),
    new: z.boolean(),
  }),
  z.object({
    k: z.literal('s'),
    status: z.enum(['running', 'stable']),
    asks: z.exactOptional(z.enum(QUESTIONS)),
  }),
  z.object({ k: z.literal('e'), message: z.string(), level: z.string(), time: z.string() }),
  z.object({
    k: z.literal('t'),
    state: z.enum(SESSION_STATES),
    at: z.string(),
    reason: z.exactOptional(z.string()),
  }),
]);
export type KeptEvent = z.infer<typeof kept>;

/** Texts of the messages that were mentioned in a segment so far, by their number. */
export type SegmentTexts = Map<number, string>;

/** What is kept of an event. @param texts - of its segment; learns the event. */
export function encodeEvent(event: JournalEvent, texts: SegmentTexts): KeptEvent {
  switch (event.kind) {
    case 'message': {
      const { id, role, time, content } = event.message;
      const keep = commonLength(texts.get(id) ?? '', content);
      texts.set(id, content);
      return { k: 'm', id, role, time, keep, add: content.slice(keep), new: event.isNew };
    }
    case 'status':
      return { k: 's', status: event.status, ...(event.waitingFor && { asks: event.waitingFor }) };
    case 'error':
      return { k: 'e', message: event.message, level: event.level, time: event.time };
    case 'state': {
      const { state, at, reason } = event;
      return { k: 't', state, at, ...(reason === undefined ? {} : { reason }) };
    }
  }
}

/**
 * The event of which this was kept.
 * @param texts - of its segment, whose events must be read in order; learns the event.
 * @throws StoreError `corrupt`
 */
export function decodeEvent(stored: unknown, texts: SegmentTexts): JournalEvent {
  const parsed = kept.safeParse(stored);
  if (!parsed.success) throw new StoreError('corrupt', 'The store holds an unreadable event of a journal');
  const event = parsed.data;
  switch (event.k) {
    case 'm': {
      const { id, role, time, keep, add } = event;
      const content = (texts.get(id) ?? '').slice(0, keep) + add;
      texts.set(id, content);
      return { kind: 'message', message: { id, role, content, time }, isNew: event.new };
    }
    case 's':
      return { kind: 'status', status: event.status, ...(event.asks && { waitingFor: event.asks }) };
    case 'e':
      return { kind: 'error', message: event.message, level: event.level, time: event.time };
    case 't': {
      const { state, at, reason } = event;
      return { kind: 'state', state, at, ...(reason === undefined ? {} : { reason }) };
    }
  }
}

/** Not in the middle of a surrogate pair: halves do not survive every store. */
function commonLength(a: string, b: string): number {
  const most = Math.min(a.length, b.length);
  let length = 0;
  while (length < most && a.charCodeAt(length) === b.charCodeAt(length)) length += 1;
  const last = length > 0 ? a.charCodeAt(length - 1) : 0;
  return last >= 0xd800 && last <= 0xdbff ? length - 1 : length;
}
