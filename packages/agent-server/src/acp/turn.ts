import type { SessionUpdate } from '@agentclientprotocol/sdk';

/** The answer of a turn that ended without text may still be on its way (agentapi section 7, step 5). */
const LATE_TEXT_MS = 100;

/** One prompt and what belongs to it, until the agent has ended it. */
export class Turn {
  /** The growing message; `null` for a raw message, whose output is discarded. */
  readonly answerId: number | null;
  /** Set when the caller asked for the turn's end. */
  cancelled = false;
  readonly #messageIds = new Set<string>();
  readonly #toolCallIds = new Set<string>();
  readonly #pastMessageIds: ReadonlySet<string>;
  #hasText = false;
  #onText = (): void => {};

  constructor(answerId: number | null, previous: Turn | null) {
    this.answerId = answerId;
    this.#pastMessageIds = previous === null ? new Set() : previous.#messageIds;
  }

  /**
   * Whether the update provably comes from an earlier turn, so that its text must not enter this one
   * (AA-154). `known`: the tool call was met before.
   */
  isStale(update: SessionUpdate, known: (toolCallId: string) => boolean): boolean {
    if (update.sessionUpdate === 'tool_call_update') {
      return known(update.toolCallId) && !this.#toolCallIds.has(update.toolCallId);
    }
    if (update.sessionUpdate !== 'agent_message_chunk' || !update.messageId) return false;
    if (this.#pastMessageIds.has(update.messageId)) return true;
    this.#messageIds.add(update.messageId);
    return false;
  }

  addToolCall(id: string): void {
    this.#toolCallIds.add(id);
  }

  addText(): void {
    this.#hasText = true;
    this.#onText();
  }

  /** Resolves with the first text of the turn, at once if there was one, after 100 ms if there comes none. */
  async lateText(): Promise<void> {
    if (this.#hasText || this.cancelled) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, LATE_TEXT_MS);
      this.#onText = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
