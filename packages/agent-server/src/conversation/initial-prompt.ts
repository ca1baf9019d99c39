/** The message that is sent to the agent once, before any other (agentapi section 3.6). */
export class InitialPrompt {
  #text: string;
  #state: 'waiting' | 'sending' | 'sent' | 'failed' = 'waiting';

  /** @param text - as it will be typed; empty means that there is no prompt (AA-092). */
  constructor(text: string) {
    this.#text = text;
  }

  get text(): string {
    return this.#text;
  }

  /** There is a prompt, and nobody has tried to send it yet. */
  get waiting(): boolean {
    return this.#text !== '' && this.#state === 'waiting';
  }

  /** The agent has this prompt. */
  get sent(): boolean {
    return this.#text !== '' && this.#state === 'sent';
  }

  /** Records how far the one attempt to send it is. */
  mark(state: 'sending' | 'sent' | 'failed'): void {
    this.#state = state;
  }

  /**
   * Takes over what a state file says: the same prompt, or one where none is configured, is not sent a
   * second time but made up for when it was not sent; a different one is sent (AA-142 to AA-144).
   */
  restore(text: string, sent: boolean): void {
    if (text === '' || (this.#text !== '' && this.#text !== text)) return;
    this.#text = text;
    this.#state = sent ? 'sent' : 'waiting';
  }
}
