import type * as acp from '@agentclientprotocol/sdk';
import type { ToolCall } from './acp-model.ts';

/** Tool calls kept for readers; an agent may make thousands, and each may hold a whole file. */
const MAX_TOOL_CALLS = 500;
/** What is kept of all of them together, and of one, in characters of JSON. */
const MAX_KEPT = 8_388_608;
const MAX_KEPT_OF_ONE = 2_097_152;
/** Of a call that is kept without its contents. */
const MAX_TITLE = 1_000;
const MAX_LOCATIONS = 20;
/** Stands for contents that are not kept. */
const LEFT_OUT: ToolCall['content'] = [
  { type: 'content', content: { type: 'text', text: '[left out: too much to be kept]' } },
];

/**
 * The tool calls of a session: updates are merged, the oldest are forgotten. Those that hold too much lose their contents,
 * first the oldest that have ended.
 */
export class ToolCallLog {
  readonly #calls = new Map<string, ToolCall>();
  readonly #sizes = new Map<string, number>();
  #size = 0;

  /** A copy, in order of their start. */
  list(): readonly ToolCall[] {
    return [...this.#calls.values()];
  }

  has(id: string): boolean {
    return this.#calls.has(id);
  }

  /**
   * Records a `tool_call`, a `tool_call_update` or the call of a permission request; unknown ids start a call.
   * @returns the call, whole even when it is too large to be kept so.
   */
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
    this.#keep(call, MAX_KEPT_OF_ONE);
    if (this.#calls.size > MAX_TOOL_CALLS) {
      const [oldest] = this.#calls.keys();
      if (oldest !== undefined) this.#forget(oldest);
    }
    this.#shorten(({ id, status }) => id !== call.id && (status === 'completed' || status === 'failed'));
    this.#shorten(({ id }) => id !== call.id);
    return call;
  }

  /** Shortens the oldest calls that `may` be, until the rest fits. */
  #shorten(may: (call: ToolCall) => boolean): void {
    for (const call of this.#calls.values()) {
      if (this.#size <= MAX_KEPT) return;
      if (hasContents(call) && may(call)) this.#keep(call, 0);
    }
  }

  #keep(call: ToolCall, limit: number): void {
    const size = JSON.stringify(call).length;
    const kept = size > limit ? shortened(call) : call;
    const keptSize = kept === call ? size : JSON.stringify(kept).length;
    this.#size += keptSize - (this.#sizes.get(call.id) ?? 0);
    this.#sizes.set(call.id, keptSize);
    this.#calls.set(call.id, kept);
  }

  #forget(id: string): void {
    this.#size -= this.#sizes.get(id) ?? 0;
    this.#sizes.delete(id);
    this.#calls.delete(id);
  }
}

function hasContents({ content, rawInput, rawOutput }: ToolCall): boolean {
  return content !== LEFT_OUT || rawInput !== undefined || rawOutput !== undefined;
}

function shortened(call: ToolCall): ToolCall {
  const { rawInput: _input, rawOutput: _output, ...rest } = call;
  const title = call.title.slice(0, MAX_TITLE);
  return { ...rest, title, content: LEFT_OUT, locations: call.locations.slice(0, MAX_LOCATIONS) };
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
