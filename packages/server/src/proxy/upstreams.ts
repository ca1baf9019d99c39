import { Client } from 'undici';
import type { Endpoint, SessionRoute } from '../sessions/session.ts';
import { cancelAll } from './client-connections.ts';
import type { Cancellable, CancelReason } from './client-connections.ts';

/** The agent server listens on loopback: a connection that takes longer will not come. */
export const CONNECT_TIMEOUT_MS = 5_000;

/** Idle connections kept for one session; more come and go with the load. */
const MAX_IDLE_CONNECTIONS = 128;

/**
 * How long an unused connection is kept when the agent server does not say. Shorter than the 5 s after
 * which Node's server closes, so a request never meets a closing connection.
 */
const KEEP_ALIVE_MS = 4_000;

const NOT_NEEDED = new Error('the connection to the agent server is not needed any more');

/** Largest head of an answer; agent servers send far less. */
const MAX_ANSWER_HEADER_BYTES = 64 * 1024;

/** A connection to an agent server that serves one exchange at a time. */
export interface Lease {
  readonly client: Client;
  /** Exchanges on this connection so far; more than 0 means that it may have gone stale. */
  uses: number;
}

/**
 * The connections to one session's agent server. Each exchange has a connection of its own, so a stream that
 * never ends holds up nobody (PX-158); connections are used again, the most recent first (PX-234).
 */
export class Upstream {
  readonly endpoint: Endpoint;
  /** What ends with the session. */
  readonly active = new Set<Cancellable>();
  readonly #origin: string;
  readonly #headersTimeoutMs: number;
  readonly #idle: Lease[] = [];
  readonly #leases = new Set<Lease>();
  #closed = false;

  constructor(endpoint: Endpoint, headersTimeoutMs: number) {
    this.endpoint = endpoint;
    this.#origin = `http://127.0.0.1:${endpoint.port}`;
    this.#headersTimeoutMs = headersTimeoutMs;
  }

  /** A connection for one exchange; hand it back with {@link release} or {@link discard}. */
  acquire(): Lease {
    return this.#idle.pop() ?? this.fresh();
  }

  /** A connection that was never used. */
  fresh(): Lease {
    const client = new Client(this.#origin, {
      connect: { timeout: CONNECT_TIMEOUT_MS },
      keepAliveTimeout: KEEP_ALIVE_MS,
      maxHeaderSize: MAX_ANSWER_HEADER_BYTES,
      // An agent may think for many minutes before and within an answer.
      headersTimeout: this.#headersTimeoutMs,
      bodyTimeout: 0,
    });
    const lease: Lease = { client, uses: 0 };
    this.#leases.add(lease);
    client.on('disconnect', () => {
      const at = this.#idle.indexOf(lease);
      if (at !== -1) this.#idle.splice(at, 1);
      if (at !== -1) this.discard(lease);
    });
    return lease;
  }

  /** The exchange went well: the connection can serve another one. */
  release(lease: Lease): void {
    if (this.#closed || this.#idle.length >= MAX_IDLE_CONNECTIONS) {
      this.discard(lease);
      return;
    }
    lease.uses += 1;
    this.#idle.push(lease);
  }

  /** Ends the connection, and with it the exchange if there is one. */
  discard(lease: Lease): void {
    if (this.#leases.delete(lease)) lease.client.destroy(NOT_NEEDED, () => {});
  }

  /** Ends everything that uses this session; resolves when no connection is left. */
  async close(reason: CancelReason): Promise<void> {
    this.#closed = true;
    const leases = [...this.#leases];
    cancelAll(this.active, reason);
    for (const lease of leases) this.discard(lease);
    this.#idle.length = 0;
    await Promise.all(leases.map(({ client }) => client.destroy()));
  }
}

/** The agent servers in use. Sessions come with their first request and go when they end. */
export class Upstreams {
  readonly #bySession = new Map<string, Upstream>();
  readonly #headersTimeoutMs: number;

  /** `headersTimeoutMs`: how long an agent server may take to begin an answer; 0 means any time. */
  constructor(headersTimeoutMs: number) {
    this.#headersTimeoutMs = headersTimeoutMs;
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
    void known?.close('session-ended');
    const upstream = new Upstream(endpoint, this.#headersTimeoutMs);
    this.#bySession.set(session.id, upstream);
    session.ended.addEventListener(
      'abort',
      () => {
        void upstream.close('session-ended');
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

  /** Ends everything; resolves when no connection is left. */
  async close(): Promise<void> {
    const upstreams = [...this.#bySession.values()];
    this.#bySession.clear();
    await Promise.all(upstreams.map((upstream) => upstream.close('shutdown')));
  }
}
