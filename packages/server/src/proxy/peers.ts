import type { TrustedProxies } from '../client-address.ts';
import type { ClientConnection } from '../wire/client-connection.ts';

/** The other end of a client connection, as far as it can be believed. */
export interface Peer {
  /** Its address; IPv4 without the IPv6 prefix. */
  readonly address: string;
  /** Whether it is a proxy whose forwarded headers are believed (DF-16). */
  readonly trusted: boolean;
  readonly protocol: 'http' | 'https';
}

/** Knows the peer of every connection that carries proxied requests. */
export class Peers {
  readonly #known = new WeakMap<ClientConnection, Peer>();
  readonly #trusted: TrustedProxies;

  constructor(trustedProxies: TrustedProxies) {
    this.#trusted = trustedProxies;
  }

  /** The peer of this connection; the same object for its whole life. */
  of(connection: ClientConnection): Peer {
    let peer = this.#known.get(connection);
    if (peer === undefined) {
      const { address } = connection;
      peer = { address, trusted: this.#trusted.trusts(address), protocol: 'http' };
      this.#known.set(connection, peer);
    }
    return peer;
  }
}
