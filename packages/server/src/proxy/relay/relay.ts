import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { refuse } from '../../error-reply.ts';
import { AppError, ERRORS } from '../../errors.ts';
import type { RequestRecord } from '../../request-observer.ts';
import type { BodyReader } from '../../wire/body-reader.ts';
import type { ClientConnection } from '../../wire/client-connection.ts';
import type { Responder } from '../../wire/responder.ts';
import { isBodiless } from '../../wire/response-head.ts';
import type { ResponseHead } from '../../wire/response-head.ts';
import type { Admitted, Wish } from '../admit.ts';
import type { Cancellable, CancelReason } from '../cancellable.ts';
import { EventBoundary } from '../event-streams.ts';
import type { EventStream } from '../event-streams.ts';
import { errorCode, exchangeFacts, upstreamFailure } from '../exchange.ts';
import type { Exchange, RelayServices } from '../exchange.ts';
import { acceptsTrailers, valueOf } from '../headers.ts';
import type { ExchangeFacts } from '../headers.ts';
import type { Upstream } from '../upstreams.ts';
import { AnswerWriter } from './answer-writer.ts';
import { RequestWriter } from './request-writer.ts';
import { Tunnel } from './tunnel.ts';
import type { UpstreamConnection, UpstreamUser } from './upstream-connection.ts';

/** Methods that may be sent a second time when a kept connection turns out to be closed (RFC 9110 section 9.2.2). */
const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

/** What a kept connection that the agent server closed meanwhile looks like. */
const STALE_CONNECTION: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE']);

/**
 * One HTTP request on its way to an agent server, and the answer on its way back. Both stream with
 * back-pressure; whoever leaves early ends the exchange for the other side as well (PX-144, PX-147). An offer to
 * change the protocol goes along; if the agent server takes it, a tunnel takes the place of the relay (PX-159).
 */
export class Relay implements Responder, UpstreamUser, Cancellable, EventStream {
  readonly wish: Wish;
  readonly boundary = new EventBoundary();
  lastByteAt = 0;
  readonly #services: RelayServices;
  readonly #exchange: Exchange;
  readonly #admitted: Admitted;
  readonly #upstream: Upstream;
  readonly #facts: ExchangeFacts;
  readonly #record: RequestRecord;
  readonly #client: ClientConnection;
  readonly #writer: AnswerWriter;
  readonly #offer: string | null;
  #request: RequestWriter | null = null;
  #lease: UpstreamConnection | null = null;
  #isStream = false;
  #answered = false;
  #finished = false;

  /** `offer`: protocols that the client would like to change to. */
  constructor(
    services: RelayServices,
    exchange: Exchange,
    wish: Wish,
    admitted: Admitted,
    upstream: Upstream,
    offer: string | null,
  ) {
    this.#services = services;
    this.#exchange = exchange;
    this.wish = wish;
    this.#admitted = admitted;
    this.#upstream = upstream;
    this.#offer = offer;
    this.#facts = exchangeFacts(exchange, admitted);
    this.#record = exchange.record;
    this.#client = exchange.request.connection;
    this.#writer = new AnswerWriter(this.#client);
  }

  /**
   * Begins; everything else follows from the two sides.
   * @throws AppError `body_too_large`; nothing has been started then.
   */
  start(): void {
    const { head } = this.#exchange.request;
    this.#services.requestPoll.came();
    if (head.hasBody) this.#request = new RequestWriter(head, this.#services.maxBodyBytes);
    this.#client.attach(this);
    this.#upstream.active.add(this);
    this.#send(this.#offer === null ? this.#upstream.acquire() : this.#upstream.fresh(false));
    if (this.#request !== null && !this.#finished) this.#client.readBody();
  }

  get endless(): boolean {
    return this.#isStream;
  }

  cancel(reason: CancelReason): void {
    if (this.#finished) return;
    const lease = this.#settle();
    if (!this.#answered) {
      this.#refuse(
        reason === 'shutdown'
          ? new AppError('shutting_down')
          : new AppError('upstream_failed', { message: 'The session ended before it answered' }),
      );
    } else if (this.#isStream) {
      // An event stream has no end of its own: this is one.
      this.#end('');
    } else {
      this.#breakOff();
    }
    lease?.destroy();
  }

  // What the client does.

  onRequestBody(bytes: Buffer, start: number, end: number): void {
    const lease = this.#lease;
    if (lease === null || this.#request === null) return;
    try {
      if (!this.#request.body(lease, bytes, start, end)) this.#client.pause();
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      this.#settle();
      lease.destroy();
      if (this.#answered) this.#breakOff();
      else this.#refuse(error);
    }
  }

  onRequestEnd(): void {
    if (this.#lease === null) return;
    this.#request?.end(this.#lease);
    this.#lease.requestDone();
  }

  onClientDrain(): void {
    if (this.#client.socket.writableLength === 0) this.#lease?.release();
    this.#lease?.resume();
  }

  onGone(): void {
    if (this.#finished) return;
    this.#settle()?.destroy();
    this.#services.observer.ended(this.#record);
  }

  // What the agent server does.

  /** Passes an interim answer on as far as it is understood (RFC 9110 section 15.2); HTTP/1.0 knows none. */
  onInterim({ status, rawHeaders }: ResponseHead): void {
    if (this.#exchange.request.head.minor === 0) return;
    if (status === 102) this.#client.write('HTTP/1.1 102 Processing\r\n\r\n');
    if (status !== 103) return;
    let links = '';
    for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
      if (rawHeaders[i]?.toLowerCase() === 'link') links += `Link: ${rawHeaders[i + 1]}\r\n`;
    }
    if (links !== '') this.#client.write(`HTTP/1.1 103 Early Hints\r\n${links}\r\n`);
  }

  onHead(head: ResponseHead, body: BodyReader): void {
    const { method, minor } = this.#exchange.request.head;
    const { status } = head;
    this.#services.answerPoll.came();
    this.#record.status = status;
    this.#record.answeredAt = performance.now();
    this.#record.repliedAt = this.#record.answeredAt;
    this.#record.bytes = 0;
    const { text, eventStream, encoded } = this.#services.rules.answerLines(head, this.#facts);
    const hasBody = body.kind !== 'none';
    let framing = '';
    let chunked = false;
    if (head.framing === 'length' && (!eventStream || !hasBody)) {
      if (status !== 204) framing = `Content-Length: ${head.length}\r\n`;
    } else if (minor === 1 && !isBodiless(status, method)) {
      framing = 'Transfer-Encoding: chunked\r\n';
      chunked = true;
    }
    // Without length and chunks only the end of the connection ends the answer.
    if (hasBody && !chunked && framing === '') this.#client.closeAfterwards();
    const reason = head.reason === '' ? (STATUS_CODES[status] ?? '') : head.reason;
    const last = this.#client.connectionLines();
    this.#writer.head(
      `HTTP/1.1 ${status} ${reason}\r\n${text}${last}${framing}\r\n`,
      chunked ? 'chunked' : 'plain',
    );
    this.#answered = true;
    if (!eventStream || status !== 200 || !hasBody) return;
    this.#isStream = true;
    this.lastByteAt = this.#record.answeredAt;
    this.#services.observer.opened(this.#record, 'event_stream');
    // A comment cannot be put between compressed bytes.
    if (!encoded) this.#services.heartbeats.add(this);
  }

  onAnswerBody(bytes: Buffer, start: number, end: number): void {
    this.#record.bytes += end - start;
    if (this.#isStream) {
      this.boundary.pass(bytes.subarray(start, end));
      this.lastByteAt = performance.now();
    }
    this.#writer.body(bytes, start, end, this.#lease?.mayBeKept === true);
  }

  onUpstreamDrain(): void {
    if (!this.#finished) this.#client.resume();
  }

  onAnswerPause(): void {
    if (!this.#answered) return;
    const more = this.#writer.flush();
    if (this.#client.socket.writableLength > 0) this.#lease?.keep();
    if (!more) this.#lease?.pause();
  }

  onSwitch(head: ResponseHead, agent: Socket, rest: Buffer | null): void {
    this.#settle();
    const { text } = this.#services.rules.answerLines(head, this.#facts);
    const protocol = valueOf(head.rawHeaders, 'upgrade') ?? this.#offer ?? '';
    this.#client.write(
      `HTTP/1.1 101 ${head.reason}\r\n${text}Connection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`,
    );
    const { observer } = this.#services;
    this.#record.status = 101;
    this.#record.answeredAt = performance.now();
    this.#record.repliedAt = this.#record.answeredAt;
    observer.opened(this.#record, 'upgrade');
    const early = this.#client.detach();
    const tunnel = new Tunnel(this.#client.socket, agent, this.#upstream, this.wish, this.#record, observer);
    tunnel.start(early, rest);
  }

  onAnswerEnd(trailers: readonly string[]): void {
    this.#settle();
    const { headers } = this.#exchange.request.head;
    this.#end(
      trailers.length > 0 && acceptsTrailers(headers) ? this.#services.rules.trailerLines(trailers) : '',
    );
  }

  onFailure(error: Error): void {
    if (this.#mayRetry(error)) {
      this.#send(this.#upstream.fresh());
      return;
    }
    this.#settle();
    if (!this.#answered) {
      this.#refuse(upstreamFailure(error, this.#facts, this.#services.log));
    } else if (this.#isStream && this.#admitted.session.state !== 'running') {
      this.#end('');
    } else {
      const { requestId, sessionId } = this.#facts;
      this.#services.log.info(
        { requestId, sessionId, code: errorCode(error) },
        'agent server broke off its answer',
      );
      this.#writer.flush();
      this.#breakOff();
    }
  }

  // What the heartbeats need.

  sendComment(text: string): void {
    // A client that does not read gets nothing more to read.
    if (this.#finished || this.#client.socket.writableNeedDrain) return;
    const bytes = Buffer.from(text, 'latin1');
    this.#writer.body(bytes, 0, bytes.length, true);
    this.#writer.flush();
    this.lastByteAt = performance.now();
  }

  #send(lease: UpstreamConnection): void {
    const { head, path } = this.#exchange.request;
    this.#lease = lease;
    this.#record.forwardedAt = performance.now();
    if (this.#request !== null) lease.gather();
    const text =
      `${head.method} ${path} HTTP/1.1\r\nHost: 127.0.0.1:${this.#facts.port}\r\n` +
      (this.#offer === null
        ? 'Connection: keep-alive\r\n'
        : `Connection: Upgrade\r\nUpgrade: ${this.#offer}\r\n`) +
      `${this.#services.rules.requestLines(head, this.#facts)}${this.#request?.framing ?? ''}\r\n`;
    lease.begin(this, head.method, text, this.#request === null, this.#offer !== null);
    if (this.#request === null) this.#services.answerPoll.expect();
  }

  #mayRetry(error: Error): boolean {
    return (
      !this.#answered &&
      this.#request === null &&
      SAFE_METHODS.has(this.#exchange.request.head.method) &&
      this.#lease !== null &&
      this.#lease.uses > 0 &&
      !this.#lease.heard &&
      STALE_CONNECTION.has(errorCode(error))
    );
  }

  /** Nothing more is taken from either side. */
  #settle(): UpstreamConnection | null {
    this.#finished = true;
    this.#upstream.active.delete(this);
    if (this.#isStream) this.#services.heartbeats.remove(this);
    const lease = this.#lease;
    this.#lease = null;
    return lease;
  }

  #end(trailers: string): void {
    this.#writer.end(trailers);
    this.#writer.flush();
    this.#client.finish();
    this.#record.complete = true;
    this.#services.observer.ended(this.#record);
    this.#services.requestPoll.expect();
  }

  #breakOff(): void {
    this.#client.breakOff();
    this.#services.observer.ended(this.#record);
  }

  #refuse(error: AppError): void {
    const { request, cors } = this.#exchange;
    refuse(this.#client, error, request.requestId, cors.answer);
    this.#record.status = ERRORS[error.code].status;
    this.#record.complete = true;
    this.#services.observer.ended(this.#record);
  }
}
