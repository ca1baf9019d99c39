import { randomUUID } from 'node:crypto';
import { createServer as createHttpServer } from 'node:http';
import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Cors } from '../cors.ts';
import { refuse, refuseAndClose, sendError } from '../error-reply.ts';
import { AppError, ERRORS } from '../errors.ts';
import type { RequestObserver } from '../request-observer.ts';
import { ClientConnection } from '../wire/client-connection.ts';
import type { ClientSocket } from '../wire/client-socket.ts';
import type { RequestReceiver } from '../wire/responder.ts';
import { staysLines } from '../wire/connection-lines.ts';
import type { MalformedMessage } from '../wire/malformed.ts';
import type { RequestHead } from '../wire/request-head.ts';
import type { SessionRequest } from '../wire/session-request.ts';
import { ConnectionLimits } from './connection-limits.ts';
import type { ConnectionLimitOptions } from './connection-limits.ts';
import { overdueOf } from './connection-sweep.ts';
import type { ConnectionTimes } from './connection-sweep.ts';
import { ControlChannel } from './control-channel.ts';
import { InProcessSocket } from './in-process-socket.ts';
import { LoopWatch } from './loop-watch.ts';
import type { OriginGuard } from './origin-guard.ts';

/** Clients that send nothing are asked after this time whether they still exist. */
const TCP_KEEP_ALIVE_MS = 60_000;

/** How often a shutdown looks whether the last connections have gone. */
const DRAIN_CHECK_MS = 20;

/** How often connections beyond their times are looked for: one timer for all of them. */
const SWEEP_MS = 1_000;

/** A client that was refused for want of room may ask again after so many seconds. */
const RETRY_AFTER_SECONDS = 1;

/** So many connections that were turned away may linger until their clients have read why; more are closed at once. */
const MAX_TURNED_AWAY = 64;

const NO_LIMITS: ListenerLimits = {
  total: Number.POSITIVE_INFINITY,
  perAddress: Number.POSITIVE_INFINITY,
  exempt: () => false,
  times: { head: 20_000, body: 600_000, idle: 65_000, stall: 120_000 },
  loopDelayMs: Number.POSITIVE_INFINITY,
};

/** A request id from outside that is safe to log and to send back. */
const REQUEST_ID = /^[A-Za-z0-9._~-]{1,128}$/;

/** The data plane as the listener sees it. */
export interface SessionHandler {
  handle(request: SessionRequest): void;
  close(graceMs: number): Promise<void>;
}

export interface ListenerOptions {
  /** Address to bind. */
  readonly host: string;
  /** TCP port to bind; 0 = any free one. */
  readonly port: number;
  /** Largest request head in bytes, else 431. */
  readonly maxHeaderBytes: number;
  /** Most header lines of a request, else 431. */
  readonly maxHeaders: number;
  /** Checks `Host` and `Origin` while authentication is off; `null` otherwise. */
  readonly guard: OriginGuard | null;
  readonly cors: Cors;
  /** Everything below `/:sessionId/`. */
  readonly proxy: SessionHandler;
  /** Everything else; CORS headers and `X-Request-Id` are set already, preflights never arrive. */
  readonly control: (req: IncomingMessage, res: ServerResponse) => void;
  /** First path segments that belong to the control plane, however the path goes on (DF-56). */
  readonly reservedSegments: ReadonlySet<string>;
  /** What clients may use up; absent: no limits, and the usual times. */
  readonly limits?: ListenerLimits;
  /** Told of what neither plane gets to see. */
  readonly observer?: Pick<RequestObserver, 'refused'>;
  readonly log: Logger;
}

export interface ListenerLimits extends ConnectionLimitOptions {
  readonly times: ConnectionTimes;
  /** How often overdue connections are looked for, in milliseconds. */
  readonly sweepMs?: number;
  /** With a longer delay of the event loop requests for sessions are refused, in milliseconds. */
  readonly loopDelayMs: number;
}

/** The one HTTP server for both planes. */
export interface Listener {
  /** Binds and listens. Rejects when the address cannot be bound. */
  listen(): Promise<AddressInfo>;
  /** The id of a request that is with the control plane. */
  requestIdOf(req: IncomingMessage): string;
  /**
   * A connection from inside the process, for callers of our own API: what is asked over it takes the same way as what
   * comes from outside, as if from `remoteAddress`. Either end closes both.
   */
  connect(remoteAddress: string): Duplex;
  /**
   * Stops accepting, closes unused connections, ends event streams, waits `graceMs` for what is in progress and
   * cuts off the rest. Closes the data plane with it.
   */
  close(graceMs: number): Promise<void>;
}

/** Makes the listener; it owns the server until `close`. */
export function createListener(options: ListenerOptions): Listener {
  return new TwoPlaneListener(options);
}

class TwoPlaneListener implements Listener, RequestReceiver {
  readonly maxHeadBytes: number;
  readonly staysLines: string;
  readonly #options: ListenerOptions;
  readonly #server: Server;
  /** Never listens: it is given channels that carry the requests for the control plane. */
  readonly #control: HttpServer;
  readonly #requestIds = new WeakMap<IncomingMessage, string>();
  readonly #connections = new Set<ClientConnection>();
  readonly #channels = new WeakMap<ClientConnection, ControlChannel>();
  readonly #limits: ListenerLimits;
  readonly #counts: ConnectionLimits;
  /** Connections that may ask the control plane only. */
  readonly #controlOnly = new WeakSet<ClientConnection>();
  /** Connections that may ask for nothing, and are not counted. */
  readonly #turnedAway = new Set<ClientConnection>();
  readonly #loop: LoopWatch;
  readonly #sweeper: NodeJS.Timeout;
  #closing = false;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#limits = options.limits ?? NO_LIMITS;
    this.#counts = new ConnectionLimits(this.#limits);
    this.#loop = new LoopWatch(this.#limits.loopDelayMs);
    this.#sweeper = setInterval(() => this.#sweep(), this.#limits.sweepMs ?? SWEEP_MS).unref();
    this.maxHeadBytes = options.maxHeaderBytes;
    this.staysLines = staysLines(this.#limits.times.idle / 1_000);
    // Only a connection that is open in one direction shows who has finished sending and who has left.
    this.#server = createServer(
      { noDelay: true, allowHalfOpen: true, keepAlive: true, keepAliveInitialDelay: TCP_KEEP_ALIVE_MS },
      (socket) => this.#accept(socket),
    );
    this.#control = createHttpServer({
      // A head has been read and measured before; it has become a little longer.
      maxHeaderSize: options.maxHeaderBytes * 2,
      requireHostHeader: false,
      headersTimeout: 0,
      requestTimeout: 0,
      keepAliveTimeout: this.#limits.times.idle,
    });
    this.#control.maxHeadersCount = 0;
    this.#control.on('request', (req, res) => this.#receiveControl(req, res));
  }

  listen(): Promise<AddressInfo> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#options.port, this.#options.host, () => {
        this.#server.off('error', reject);
        this.#server.on('error', (err) => this.#options.log.error({ err }, 'listener failed'));
        const address = this.#server.address();
        if (address === null || typeof address === 'string') reject(new Error('not bound to a TCP port'));
        else resolve(address);
      });
    });
  }

  requestIdOf(req: IncomingMessage): string {
    return this.#requestIds.get(req) ?? randomUUID();
  }

  connect(remoteAddress: string): Duplex {
    const [server, client] = InProcessSocket.pair(remoteAddress);
    this.#accept(server);
    return client;
  }

  async close(graceMs: number): Promise<void> {
    this.#closing = true;
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    const deadline = performance.now() + graceMs;
    const drained = this.#options.proxy.close(graceMs);
    for (const connection of [...this.#connections]) connection.closeAfterwards();
    while (this.#connections.size > 0 && performance.now() < deadline) await setTimeout(DRAIN_CHECK_MS);
    await drained;
    clearInterval(this.#sweeper);
    this.#loop[Symbol.dispose]();
    for (const { socket } of this.#connections) socket.destroy();
    await closed;
  }

  onRequest(connection: ClientConnection, head: RequestHead): void {
    const requestId = requestIdFor(head);
    // What follows an offer to change the protocol may be meant for that protocol.
    if (head.upgrade !== null || this.#closing) connection.closeAfterwards();
    try {
      const refusal = this.#refusal(connection, head);
      if (refusal !== null) {
        this.#refuse(connection, head, refusal, requestId);
        return;
      }
      const request = this.#sessionRequest(connection, head, requestId);
      if (request === null) this.#channelOf(connection).serve(head, requestId);
      else if (this.#hasRoomFor(connection)) this.#options.proxy.handle(request);
      else this.#refuse(connection, head, busy('overloaded'), requestId);
    } catch (err) {
      this.#options.log.error({ err, requestId }, 'request failed');
      this.#refuse(connection, head, new AppError('internal', { cause: err }), requestId);
    }
  }

  onMalformed(connection: ClientConnection, error: MalformedMessage): void {
    this.#refuseAndClose(connection, refusalOf(error));
  }

  onClosed(connection: ClientConnection): void {
    this.#connections.delete(connection);
    if (!this.#turnedAway.delete(connection)) this.#counts.leave(connection.address);
    this.#channels.get(connection)?.destroy();
  }

  #accept(socket: ClientSocket): void {
    const connection = new ClientConnection(socket, this);
    this.#connections.add(connection);
    const admittance = this.#counts.enter(connection.address);
    if (admittance === 'control') this.#controlOnly.add(connection);
    if (admittance !== 'nothing') return;
    this.#turnedAway.add(connection);
    this.#refuseAndClose(connection, busy('too_many_connections'));
    if (this.#turnedAway.size > MAX_TURNED_AWAY) socket.destroy();
  }

  /** Requests for sessions are refused first: the control plane must answer whatever happens. */
  #hasRoomFor(connection: ClientConnection): boolean {
    if (!this.#controlOnly.has(connection)) return !this.#loop.overloaded;
    connection.closeAfterwards();
    return false;
  }

  #sweep(): void {
    const now = performance.now();
    for (const connection of this.#connections) {
      switch (overdueOf(connection, now, this.#limits.times)) {
        case 'unused':
          connection.closeAfterwards();
          break;
        case 'late':
          if (connection.giveUp()) {
            this.#refuseAndClose(connection, new AppError('request_timeout'));
          } else {
            connection.socket.destroy();
          }
          break;
        case 'stalled':
          connection.giveUp();
          connection.socket.destroy();
          break;
        case null:
      }
    }
  }

  #refuse(connection: ClientConnection, head: RequestHead, error: AppError, requestId: string): void {
    this.#observeRefusal(head.method, error, connection, requestId);
    refuse(connection, error, requestId, this.#corsLines(head));
  }

  /** What could not be read as a request has no id of its own, and no page that asked. */
  #refuseAndClose(connection: ClientConnection, error: AppError): void {
    const requestId = randomUUID();
    this.#observeRefusal(connection.head?.method ?? null, error, connection, requestId);
    refuseAndClose(connection, error, requestId, this.#options.cors.headersFor(undefined).answer);
  }

  #observeRefusal(
    method: string | null,
    { code }: AppError,
    { address }: ClientConnection,
    requestId: string,
  ): void {
    const { status } = ERRORS[code];
    this.#options.observer?.refused({ method, status, code, address, requestId });
  }

  /** Why this request is refused whatever it asks for, or `null`. */
  #refusal(connection: ClientConnection, head: RequestHead): AppError | null {
    const { maxHeaders, guard } = this.#options;
    if (head.rawHeaders.length > maxHeaders * 2) {
      return new AppError('headers_too_large', {
        message: `Request headers too large: at most ${maxHeaders} lines are accepted`,
      });
    }
    return guard?.check(head.headers, connection.socket.localAddress) ?? null;
  }

  /** The session and the path in it that a request is for; `null` when it is for the control plane. */
  #sessionRequest(connection: ClientConnection, head: RequestHead, requestId: string): SessionRequest | null {
    const { target } = head;
    const slash = target.indexOf('/', 1);
    if (slash <= 1) return null;
    const query = target.indexOf('?');
    if (query !== -1 && query < slash) return null;
    const segment = target.slice(1, slash);
    if (this.#options.reservedSegments.has(segment)) return null;
    return { connection, head, requestId, segment, path: target.slice(slash) };
  }

  #channelOf(connection: ClientConnection): ControlChannel {
    const known = this.#channels.get(connection);
    if (known !== undefined && !known.destroyed && !known.writableEnded) return known;
    const channel = new ControlChannel(connection);
    this.#channels.set(connection, channel);
    this.#control.emit('connection', channel);
    return channel;
  }

  #receiveControl(req: IncomingMessage, res: ServerResponse): void {
    const channel: unknown = req.socket;
    if (!(channel instanceof ControlChannel)) throw new TypeError('a request that came over no channel');
    const { requestId } = channel;
    this.#requestIds.set(req, requestId);
    res.on('finish', () => channel.answered());
    const { cors, control, log } = this.#options;
    const headers = cors.headersFor(req.headers.origin);
    // The reference answers every such OPTIONS, whatever else it carries (proxy-api section 4.4).
    if (req.method === 'OPTIONS' && req.headers.origin !== undefined) {
      res.writeHead(204, ['X-Request-Id', requestId, ...headers.preflight]);
      res.end();
      return;
    }
    res.setHeader('X-Request-Id', requestId);
    const { answer } = headers;
    for (let i = 0; i + 1 < answer.length; i += 2) res.setHeader(answer[i] ?? '', answer[i + 1] ?? '');
    try {
      control(req, res);
    } catch (err) {
      log.error({ err, requestId }, 'request failed');
      sendError(req, res, new AppError('internal', { cause: err }), requestId, answer);
    }
  }

  #corsLines(head: RequestHead): readonly string[] {
    return this.#options.cors.headersFor(head.headers.origin).answer;
  }
}

function requestIdFor({ headers }: RequestHead): string {
  const given = headers['x-request-id'];
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
}

function busy(code: 'overloaded' | 'too_many_connections'): AppError {
  return new AppError(code, { retryAfterSeconds: RETRY_AFTER_SECONDS });
}

function refusalOf({ kind, message }: MalformedMessage): AppError {
  switch (kind) {
    case 'head_too_large':
      return new AppError('headers_too_large');
    case 'target_too_long':
      return new AppError('target_too_long');
    case 'version':
      return new AppError('version_not_supported', { message });
    case 'tunnel':
      return new AppError('method_not_allowed', { message });
    case 'syntax':
      return new AppError('invalid_request', { message: `The request is not valid HTTP/1.1: ${message}` });
  }
}
