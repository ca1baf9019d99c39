import type { Duplex } from 'node:stream';

/** What a client's connection is read from and written to: a TCP socket, or an end of a connection in memory. */
export interface ClientSocket extends Duplex {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
  /** Bytes that were written, sent or not. */
  readonly bytesWritten: number;
  /** Closes once everything has been sent. */
  destroySoon(): void;
  /** Closes in a way that the other end notices as a failure. */
  resetAndDestroy(): void;
  /** Asks a peer that is silent for so many milliseconds whether it still exists. */
  setKeepAlive(enable: boolean, initialDelay: number): void;
}
