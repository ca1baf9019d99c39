import type { ConversationMessage } from '@agentapi-proxy/client';

/**
 * A conversation, in order, with what else is known of it. Of two versions of a message the one of the later event
 * counts, so pages and events may come in any order.
 */
export function withMessages(
  known: readonly ConversationMessage[],
  news: readonly ConversationMessage[],
): readonly ConversationMessage[] {
  if (news.length === 0) return known;
  const [only] = news;
  if (news.length === 1 && only !== undefined) return withMessage(known, only);
  const all = new Map(known.map((message) => [message.id, message]));
  for (const message of news) {
    const before = all.get(message.id);
    if (before === undefined || before.event_id < message.event_id) all.set(message.id, message);
  }
  return [...all.values()].sort((a, b) => a.id - b.id);
}

function withMessage(
  known: readonly ConversationMessage[],
  message: ConversationMessage,
): readonly ConversationMessage[] {
  // Nearly always it is the last one that grows, or another one after it.
  let at = known.length;
  while (at > 0 && (known[at - 1]?.id ?? -1) > message.id) at -= 1;
  const before = known[at - 1];
  if (before?.id !== message.id) return [...known.slice(0, at), message, ...known.slice(at)];
  if (before.event_id >= message.event_id) return known;
  return [...known.slice(0, at - 1), message, ...known.slice(at)];
}

/** The last event that the messages tell of; 0 without any. */
export function lastEventOf(messages: readonly ConversationMessage[]): number {
  return messages.reduce((last, { event_id }) => Math.max(last, event_id), 0);
}
