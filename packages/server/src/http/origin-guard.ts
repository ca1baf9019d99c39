import type { IncomingHttpHeaders } from 'node:http';
import { isIPv4, isIPv6 } from 'node:net';
import type { Cors } from '../cors.ts';
import { AppError } from '../errors.ts';

/** What the check of `Host` and `Origin` allows besides loopback. */
export interface OriginGuardOptions {
  /** Address or name the server was told to bind; counts as a host name unless it means every address. */
  readonly host: string;
  /** Further host names and addresses, without port; `*` allows all. */
  readonly allowedHosts: readonly string[];
  /** Knows the web origins the operator named. */
  readonly cors: Cors;
}

/**
 * Protects a server without authentication from web pages (DF-18, PX-227). A page of another origin is
 * known by `Origin`; one that pointed its own name at this machine (DNS rebinding) is known by `Host`.
 */
export class OriginGuard {
  readonly #hosts: ReadonlySet<string>;
  readonly #cors: Cors;
  /** `Host` values that are fine on every connection: reading one costs more than all the rest of the check. */
  readonly #knownAuthorities = new Set<string>();

  constructor(options: OriginGuardOptions) {
    const hosts = options.allowedHosts.map(canonicalHost);
    if (!EVERY_ADDRESS.has(options.host)) hosts.push(canonicalHost(options.host));
    this.#hosts = new Set(hosts);
    this.#cors = options.cors;
  }

  /**
   * The refusal of a request with these headers, or `null`.
   * @param localAddress the literal address on which its connection arrived.
   */
  check({ host: authority, origin }: IncomingHttpHeaders, localAddress: string | undefined): AppError | null {
    if (authority === undefined || !this.#allowsHost(authority, localAddress)) {
      return new AppError('host_not_allowed', {
        message: 'Host not allowed: use a loopback name, or add the name to allowed_hosts',
      });
    }
    if (origin === undefined || this.#allowsOrigin(origin, authority)) return null;
    return new AppError('origin_not_allowed', {
      message: 'Origin not allowed: add it to cors.allowed_origins, or turn on authentication',
    });
  }

  #allowsHost(authority: string, localAddress: string | undefined): boolean {
    if (this.#knownAuthorities.has(authority) || this.#hosts.has('*')) return true;
    const host = hostOf(authority);
    if (host === null) return false;
    if (isLoopback(host) || this.#hosts.has(host)) {
      if (this.#knownAuthorities.size < MAX_KNOWN_AUTHORITIES) this.#knownAuthorities.add(authority);
      return true;
    }
    // A name can be pointed anywhere; the literal address on which this connection arrived cannot.
    return host === canonicalHost(unmapped(localAddress ?? ''));
  }

  #allowsOrigin(origin: string, authority: string): boolean {
    if (this.#cors.names(origin)) return true;
    // `null` is what sandboxed frames, data: and file: pages send: anybody can make one.
    const match = /^https?:\/\/([^/?#]+)$/i.exec(origin);
    const originAuthority = match?.[1];
    if (originAuthority === undefined) return false;
    const host = hostOf(originAuthority);
    if (host !== null && isLoopback(host)) return true;
    // The page came from this server, under a name that #allowsHost accepted.
    return !this.#hosts.has('*') && originAuthority.toLowerCase() === authority.toLowerCase();
  }
}

/** Names ending in `.localhost` are without number. */
const MAX_KNOWN_AUTHORITIES = 64;

const EVERY_ADDRESS: ReadonlySet<string> = new Set(['0.0.0.0', '::', '[::]', '']);

/** The host of `host:port` in lower case, IPv6 without brackets; `null` when it is malformed. */
export function hostOf(authority: string): string | null {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:[\]@/\\\s]+))(?::\d{1,5})?$/i.exec(authority);
  const host = match?.[1] ?? match?.[2];
  return host === undefined ? null : canonicalHost(host);
}

/** Whether a canonical host is this machine under a name or address that nobody else can claim (RFC 6761). */
export function isLoopback(host: string): boolean {
  if (host === 'localhost' || host.endsWith('.localhost') || host === '::1') return true;
  return isIPv4(host) && host.startsWith('127.');
}

function canonicalHost(host: string): string {
  const lower = host.toLowerCase().replace(/^\[(.*)\]$/, '$1');
  if (isIPv6(lower)) return new URL(`http://[${lower}]`).hostname.slice(1, -1);
  // `name.` and `name` are the same host.
  return lower.endsWith('.') ? lower.slice(0, -1) : lower;
}

function unmapped(address: string): string {
  return address.startsWith('::ffff:') && isIPv4(address.slice(7)) ? address.slice(7) : address;
}
