import type { Log } from '../log.ts';

/** How soon another process's change of keys and shares is known, such as one by the command line. */
const REFRESH_MS = 5_000;

/**
 * Keeps something in memory like the store: reads it again on demand and every few seconds. Reads come one after the
 * other, so one that began before a change never hides it.
 */
export class Refresher implements AsyncDisposable {
  readonly #load: () => Promise<void>;
  readonly #log: Log;
  readonly #what: string;
  #timer: NodeJS.Timeout | null = null;
  #last: Promise<void> = Promise.resolve();
  #failing = false;

  /** @param what - for log lines. */
  constructor(what: string, load: () => Promise<void>, log: Log) {
    this.#what = what;
    this.#load = load;
    this.#log = log;
  }

  /** Reads the first time, and from then on. @throws StoreError when the first time fails. */
  async start(): Promise<void> {
    await this.#load();
    this.#timer = setInterval(() => void this.now(), REFRESH_MS).unref();
  }

  /** Reads again; a failure is logged, and what was known before stays. */
  async now(): Promise<void> {
    const before = this.#last;
    this.#last = this.#after(before);
    await this.#last;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.#last;
  }

  async #after(before: Promise<void>): Promise<void> {
    await before;
    try {
      await this.#load();
      if (this.#failing) this.#log.info(`${this.#what} can be read again`);
      this.#failing = false;
    } catch (error) {
      if (!this.#failing) this.#log.error({ err: error }, `${this.#what} cannot be read; those known stay`);
      this.#failing = true;
    }
  }
}
