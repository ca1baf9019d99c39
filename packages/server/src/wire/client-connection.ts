import { plainAddress } from '../client-address.ts';
import type { BodyReader, BodySink } from './body-reader.ts';
import type { ClientSocket } from './client-socket.ts';
import { collectEarly } from './garbage-collection.ts';
import { CLOSES } from './connection-lines.ts';
import { HeadEnd } from './head-parser.ts';
import { MalformedMessage } from './malformed.ts';
import { bodyReaderOf, expectsContinue, parseRequestHead } from './request-head.ts';
import type { RequestHead } from './request-head.ts';
import type { RequestReceiver, Responder } from './responder.ts';

/** A rest of a request body up to this size is read and dropped, so the connection stays usable. */
const DROPPED_BODY_BYTES = 64 * 1024;

/**
 * After an early answer to a larger body the connection stays open this long for reading: closing it with
 * unread bytes would reset it, and the client might lose the answer (RFC 9112 section 9.6).
 */
const LINGER_MS = 2_000;

/** Smaller pieces leave little behind. */
const LARGE_BYTES = 4 * 1024;

const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';

/** What a connection waits for; each has its own time limit. */
export type Phase = 'idle' | 'head' | 'body' | 'answer' | 'closing';

/**
 * One connection of a client: reads requests strictly one after another, hands each to its responder and goes on when
 * it has been answered. What a client sends ahead waits in a bounded buffer.
 */
export class ClientConnection implements BodySink {
  readonly socket: ClientSocket;
  /** Address of the peer; IPv4 without the IPv6 prefix. */
  readonly address: string;
  phase: Phase = 'idle';
  /** Milliseconds of `performance.now()` when the phase began. */
  since = performance.now();
  readonly #receiver: RequestReceiver;
  readonly #headEnd = new HeadEnd();
  /** Bytes that were received and not read yet. */
  #input: Buffer | null = null;
  #head: RequestHead | null = null;
  #body: BodyReader | null = null;
  #responder: Responder | null = null;
  /** The body goes to the responder, or is dropped because the answer has been given. */
  #reading: 'no' | 'passing' | 'dropping' = 'no';
  /** The client waits for `100 Continue`. */
  #expecting = false;
  #closeAfterwards = false;
  /** So many bytes of a body that nobody wants are still read. */
  #droppable = 0;
  /** A byte of the answer has been written. */
  #answered = false;
  /** Stopped by the responder, or because too much was sent ahead. */
  #heldUp = false;
  #advancing = false;
  #skippedBlankLine = false;
  /** When the last bytes came. */
  #heardAt = this.since;
  /** How much the client had taken when it was looked at last, and since when. */
  #taken = 0;
  #takenAt = this.since;
  #linger: NodeJS.Timeout | null = null;
  readonly #onData = (chunk: Buffer): void => this.#receive(chunk);
  readonly #onEnd = (): void => this.#ended();
  readonly #onDrain = (): void => this.#drained();
  readonly #onClose = (): void => this.#closed();

  constructor(socket: ClientSocket, receiver: RequestReceiver) {
    this.socket = socket;
    this.address = plainAddress(socket.remoteAddress);
    this.#receiver = receiver;
    socket.on('data', this.#onData).on('end', this.#onEnd).on('drain', this.#onDrain);
    socket.on('close', this.#onClose).on('error', ignore);
  }

  /** The request that is being answered. */
  get head(): RequestHead | null {
    return this.#head;
  }

  /** Whether the whole request has come. */
  get bodyDone(): boolean {
    return this.#body === null || this.#body.done;
  }

  /**
   * Decides whether the connection ends with the answer that is about to be written, and says so: because the client wants it, because
   * {@link closeAfterwards} was called, or because more of the body is to come than anybody wants to read.
   */
  decideEnd(): boolean {
    if (this.#head?.keepAlive !== true) this.#closeAfterwards = true;
    if (this.#body === null || this.#body.done || this.#closeAfterwards) return this.#closeAfterwards;
    this.#closeAfterwards =
      this.#expecting || this.#body.kind !== 'length' || this.#body.left > DROPPED_BODY_BYTES;
    return this.#closeAfterwards;
  }

  /** Header lines of the answer that is about to be written: whether the connection ends with it ({@link decideEnd}). */
  connectionLines(): string {
    return this.decideEnd() ? CLOSES : this.#receiver.staysLines;
  }

  /** Whether the client is known to expect nothing more from this connection, or was told so. */
  get endsAfterwards(): boolean {
    return this.#closeAfterwards || this.#head?.keepAlive !== true;
  }

  /** No further request is taken from this connection; one without a request closes at once. */
  closeAfterwards(): void {
    this.#closeAfterwards = true;
    if (this.#head === null && this.phase !== 'closing') this.#endAfterAnswer();
  }

  /** From now on the responder is told what happens. */
  attach(responder: Responder): void {
    this.#responder = responder;
  }

  /** The body is wanted: sends `100 Continue` if the client waits for it, then passes on what comes. */
  readBody(): void {
    if (this.#expecting) this.socket.write(CONTINUE, 'latin1');
    this.#expecting = false;
    this.#reading = 'passing';
    this.#awaitBody();
    this.resume();
    this.#advance();
  }

  /** Takes no more bytes from the client until {@link resume} finds that they are read. */
  pause(): void {
    this.#heldUp = true;
    this.socket.pause();
  }

  resume(): void {
    if (!this.#heldUp || this.#isFarAhead) return;
    this.#heldUp = false;
    this.socket.resume();
  }

  /** A piece of the request body, from its reader. */
  onBody(bytes: Buffer, start: number, end: number): void {
    if (this.#reading === 'passing') this.#responder?.onRequestBody(bytes, start, end);
  }

  /** Writes parts of the answer in one piece. @returns whether more may be written before `onClientDrain`. */
  writeAll(parts: readonly (string | Buffer)[]): boolean {
    this.socket.cork();
    for (const part of parts) this.write(part);
    this.socket.uncork();
    return !this.socket.writableNeedDrain;
  }

  /** Writes a part of the answer. @returns whether more may be written before `onClientDrain`. */
  write(data: string | Buffer): boolean {
    this.#answered = true;
    return typeof data === 'string' ? this.socket.write(data, 'latin1') : this.socket.write(data);
  }

  /** The answer has been written to its end: the next request is read, or the connection closes. */
  finish(): void {
    this.#responder = null;
    if (this.endsAfterwards) {
      this.#endAfterAnswer();
      return;
    }
    if (this.#body !== null && !this.#body.done) {
      this.#reading = 'dropping';
      this.#droppable = DROPPED_BODY_BYTES;
      this.#awaitBody();
      this.resume();
      this.#advance();
      return;
    }
    this.#next();
    this.#advance();
  }

  /** Writes an answer after which nothing more is read from this connection as a request. */
  writeLast(text: string): void {
    this.#closeAfterwards = true;
    this.#responder = null;
    this.#input = null;
    if (this.socket.writable) this.write(text);
    this.phase = 'closing';
    this.since = performance.now();
    this.#body = null;
    // What the client goes on sending is read and dropped: it must not cost the client this answer.
    this.socket.end();
    this.resume();
    this.#linger = setTimeout(() => this.socket.destroy(), LINGER_MS);
    this.#linger.unref();
  }

  /** The answer cannot be completed: the client must see that it is not whole. */
  breakOff(): void {
    this.#responder = null;
    // Without a length and without chunks the end of the connection is the end of the answer.
    if (this.#head?.minor === 0) this.socket.resetAndDestroy();
    else this.socket.destroy();
  }

  /** How long the client has kept a body waiting that is wanted. */
  silentFor(now: number): number {
    return this.#heldUp ? 0 : now - this.#heardAt;
  }

  /** How long the client has taken nothing of what was written to it; 0 when there is nothing left. */
  stalledFor(now: number): number {
    const { writableLength, bytesWritten } = this.socket;
    const taken = bytesWritten - writableLength;
    if (writableLength === 0 || taken !== this.#taken) {
      this.#taken = taken;
      this.#takenAt = now;
    }
    return now - this.#takenAt;
  }

  /** How long a connection that closes has had nothing left to send. */
  closingFor(now: number): number {
    if (this.socket.writableLength > 0) this.since = now;
    return now - this.since;
  }

  /** Takes the request from its responder because the client is too slow. @returns whether it can be told so. */
  giveUp(): boolean {
    const responder = this.#responder;
    this.#responder = null;
    responder?.onGone();
    return !this.#answered && this.phase !== 'closing' && this.socket.writable;
  }

  /** Lets go of the socket for another protocol. @returns the bytes that came behind the request. */
  detach(): Buffer | null {
    const rest = this.#input;
    this.#input = null;
    this.#responder = null;
    this.#head = null;
    this.phase = 'answer';
    this.socket.off('data', this.#onData).off('end', this.#onEnd).off('drain', this.#onDrain);
    this.#heldUp = false;
    return rest;
  }

  #receive(chunk: Buffer): void {
    if (this.phase === 'idle') {
      this.phase = 'head';
      this.since = performance.now();
    } else if (this.phase === 'body') {
      this.#heardAt = performance.now();
      if (chunk.length >= LARGE_BYTES) collectEarly();
    }
    this.#input = this.#input === null ? chunk : Buffer.concat([this.#input, chunk]);
    this.#advance();
    if (this.#isFarAhead && !this.#heldUp) this.pause();
  }

  /** Whether so much waits that nobody reads now that no more may come: it must not pile up. */
  get #isFarAhead(): boolean {
    if (this.#input === null || this.#input.length <= this.#receiver.maxHeadBytes) return false;
    return this.#reading === 'no' || this.bodyDone;
  }

  #drained(): void {
    if (this.#responder !== null) {
      this.#responder.onClientDrain();
    } else if (this.#head === null && this.phase === 'answer') {
      this.#expectRequest();
      this.#advance();
    }
  }

  /** Reads as far as possible. Answers given on the way call it again: only the outermost call works. */
  #advance(): void {
    if (this.#advancing) return;
    this.#advancing = true;
    try {
      while (this.#input !== null && this.#step(this.#input));
    } catch (error) {
      if (!(error instanceof MalformedMessage)) throw error;
      this.#refuse(error);
    } finally {
      this.#advancing = false;
    }
    if (this.#head === null && this.phase !== 'answer') this.resume();
  }

  /** @returns whether there may be more to do. */
  #step(input: Buffer): boolean {
    if (this.phase === 'closing') {
      return this.#body !== null && !this.#body.done ? this.#readBody(input, this.#body) : this.#drop();
    }
    // Whoever does not read answers is not given more of them.
    if (this.#head === null) return this.phase === 'answer' ? false : this.#readHead(input);
    if (this.#body === null || this.#body.done || this.#reading === 'no') return false;
    return this.#readBody(input, this.#body);
  }

  #readHead(input: Buffer): boolean {
    const { maxHeadBytes } = this.#receiver;
    const end = this.#headEnd.find(input);
    if (end === -1 ? input.length > maxHeadBytes : end > maxHeadBytes) {
      if (this.#headEnd.hasFirstLine) throw new MalformedMessage('The head is too large', 'head_too_large');
      throw new MalformedMessage('The request target is too long', 'target_too_long');
    }
    if (end === -1) return false;
    this.#headEnd.reset();
    this.#input = end === input.length ? null : input.subarray(end);
    if (end === 2) {
      // One blank line in front of a request is forgiven (RFC 9112 section 2.2).
      if (this.#skippedBlankLine) throw new MalformedMessage('More than one blank line before a request');
      this.#skippedBlankLine = true;
      // It may as well have been the end of the request before.
      if (this.#input === null) this.phase = 'idle';
      return true;
    }
    const head = parseRequestHead(input, 0, end);
    this.#skippedBlankLine = false;
    this.#head = head;
    this.#body = head.hasBody ? bodyReaderOf(head) : null;
    this.#expecting = expectsContinue(head);
    this.phase = 'answer';
    this.#receiver.onRequest(this, head);
    return true;
  }

  #readBody(input: Buffer, body: BodyReader): boolean {
    const end = body.read(input, 0, this);
    // The responder may have ended everything.
    if (this.#input === input) this.#input = end === input.length ? null : input.subarray(end);
    if (this.#reading === 'dropping' && this.phase !== 'closing') {
      this.#droppable -= end;
      if (this.#droppable < 0 && !body.done) {
        this.#endAfterAnswer();
        return false;
      }
    }
    if (this.#body !== body) {
      if (this.#head === null && this.#input === null && this.phase === 'head') this.phase = 'idle';
      return this.#input !== null;
    }
    if (!body.done) return false;
    if (this.phase === 'closing') {
      this.#endNow();
    } else if (this.#reading === 'passing') {
      this.#reading = 'no';
      this.phase = 'answer';
      this.#responder?.onRequestEnd();
    } else {
      this.#next();
    }
    return true;
  }

  #drop(): false {
    this.#input = null;
    return false;
  }

  #next(): void {
    this.#head = null;
    this.#body = null;
    this.#answered = false;
    this.#reading = 'no';
    if (this.socket.writableNeedDrain) this.phase = 'answer';
    else this.#expectRequest();
  }

  #awaitBody(): void {
    this.phase = 'body';
    this.since = performance.now();
    this.#heardAt = this.since;
  }

  #expectRequest(): void {
    this.phase = this.#input === null ? 'idle' : 'head';
    this.since = performance.now();
  }

  /** The request, or its body, is not HTTP. Whoever answers it has lost its client. */
  #refuse(error: MalformedMessage): void {
    const responder = this.#responder;
    this.#responder = null;
    this.#body = null;
    this.#input = null;
    responder?.onGone();
    // An answer that has begun must not get another one into it.
    if (this.#answered || this.phase === 'closing') this.socket.destroy();
    else this.#receiver.onMalformed(this, error);
  }

  #endAfterAnswer(): void {
    this.phase = 'closing';
    this.since = performance.now();
    this.#reading = 'dropping';
    if (this.#body === null || this.#body.done || this.#expecting) {
      this.#endNow();
      return;
    }
    this.#linger = setTimeout(() => this.#endNow(), LINGER_MS);
    this.#linger.unref();
    this.resume();
    this.#advance();
  }

  #endNow(): void {
    this.#body = null;
    if (this.#linger !== null) clearTimeout(this.#linger);
    this.socket.destroySoon();
  }

  /** A client that has ended its side has left: nobody waits for an answer with only half a connection (PX-147). */
  #ended(): void {
    const responder = this.#responder;
    this.#responder = null;
    if (responder === null) {
      this.#endNow();
      return;
    }
    responder.onGone();
    this.socket.destroy();
  }

  #closed(): void {
    if (this.#linger !== null) clearTimeout(this.#linger);
    const responder = this.#responder;
    this.#responder = null;
    responder?.onGone();
    this.#receiver.onClosed(this);
  }
}

function ignore(): void {}
