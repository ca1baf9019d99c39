/** One timer for the earliest of several wishes: whoever is called too early asks again. */
export class Alarm {
  readonly #ring: () => void;
  #timer: NodeJS.Timeout | null = null;
  #at = 0;

  constructor(ring: () => void) {
    this.#ring = ring;
  }

  /** Rings in `ms` milliseconds or earlier; sets no new timer when an earlier one is running. */
  in(ms: number): void {
    const at = performance.now() + ms;
    if (this.#timer !== null && this.#at <= at) return;
    this.clear();
    this.#at = at;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#ring();
    }, Math.ceil(ms));
  }

  clear(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
