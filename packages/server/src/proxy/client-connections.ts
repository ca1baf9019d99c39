import type { Socket } from 'node:net';
import { plainAddress } from '../client-address.ts';
import type { TrustedProxies } from '../client-address.ts';

/** Something in progress that ends early when its client or its session goes. */
export interface Cancellable {
  /** Whether it has no end of its own: an event stream, an upgraded connection, a wait. */
  readonly endless: boolean;
  /** Ends it; `reason` says who left. Called at most once, and not after it finished by itself. */
  cancel(reason: CancelReason): void;
}

export type CancelReason = 'client-gone' | 'session-ended' | 'shutdown';

/** One connection from a client, with what is true for all of its requests. */
export interface ClientConnection {
  /** Address of the peer; IPv4 without the IPv6 prefix. */
  readonly address: string;
  /** Whether the peer is a proxy whose forwarded headers are believed (DF-16). */
  readonly trusted: boolean;
  readonly protocol: 'http' | 'https';
  /** What ends with this connection. */
  readonly active: Set<Cancellable>;
}

/**
 * Knows every client connection that carries proxied requests. One listener a connection, instead of
 * some for each request, tells its requests that the client has gone.
 */
export class ClientConnections {
  readonly #known = new WeakMap<Socket, ClientConnection>();
  readonly #trusted: TrustedProxies;

  constructor(trustedProxies: TrustedProxies) {
    this.#trusted = trustedProxies;
  }

  /** The connection of this socket; the same object for its whole life. */
  of(socket: Socket): ClientConnection {
    const known = this.#known.get(socket);
    if (known !== undefined) return known;
    const address = plainAddress(socket.remoteAddress);
    const connection: ClientConnection = {
      address,
      trusted: this.#trusted.trusts(address),
      protocol: 'encrypted' in socket ? 'https' : 'http',
      active: new Set(),
    };
    this.#known.set(socket, connection);
    socket.once('close', () => cancelAll(connection.active, 'client-gone'));
    return connection;
  }
}

/** Cancels everything in a set, which is empty afterwards. */
export function cancelAll(active: Set<Cancellable>, reason: CancelReason): void {
  for (const one of active) {
    active.delete(one);
    one.cancel(reason);
  }
}
