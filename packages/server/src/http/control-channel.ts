import { Duplex } from 'node:stream';
import type { ClientConnection } from '../wire/client-connection.ts';
import type { Responder } from '../wire/responder.ts';
import type { RequestHead } from '../wire/request-head.ts';

/** Headers that are about the client's connection, or made anew here. */
const NOT_PASSED: ReadonlySet<string> = new Set([
  ...['connection', 'keep-alive', 'proxy-connection', 'upgrade', 'http2-settings', 'te', 'trailer', 'expect'],
  ...['content-length', 'transfer-encoding'],
]);

/**
 * At most so many bytes of an answer are written at a time. How much a client has taken shows only between two writes:
 * a large one would look like a client that takes nothing.
 */
const SLICE_BYTES = 64 * 1024;

/**
 * Looks like a client's connection to the control plane's `node:http` server, and carries only requests that were read
 * and found strict before: rebuilt, one at a time. One for each client connection that asks the control plane, for as
 * long as that lives.
 */
export class ControlChannel extends Duplex implements Responder {
  readonly #connection: ClientConnection;
  #requestId = '';
  #chunked = false;
  #serving = false;
  /** What is still to be written, from its first byte on; and who waits for that. */
  #unsent: Buffer[] = [];
  #pending: ((error?: Error | null) => void) | null = null;

  constructor(connection: ClientConnection) {
    super({ autoDestroy: true, decodeStrings: true });
    this.#connection = connection;
    this.on('error', () => {});
  }

  get requestId(): string {
    return this.#requestId;
  }

  get remoteAddress(): string | undefined {
    return this.#connection.socket.remoteAddress;
  }

  get remotePort(): number | undefined {
    return this.#connection.socket.remotePort;
  }

  get localAddress(): string | undefined {
    return this.#connection.socket.localAddress;
  }

  get localPort(): number | undefined {
    return this.#connection.socket.localPort;
  }

  /** Hands a request over; its answer goes to the client as it comes. */
  serve(head: RequestHead, requestId: string): void {
    this.#requestId = requestId;
    this.#serving = true;
    this.#chunked = head.length === null;
    this.#connection.attach(this);
    let text = `${head.method} ${head.target} HTTP/1.${head.minor}\r\n`;
    const { rawHeaders } = head;
    for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
      const name = rawHeaders[i] ?? '';
      if (!NOT_PASSED.has(name.toLowerCase())) text += `${name}: ${rawHeaders[i + 1]}\r\n`;
    }
    if (head.hasBody) {
      text += this.#chunked ? 'Transfer-Encoding: chunked\r\n' : `Content-Length: ${head.length}\r\n`;
    }
    text += this.#connection.endsAfterwards ? 'Connection: close\r\n\r\n' : 'Connection: keep-alive\r\n\r\n';
    this.push(Buffer.from(text, 'latin1'));
    if (head.hasBody) this.#connection.readBody();
  }

  /** Whether the connection ends with the answer that is about to be written, which must say so then. */
  endsWithAnswer(): boolean {
    return this.#serving && this.#connection.decideEnd();
  }

  /** The answer has been written to its end. */
  answered(): void {
    if (!this.#serving) return;
    this.#serving = false;
    if (this.writableEnded) this.#connection.closeAfterwards();
    // The rest of the body is dropped, and its reader would take the next request for it.
    if (!this.#connection.bodyDone) this.destroy();
    this.#connection.finish();
  }

  onRequestBody(bytes: Buffer, start: number, end: number): void {
    if (this.destroyed) return;
    if (this.#chunked) this.push(Buffer.from(`${(end - start).toString(16)}\r\n`));
    let more = this.push(bytes.subarray(start, end));
    if (this.#chunked) more = this.push(Buffer.from('\r\n'));
    if (!more) this.#connection.pause();
  }

  onRequestEnd(): void {
    if (this.#chunked && !this.destroyed) this.push(Buffer.from('0\r\n\r\n'));
  }

  onClientDrain(): void {
    this.#send();
  }

  onGone(): void {
    this.#serving = false;
    this.destroy();
  }

  override _read(): void {
    if (this.#serving) this.#connection.resume();
  }

  override _write(chunk: Buffer, _encoding: unknown, done: (error?: Error | null) => void): void {
    this.#unsent = [chunk];
    this.#pending = done;
    this.#send();
  }

  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.#unsent = chunks.map(({ chunk }) => chunk);
    this.#pending = done;
    this.#send();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#pending = null;
    this.#unsent = [];
    if (this.#serving) {
      this.#serving = false;
      this.#connection.breakOff();
    }
    done(error);
  }

  /** Writes as much as there is room for; the rest follows when the client has taken it. */
  #send(): void {
    while (this.#unsent.length > 0) if (!this.#connection.writeAll(this.#nextSlice())) return;
    const done = this.#pending;
    this.#pending = null;
    done?.();
  }

  #nextSlice(): Buffer[] {
    const slice: Buffer[] = [];
    let room = SLICE_BYTES;
    let rest: Buffer | null = null;
    for (const part of this.#unsent) {
      slice.push(part.subarray(0, room));
      if (part.length > room) rest = part.subarray(room);
      room -= part.length;
      if (room <= 0) break;
    }
    this.#unsent.splice(0, slice.length, ...(rest === null ? [] : [rest]));
    return slice;
  }
}
