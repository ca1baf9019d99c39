import { connect } from 'node:net';
import type { Socket } from 'node:net';
import type { BodyReader, BodySink } from '../../wire/body-reader.ts';
import { HeadEnd } from '../../wire/head-parser.ts';
import { MalformedMessage } from '../../wire/malformed.ts';
import { answerBodyOf, keepsAlive, parseResponseHead } from '../../wire/response-head.ts';
import type { ResponseHead } from '../../wire/response-head.ts';
import { ReadTarget } from './read-buffers.ts';
import type { ReadBuffers } from './read-buffers.ts';

/** Largest head of an answer; agent servers send far less. */
const MAX_HEAD_BYTES = 64 * 1024;

/** An announced body of this size is read without copying it. */
const BIG_BODY_BYTES = 64 * 1024;

/** After so many bytes of one connection the others get their turn: an agent server can send faster than anybody reads. */
const TURN_BYTES = 128 * 1024;

/** More interim answers than this are no answer. */
const MAX_INTERIM_ANSWERS = 16;

/** Whoever uses a connection to an agent server for one exchange. */
export interface UpstreamUser {
  /** An answer with a status of 1xx, which is not the answer yet; never 101. */
  onInterim(head: ResponseHead): void;
  onHead(head: ResponseHead, body: BodyReader): void;
  /** A piece of the body. The bytes are valid during the call only. */
  onAnswerBody(bytes: Buffer, start: number, end: number): void;
  /** Everything that came at once has been handed over. */
  onAnswerPause(): void;
  /** The answer is complete. The connection is already free or closed; nothing else follows. */
  onAnswerEnd(trailers: readonly string[]): void;
  /** What was written is on its way: more can be written. */
  onUpstreamDrain(): void;
  /** The agent server has taken the offer. From now on the socket is the user's; `rest` are bytes behind the head. */
  onSwitch(head: ResponseHead, socket: Socket, rest: Buffer | null): void;
  /** The exchange has failed; nothing else follows. */
  onFailure(error: Error): void;
}

/** Whoever keeps the connections. */
export interface ConnectionKeeper {
  /** The exchange went well: the connection can serve another one. */
  onFree(connection: UpstreamConnection): void;
  /** It cannot be used any more. */
  onUnusable(connection: UpstreamConnection): void;
}

/** What a failed connection tells apart for the record. */
export class UpstreamError extends Error {
  override readonly name = 'UpstreamError';
  readonly code: string;

  constructor(code: string, cause?: unknown) {
    super(code, { cause });
    this.code = code;
  }
}

/**
 * One connection to an agent server. Serves one exchange at a time; whatever comes outside of one, or behind an
 * answer, makes it unusable: no answer can reach the wrong request.
 */
export class UpstreamConnection implements BodySink {
  /** Exchanges before this one; more than 0 means that the connection may have gone stale. */
  uses = 0;
  /** Milliseconds of `performance.now()` at the last change of phase. */
  since = performance.now();
  /** Connecting and waiting for the answer have limits, an answer under way has none. */
  phase: 'connecting' | 'waiting' | 'answering' | 'idle' = 'connecting';
  readonly #socket: Socket;
  readonly #target: ReadTarget | null;
  readonly #keeper: ConnectionKeeper;
  readonly #headEnd = new HeadEnd();
  #user: UpstreamUser | null = null;
  #offered = false;
  #method = '';
  #head: ResponseHead | null = null;
  #body: BodyReader | null = null;
  /** The beginning of a head that has not come whole. */
  #partial: Buffer | null = null;
  #interim = 0;
  #heard = false;
  #requestDone = true;
  #dead = false;
  #readInTurn = 0;
  /** What the agent server said last about unused connections. */
  #keepAlive = '';
  /** Stopped by {@link pause}, or until the next turn. */
  #paused = false;
  #yielding = false;

  /** A connection that may change its protocol has no `buffers`: its bytes come in pieces of their own. */
  constructor(port: number, keeper: ConnectionKeeper, buffers: ReadBuffers | null) {
    this.#keeper = keeper;
    const where = { host: '127.0.0.1', port, noDelay: true, allowHalfOpen: buffers === null };
    const target = buffers === null ? null : new ReadTarget(buffers);
    this.#target = target;
    this.#socket =
      target === null
        ? connect(where)
        : connect({
            ...where,
            onread: {
              buffer: target.advance,
              callback: (count: number, bytes: Uint8Array): boolean => {
                target.came(count);
                this.#receive(Buffer.from(bytes.buffer, bytes.byteOffset, count));
                this.#readInTurn += count;
                if (this.#readInTurn >= TURN_BYTES) this.#yield();
                return true;
              },
            },
          });
    this.#socket
      .on('connect', () => this.#connected())
      .on('drain', () => this.#user?.onUpstreamDrain())
      .on('end', () => this.#ended())
      .on('error', (error) => this.#fail(error))
      .on('close', () => this.#fail(new UpstreamError('ECONNRESET')));
    if (buffers === null) this.#socket.on('data', this.#onData);
  }

  /** Whether a byte of an answer to the present exchange has come. */
  get heard(): boolean {
    return this.#heard;
  }

  /** Whether the agent server has been sent the whole request, and may be expected to answer. */
  get asked(): boolean {
    return this.#requestDone;
  }

  /** How long the agent server keeps an unused connection, in seconds; `Infinity` when it has not said so. */
  get keepAliveSeconds(): number {
    const seconds = /timeout=(\d{1,6})/i.exec(this.#keepAlive)?.[1];
    return seconds === undefined ? Number.POSITIVE_INFINITY : Number(seconds);
  }

  /** Whether bytes of the answer may be kept after the call, by {@link keep}; else they must be copied. */
  get mayBeKept(): boolean {
    return this.#target?.mayBeKept !== false;
  }

  /** Bytes that were handed over last are still needed. */
  keep(): void {
    this.#target?.keep();
  }

  /** None of the bytes that were kept is needed any more. */
  release(): void {
    this.#target?.release();
  }

  /**
   * Begins an exchange. `requestDone`: the head is the whole request; `offered`: it offers to change the protocol.
   */
  begin(user: UpstreamUser, method: string, text: string, requestDone: boolean, offered: boolean): void {
    this.#user = user;
    this.#method = method;
    this.#heard = false;
    this.#offered = offered;
    this.#interim = 0;
    this.#requestDone = requestDone;
    if (this.phase === 'idle') this.#enter('waiting');
    this.#socket.write(text, 'latin1');
  }

  /** Writes a part of the request body. @returns whether more may be written before `onUpstreamDrain`. */
  write(data: string | Buffer): boolean {
    return typeof data === 'string' ? this.#socket.write(data, 'latin1') : this.#socket.write(data);
  }

  /** Whatever is written now leaves in one piece. */
  gather(): void {
    this.#socket.cork();
    process.nextTick(uncork, this.#socket);
  }

  /** The request has been written to its end. */
  requestDone(): void {
    this.#requestDone = true;
    this.since = performance.now();
  }

  pause(): void {
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    this.#paused = false;
    if (!this.#yielding) this.#socket.resume();
  }

  /** Ends the connection; its user is not told. */
  destroy(): void {
    if (this.#dead) return;
    this.#dead = true;
    this.#user = null;
    this.#socket.destroy();
    this.#keeper.onUnusable(this);
  }

  /** Ends the connection because something took too long; its user is told. */
  timeOut(code: 'ETIMEDOUT' | 'EANSWERTIMEOUT'): void {
    this.#fail(new UpstreamError(code));
  }

  /** A piece of the answer's body, from its reader. */
  onBody(bytes: Buffer, start: number, end: number): void {
    this.#user?.onAnswerBody(bytes, start, end);
  }

  #yield(): void {
    if (this.#yielding || this.#dead) return;
    this.#yielding = true;
    this.#socket.pause();
    setImmediate(() => {
      this.#yielding = false;
      this.#readInTurn = 0;
      if (!this.#paused && !this.#dead) this.#socket.resume();
    });
  }

  readonly #onData = (chunk: Buffer): void => this.#receive(chunk);

  #connected(): void {
    if (this.phase === 'connecting') this.#enter('waiting');
  }

  #enter(phase: 'waiting' | 'answering' | 'idle'): void {
    this.phase = phase;
    this.since = performance.now();
  }

  #receive(bytes: Buffer): void {
    if (this.#dead) return;
    const user = this.#user;
    if (user === null) {
      // Nobody has asked for anything.
      this.destroy();
      return;
    }
    this.#heard = true;
    try {
      this.#read(bytes, user);
    } catch (error) {
      this.#fail(error instanceof MalformedMessage ? new UpstreamError('EMALFORMED', error) : asError(error));
    }
    if (this.#user === user) user.onAnswerPause();
  }

  #read(received: Buffer, user: UpstreamUser): void {
    let bytes = received;
    let at = 0;
    while (this.#body === null) {
      if (this.#partial !== null) {
        bytes = Buffer.concat([this.#partial, bytes]);
        this.#partial = null;
      }
      const rest = at === 0 ? bytes : bytes.subarray(at);
      const end = this.#headEnd.find(rest);
      if ((end === -1 ? rest.length : end) > MAX_HEAD_BYTES)
        throw new MalformedMessage('The head is too large');
      if (end === -1) {
        // The bytes are valid for now only.
        this.#partial = Buffer.from(rest);
        return;
      }
      this.#headEnd.reset();
      const head = parseResponseHead(rest, 0, end);
      at += end;
      if (head.status === 101) {
        this.#switch(head, at === bytes.length ? null : Buffer.from(bytes.subarray(at)));
        return;
      }
      if (head.status >= 200) {
        this.#begin(head, user);
        break;
      }
      this.#interim += 1;
      if (this.#interim > MAX_INTERIM_ANSWERS) throw new MalformedMessage('Too many interim answers');
      user.onInterim(head);
      if (at === bytes.length) return;
    }
    const body = this.#body;
    if (body === null || this.#user !== user) return;
    at = body.read(bytes, at, this);
    if (body.done && this.#user === user) this.#complete(user, body, at === bytes.length);
  }

  #begin(head: ResponseHead, user: UpstreamUser): void {
    this.#head = head;
    this.#body = answerBodyOf(head, this.#method);
    this.#enter('answering');
    if (this.#body.left > BIG_BODY_BYTES) this.#target?.expectMuch();
    user.onHead(head, this.#body);
  }

  #complete(user: UpstreamUser, body: BodyReader, isAll: boolean): void {
    const head = this.#head;
    if (this.#target?.isBig === true) {
      // What was read must be on its way or kept before somebody else reads there.
      user.onAnswerPause();
      this.#target.end();
      this.resume();
    }
    this.#user = null;
    this.#head = null;
    this.#body = null;
    // A request that is not complete would go on where the agent server expects the next one.
    if (isAll && this.#requestDone && head !== null && keepsAlive(head)) {
      this.uses += 1;
      this.#keepAlive = head.keepAlive;
      this.#enter('idle');
      this.#keeper.onFree(this);
    } else {
      this.destroy();
    }
    user.onAnswerEnd(body.trailers);
  }

  #switch(head: ResponseHead, rest: Buffer | null): void {
    const user = this.#user;
    if (user === null || !this.#offered)
      throw new MalformedMessage('The protocol was changed without an offer');
    this.#user = null;
    this.#dead = true;
    this.#socket.removeAllListeners('data').removeAllListeners('end').removeAllListeners('drain');
    this.#socket.removeAllListeners('close').pause();
    this.#keeper.onUnusable(this);
    user.onSwitch(head, this.#socket, rest);
  }

  #ended(): void {
    const user = this.#user;
    if (user !== null && this.#body?.kind === 'until-close') {
      const body = this.#body;
      this.#user = null;
      this.destroy();
      user.onAnswerEnd(body.trailers);
      return;
    }
    this.#fail(new UpstreamError('ECONNRESET'));
  }

  #fail(error: Error): void {
    if (this.#dead) return;
    const user = this.#user;
    this.destroy();
    user?.onFailure(error);
  }
}

function uncork(socket: Socket): void {
  socket.uncork();
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
