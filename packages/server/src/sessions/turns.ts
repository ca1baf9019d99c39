/** Lets one caller at a time work on the same thing; others wait for their turn. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Runs `work` when everybody who came before for `key` has finished, however that was. */
  async take<Result>(key: string, work: () => Promise<Result>): Promise<Result> {
    const before = this.#last.get(key) ?? Promise.resolve();
    const now = before.then(work, work);
    this.#last.set(key, now);
    try {
      return await now;
    } finally {
      if (this.#last.get(key) === now) this.#last.delete(key);
    }
  }

  /** Resolves when everybody who has come so far for `key` has finished. */
  async done(key: string): Promise<void> {
    for (let last = this.#last.get(key); last !== undefined; last = this.#last.get(key)) {
      await last.catch(() => undefined);
    }
  }

  /** Resolves when everybody who has come so far has finished. */
  async allDone(): Promise<void> {
    await Promise.allSettled(this.#last.values());
  }
}
