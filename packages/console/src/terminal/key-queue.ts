/** So much is sent at once; far below what the server takes as a body. */
const MAX_CHARACTERS = 16_384;

/**
 * Sends keys in the order in which they were pressed: one request after the other, and all that is pressed meanwhile in
 * the next. After a failure what waits is dropped, because keys without those before them mean something else.
 */
export class KeyQueue {
  readonly #send: (keys: string) => Promise<void>;
  readonly #onError: (error: unknown) => void;
  #waiting = '';
  #isSending = false;
  #isClosed = false;

  /** @param send - delivers keys, and rejects when it cannot */
  constructor(send: (keys: string) => Promise<void>, onError: (error: unknown) => void) {
    this.#send = send;
    this.#onError = onError;
  }

  push(keys: string): void {
    if (this.#isClosed || keys === '') return;
    this.#waiting += keys;
    if (!this.#isSending) void this.#sendAll();
  }

  /** Drops what waits. */
  close(): void {
    this.#isClosed = true;
    this.#waiting = '';
  }

  async #sendAll(): Promise<void> {
    this.#isSending = true;
    try {
      while (this.#waiting !== '') {
        const keys = firstOf(this.#waiting);
        this.#waiting = this.#waiting.slice(keys.length);
        await this.#send(keys);
      }
    } catch (error) {
      this.#waiting = '';
      if (!this.#isClosed) this.#onError(error);
    } finally {
      this.#isSending = false;
    }
  }
}

/** The beginning of a text; a character of two units stays whole. */
function firstOf(text: string): string {
  if (text.length <= MAX_CHARACTERS) return text;
  const last = text.charCodeAt(MAX_CHARACTERS - 1);
  return text.slice(0, last >= 0xd800 && last < 0xdc00 ? MAX_CHARACTERS - 1 : MAX_CHARACTERS);
}
