import type { Log } from '../log.ts';

/** How soon another process's change of keys and shares is known, such as one by the command line. */
const REFRESH_MS = 5_000;

/**
 * Keeps something in memory like the store: reads it again on demand and every few seconds. Readings come one after the
 * other, so one that began before a change never hides it; any number of callers shares the next one.
 */
export class Refresher implements AsyncDisposable {
  readonly #read: () => Promise<() => void>;
  readonly #log: Log;
  readonly #what: string;
  /** Changes that no reading has seen so far, oldest first. */
  readonly #unread: (() => void)[] = [];
  #timer: NodeJS.Timeout | null = null;
  #running: Promise<void> | null = null;
  #next: Promise<void> | null = null;
  #failing = false;

  /**
   * @param what - for log lines.
   * @param read - reads the store; what it returns puts into memory what was read.
   */
  constructor(what: string, read: () => Promise<() => void>, log: Log) {
    this.#what = what;
    this.#read = read;
    this.#log = log;
  }

  /** Reads the first time, and from then on. @throws StoreError when the first time fails. */
  async start(): Promise<void> {
    const keep = await this.#read();
    keep();
    this.#timer = setInterval(() => void this.now(), REFRESH_MS).unref();
  }

  /** Reads again, all that is in the store by now; a failure is logged, and what was known before stays. */
  now(): Promise<void> {
    if (this.#next !== null) return this.#next;
    if (this.#running === null) return this.#start();
    // The reading under way may have passed by what the caller has changed.
    this.#next = this.#running.then(() => {
      this.#next = null;
      return this.#start();
    });
    return this.#next;
  }

  /**
   * Makes a change in memory that the store has taken already, and reads again. It holds at once, and also while
   * nothing can be read. Making it twice must have no other effect than once.
   */
  async changed(change: () => void): Promise<void> {
    change();
    this.#unread.push(change);
    await this.now();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    await (this.#next ?? this.#running);
  }

  #start(): Promise<void> {
    const running = this.#readAgain().finally(() => {
      this.#running = null;
    });
    this.#running = running;
    return running;
  }

  async #readAgain(): Promise<void> {
    const seen = this.#unread.length;
    try {
      const keep = await this.#read();
      keep();
      this.#unread.splice(0, seen);
      // What has come while it was read may be missing in it.
      for (const change of this.#unread) change();
      if (this.#failing) this.#log.info(`${this.#what} can be read again`);
      this.#failing = false;
    } catch (error) {
      if (!this.#failing) this.#log.error({ err: error }, `${this.#what} cannot be read; those known stay`);
      this.#failing = true;
    }
  }
}
