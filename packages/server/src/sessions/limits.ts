import { AppError } from '../errors.ts';

export interface SessionLimits {
  /** Most live sessions of one owner. */
  readonly perUser: number;
  /** Most live sessions in all. */
  readonly total: number;
  /** Most starts of one owner within a minute. */
  readonly startsPerMinute: number;
}

const MINUTE_MS = 60_000;

/** What a client that met the limit of live sessions is asked to wait: sessions end at no known time. */
const BUSY_RETRY_SECONDS = 10;

/** Counts live sessions and recent starts, and refuses what is over the limits (PX-092, DF-21). */
export class StartLimiter {
  readonly #limits: SessionLimits;
  readonly #live = new Map<string, number>();
  readonly #recentStarts = new Map<string, number[]>();
  #total = 0;

  constructor(limits: SessionLimits) {
    this.#limits = limits;
  }

  /**
   * Takes one place for a live session of `ownerId`.
   * @param now - milliseconds of a clock that nobody sets.
   * @returns gives the place back; calling it again has no effect.
   * @throws AppError `too_many_sessions` or `too_many_starts`, with the seconds to wait.
   */
  admit(ownerId: string, now: number = performance.now()): () => void {
    const live = this.#live.get(ownerId) ?? 0;
    if (this.#total >= this.#limits.total) {
      throw new AppError('too_many_sessions', {
        message: `The server already runs ${this.#total} sessions, its limit; end one or try again later`,
        retryAfterSeconds: BUSY_RETRY_SECONDS,
      });
    }
    if (live >= this.#limits.perUser) {
      throw new AppError('too_many_sessions', {
        message: `You already run ${live} sessions, the limit for one user; end one or try again later`,
        retryAfterSeconds: BUSY_RETRY_SECONDS,
      });
    }
    this.#countStart(ownerId, now);
    return this.restore(ownerId);
  }

  /** Takes one place for a session that lives already, whatever the limits say; otherwise like {@link admit}. */
  restore(ownerId: string): () => void {
    this.#total += 1;
    this.#live.set(ownerId, (this.#live.get(ownerId) ?? 0) + 1);
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#total -= 1;
      const left = (this.#live.get(ownerId) ?? 1) - 1;
      if (left === 0) this.#live.delete(ownerId);
      else this.#live.set(ownerId, left);
    };
  }

  #countStart(ownerId: string, now: number): void {
    for (const [owner, starts] of this.#recentStarts) {
      const recent = starts.filter((at) => now - at < MINUTE_MS);
      if (recent.length === 0) this.#recentStarts.delete(owner);
      else if (recent.length < starts.length) this.#recentStarts.set(owner, recent);
    }
    const starts = this.#recentStarts.get(ownerId) ?? [];
    const oldest = starts[0];
    if (starts.length >= this.#limits.startsPerMinute && oldest !== undefined) {
      throw new AppError('too_many_starts', {
        message: `You started ${starts.length} sessions within a minute, the limit for one user`,
        retryAfterSeconds: Math.max(1, Math.ceil((oldest + MINUTE_MS - now) / 1000)),
      });
    }
    starts.push(now);
    this.#recentStarts.set(ownerId, starts);
  }
}
