import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { RequestOrigin } from '../auth/authenticate.ts';
import { useOfMethod } from '../auth/authorize.ts';
import type { TrustedProxies } from '../client-address.ts';
import { isPreflight } from '../cors.ts';
import type { Cors } from '../cors.ts';
import { hasBody, sendError } from '../error-reply.ts';
import { AppError, ERRORS } from '../errors.ts';
import { RequestRecord, UNOBSERVED } from '../request-observer.ts';
import type { RequestObserver } from '../request-observer.ts';
import type { SessionRoute } from '../sessions/session.ts';
import { responseOn } from '../socket-response.ts';
import { Admission } from './admit.ts';
import type { Admitted, AdmissionOptions, Wish } from './admit.ts';
import { cancelAll, ClientConnections } from './client-connections.ts';
import type { Cancellable, CancelReason } from './client-connections.ts';
import { Heartbeats } from './event-streams.ts';
import type { Exchange, ProxyContext } from './exchange.ts';
import { HeaderRules } from './headers.ts';
import { Upstreams } from './upstreams.ts';
import { UpgradeRelay, watchForEnd } from './upgrade.ts';
import { Relay } from './web.ts';
import type { WebServices } from './web.ts';

export interface ProxyOptions extends AdmissionOptions {
  readonly cors: Cors;
  /** Whose `X-Forwarded-*` headers are believed (DF-16). */
  readonly trustedProxies: TrustedProxies;
  /** Largest request body in bytes; 0 means no limit. */
  readonly maxBodyBytes: number;
  /** How long an agent server may take to begin an answer, in milliseconds; 0 means any time. */
  readonly answerTimeoutMs?: number;
  /** After this many idle milliseconds an event stream gets a heartbeat. */
  readonly heartbeatMs?: number;
  /** Told of every request. */
  readonly observer?: RequestObserver;
  readonly log: Logger;
}

/** The data plane: everything below `/:sessionId/` (proxy-api section 6). */
export interface ProxyHandler {
  handleRequest(req: IncomingMessage, res: ServerResponse, context: ProxyContext): void;
  /** `socket` has been let go by the HTTP server; `head` are bytes that came after the request. */
  handleUpgrade(req: IncomingMessage, socket: Socket, head: Buffer, context: ProxyContext): void;
  /** Ends event streams and upgraded connections of those who may not use the session any more. */
  recheck(): void;
  /**
   * Refuses new requests, ends event streams and upgraded connections, and gives other requests `graceMs` to
   * finish before they are cut off. Afterwards no connection to an agent server is left.
   */
  close(graceMs: number): Promise<void>;
}

/** Makes the data plane. It owns its connections to agent servers and the heartbeat timer until `close`. */
export function createProxyHandler(options: ProxyOptions): ProxyHandler {
  return new DataPlane(options);
}

function ignore(): void {}

function wishOf({ req, context }: Exchange, use: 'read' | 'write'): Wish {
  return { segment: context.segment, use, headers: req.headers };
}

/** How often a shutdown looks whether the last requests have finished. */
const DRAIN_CHECK_MS = 20;

class DataPlane implements ProxyHandler {
  readonly #cors: Cors;
  readonly #log: Logger;
  readonly #admission: Admission;
  readonly #trustedProxies: TrustedProxies;
  /** What those wanted who are being served. */
  readonly #wishes = new WeakMap<Cancellable, Wish>();
  readonly #connections: ClientConnections;
  readonly #upstreams: Upstreams;
  readonly #services: WebServices;
  /** Requests that wait for their session to start. */
  readonly #held = new Set<Cancellable>();
  #closing: Promise<void> | null = null;

  constructor(options: ProxyOptions) {
    const { cors, authenticator, log } = options;
    this.#cors = cors;
    this.#log = log;
    this.#admission = new Admission(options);
    this.#trustedProxies = options.trustedProxies;
    this.#connections = new ClientConnections(options.trustedProxies);
    this.#upstreams = new Upstreams(options.answerTimeoutMs ?? 0);
    this.#services = {
      rules: new HeaderRules(cors, authenticator.credentialHeaders, authenticator.enabled),
      maxBodyBytes: options.maxBodyBytes,
      heartbeats: new Heartbeats(options.heartbeatMs),
      observer: options.observer ?? UNOBSERVED,
      log,
    };
  }

  handleRequest(req: IncomingMessage, res: ServerResponse, context: ProxyContext): void {
    // Writing to a client that has just left must never end the server.
    res.on('error', ignore);
    const cors = this.#cors.headersFor(req.headers.origin);
    const record = this.#observe(req, context);
    res.once('close', () => {
      record.status = res.headersSent ? res.statusCode : 0;
      record.complete = res.writableFinished;
      this.#services.observer.ended(record);
    });
    if (isPreflight(req)) {
      res.writeHead(204, ['X-Request-Id', context.requestId, ...cors.preflight]);
      res.end();
      return;
    }
    const exchange: Exchange = { req, context, connection: this.#connections.of(req.socket), cors, record };
    const wish = wishOf(exchange, useOfMethod(req.method ?? ''));
    this.#admit(
      exchange,
      wish,
      (admitted) => {
        const upstream = this.#upstreams.of(admitted.session, admitted.endpoint);
        const relay = new Relay(this.#services, exchange, res, admitted, upstream);
        this.#wishes.set(relay, wish);
        relay.start();
      },
      (error) => sendError(req, res, error, context.requestId, cors.answer),
    );
  }

  handleUpgrade(req: IncomingMessage, socket: Socket, head: Buffer, context: ProxyContext): void {
    const cors = this.#cors.headersFor(req.headers.origin);
    const record = this.#observe(req, context);
    socket.once('close', () => this.#services.observer.ended(record));
    const exchange: Exchange = { req, context, connection: this.#connections.of(socket), cors, record };
    const stopWatching = watchForEnd(socket, head);
    // What passes afterwards cannot be told apart: whoever upgrades can write.
    const wish = wishOf(exchange, 'write');
    this.#admit(
      exchange,
      wish,
      (admitted) => {
        // Node stops at the end of the head: a body would be taken for bytes of the new protocol.
        if (hasBody(req)) throw new AppError('invalid_request', { message: 'An upgrade cannot have a body' });
        const upstream = this.#upstreams.of(admitted.session, admitted.endpoint);
        const relay = new UpgradeRelay(this.#services, exchange, socket, stopWatching, admitted, upstream);
        this.#wishes.set(relay, wish);
        relay.start();
      },
      (error) => {
        stopWatching();
        record.status = ERRORS[error.code].status;
        record.complete = true;
        sendError(req, responseOn(req, socket), error, context.requestId, cors.answer);
      },
    );
  }

  recheck(): void {
    for (const one of [...this.#upstreams.active()]) {
      const wish = this.#wishes.get(one);
      if (one.endless && wish !== undefined && !this.#admission.stillAllows(wish))
        one.cancel('session-ended');
    }
  }

  close(graceMs: number): Promise<void> {
    this.#closing ??= this.#drain(graceMs);
    return this.#closing;
  }

  /** Ends in exactly one call of `forward` or `refuse`, or in none when the client leaves first. */
  #admit(
    exchange: Exchange,
    wish: Wish,
    forward: (admitted: Admitted) => void,
    refuse: (error: AppError) => void,
  ): void {
    try {
      if (this.#closing !== null) throw new AppError('shutting_down');
      const session = this.#findFor(exchange, wish);
      const admitted = this.#admission.ready(session);
      if (admitted === null) void this.#hold(exchange, wish, session, forward, refuse);
      else forward(admitted);
    } catch (error) {
      refuse(this.#asAppError(error, exchange));
    }
  }

  async #hold(
    exchange: Exchange,
    wish: Wish,
    session: SessionRoute,
    forward: (admitted: Admitted) => void,
    refuse: (error: AppError) => void,
  ): Promise<void> {
    const wait = new AbortController();
    let cancelled: CancelReason | null = null;
    const held: Cancellable = {
      endless: true,
      cancel: (reason) => {
        cancelled = reason;
        wait.abort();
      },
    };
    exchange.connection.active.add(held);
    this.#held.add(held);
    try {
      const admitted = await this.#admission.untilReady(session, wait);
      // Keys and shares may have ended during the wait.
      if (cancelled === null) this.#findFor(exchange, wish);
      if (cancelled === null) forward(admitted);
    } catch (error) {
      if (cancelled === null) refuse(this.#asAppError(error, exchange));
    } finally {
      exchange.connection.active.delete(held);
      this.#held.delete(held);
    }
    if (cancelled === 'shutdown') refuse(new AppError('shutting_down'));
  }

  /** Begins to follow a request; whoever calls it follows its end. */
  #observe(req: IncomingMessage, { path, requestId }: ProxyContext): RequestRecord {
    const record = new RequestRecord('session', req.method ?? '', path, requestId);
    this.#services.observer.began(record, req.headers);
    return record;
  }

  #findFor(exchange: Exchange, wish: Wish): SessionRoute {
    const { record } = exchange;
    const origin = this.#originOf(exchange);
    record.address = origin.address;
    const { principal, session } = this.#admission.find(wish, origin);
    record.userId = principal.userId;
    record.keyId = principal.keyId ?? null;
    record.sessionId = session.id;
    return session;
  }

  #originOf({ req, context, connection }: Exchange): RequestOrigin {
    const address = connection.trusted
      ? this.#trustedProxies.clientOf(connection.address, req.headers)
      : connection.address;
    return { address, requestId: context.requestId };
  }

  /** What nobody foresaw is logged with its stack and answered without details (DF-53). */
  #asAppError(error: unknown, exchange: Exchange): AppError {
    if (error instanceof AppError) return error;
    this.#log.error({ err: error, requestId: exchange.context.requestId }, 'proxying failed');
    return new AppError('internal', { cause: error });
  }

  async #drain(graceMs: number): Promise<void> {
    cancelAll(this.#held, 'shutdown');
    for (const one of [...this.#upstreams.active()]) if (one.endless) one.cancel('shutdown');
    const deadline = performance.now() + graceMs;
    while (!this.#upstreams.idle && performance.now() < deadline) await setTimeout(DRAIN_CHECK_MS);
    await this.#upstreams.close();
    this.#services.heartbeats.close();
  }
}
