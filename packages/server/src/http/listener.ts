import { randomUUID } from 'node:crypto';
import { createServer, ServerResponse } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import { Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { duplexPair } from 'node:stream';
import type { Duplex } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import type { Logger } from 'pino';
import { plainAddress } from '../client-address.ts';
import type { Cors } from '../cors.ts';
import { hasBody, sendError, sendRawError } from '../error-reply.ts';
import { AppError, ERRORS } from '../errors.ts';
import type { RequestObserver } from '../request-observer.ts';
import { responseOn } from '../socket-response.ts';
import type { OriginGuard } from './origin-guard.ts';

/** A client has this long for the head of a request; slower ones hold a connection for nothing. */
const HEAD_TIMEOUT_MS = 20_000;

/** How often Node looks for clients beyond these limits. */
const TIMEOUT_CHECK_MS = 5_000;

/** A client has this long for a whole request; an upload of the largest size fits over a slow line. */
const REQUEST_TIMEOUT_MS = 600_000;

/** Longer than the 60 s after which common load balancers let go of an unused connection. */
const KEEP_ALIVE_MS = 65_000;

/** How often a shutdown closes connections that have become unused. */
const DRAIN_CHECK_MS = 20;

/** A request id from outside that is safe to log and to send back. */
const REQUEST_ID = /^[A-Za-z0-9._~-]{1,128}$/;

/** What the data plane learns about a request for a session. */
export interface SessionTarget {
  readonly requestId: string;
  readonly segment: string;
  readonly path: string;
  readonly expectsContinue: boolean;
}

/** The data plane as the listener sees it. */
export interface SessionHandler {
  handleRequest(req: IncomingMessage, res: ServerResponse, target: SessionTarget): void;
  handleUpgrade(req: IncomingMessage, socket: Socket, head: Buffer, target: SessionTarget): void;
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
  /** Told of what neither plane gets to see. */
  readonly observer?: Pick<RequestObserver, 'refused'>;
  readonly log: Logger;
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

/** Makes the listener; it owns the HTTP server until `close`. */
export function createListener(options: ListenerOptions): Listener {
  return new HttpListener(options);
}

class HttpListener implements Listener {
  readonly #options: ListenerOptions;
  readonly #server: Server;
  readonly #requestIds = new WeakMap<IncomingMessage, string>();
  readonly #sockets = new Set<Socket>();

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#server = createServer({
      maxHeaderSize: options.maxHeaderBytes,
      headersTimeout: HEAD_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: TIMEOUT_CHECK_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      // Checked here, so that the answer has the form of all others.
      requireHostHeader: false,
    });
    // Node would silently drop the lines beyond its limit; ours is an error.
    this.#server.maxHeadersCount = 0;
    this.#server
      .on('request', (req, res) => this.#receive(req, res, false))
      .on('checkContinue', (req, res) => this.#receive(req, res, true))
      .on('upgrade', (req, socket, head) => this.#receiveUpgrade(req, socket, head))
      .on('connect', (req, socket) => this.#refuseConnect(req, socket))
      .on('clientError', (error, socket) => this.#refuseMalformed(error, socket))
      .on('connection', (socket) => {
        this.#sockets.add(socket);
        socket.once('close', () => this.#sockets.delete(socket));
      });
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
    const [server, client] = duplexPair();
    Object.defineProperty(server, 'remoteAddress', { value: remoteAddress });
    server.once('close', () => client.destroy());
    client.once('close', () => server.destroy());
    this.#server.emit('connection', server);
    return client;
  }

  async close(graceMs: number): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    const deadline = performance.now() + graceMs;
    const drained = this.#options.proxy.close(graceMs);
    while (this.#sockets.size > 0 && performance.now() < deadline) {
      this.#server.closeIdleConnections();
      await setTimeout(DRAIN_CHECK_MS);
    }
    await drained;
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #receive(req: IncomingMessage, res: ServerResponse, expectsContinue: boolean): void {
    const requestId = requestIdFor(req);
    try {
      const refusal = this.#refusal(req);
      if (refusal !== null) {
        this.#refuse(req, res, refusal, requestId);
        return;
      }
      const target = this.#sessionTarget(req, requestId, expectsContinue);
      if (target === null) this.#toControl(req, res, requestId, expectsContinue);
      else this.#options.proxy.handleRequest(req, res, target);
    } catch (err) {
      this.#options.log.error({ err, requestId }, 'request failed');
      this.#refuse(req, res, new AppError('internal', { cause: err }), requestId);
    }
  }

  #receiveUpgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (!(socket instanceof Socket)) {
      socket.destroy();
      return;
    }
    socket.on('error', () => {});
    const requestId = requestIdFor(req);
    const refusal = this.#refusal(req);
    if (refusal !== null) {
      this.#refuse(req, responseOn(req, socket), refusal, requestId);
      return;
    }
    const target = this.#sessionTarget(req, requestId, false);
    // A server may ignore an offer to upgrade. To HTTP/2 it must be ignored: its requests would pass unchecked.
    const ignored = target === null || offersHttp2(req.headers.upgrade ?? '');
    if (!ignored) {
      this.#options.proxy.handleUpgrade(req, socket, head, target);
    } else if (hasBody(req)) {
      const error = new AppError('invalid_request', { message: 'An upgrade cannot have a body' });
      this.#refuse(req, responseOn(req, socket), error, requestId);
    } else if (target === null) {
      this.#toControl(req, responseOn(req, socket), requestId, false);
    } else {
      this.#options.proxy.handleRequest(req, responseOn(req, socket), target);
    }
  }

  /** Why this request is refused whatever it asks for, or `null`. */
  #refusal(req: IncomingMessage): AppError | null {
    const { maxHeaders, guard } = this.#options;
    if (req.rawHeaders.length > maxHeaders * 2) {
      return new AppError('headers_too_large', {
        message: `Request headers too large: at most ${maxHeaders} lines are accepted`,
      });
    }
    if (!req.url?.startsWith('/')) {
      return new AppError('invalid_request', {
        message: 'The request target must be a path that begins with /',
      });
    }
    if (req.headers.host === undefined && req.httpVersion === '1.1') {
      return new AppError('invalid_request', { message: 'The Host header is missing' });
    }
    return guard?.check(req) ?? null;
  }

  /** The session and the path in it that a request is for; `null` when it is for the control plane. */
  #sessionTarget(req: IncomingMessage, requestId: string, expectsContinue: boolean): SessionTarget | null {
    const url = req.url ?? '';
    const slash = url.indexOf('/', 1);
    if (slash <= 1) return null;
    const query = url.indexOf('?');
    if (query !== -1 && query < slash) return null;
    const segment = url.slice(1, slash);
    if (this.#options.reservedSegments.has(segment)) return null;
    return { requestId, segment, path: url.slice(slash), expectsContinue };
  }

  #toControl(req: IncomingMessage, res: ServerResponse, requestId: string, expectsContinue: boolean): void {
    const { cors, control } = this.#options;
    const { origin } = req.headers;
    const headers = cors.headersFor(origin);
    // The reference answers every such OPTIONS, whatever else it carries (proxy-api section 4.4).
    if (req.method === 'OPTIONS' && origin !== undefined) {
      res.writeHead(204, ['X-Request-Id', requestId, ...headers.preflight]);
      res.end();
      return;
    }
    this.#requestIds.set(req, requestId);
    res.setHeader('X-Request-Id', requestId);
    const { answer } = headers;
    for (let i = 0; i + 1 < answer.length; i += 2) res.setHeader(answer[i] ?? '', answer[i + 1] ?? '');
    if (expectsContinue) res.writeContinue();
    control(req, res);
  }

  #refuse(req: IncomingMessage, res: ServerResponse, error: AppError, requestId: string): void {
    this.#observeRefusal(req.method ?? null, error, req.socket.remoteAddress, requestId);
    sendError(req, res, error, requestId, this.#options.cors.headersFor(req.headers.origin).answer);
  }

  #refuseConnect(req: IncomingMessage, socket: Duplex): void {
    if (!(socket instanceof Socket)) {
      socket.destroy();
      return;
    }
    socket.on('error', () => {});
    const error = new AppError('method_not_allowed', { message: 'CONNECT is not supported' });
    this.#refuse(req, responseOn(req, socket), error, requestIdFor(req));
  }

  /** What Node's parser refuses has no request to answer; the connection ends with the answer. */
  #refuseMalformed(error: Error & { code?: string }, socket: Duplex): void {
    if (!(socket instanceof Socket) || error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy();
      return;
    }
    // Node's only link to an answer that has begun: another one must not be written into it.
    const current: unknown = Reflect.get(socket, '_httpMessage');
    if (current instanceof ServerResponse && current.headersSent) {
      socket.destroy();
      return;
    }
    const refusal = malformed(error.code);
    const requestId = randomUUID();
    this.#observeRefusal(null, refusal, socket.remoteAddress, requestId);
    sendRawError(socket, refusal, requestId, this.#options.cors.headersFor(undefined).answer);
  }

  #observeRefusal(
    method: string | null,
    { code }: AppError,
    address: string | undefined,
    requestId: string,
  ): void {
    const { status } = ERRORS[code];
    this.#options.observer?.refused({ method, status, code, address: plainAddress(address), requestId });
  }
}

function requestIdFor(req: IncomingMessage): string {
  const given = req.headers['x-request-id'];
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
}

function offersHttp2(upgrade: string): boolean {
  return upgrade.split(',').some((protocol) => /^\s*h2c?\s*$/i.test(protocol));
}

function malformed(code: string | undefined): AppError {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return new AppError('headers_too_large');
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new AppError('request_timeout');
    default:
      return new AppError('invalid_request', { message: 'The request is not valid HTTP/1.1' });
  }
}
