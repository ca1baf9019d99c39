import type { AgentError, ConversationEvent } from './conversation-model.ts';

/** Late subscribers see so many errors (AA-066). */
const RETAINED_ERRORS = 100;

/** Hands the events of a conversation to its subscribers: to each every event, in the same order (AA-065). */
export class Feed {
  readonly #listeners = new Set<(event: ConversationEvent) => void>();
  readonly #errors: AgentError[] = [];

  /** Calls `listener` for every later event. @returns a function that ends the subscription. */
  subscribe(listener: (event: ConversationEvent) => void): () => void {
    // Wrapped, so that one function may subscribe twice.
    const entry = (event: ConversationEvent): void => listener(event);
    this.#listeners.add(entry);
    return () => this.#listeners.delete(entry);
  }

  emit(event: ConversationEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  /** The retained errors, oldest first. */
  errors(): readonly AgentError[] {
    return [...this.#errors];
  }

  /** Retains and emits an error. */
  report(level: AgentError['level'], message: string): void {
    const error: AgentError = { message, level, time: new Date() };
    this.#errors.push(error);
    if (this.#errors.length > RETAINED_ERRORS) this.#errors.shift();
    this.emit({ kind: 'error', error });
  }

  /** Ends all subscriptions. */
  close(): void {
    this.#listeners.clear();
  }
}
