import type * as acp from '@agentclientprotocol/sdk';
import type { ToolCall } from './acp-model.ts';

/** Tool calls kept for readers; an agent may make thousands, and each may hold a whole file. */
const MAX_TOOL_CALLS = 500;

/** The tool calls of a session: updates are merged, the oldest are forgotten. */
export class ToolCallLog {
  readonly #calls = new Map<string, ToolCall>();

  /** A copy, in order of their start. */
  list(): readonly ToolCall[] {
    return [...this.#calls.values()];
  }

  has(id: string): boolean {
    return this.#calls.has(id);
  }

  /** Records a `tool_call`, a `tool_call_update` or the call of a permission request; unknown ids start a call. */
  record(update: acp.ToolCallUpdate): ToolCall {
    const now = new Date();
    const known = this.#calls.get(update.toolCallId);
    const rawInput = update.rawInput ?? known?.rawInput;
    const rawOutput = update.rawOutput ?? known?.rawOutput;
    const call: ToolCall = {
      id: update.toolCallId,
      title: update.title ?? known?.title ?? update.toolCallId,
      kind: update.kind ?? known?.kind ?? 'other',
      status: update.status ?? known?.status ?? 'pending',
      content: update.content ?? known?.content ?? [],
      locations: update.locations ?? known?.locations ?? [],
      ...(rawInput === undefined ? {} : { rawInput }),
      ...(rawOutput === undefined ? {} : { rawOutput }),
      startedAt: known?.startedAt ?? now,
      updatedAt: now,
    };
    this.#calls.set(call.id, call);
    if (this.#calls.size > MAX_TOOL_CALLS) {
      const [oldest] = this.#calls.keys();
      if (oldest !== undefined) this.#calls.delete(oldest);
    }
    return call;
  }
}

/** What an update adds to the agent's message (AA-152); empty for updates that show nothing. */
export function textOfUpdate(update: acp.SessionUpdate): string {
  switch (update.sessionUpdate) {
    case 'agent_message_chunk':
      return update.content.type === 'text' ? update.content.text : '';
    case 'tool_call':
      return `\n[Tool: ${update.kind ?? 'other'}] ${update.title}\n`;
    case 'tool_call_update':
      return update.status ? `\n[Tool Status: ${update.status}]\n` : '';
    default:
      return '';
  }
}
