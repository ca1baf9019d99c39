import { availableParallelism } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { RequestOrigin } from '../auth/authenticate.ts';
import { useOfMethod } from '../auth/authorize.ts';
import type { TrustedProxies } from '../client-address.ts';
import { isPreflight } from '../cors.ts';
import type { Cors } from '../cors.ts';
import { answerPreflight, refuse } from '../error-reply.ts';
import { AppError, ERRORS } from '../errors.ts';
import { RequestRecord, UNOBSERVED } from '../request-observer.ts';
import type { RequestObserver } from '../request-observer.ts';
import type { SessionRoute } from '../sessions/session.ts';
import type { SessionRequest } from '../wire/session-request.ts';
import { Admission } from './admit.ts';
import type { Admitted, AdmissionOptions, Wish } from './admit.ts';
import { cancelAll } from './cancellable.ts';
import type { Cancellable } from './cancellable.ts';
import { Heartbeats } from './event-streams.ts';
import type { Exchange, RelayServices } from './exchange.ts';
import { HeaderRules } from './headers.ts';
import { HeldRequest } from './held-request.ts';
import { Peers } from './peers.ts';
import { BusyPoll } from './relay/busy-poll.ts';
import { Relay } from './relay/relay.ts';
import { Upstreams } from './upstreams.ts';

export interface ProxyOptions extends AdmissionOptions {
  readonly cors: Cors;
  /** Whose `X-Forwarded-*` headers are believed (DF-16). */
  readonly trustedProxies: TrustedProxies;
  /** Largest request body in bytes; 0 means no limit. */
  readonly maxBodyBytes: number;
  /** Most requests in progress on one session, event streams and upgraded connections included. */
  readonly maxPerSession?: number;
  /** How long an agent server may take to begin an answer to a whole request, in milliseconds; 0 means any time. */
  readonly answerTimeoutMs?: number;
  /** After this many idle milliseconds an event stream gets a heartbeat. */
  readonly heartbeatMs?: number;
  /** Told of every request. */
  readonly observer?: RequestObserver;
  readonly log: Logger;
}

/** The data plane: everything below `/:sessionId/` (proxy-api section 6). */
export interface ProxyHandler {
  handle(request: SessionRequest): void;
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

/** A client that finds a session overloaded may ask again after so many seconds. */
const RETRY_AFTER_SECONDS = 1;

/** An answer, or the next request, that comes within this time is waited for awake. */
const ANSWER_POLL_MS = 0.06;
const REQUEST_POLL_MS = 0.04;

/** How often a shutdown looks whether the last requests have finished. */
const DRAIN_CHECK_MS = 20;

class DataPlane implements ProxyHandler {
  readonly #cors: Cors;
  readonly #log: Logger;
  readonly #admission: Admission;
  readonly #trustedProxies: TrustedProxies;
  readonly #peers: Peers;
  readonly #upstreams: Upstreams;
  readonly #services: RelayServices;
  /** Requests that wait for their session to start. */
  readonly #held = new Set<Cancellable>();
  readonly #maxPerSession: number;
  #closing: Promise<void> | null = null;

  constructor(options: ProxyOptions) {
    const { cors, authenticator, log } = options;
    this.#cors = cors;
    this.#log = log;
    this.#admission = new Admission(options);
    this.#trustedProxies = options.trustedProxies;
    this.#peers = new Peers(options.trustedProxies);
    this.#maxPerSession = options.maxPerSession ?? Number.POSITIVE_INFINITY;
    this.#upstreams = new Upstreams(options.answerTimeoutMs ?? 0);
    this.#services = {
      rules: new HeaderRules(cors, authenticator.credentialHeaders, authenticator.enabled),
      maxBodyBytes: options.maxBodyBytes,
      heartbeats: new Heartbeats(options.heartbeatMs),
      // On a single processor nobody could work on what is waited for.
      answerPoll: new BusyPoll(availableParallelism() > 1 ? ANSWER_POLL_MS : 0),
      requestPoll: new BusyPoll(availableParallelism() > 1 ? REQUEST_POLL_MS : 0),
      observer: options.observer ?? UNOBSERVED,
      log,
    };
  }

  handle(request: SessionRequest): void {
    const { head, connection } = request;
    const cors = this.#cors.headersFor(head.headers.origin);
    const record = new RequestRecord('session', head.method, request.path, request.requestId);
    this.#services.observer.began(record, head.headers);
    if (isPreflight(head)) {
      answerPreflight(connection, request.requestId, cors.preflight);
      this.#answered(record, 204);
      return;
    }
    const exchange: Exchange = { request, peer: this.#peers.of(connection), cors, record };
    const offer = offerOf(head.upgrade);
    // What passes after an upgrade cannot be told apart: whoever upgrades can write.
    const use = offer === null ? useOfMethod(head.method) : 'write';
    const wish: Wish = { segment: request.segment, use, headers: head.headers };
    try {
      if (this.#closing !== null) throw new AppError('shutting_down');
      const session = this.#findFor(exchange, wish);
      // A body would be taken for bytes of the new protocol.
      if (offer !== null && head.hasBody) {
        throw new AppError('invalid_request', { message: 'An upgrade cannot have a body' });
      }
      const admitted = this.#admission.ready(session);
      if (admitted === null) void this.#hold(exchange, wish, session, offer);
      else this.#forward(exchange, wish, admitted, offer);
    } catch (error) {
      this.#refuse(exchange, error);
    }
  }

  recheck(): void {
    for (const one of [...this.#upstreams.active()]) {
      if (one.endless && !this.#admission.stillAllows(one.wish)) one.cancel('session-ended');
    }
  }

  close(graceMs: number): Promise<void> {
    this.#closing ??= this.#drain(graceMs);
    return this.#closing;
  }

  #forward(exchange: Exchange, wish: Wish, admitted: Admitted, offer: string | null): void {
    const upstream = this.#upstreams.of(admitted.session, admitted.endpoint);
    if (upstream.active.size >= this.#maxPerSession) {
      throw new AppError('session_overloaded', { retryAfterSeconds: RETRY_AFTER_SECONDS });
    }
    new Relay(this.#services, exchange, wish, admitted, upstream, offer).start();
  }

  async #hold(exchange: Exchange, wish: Wish, session: SessionRoute, offer: string | null): Promise<void> {
    const held = new HeldRequest(wish);
    exchange.request.connection.attach(held);
    this.#held.add(held);
    try {
      const admitted = await this.#admission.untilReady(session, held.wait);
      if (held.ended !== null) return;
      // Keys and shares may have ended during the wait.
      this.#findFor(exchange, wish);
      this.#forward(exchange, wish, admitted, offer);
    } catch (error) {
      if (held.ended === null) this.#refuse(exchange, error);
      if (held.ended === 'client-gone') this.#services.observer.ended(exchange.record);
      if (held.ended === 'shutdown') this.#refuse(exchange, new AppError('shutting_down'));
    } finally {
      this.#held.delete(held);
    }
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

  /** An answer of the data plane itself has been given. */
  #answered(record: RequestRecord, status: number): void {
    record.status = status;
    record.complete = true;
    this.#services.observer.ended(record);
  }

  #originOf({ request, peer }: Exchange): RequestOrigin {
    const address = peer.trusted
      ? this.#trustedProxies.clientOf(peer.address, request.head.headers)
      : peer.address;
    return { address, requestId: request.requestId };
  }

  /** What nobody foresaw is logged with its stack and answered without details (DF-53). */
  #refuse({ request, cors, record }: Exchange, error: unknown): void {
    const { connection, requestId } = request;
    let refusal = error;
    if (!(refusal instanceof AppError)) {
      this.#log.error({ err: error, requestId }, 'proxying failed');
      refusal = new AppError('internal', { cause: error });
    }
    if (!(refusal instanceof AppError)) return;
    refuse(connection, refusal, requestId, cors.answer);
    this.#answered(record, ERRORS[refusal.code].status);
  }

  async #drain(graceMs: number): Promise<void> {
    cancelAll(this.#held, 'shutdown');
    for (const one of [...this.#upstreams.active()]) if (one.endless) one.cancel('shutdown');
    const deadline = performance.now() + graceMs;
    while (!this.#upstreams.idle && performance.now() < deadline) await setTimeout(DRAIN_CHECK_MS);
    this.#upstreams.close();
    this.#services.heartbeats.close();
  }
}

/** The protocols offered; an offer of HTTP/2 must be ignored, because its requests would pass unchecked. */
function offerOf(upgrade: string | null): string | null {
  if (upgrade === null) return null;
  return upgrade.split(',').some((protocol) => /^\s*h2c?\s*$/i.test(protocol)) ? null : upgrade;
}
