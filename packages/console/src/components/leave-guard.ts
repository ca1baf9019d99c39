import { signal, type ReadonlySignal } from '@preact/signals';

/**
 * Keeps people on a page that has something unsaved, until they have said that it may be lost. Made before the router:
 * the browser tells its listeners in the order in which they came, and draws a new page in between.
 */
export class LeaveGuard {
  readonly #asked = signal<(() => void) | null>(null);
  /** Address of the page that is held; `null` while none is. */
  #held: string | null = null;

  constructor() {
    addEventListener('popstate', (event) => {
      const here = this.#held;
      if (here === null || location.href === here) return;
      // The browser has changed the address already. Nobody else learns of it, and the page stays.
      event.stopImmediatePropagation();
      history.pushState(null, '', here);
      this.go(() => history.back());
    });
  }

  /** Going away is wanted, and the answer still to be given; `null` otherwise. */
  get asked(): ReadonlySignal<unknown> {
    return this.#asked;
  }

  /** Goes, or asks first. */
  go(leave: () => void): void {
    if (this.#held === null) leave();
    else this.#asked.value = leave;
  }

  /** Asks from now on whenever somebody wants to go; until the returned function is called. */
  hold(): () => void {
    this.#held = location.href;
    const onUnload = (event: BeforeUnloadEvent): void => event.preventDefault();
    addEventListener('beforeunload', onUnload);
    return () => {
      this.#held = null;
      this.#asked.value = null;
      removeEventListener('beforeunload', onUnload);
    };
  }

  /** The answer: leave. */
  leave(): void {
    const leave = this.#asked.value;
    this.#asked.value = null;
    this.#held = null;
    leave?.();
  }

  /** The answer: stay. */
  stay(): void {
    this.#asked.value = null;
  }
}
