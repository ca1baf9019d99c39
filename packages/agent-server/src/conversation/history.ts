import type { Message } from './conversation-model.ts';

/** The records of one conversation: ids are indices (AA-078), records are replaced, never changed. */
export class History {
  #messages: Message[];

  /** Starts with an empty greeting of the agent (AA-040). */
  constructor(start: Date) {
    this.#messages = [{ id: 0, role: 'agent', content: '', time: start }];
  }

  /** A copy (AA-089). */
  all(): readonly Message[] {
    return [...this.#messages];
  }

  get last(): Message | undefined {
    return this.#messages.at(-1);
  }

  /** The text of the last message that the user sent, empty before the first. */
  get lastUserText(): string {
    return this.#messages.findLast(({ role }) => role === 'user')?.content ?? '';
  }

  appendUser(content: string, time: Date): Message {
    return this.#append('user', content, time);
  }

  /**
   * Sets the text of the agent's turn: of the last message if that is the agent's, else of a new one,
   * also when the text equals the agent's previous answer (AA-093).
   * @returns the new record, or `null` when the text has not changed (AA-079).
   */
  setAgentText(content: string, time: Date): Message | null {
    const { last } = this;
    if (last?.role !== 'agent') return this.#append('agent', content, time);
    if (last.content === content) return null;
    const message: Message = { ...last, content, time };
    this.#messages[this.#messages.length - 1] = message;
    return message;
  }

  /** Replaces everything; ids and times stay as given (AA-140). */
  restore(messages: readonly Message[]): void {
    this.#messages = [...messages];
  }

  #append(role: Message['role'], content: string, time: Date): Message {
    const message: Message = { id: this.#messages.length, role, content, time };
    this.#messages.push(message);
    return message;
  }
}
