/** Lets one holder at a time have each key; others wait in order, and may give up. */
export class KeyedLock {
  readonly #last = new Map<string, Promise<void>>();

  /** Whether somebody holds the key or waits for it. */
  isHeld(key: string): boolean {
    return this.#last.has(key);
  }

  /**
   * Runs `work` with the key held.
   * @throws the abort reason of `signal` when it aborts before the key is free; whatever `work` throws.
   */
  async hold<Result>(key: string, signal: AbortSignal, work: () => Promise<Result>): Promise<Result> {
    const before = this.#last.get(key) ?? Promise.resolve();
    let release: () => void = () => undefined;
    const done = new Promise<void>((resolve) => {
      release = resolve;
    });
    // Whoever gives up waiting still keeps the order: those behind wait for those before.
    const last = before.then(async () => done);
    this.#last.set(key, last);
    try {
      await settledOrAborted(before, signal);
      return await work();
    } finally {
      release();
      void this.#forget(key, last);
    }
  }

  /** Forgets a key that nobody else has come for meanwhile. */
  async #forget(key: string, last: Promise<void>): Promise<void> {
    await last;
    if (this.#last.get(key) === last) this.#last.delete(key);
  }
}

async function settledOrAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  let stop: () => void = () => undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    stop = () => reject(signal.reason instanceof Error ? signal.reason : new Error('The wait was aborted'));
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
  try {
    await Promise.race([aborted, promise]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
