/** How often the delay of the event loop is measured. */
const MEASURE_MS = 100;

/**
 * Watches how late timers come: work that waits in the process delays everything, health checks included. While it is
 * later than the limit twice running, requests for sessions should be refused and the rest kept quick.
 */
export class LoopWatch implements Disposable {
  readonly #limitMs: number;
  readonly #timer: NodeJS.Timeout;
  #expected: number;
  #late = 0;

  /** `limitMs` = `Infinity`: never overloaded. */
  constructor(limitMs: number) {
    this.#limitMs = limitMs;
    this.#expected = performance.now() + MEASURE_MS;
    this.#timer = setInterval(() => this.#measure(), MEASURE_MS).unref();
  }

  get overloaded(): boolean {
    return this.#late > 1;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #measure(): void {
    const now = performance.now();
    this.#late = now - this.#expected > this.#limitMs ? this.#late + 1 : 0;
    this.#expected = now + MEASURE_MS;
  }
}
