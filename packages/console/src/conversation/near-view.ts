import { createContext, type RefObject } from 'preact';
import { useContext, useEffect, useState } from 'preact/hooks';

/** So far from the view something is made ready to be seen. */
const AHEAD = '1500px 0px';

/** Tells when things come near the view: one observer for thousands of them. */
export class NearView {
  readonly #told = new Map<Element, () => void>();
  readonly #observer = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        const tell = this.#told.get(target);
        this.#forget(target);
        tell?.();
      }
    },
    { rootMargin: AHEAD },
  );

  /** Calls back once, when the element is near. @returns what ends the waiting */
  watch(element: Element, onNear: () => void): () => void {
    this.#told.set(element, onNear);
    this.#observer.observe(element);
    return () => this.#forget(element);
  }

  close(): void {
    this.#observer.disconnect();
    this.#told.clear();
  }

  #forget(element: Element): void {
    this.#told.delete(element);
    this.#observer.unobserve(element);
  }
}

/** The watch of the log; without one everything counts as near. */
export const NearViewContext = createContext<NearView | null>(null);

/** Whether an element is or was near the view. @param isEager - it counts as near from the beginning */
export function useNear(element: RefObject<Element>, isEager: boolean): boolean {
  const watch = useContext(NearViewContext);
  const [isNear, setNear] = useState(isEager || watch === null);
  useEffect(() => {
    if (isNear || watch === null || element.current === null) return undefined;
    return watch.watch(element.current, () => setNear(true));
  }, [isNear, watch, element]);
  return isNear;
}
