import type { AgentEvent } from './agent-event.ts';
import type { AgentStatus, Message } from './schemas.ts';

/** The server retains this many `agent_error` events for its replay (agentapi section 2.7). */
const MAX_RETAINED_ERRORS = 100;

/**
 * Tells news from repetition. On every connection the server first replays the whole conversation, the status
 * and the retained errors; what was delivered before and is unchanged is no news.
 */
export class ReplayFilter {
  readonly #messages = new Map<number, Message>();
  #status: AgentStatus | undefined;
  #deliveredErrors: string[] = [];
  /** Errors delivered before this connection that its replay has not repeated yet. */
  #expectedErrors: string[] = [];
  /** Whether this connection has brought a change before its first status. */
  #changed = false;
  #statusSeen = false;

  /** To be called when a connection begins. */
  connected(): void {
    this.#expectedErrors = [...this.#deliveredErrors];
    this.#changed = false;
    this.#statusSeen = false;
  }

  /** Whether the consumer has yet to learn of this event; from then on it is known. */
  isNews(event: AgentEvent): boolean {
    switch (event.kind) {
      case 'message_update': {
        const known = this.#messages.get(event.message.id);
        if (known !== undefined && isSame(known, event.message)) return false;
        this.#messages.set(event.message.id, event.message);
        this.#changed = true;
        return true;
      }
      case 'status_change': {
        // While we were away the agent may have worked and come to rest again. The same word then says something
        // new: that the messages just replayed are complete.
        const restated = !this.#statusSeen && this.#changed;
        this.#statusSeen = true;
        if (this.#status === event.status && !restated) return false;
        this.#status = event.status;
        return true;
      }
      case 'agent_error': {
        const key = JSON.stringify([event.time, event.level, event.message]);
        const repeated = this.#expectedErrors.indexOf(key);
        if (repeated >= 0) {
          this.#expectedErrors.splice(repeated, 1);
          return false;
        }
        this.#deliveredErrors = [...this.#deliveredErrors, key].slice(-MAX_RETAINED_ERRORS);
        return true;
      }
      case 'unknown':
        // Nothing is known about its meaning, so nothing may be dropped.
        return true;
    }
  }
}

function isSame(a: Message, b: Message): boolean {
  return a.role === b.role && a.content === b.content && a.time === b.time;
}
