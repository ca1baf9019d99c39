import { isIPv6 } from 'node:net';

/** Failures are counted over this time; whoever had too many waits for its end. */
const WINDOW_MS = 60_000;

/** Addresses and known callers that are remembered; the oldest are forgotten first. */
const MOST_REMEMBERED = 10_000;

interface Failures {
  count: number;
  /** Milliseconds since 1970. */
  readonly until: number;
}

/**
 * Slows down whoever tries keys. Only wrong credentials count, not missing ones. An address that sent too many has
 * no key examined for the rest of the minute, except those that have worked from there before: clients that are at
 * work do not notice somebody who guesses behind the same address.
 */
export class AttemptLimiter {
  readonly #limit: number;
  readonly #failures = new Map<string, Failures>();
  readonly #known = new Set<string>();

  /** `limit`: failures within a minute that one address may have; `Infinity` = any number. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * Seconds until credentials from this address are examined again; 0 = now.
   * @param now milliseconds since 1970.
   */
  waitSeconds(address: string, now: number): number {
    const failures = this.#failures.get(groupOf(address));
    if (failures === undefined || failures.until <= now || failures.count < this.#limit) return 0;
    return Math.max(1, Math.ceil((failures.until - now) / 1000));
  }

  /** Counts a wrong credential. @param now milliseconds since 1970. */
  failed(address: string, now: number): void {
    const group = groupOf(address);
    const failures = this.#failures.get(group);
    if (failures !== undefined && failures.until > now) {
      failures.count += 1;
      return;
    }
    this.#failures.delete(group);
    this.#failures.set(group, { count: 1, until: now + WINDOW_MS });
    forgetOldest(this.#failures);
  }

  /** Remembers that a credential works from this address. */
  succeeded(address: string, digest: Buffer): void {
    const caller = callerOf(address, digest);
    if (this.#known.has(caller)) return;
    this.#known.add(caller);
    forgetOldest(this.#known);
  }

  /** Whether a credential has worked from this address before. */
  isKnown(address: string, digest: Buffer): boolean {
    return this.#known.has(callerOf(address, digest));
  }
}

function callerOf(address: string, digest: Buffer): string {
  return `${digest.toString('latin1')}${address}`;
}

function forgetOldest(remembered: Map<string, unknown> | Set<string>): void {
  if (remembered.size <= MOST_REMEMBERED) return;
  for (const oldest of remembered.keys()) {
    remembered.delete(oldest);
    return;
  }
}

/** One subscriber has at least all IPv6 addresses that begin with the same 64 bits. */
function groupOf(address: string): string {
  if (!isIPv6(address)) return address;
  const [head = '', tail] = address.toLowerCase().split('%', 1).join('').split('::');
  const first = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? [] : Array.from({ length: 8 - first.length - last.length }, () => '0');
  return [...first, ...zeros, ...last]
    .slice(0, 4)
    .map((part) => Number.parseInt(part, 16).toString(16))
    .join(':');
}
