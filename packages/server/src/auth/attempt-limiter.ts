import { isIPv6 } from 'node:net';

/** Failures are counted over this time; whoever had too many waits for its end. */
const WINDOW_MS = 60_000;

/** Addresses that are remembered; the oldest are forgotten first. */
const MOST_REMEMBERED = 10_000;

interface Failures {
  count: number;
  /** Like what the limiter is given for now. */
  readonly until: number;
}

/**
 * Counts wrong credentials by address; missing ones do not count. It spares the server, its log and its audit log the
 * work of an endless stream of them. What keeps keys from being guessed are their 128 random bits, so a right one is
 * let in always: whoever sends wrong keys cannot lock out others behind the same address.
 */
export class AttemptLimiter {
  readonly #limit: number;
  readonly #failures = new Map<string, Failures>();

  /** `limit`: failures within a minute that one address may have; `Infinity` = any number. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * Seconds until this address may be wrong again; 0 = now.
   * @param now milliseconds of a clock that nobody sets, such as `performance.now()`; so everywhere here.
   */
  waitSeconds(address: string, now: number): number {
    const failures = this.#failures.get(groupOf(address));
    if (failures === undefined || failures.until <= now || failures.count < this.#limit) return 0;
    return Math.max(1, Math.ceil((failures.until - now) / 1000));
  }

  /** How many addresses must wait. */
  countLimited(now: number): number {
    let limited = 0;
    for (const { count, until } of this.#failures.values()) {
      if (until > now && count >= this.#limit) limited += 1;
    }
    return limited;
  }

  /** Counts a wrong credential. */
  failed(address: string, now: number): void {
    const group = groupOf(address);
    const failures = this.#failures.get(group);
    if (failures !== undefined && failures.until > now) {
      failures.count += 1;
      return;
    }
    this.#failures.delete(group);
    this.#failures.set(group, { count: 1, until: now + WINDOW_MS });
    if (this.#failures.size <= MOST_REMEMBERED) return;
    for (const oldest of this.#failures.keys()) {
      this.#failures.delete(oldest);
      return;
    }
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
