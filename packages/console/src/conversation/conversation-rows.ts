import type { ConversationMessage, ToolCall } from '@agentapi-proxy/client';

/** A line of the conversation: a message, with what the agent did before it said that. */
export interface ConversationRow {
  readonly message: ConversationMessage;
  readonly toolCalls: readonly ToolCall[];
}

/** The conversation, and what the agent has done since its last words. */
export interface ConversationRows {
  readonly rows: readonly ConversationRow[];
  readonly rest: readonly ToolCall[];
}

const NONE: readonly ToolCall[] = [];

/**
 * Puts tool calls where they belong: before the answer of the turn in which they were made. A turn begins with a message
 * of the user; times are those of the machine that runs the agent.
 */
export function rowsOf(
  messages: readonly ConversationMessage[],
  toolCalls: readonly ToolCall[],
): ConversationRows {
  if (toolCalls.length === 0)
    return { rows: messages.map((message) => ({ message, toolCalls: NONE })), rest: NONE };
  const rows: { message: ConversationMessage; toolCalls: readonly ToolCall[] }[] = [];
  let waiting = toolCalls.map((call) => ({ call, at: Date.parse(call.started_at) }));
  for (const [index, message] of messages.entries()) {
    if (message.role === 'user') {
      rows.push({ message, toolCalls: NONE });
      continue;
    }
    const next = messages.slice(index + 1).find(({ role }) => role === 'user');
    const end = next === undefined ? Infinity : Date.parse(next.time);
    const mine = waiting.filter(({ at }) => at < end);
    waiting = waiting.filter(({ at }) => at >= end);
    rows.push({ message, toolCalls: mine.length === 0 ? NONE : mine.map(({ call }) => call) });
  }
  return { rows, rest: waiting.map(({ call }) => call) };
}
