import { request } from 'node:http';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { sendError } from '../error-reply.ts';
import { AppError, ERRORS } from '../errors.ts';
import { responseOn } from '../socket-response.ts';
import type { Admitted } from './admit.ts';
import type { Cancellable, CancelReason } from './client-connections.ts';
import { errorCode, headerFacts, upstreamFailure } from './exchange.ts';
import type { Exchange, RelayServices } from './exchange.ts';
import type { AnswerFacts, ForwardFacts } from './headers.ts';
import { CONNECT_TIMEOUT_MS } from './upstreams.ts';
import type { Upstream } from './upstreams.ts';

/** Connections that carry nothing are asked after this time whether the peer still exists. */
const TCP_KEEP_ALIVE_MS = 60_000;

/**
 * One request for another protocol, such as WebSocket. After 101 the bytes pass both ways untouched, with
 * back-pressure, and each direction ends on its own; any other answer is passed on as such (PX-159).
 */
export class UpgradeRelay implements Cancellable {
  readonly #services: RelayServices;
  readonly #exchange: Exchange;
  readonly #client: Socket;
  readonly #admitted: Admitted;
  readonly #upstream: Upstream;
  readonly #facts: ForwardFacts & AnswerFacts;
  readonly #lines: readonly string[];
  #request: ClientRequest | null = null;
  #agent: Socket | null = null;
  readonly #stopWatching: () => void;
  #open = 2;
  #answered = false;
  readonly endless = true;

  /**
   * `stopWatching` is what {@link watchForEnd} returned for the client's socket.
   * @throws AppError for requests that cannot be passed on; nothing has been started then.
   */
  constructor(
    services: RelayServices,
    exchange: Exchange,
    client: Socket,
    stopWatching: () => void,
    admitted: Admitted,
    upstream: Upstream,
  ) {
    this.#services = services;
    this.#stopWatching = stopWatching;
    this.#exchange = exchange;
    this.#client = client;
    this.#admitted = admitted;
    this.#upstream = upstream;
    this.#facts = headerFacts(exchange, admitted);
    const { req } = exchange;
    this.#lines = [
      'Host',
      `127.0.0.1:${admitted.endpoint.port}`,
      'Connection',
      'Upgrade',
      'Upgrade',
      req.headers.upgrade ?? '',
      ...services.rules.forRequest(req, this.#facts),
    ];
  }

  /** Begins; everything else follows from the two sides. */
  start(): void {
    const { req, context, connection } = this.#exchange;
    connection.active.add(this);
    this.#upstream.active.add(this);
    this.#exchange.record.forwardedAt = performance.now();
    const agent = connect({
      host: '127.0.0.1',
      port: this.#admitted.endpoint.port,
      allowHalfOpen: true,
      noDelay: true,
    });
    this.#agent = agent;
    agent.setTimeout(CONNECT_TIMEOUT_MS, () => agent.destroy(new Error('connecting took too long')));
    agent.on('error', () => {});
    agent.once('connect', () => agent.setTimeout(0));
    this.#request = request({
      method: req.method,
      path: context.path,
      headers: this.#lines,
      createConnection: () => agent,
    });
    this.#request
      .on('upgrade', (answer: IncomingMessage, _socket: unknown, head: Buffer) =>
        this.#join(agent, answer, head),
      )
      .on('response', (answer: IncomingMessage) => this.#passOn(answer))
      .on('error', (error: Error) => this.#fail(error))
      .end();
  }

  cancel(reason: CancelReason): void {
    this.#settle();
    if (!this.#answered && reason !== 'client-gone') {
      this.#answered = true;
      this.#refuse(new AppError(reason === 'shutdown' ? 'shutting_down' : 'upstream_failed'));
    } else {
      this.#client.destroy();
    }
    this.#request?.destroy();
    this.#agent?.destroy();
  }

  #join(agent: Socket, answer: IncomingMessage, head: Buffer): void {
    if (this.#answered) return;
    this.#answered = true;
    this.#stopWatching();
    const client = this.#client;
    const { record } = this.#exchange;
    record.status = 101;
    record.answeredAt = performance.now();
    const { lines } = this.#services.rules.forAnswer(answer.rawHeaders, this.#facts);
    lines.push('Connection', 'Upgrade', 'Upgrade', answer.headers.upgrade ?? '');
    let text = `HTTP/1.1 101 ${answer.statusMessage ?? ''}\r\n`;
    for (let i = 0; i + 1 < lines.length; i += 2) text += `${lines[i]}: ${lines[i + 1]}\r\n`;
    client.write(`${text}\r\n`, 'latin1');
    record.repliedAt = performance.now();
    this.#services.observer.opened(record, 'upgrade');
    if (head.length > 0) agent.unshift(head);
    for (const [socket, other] of [
      [client, agent],
      [agent, client],
    ] as const) {
      socket.setNoDelay(true);
      socket.setKeepAlive(true, TCP_KEEP_ALIVE_MS);
      socket.on('error', () => other.destroy());
      socket.on('close', () => this.#closed());
      socket.pipe(other);
    }
  }

  #closed(): void {
    this.#open -= 1;
    if (this.#open === 0) this.#settle();
  }

  /** The agent server does not change the protocol: its answer is an ordinary one, and the last on this connection. */
  #passOn(answer: IncomingMessage): void {
    if (this.#answered) {
      answer.destroy();
      return;
    }
    this.#answered = true;
    this.#stopWatching();
    const res = responseOn(this.#exchange.req, this.#client);
    const { lines } = this.#services.rules.forAnswer(answer.rawHeaders, this.#facts);
    const { record } = this.#exchange;
    record.answeredAt = performance.now();
    record.status = answer.statusCode ?? 502;
    res.writeHead(record.status, answer.statusMessage, lines);
    record.repliedAt = performance.now();
    res.flushHeaders();
    answer.on('error', () => res.destroy());
    answer.on('close', () => {
      if (!answer.complete) res.destroy();
      record.complete = answer.complete;
      this.#settle();
    });
    answer.pipe(res);
  }

  #fail(error: Error): void {
    this.#settle();
    if (this.#answered) {
      this.#client.destroy();
      return;
    }
    this.#answered = true;
    this.#refuse(upstreamFailure(error, this.#exchange, this.#admitted, this.#services.log));
    this.#services.log.debug({ requestId: this.#facts.requestId, code: errorCode(error) }, 'upgrade failed');
  }

  #settle(): void {
    this.#exchange.connection.active.delete(this);
    this.#upstream.active.delete(this);
  }

  #refuse(error: AppError): void {
    const { req, context, cors, record } = this.#exchange;
    record.status = ERRORS[error.code].status;
    record.complete = true;
    this.#stopWatching();
    sendError(req, responseOn(req, this.#client), error, context.requestId, cors.answer);
  }
}

/**
 * Notices a client that leaves before the protocol has changed, and lets go of its socket then. What it sends
 * meanwhile stays in the socket, behind `head`. The returned function ends the watch.
 */
export function watchForEnd(socket: Socket, head: Buffer): () => void {
  const look = (): void => {
    if (socket.readableLength === 0) socket.read();
  };
  const leave = (): void => {
    socket.destroy();
  };
  // Whoever uses the socket learns of its end by `close`.
  socket.on('error', () => {});
  if (head.length > 0) socket.unshift(head);
  socket.on('readable', look).on('end', leave);
  return () => socket.off('readable', look).off('end', leave);
}
