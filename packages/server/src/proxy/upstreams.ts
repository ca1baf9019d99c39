import type { Endpoint, SessionRoute } from '../sessions/session.ts';
import { cancelAll } from './cancellable.ts';
import type { Cancellable, CancelReason } from './cancellable.ts';
import { ReadBuffers } from './relay/read-buffers.ts';
import { UpstreamConnection } from './relay/upstream-connection.ts';
import type { ConnectionKeeper } from './relay/upstream-connection.ts';

/** The agent server listens on loopback: a connection that takes longer will not come. */
const CONNECT_TIMEOUT_MS = 5_000;

/** Idle connections kept for one session; more come and go with the load. */
const MAX_IDLE_CONNECTIONS = 1_024;

/**
 * How long an unused connection is kept when the agent server does not say. Shorter than the 5 s after
 * which Node's server closes, so a request never meets a closing connection.
 */
const KEEP_ALIVE_MS = 4_000;

/** So much earlier than the agent server announced is an unused connection given up. */
const KEEP_ALIVE_MARGIN_MS = 1_000;

/** How often connections beyond their limits are looked for: one timer for all of them. */
const CHECK_MS = 250;

/**
 * The connections to one session's agent server. Each exchange has a connection of its own, so a stream that
 * never ends holds up nobody (PX-158); connections are used again, the most recent first (PX-234).
 */
export class Upstream implements ConnectionKeeper {
  readonly endpoint: Endpoint;
  /** What ends with the session. */
  readonly active = new Set<Cancellable>();
  readonly #buffers: ReadBuffers;
  readonly #idle: UpstreamConnection[] = [];
  readonly #connections = new Set<UpstreamConnection>();
  #closed = false;

  constructor(endpoint: Endpoint, buffers: ReadBuffers) {
    this.endpoint = endpoint;
    this.#buffers = buffers;
  }

  /** A connection for one exchange. It comes back by itself, or is destroyed. */
  acquire(): UpstreamConnection {
    return this.#idle.pop() ?? this.fresh();
  }

  /** A connection that was never used; for one that may change its protocol `shared` is `false`. */
  fresh(shared = true): UpstreamConnection {
    const connection = new UpstreamConnection(this.endpoint.port, this, shared ? this.#buffers : null);
    this.#connections.add(connection);
    return connection;
  }

  onFree(connection: UpstreamConnection): void {
    if (this.#closed || this.#idle.length >= MAX_IDLE_CONNECTIONS) connection.destroy();
    else this.#idle.push(connection);
  }

  onUnusable(connection: UpstreamConnection): void {
    this.#connections.delete(connection);
    if (connection.phase !== 'idle') return;
    const at = this.#idle.indexOf(connection);
    if (at !== -1) this.#idle.splice(at, 1);
  }

  /** Gives up connections that have waited too long for something. `answerMs` = 0: an answer may take any time. */
  check(now: number, answerMs: number): void {
    for (const connection of this.#connections) {
      const waited = now - connection.since;
      switch (connection.phase) {
        case 'connecting':
          if (waited > CONNECT_TIMEOUT_MS) connection.timeOut('ETIMEDOUT');
          break;
        case 'waiting':
          if (answerMs > 0 && connection.asked && waited > answerMs) connection.timeOut('EANSWERTIMEOUT');
          break;
        case 'idle':
          if (waited > idleMsOf(connection)) connection.destroy();
          break;
        case 'answering':
      }
    }
  }

  /** Ends everything that uses this session. */
  close(reason: CancelReason): void {
    this.#closed = true;
    cancelAll(this.active, reason);
    for (const connection of [...this.#connections]) connection.destroy();
  }
}

function idleMsOf({ keepAliveSeconds }: UpstreamConnection): number {
  return Math.min(KEEP_ALIVE_MS, Math.max(0, keepAliveSeconds * 1_000 - KEEP_ALIVE_MARGIN_MS));
}

/** The agent servers in use. Sessions come with their first request and go when they end. */
export class Upstreams {
  /** Where everything is read that agent servers send. */
  readonly #buffers = new ReadBuffers();
  readonly #bySession = new Map<string, Upstream>();
  readonly #answerMs: number;
  #timer: NodeJS.Timeout | null = null;

  /** `answerMs`: how long an agent server may take to begin an answer to a whole request; 0 means any time. */
  constructor(answerMs: number) {
    this.#answerMs = answerMs;
  }

  /** The connections to this endpoint of a session that has not ended. */
  of(session: SessionRoute, endpoint: Endpoint): Upstream {
    const known = this.#bySession.get(session.id);
    if (
      known !== undefined &&
      known.endpoint.port === endpoint.port &&
      known.endpoint.token === endpoint.token
    ) {
      return known;
    }
    // The agent server was started again: nothing of the former one is of use.
    known?.close('session-ended');
    const upstream = new Upstream(endpoint, this.#buffers);
    this.#bySession.set(session.id, upstream);
    this.#timer ??= setInterval(() => this.#check(), CHECK_MS).unref();
    session.ended.addEventListener(
      'abort',
      () => {
        upstream.close('session-ended');
        if (this.#bySession.get(session.id) === upstream) this.#bySession.delete(session.id);
      },
      { once: true },
    );
    return upstream;
  }

  /** Everything in progress. */
  *active(): Generator<Cancellable> {
    for (const upstream of this.#bySession.values()) yield* upstream.active;
  }

  /** Whether nothing is in progress. */
  get idle(): boolean {
    for (const upstream of this.#bySession.values()) if (upstream.active.size > 0) return false;
    return true;
  }

  /** Ends everything. */
  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    const upstreams = [...this.#bySession.values()];
    this.#bySession.clear();
    for (const upstream of upstreams) upstream.close('shutdown');
  }

  #check(): void {
    const now = performance.now();
    for (const upstream of this.#bySession.values()) upstream.check(now, this.#answerMs);
    if (this.#bySession.size === 0 && this.#timer !== null) {
      clearInterval(this.#timer);
      this.#timer = null;
    }
  }
}
