import { signal, type ReadonlySignal } from '@preact/signals';

/** Nearer to the end than this counts as the end, in pixels. */
const END_ZONE = 48;

interface Anchor {
  readonly element: Element;
  /** From the upper edge of the view. */
  readonly top: number;
}

/**
 * Keeps a growing conversation still for whoever reads it: at the end it follows, elsewhere the line at the upper edge stays
 * where it is, whatever is added or changes its height above or below. Browsers do the second for themselves, but not
 * all of them, and not at the very top, where older messages appear.
 */
export class ScrollKeeper {
  readonly #follows = signal(true);
  #scroller: HTMLElement | null = null;
  #content: HTMLElement | null = null;
  #anchor: Anchor | undefined;
  #lastTop = 0;

  /** Whether the end is in view. */
  readonly follows: ReadonlySignal<boolean> = this.#follows;

  /** Looks after a scroller until the returned function is called. */
  attach(scroller: HTMLElement, content: HTMLElement): () => void {
    this.#scroller = scroller;
    this.#content = content;
    const observer = new ResizeObserver(() => this.#settle());
    observer.observe(scroller);
    observer.observe(content);
    const onScroll = (): void => this.#scrolled();
    scroller.addEventListener('scroll', onScroll, { passive: true });
    this.#settle();
    return () => {
      observer.disconnect();
      scroller.removeEventListener('scroll', onScroll);
      this.#scroller = null;
      this.#content = null;
    };
  }

  /** Goes to the end, and follows from there on. */
  toEnd(): void {
    this.#follows.value = true;
    if (this.#scroller !== null) this.#lastTop = this.#scroller.scrollTop;
    this.#settle();
  }

  #scrolled(): void {
    const scroller = this.#scroller;
    if (scroller === null) return;
    const { scrollTop } = scroller;
    if (this.#distance(scroller) <= END_ZONE) this.#follows.value = true;
    // What was added below moves the end away too; only who goes up leaves it.
    else if (scrollTop < this.#lastTop - 1) this.#follows.value = false;
    this.#lastTop = scrollTop;
    this.#anchor = this.#firstInView(scroller);
  }

  #settle(): void {
    const scroller = this.#scroller;
    if (scroller === null) return;
    // The reader may have scrolled a moment ago, and the event that tells it is still to come.
    const scrolled = scroller.scrollTop - this.#lastTop;
    if (scrolled < -1 && this.#distance(scroller) > END_ZONE) this.#follows.value = false;
    if (this.#follows.value) {
      scroller.scrollTop = scroller.scrollHeight;
    } else if (this.#anchor !== undefined && this.#anchor.element.isConnected) {
      const { element, top } = this.#anchor;
      const now = element.getBoundingClientRect().top - scroller.getBoundingClientRect().top;
      const moved = now - (top - scrolled);
      if (Math.abs(moved) >= 1) scroller.scrollTop += moved;
      this.#anchor = { element, top: top - scrolled };
    }
    this.#lastTop = scroller.scrollTop;
  }

  #distance({ scrollHeight, scrollTop, clientHeight }: HTMLElement): number {
    return scrollHeight - scrollTop - clientHeight;
  }

  /** By halving: a conversation has thousands of lines. */
  #firstInView(scroller: HTMLElement): Anchor | undefined {
    const lines = this.#content?.children;
    if (lines === undefined || lines.length === 0) return undefined;
    const edge = scroller.getBoundingClientRect().top;
    let [from, to] = [0, lines.length - 1];
    while (from < to) {
      const middle = (from + to) >> 1;
      if ((lines[middle]?.getBoundingClientRect().bottom ?? 0) > edge) to = middle;
      else from = middle + 1;
    }
    const element = lines[from];
    return element && { element, top: element.getBoundingClientRect().top - edge };
  }
}
