import type { IncomingHttpHeaders } from 'node:http';
import { BlockList, isIP, isIPv6 } from 'node:net';

/** The proxies whose statements about their clients are believed (DF-16). */
export class TrustedProxies {
  readonly #ranges: BlockList | null;

  /** Addresses and ranges such as `10.0.0.0/8`. */
  constructor(ranges: readonly string[]) {
    this.#ranges = ranges.length === 0 ? null : rangesOf(ranges);
  }

  /** Whether there is a trusted proxy at this address. */
  trusts(address: string): boolean {
    return this.#ranges?.check(address, isIPv6(address) ? 'ipv6' : 'ipv4') ?? false;
  }

  /**
   * The address that a request comes from: the peer's, or behind trusted proxies the last one in `X-Forwarded-For`
   * that is not a proxy of these. Anybody can write what stands before it.
   * @param peer the socket's `remoteAddress`.
   */
  clientOf(peer: string | undefined, headers: IncomingHttpHeaders): string {
    let client = plainAddress(peer);
    if (this.#ranges === null || !this.trusts(client)) return client;
    const forwarded = [headers['x-forwarded-for'] ?? []].flat().join(',').split(',').toReversed();
    for (const each of forwarded) {
      const address = plainAddress(each.trim().replace(/^\[(.*)\]$/, '$1'));
      if (isIP(address) === 0) return client;
      client = address;
      if (!this.trusts(client)) return client;
    }
    return client;
  }
}

/** An address without the prefix that IPv4 has on a socket for both; empty when there is none. */
export function plainAddress(address: string | undefined): string {
  return (address ?? '').replace(/^::ffff:(?=\d+\.)/i, '');
}

function rangesOf(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', prefix] = range.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    if (prefix === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(prefix), family);
  }
  return list;
}
