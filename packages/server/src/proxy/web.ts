import type { ServerResponse } from 'node:http';
import type { Dispatcher } from 'undici';
import { hasBody, sendError } from '../error-reply.ts';
import { AppError } from '../errors.ts';
import type { Admitted } from './admit.ts';
import type { Cancellable, CancelReason } from './client-connections.ts';
import { EventBoundary } from './event-streams.ts';
import type { EventStream, Heartbeats } from './event-streams.ts';
import { errorCode, headerFacts, upstreamFailure } from './exchange.ts';
import type { Exchange, RelayServices } from './exchange.ts';
import { acceptsTrailers } from './headers.ts';
import type { AnswerFacts, ForwardFacts } from './headers.ts';
import { RequestBody } from './request-body.ts';
import type { Lease, Upstream } from './upstreams.ts';

/** Methods that may be sent a second time when a kept connection turns out to be closed (RFC 9110 section 9.2.2). */
const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

/** What a kept connection that the agent server closed meanwhile looks like. */
const STALE_CONNECTION: ReadonlySet<string> = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

export interface WebServices extends RelayServices {
  readonly heartbeats: Heartbeats;
}

/**
 * One HTTP request on its way to an agent server, and the answer on its way back. Both stream with
 * back-pressure; whoever leaves early ends the exchange for the other side as well (PX-144, PX-147).
 */
export class Relay implements Dispatcher.DispatchHandler, Cancellable {
  readonly #services: WebServices;
  readonly #exchange: Exchange;
  readonly #res: ServerResponse;
  readonly #admitted: Admitted;
  readonly #upstream: Upstream;
  readonly #facts: ForwardFacts & AnswerFacts;
  readonly #options: Dispatcher.DispatchOptions & { body: RequestBody | null };
  #lease: Lease | null = null;
  #stream: EventStream | null = null;
  #shortLength = 0;
  #whole: Buffer | null = null;
  #answered = false;
  #bodyBegun = false;
  #finished = false;

  /** @throws AppError for requests that cannot be passed on; nothing has been started then. */
  constructor(
    services: WebServices,
    exchange: Exchange,
    res: ServerResponse,
    admitted: Admitted,
    upstream: Upstream,
  ) {
    const { req, context } = exchange;
    this.#services = services;
    this.#exchange = exchange;
    this.#res = res;
    this.#admitted = admitted;
    this.#upstream = upstream;
    this.#facts = headerFacts(exchange, admitted);
    this.#options = {
      method: req.method ?? 'GET',
      path: context.path,
      headers: services.rules.forRequest(req, this.#facts),
      body: hasBody(req) ? this.#requestBody() : null,
    };
  }

  /** Begins; everything else follows from the two sides. */
  start(): void {
    this.#exchange.connection.active.add(this);
    this.#upstream.active.add(this);
    this.#dispatch(this.#upstream.acquire());
  }

  get endless(): boolean {
    return this.#stream !== null;
  }

  cancel(reason: CancelReason): void {
    if (this.#finished) return;
    const lease = this.#settle();
    if (reason !== 'client-gone') {
      if (!this.#answered) {
        this.#refuse(
          reason === 'shutdown'
            ? new AppError('shutting_down')
            : new AppError('upstream_failed', { message: 'The session ended before it answered' }),
        );
      } else if (this.#stream !== null) {
        // An event stream has no end of its own: this is one.
        this.#res.end();
      } else {
        this.#breakOff();
      }
    }
    if (lease !== null) this.#upstream.discard(lease);
  }

  onRequestStart(): void {
    // Its presence tells undici which of its handler interfaces this is.
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    _headers: unknown,
    statusMessage?: string,
  ): void {
    if (this.#finished) return;
    const raw = Array.isArray(controller.rawHeaders) ? controller.rawHeaders : [];
    const { lines, eventStream, shortLength } = this.#services.rules.forAnswer(raw, this.#facts);
    if (status < 200) {
      this.#inform(status, lines);
      return;
    }
    const { req, context } = this.#exchange;
    // Instead of a body that was not asked for, the client may send its next request.
    if (context.expectsContinue && !req.complete) this.#res.shouldKeepAlive = false;
    const { record } = this.#exchange;
    record.answeredAt = performance.now();
    this.#res.writeHead(status, isReasonPhrase(statusMessage) ? statusMessage : undefined, lines);
    this.#answered = true;
    record.repliedAt = performance.now();
    record.bytes = 0;
    if (eventStream && status === 200 && this.#options.method !== 'HEAD') this.#beginEventStream(raw);
    // Head and body leave in one piece when they came in one; a head that comes alone must not wait (PX-152).
    this.#shortLength = shortLength;
    if (shortLength === 0) process.nextTick(flushHead, this);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#finished) return;
    this.#bodyBegun = true;
    this.#exchange.record.bytes += chunk.length;
    if (this.#stream !== null) {
      this.#stream.boundary.pass(chunk);
      this.#stream.lastByteAt = performance.now();
    }
    if (chunk.length === this.#shortLength) {
      // The end follows at once; head and body then leave in one write.
      this.#whole = chunk;
      return;
    }
    if (this.#res.write(chunk)) return;
    controller.pause();
    this.#res.once('drain', () => controller.resume());
  }

  onResponseEnd(controller: Dispatcher.DispatchController): void {
    if (this.#finished) return;
    const lease = this.#settle();
    const raw = controller.rawTrailers;
    if (Array.isArray(raw) && raw.length > 0 && acceptsTrailers(this.#exchange.req)) {
      this.#res.addTrailers(this.#services.rules.forTrailers(raw));
    }
    if (this.#whole === null) this.#res.end();
    else this.#res.end(this.#whole.toString('latin1'), 'latin1');
    if (lease !== null) this.#upstream.release(lease);
  }

  onResponseError(_controller: unknown, error: Error): void {
    if (this.#finished) return;
    if (this.#mayRetry(error)) {
      this.#discardLease();
      this.#dispatch(this.#upstream.fresh());
      return;
    }
    const lease = this.#settle();
    if (lease !== null) this.#upstream.discard(lease);
    if (!this.#answered) {
      this.#refuse(upstreamFailure(error, this.#exchange, this.#admitted, this.#services.log));
    } else if (this.#stream !== null && this.#admitted.session.state !== 'running') {
      this.#res.end();
    } else {
      this.#services.log.info(
        { requestId: this.#facts.requestId, sessionId: this.#facts.sessionId, code: errorCode(error) },
        'agent server broke off its answer',
      );
      this.#breakOff();
    }
  }

  /** Sends the head of the answer unless the body has taken it along. */
  flushHead(): void {
    if (!this.#bodyBegun && !this.#finished && !this.#res.destroyed) this.#res.flushHeaders();
  }

  #requestBody(): RequestBody {
    const { req, context } = this.#exchange;
    const coding = req.headers['transfer-encoding'];
    if (coding !== undefined && coding.toLowerCase() !== 'chunked') {
      throw new AppError('invalid_request', { message: 'The only transfer coding understood is chunked' });
    }
    return new RequestBody(req, {
      maxBytes: this.#services.maxBodyBytes,
      onWanted: () => {
        if (context.expectsContinue) this.#res.writeContinue();
      },
    });
  }

  #dispatch(lease: Lease): void {
    this.#lease = lease;
    this.#exchange.record.forwardedAt = performance.now();
    lease.client.dispatch(this.#options, this);
  }

  #mayRetry(error: Error): boolean {
    return (
      !this.#answered &&
      this.#options.body === null &&
      SAFE_METHODS.has(this.#options.method) &&
      this.#lease !== null &&
      this.#lease.uses > 0 &&
      STALE_CONNECTION.has(errorCode(error))
    );
  }

  #discardLease(): void {
    if (this.#lease !== null) this.#upstream.discard(this.#lease);
    this.#lease = null;
  }

  /** Passes a 1xx answer on as far as Node can (RFC 9110 section 15.2); HTTP/1.0 knows none. */
  #inform(status: number, lines: readonly string[]): void {
    if (this.#exchange.req.httpVersion === '1.0') return;
    if (status === 102) this.#res.writeProcessing();
    if (status === 103) {
      const links = lines.filter((_line, i) => i % 2 === 1 && lines[i - 1]?.toLowerCase() === 'link');
      if (links.length > 0) this.#res.writeEarlyHints({ link: links });
    }
  }

  #beginEventStream(raw: readonly (Buffer | string)[]): void {
    const encoded = raw.some(
      (part, i) => i % 2 === 0 && part.toString().toLowerCase() === 'content-encoding',
    );
    this.#services.observer.opened(this.#exchange.record, 'event_stream');
    this.#stream = { res: this.#res, boundary: new EventBoundary(), lastByteAt: performance.now() };
    // A comment cannot be put between compressed bytes.
    if (!encoded) this.#services.heartbeats.add(this.#stream);
  }

  /** Nothing more is taken from either side. */
  #settle(): Lease | null {
    this.#finished = true;
    this.#exchange.connection.active.delete(this);
    this.#upstream.active.delete(this);
    if (this.#stream !== null) this.#services.heartbeats.remove(this.#stream);
    this.#options.body?.destroy();
    const lease = this.#lease;
    this.#lease = null;
    return lease;
  }

  #refuse(error: AppError): void {
    const { req, context, cors } = this.#exchange;
    sendError(req, this.#res, error, context.requestId, cors.answer);
  }

  /** The client must see that the answer is not whole, even if only the end of the connection ends it. */
  #breakOff(): void {
    const { socket } = this.#res;
    if (socket !== null && this.#exchange.req.httpVersion === '1.0') socket.resetAndDestroy();
    else this.#res.destroy();
  }
}

function flushHead(relay: Relay): void {
  relay.flushHead();
}

/** Node refuses to send other characters. */
function isReasonPhrase(text: string | undefined): text is string {
  return text !== undefined && /^[\t\u0020-\u007e\u0080-\u00ff]*$/.test(text);
}
