import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { AppError } from '../errors.ts';

/** What the reading of a request body needs. */
export interface RequestBodyOptions {
  /** Refused with `body_too_large` beyond this many bytes; 0 means no limit. */
  readonly maxBytes: number;
  /** Called once when the body is wanted: the moment to answer `Expect: 100-continue`. */
  readonly onWanted: () => void;
}

/**
 * A request body as a stream of its own. Reading pauses the client when the agent server is slow. Unlike the
 * request itself it can be destroyed while the client's connection, and an answer on it, live on.
 */
export class RequestBody extends Readable {
  readonly #req: IncomingMessage;
  readonly #maxBytes: number;
  #onWanted: (() => void) | null;
  #received = 0;
  readonly #onData = (chunk: Buffer): void => this.#take(chunk);
  readonly #onEnd = (): void => {
    this.push(null);
  };
  readonly #onGone = (): void => {
    this.destroy(new Error('the client left before the end of its request'));
  };

  /** @throws AppError `body_too_large` when the announced length is over the limit. */
  constructor(req: IncomingMessage, options: RequestBodyOptions) {
    super();
    // Its reader learns of errors while it reads; afterwards nobody needs to.
    this.on('error', () => {});
    this.#req = req;
    this.#maxBytes = options.maxBytes;
    this.#onWanted = options.onWanted;
    if (this.#maxBytes > 0 && Number(req.headers['content-length'] ?? 0) > this.#maxBytes)
      throw tooLarge(this.#maxBytes);
  }

  override _read(): void {
    if (this.#onWanted === null) {
      this.#req.resume();
      return;
    }
    this.#onWanted();
    this.#onWanted = null;
    this.#req
      .on('data', this.#onData)
      .on('end', this.#onEnd)
      .on('error', this.#onGone)
      .on('aborted', this.#onGone);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#req
      .off('data', this.#onData)
      .off('end', this.#onEnd)
      .off('error', this.#onGone)
      .off('aborted', this.#onGone);
    done(error);
  }

  #take(chunk: Buffer): void {
    this.#received += chunk.length;
    if (this.#maxBytes > 0 && this.#received > this.#maxBytes) {
      this.#req.pause();
      this.destroy(tooLarge(this.#maxBytes));
      return;
    }
    if (!this.push(chunk)) this.#req.pause();
  }
}

function tooLarge(maxBytes: number): AppError {
  return new AppError('body_too_large', {
    message: `Request body too large: at most ${maxBytes} bytes are accepted`,
  });
}
