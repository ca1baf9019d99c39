import { signal, type ReadonlySignal } from '@preact/signals';

/** Keeps people on a page that has something unsaved, until they have said that it may be lost. */
export class LeaveGuard {
  readonly #asked = signal<(() => void) | null>(null);
  #isHolding = false;

  /** Going away is wanted, and the answer still to be given; `null` otherwise. */
  get asked(): ReadonlySignal<unknown> {
    return this.#asked;
  }

  /** Goes, or asks first. */
  go(leave: () => void): void {
    if (this.#isHolding) this.#asked.value = leave;
    else leave();
  }

  /** Asks from now on whenever somebody wants to go; until the returned function is called. */
  hold(): () => void {
    this.#isHolding = true;
    const here = location.href;
    const onUnload = (event: BeforeUnloadEvent): void => event.preventDefault();
    const onHistory = (event: PopStateEvent): void => {
      if (!this.#isHolding || location.href === here) return;
      // The browser has changed the address already. Nobody else learns of it, and the page stays.
      event.stopImmediatePropagation();
      history.pushState(null, '', here);
      this.go(() => history.back());
    };
    addEventListener('beforeunload', onUnload);
    addEventListener('popstate', onHistory, { capture: true });
    return () => {
      this.#isHolding = false;
      this.#asked.value = null;
      removeEventListener('beforeunload', onUnload);
      removeEventListener('popstate', onHistory, { capture: true });
    };
  }

  /** The answer: leave. */
  leave(): void {
    const leave = this.#asked.value;
    this.#asked.value = null;
    this.#isHolding = false;
    leave?.();
  }

  /** The answer: stay. */
  stay(): void {
    this.#asked.value = null;
  }
}
