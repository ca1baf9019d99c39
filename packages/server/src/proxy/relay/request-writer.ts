import { AppError } from '../../errors.ts';
import type { RequestHead } from '../../wire/request-head.ts';
import type { UpstreamConnection } from './upstream-connection.ts';

/** Writes the body of one request to an agent server, in the framing in which it came. */
export class RequestWriter {
  /** The header line that announces the body. */
  readonly framing: string;
  readonly #chunked: boolean;
  readonly #maxBytes: number;
  #bytes = 0;

  /**
   * `maxBytes` = 0: a body of any size.
   * @throws AppError `body_too_large` when the announced length is over the limit.
   */
  constructor({ length }: RequestHead, maxBytes: number) {
    this.#chunked = length === null;
    this.#maxBytes = maxBytes;
    if (maxBytes > 0 && length !== null && length > maxBytes) throw tooLarge(maxBytes);
    this.framing = length === null ? 'Transfer-Encoding: chunked\r\n' : `Content-Length: ${length}\r\n`;
  }

  /**
   * Passes a piece on. @returns whether more may be written before the connection drains.
   * @throws AppError `body_too_large`
   */
  body(to: UpstreamConnection, bytes: Buffer, start: number, end: number): boolean {
    const size = end - start;
    this.#bytes += size;
    if (this.#maxBytes > 0 && this.#bytes > this.#maxBytes) throw tooLarge(this.#maxBytes);
    if (!this.#chunked) return to.write(bytes.subarray(start, end));
    to.gather();
    to.write(`${size.toString(16)}\r\n`);
    to.write(bytes.subarray(start, end));
    return to.write('\r\n');
  }

  /** The body is complete. Fields after it are not passed on. */
  end(to: UpstreamConnection): void {
    if (this.#chunked) to.write('0\r\n\r\n');
  }
}

function tooLarge(maxBytes: number): AppError {
  return new AppError('body_too_large', {
    message: `Request body too large: at most ${maxBytes} bytes are accepted`,
  });
}
