/** Expectations that are passed over after one miss; doubled with each further miss, up to {@link MOST_SKIPPED}. */
const FIRST_SKIPPED = 1;
const MOST_SKIPPED = 64;

/** The clock and the event loop. */
export interface LoopClock {
  /** Milliseconds. */
  readonly now: () => number;
  /** Calls back in the next turn of the event loop, which does not sleep before it. */
  readonly nextTurn: (look: () => void) => void;
}

/**
 * Keeps the event loop awake for a moment in which something is expected. A processor that goes to sleep between a
 * request and its answer takes longer to wake than the rest of the way takes (docs/performance.md), so waiting awake
 * costs less, even in processor time, where the wait is short. Where it is not, hardly anything is spent: each
 * expectation that was not met in time makes the next ones be passed over.
 */
export class BusyPoll {
  readonly #windowMs: number;
  readonly #clock: LoopClock;
  #until = 0;
  #polling = false;
  #skip = 0;
  #nextSkip = FIRST_SKIPPED;

  /** @param windowMs - the longest wait for one expectation; 0 for none */
  constructor(windowMs: number, clock: LoopClock = { now: () => performance.now(), nextTurn: setImmediate }) {
    this.#windowMs = windowMs;
    this.#clock = clock;
  }

  /** Something may come within moments. */
  expect(): void {
    if (this.#windowMs === 0) return;
    if (this.#skip > 0) {
      this.#skip -= 1;
      return;
    }
    this.#until = this.#clock.now() + this.#windowMs;
    if (this.#polling) return;
    this.#polling = true;
    this.#clock.nextTurn(this.#look);
  }

  /** It has come. */
  came(): void {
    if (!this.#polling) return;
    this.#until = Number.NEGATIVE_INFINITY;
    this.#nextSkip = FIRST_SKIPPED;
  }

  readonly #look = (): void => {
    if (this.#clock.now() < this.#until) {
      this.#clock.nextTurn(this.#look);
      return;
    }
    this.#polling = false;
    if (this.#until === Number.NEGATIVE_INFINITY) return;
    this.#skip = this.#nextSkip;
    this.#nextSkip = Math.min(this.#nextSkip * 2, MOST_SKIPPED);
  };
}
