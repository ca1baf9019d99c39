import { Duplex } from 'node:stream';
import type { ClientSocket } from '../wire/client-socket.ts';

/** One end of a connection inside the process; what is written to it can be read at the other. */
export class InProcessSocket extends Duplex implements ClientSocket {
  readonly remoteAddress: string | undefined;
  bytesWritten = 0;
  #other: InProcessSocket | null = null;
  /** Goes on with what the other end writes, as soon as there is room for it. */
  #goOn: (() => void) | null = null;

  private constructor(remoteAddress?: string) {
    super({ allowHalfOpen: true });
    this.remoteAddress = remoteAddress;
  }

  /** Two ends that belong together; the first one sees `remoteAddress` as the address of the second. Closing either closes both. */
  static pair(remoteAddress: string): [server: InProcessSocket, client: InProcessSocket] {
    const server = new InProcessSocket(remoteAddress);
    const client = new InProcessSocket();
    server.#other = client;
    client.#other = server;
    return [server, client];
  }

  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once('finish', () => this.destroy());
  }

  resetAndDestroy(): void {
    this.#other?.destroy(new Error('the connection was reset'));
    this.destroy();
  }

  setKeepAlive(): void {
    // The other end is in this process: it exists.
  }

  override _read(): void {
    const goOn = this.#goOn;
    this.#goOn = null;
    goOn?.();
  }

  override _write(chunk: Buffer, _encoding: unknown, done: () => void): void {
    this.bytesWritten += chunk.length;
    const other = this.#other;
    // Whoever writes may use the memory for something else afterwards, as with a socket of the system.
    if (other === null || other.destroyed || other.push(Buffer.from(chunk))) done();
    else other.#goOn = done;
  }

  override _final(done: () => void): void {
    this.#other?.push(null);
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const other = this.#other;
    this.#other = null;
    // What was written before is read first: the end follows it.
    if (other !== null && !other.destroyed) {
      if (this.writableFinished && error === null) other.once('end', () => other.destroy());
      else other.destroy();
    }
    done(error);
  }
}
