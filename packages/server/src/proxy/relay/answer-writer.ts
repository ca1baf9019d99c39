import type { ClientConnection } from '../../wire/client-connection.ts';

/** A piece of a body up to this size is copied into the text that is written with it: cheaper than a write of its own. */
const SMALL_BYTES = 8 * 1024;

/** How the body of the answer is framed for the client. */
export type AnswerFraming = 'plain' | 'chunked';

/**
 * Writes one answer. What comes at once leaves at once, in as few pieces as possible: head, body and end of a short
 * answer are one write.
 */
export class AnswerWriter {
  readonly #connection: ClientConnection;
  #text = '';
  #parts: (string | Buffer)[] | null = null;
  #chunked = false;

  constructor(connection: ClientConnection) {
    this.#connection = connection;
  }

  head(text: string, framing: AnswerFraming): void {
    this.#text += text;
    this.#chunked = framing === 'chunked';
  }

  /** `kept`: the bytes stay as they are until they are written; else they are copied. */
  body(bytes: Buffer, start: number, end: number, kept: boolean): void {
    const size = end - start;
    if (size === 0) return;
    if (this.#chunked) this.#text += `${size.toString(16)}\r\n`;
    if (size <= SMALL_BYTES) {
      this.#text += bytes.toString('latin1', start, end);
    } else {
      this.#parts ??= [];
      if (this.#text !== '') this.#parts.push(this.#text);
      const piece = bytes.subarray(start, end);
      this.#parts.push(kept ? piece : Buffer.from(piece));
      this.#text = '';
    }
    if (this.#chunked) this.#text += '\r\n';
  }

  /** The body is complete; `trailers` are header lines. */
  end(trailers: string): void {
    if (this.#chunked) this.#text += `0\r\n${trailers}\r\n`;
  }

  /** Writes what has come together. @returns whether more may be written before the connection drains. */
  flush(): boolean {
    const parts = this.#parts;
    const text = this.#text;
    this.#text = '';
    if (parts === null) return text === '' || this.#connection.write(text);
    this.#parts = null;
    if (text !== '') parts.push(text);
    return this.#connection.writeAll(parts);
  }
}
