import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { FastifyReply } from 'fastify';
import type { Authenticator } from '../auth/authenticate.ts';
import { AppError } from '../errors.ts';
import type { Principal } from '../auth/principal.ts';
import type { Log } from '../log.ts';
import type { RequestObserver } from '../request-observer.ts';

/** What keeps proxies on the way from holding events back. */
const HEADERS = {
  'Content-Type': 'text/event-stream',
  'Cache-Control': 'no-cache, no-store, must-revalidate',
  'X-Accel-Buffering': 'no',
} as const;

/** An idle stream gets a comment at least this often, so that nobody on the way takes it for dead (DF-59). */
const HEARTBEAT_MS = 15_000;
/** One timer looks after all streams. */
const CHECK_MS = 3_000;
/** A client that reads nothing for this long is let go; it can come back and go on where it was. */
const STUCK_MS = 120_000;

/** At a shutdown, streams that have come to their end get this long to bring it to their clients. */
const FAREWELL_MS = 500;
const FAREWELL_CHECK_MS = 10;

const HEARTBEAT = ': keep-alive\n\n';

/** One stream to a client. */
export interface View {
  /** Its frames; ends with the stream. Must end when `signal` aborts. */
  readonly frames: (signal: AbortSignal) => AsyncIterable<Uint8Array>;
  /** Whether the caller may still see it; keys and shares can end meanwhile. */
  readonly stillAllowed: () => boolean;
  /** Called now and then while somebody looks on. */
  readonly onUse?: () => void;
}

interface OpenView {
  readonly view: View;
  readonly response: ServerResponse;
  readonly stop: AbortController;
  /** Milliseconds of `performance.now()` at the last byte that the client took. */
  lastWriteAt: number;
}

/**
 * Event streams of the control plane. Each is written as fast as its client reads, and holds one frame besides what the
 * socket holds; nobody waits for anybody else.
 */
export class EventViewers {
  readonly #observer: Pick<RequestObserver, 'opened'>;
  readonly #log: Log;
  readonly #open = new Set<OpenView>();
  #timer: NodeJS.Timeout | null = null;
  #closed = false;

  /** `observer` is told of every stream when it begins. */
  constructor(observer: Pick<RequestObserver, 'opened'>, log: Log) {
    this.#observer = observer;
    this.#log = log;
  }

  /** Answers with a stream; returns when it has ended. */
  async show(reply: FastifyReply, view: View): Promise<FastifyReply> {
    reply.hijack();
    const response = reply.raw;
    const open: OpenView = {
      view,
      response,
      stop: new AbortController(),
      lastWriteAt: performance.now(),
    };
    const onClose = (): void => open.stop.abort();
    response.on('error', onClose);
    response.once('close', onClose);
    if (response.destroyed || this.#closed) open.stop.abort();
    this.#open.add(open);
    this.#timer ??= setInterval(() => this.#check(), CHECK_MS).unref();
    try {
      response.writeHead(200, HEADERS).flushHeaders();
      const { record } = reply.request;
      if (record !== null) this.#observer.opened(record, 'event_stream');
      for await (const frame of view.frames(open.stop.signal)) {
        if (open.stop.signal.aborted) break;
        open.lastWriteAt = performance.now();
        if (!response.write(frame)) await this.#drained(open);
      }
      response.end();
    } catch (err) {
      // The rest may be missing; the client must not take this for the end.
      response.destroy();
      if (!open.stop.signal.aborted) this.#log.warn({ err }, 'an event stream broke off');
    } finally {
      this.#remove(open);
    }
    return reply;
  }

  /** Ends the streams of those who may not see them any more. */
  recheck(): void {
    for (const { view, stop } of this.#open) if (!view.stillAllowed()) stop.abort();
  }

  /** Ends all streams, those that have come to their end by themselves first. */
  async close(): Promise<void> {
    this.#closed = true;
    const deadline = performance.now() + FAREWELL_MS;
    while (this.#open.size > 0 && performance.now() < deadline) await pause(FAREWELL_CHECK_MS);
    for (const { stop } of this.#open) stop.abort();
  }

  async #drained({ response, stop }: OpenView): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        response.off('drain', done);
        stop.signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(() => {
        response.destroy();
        done();
      }, STUCK_MS);
      response.once('drain', done);
      stop.signal.addEventListener('abort', done);
      if (stop.signal.aborted || response.destroyed) done();
    });
  }

  #check(): void {
    const due = performance.now() - HEARTBEAT_MS + CHECK_MS;
    for (const open of this.#open) {
      open.view.onUse?.();
      if (open.lastWriteAt > due || open.response.writableNeedDrain || open.response.destroyed) continue;
      open.response.write(HEARTBEAT);
      open.lastWriteAt = performance.now();
    }
  }

  #remove(open: OpenView): void {
    this.#open.delete(open);
    if (this.#open.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }
}

/** Whether the sender of these headers would be let in now; `check` throws when not. */
export function wouldPass(
  authenticator: Pick<Authenticator, 'authenticate'>,
  headers: IncomingHttpHeaders,
  check: (principal: Principal) => void,
): boolean {
  try {
    check(authenticator.authenticate(headers));
    return true;
  } catch (error) {
    if (error instanceof AppError) return false;
    throw error;
  }
}
