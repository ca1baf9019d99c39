import { InvalidArgumentError, TimeoutError } from './errors.ts';

/** Longest delay a timer takes; anything above means "no limit". */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Refuses time limits that are not positive; `Infinity` is "no limit". */
export function checkTimeout(name: string, timeoutMs: number): number {
  if (!(timeoutMs > 0)) throw new InvalidArgumentError(`${name} must be a positive number of milliseconds`);
  return timeoutMs;
}

/**
 * The caller's signal and a time limit in one signal. The owner calls `close()` when the work is done, so that
 * neither timer nor listener outlives it. (`AbortSignal.any` is too young for some browsers.)
 */
export class Deadline {
  readonly signal: AbortSignal;
  readonly #controller = new AbortController();
  readonly #endsAt: number;
  readonly #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #outer: AbortSignal | undefined;
  readonly #onOuterAbort = () => this.#controller.abort(this.#outer?.reason);

  /** `what` names the work in the {@link TimeoutError} that the signal carries when the limit passes. */
  constructor(what: string, timeoutMs: number, outer?: AbortSignal) {
    this.signal = this.#controller.signal;
    this.#endsAt = performance.now() + timeoutMs;
    this.#outer = outer;
    if (outer?.aborted === true) {
      this.#controller.abort(outer.reason);
      return;
    }
    outer?.addEventListener('abort', this.#onOuterAbort, { once: true });
    if (timeoutMs <= MAX_TIMER_MS) {
      this.#timer = setTimeout(() => this.#controller.abort(new TimeoutError(what, timeoutMs)), timeoutMs);
    }
  }

  /** Milliseconds until the limit; never negative. */
  remainingMs(): number {
    return Math.max(0, this.#endsAt - performance.now());
  }

  /** Ends the work from inside, with this reason. */
  abort(reason: unknown): void {
    this.#controller.abort(reason);
  }

  /** Drops timer and listener. */
  close(): void {
    clearTimeout(this.#timer);
    this.#outer?.removeEventListener('abort', this.#onOuterAbort);
  }
}

/** Waits; rejects with the signal's reason when that aborts first. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

/** Settles like the promise, but rejects with the signal's reason as soon as that aborts. */
export function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    void promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
