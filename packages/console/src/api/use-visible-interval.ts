import { useEffect, useRef } from 'preact/hooks';

/**
 * Calls back again and again while the page is in view, and at once when it comes back into view. For what has no event
 * stream.
 *
 * @param everyMs - `null` stops it
 */
export function useVisibleInterval(callback: () => void, everyMs: number | null): void {
  const latest = useRef(callback);
  latest.current = callback;
  useEffect(() => {
    if (everyMs === null) return undefined;
    const call = (): void => {
      if (!document.hidden) latest.current();
    };
    const timer = setInterval(call, everyMs);
    document.addEventListener('visibilitychange', call);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', call);
    };
  }, [everyMs]);
}
