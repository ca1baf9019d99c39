import { useCallback, useEffect, useRef, useState } from 'preact/hooks';

/** Something that is fetched for a page. */
export interface Loaded<T> {
  /** What was fetched last; stays while it is fetched again. `null` before the first time. */
  readonly value: T | null;
  /** Why the last attempt failed; `null` when it did not. */
  readonly error: unknown;
  readonly isLoading: boolean;
  /** Fetches it again. */
  readonly reload: () => void;
}

/**
 * Fetches something for as long as the component is there, and again when one of the inputs changes. Only the newest
 * answer counts.
 *
 * @param inputs - what `load` depends on
 */
export function useLoaded<T>(
  load: (signal: AbortSignal) => Promise<T>,
  inputs: readonly unknown[],
): Loaded<T> {
  const [state, setState] = useState<Omit<Loaded<T>, 'reload'>>({
    value: null,
    error: null,
    isLoading: true,
  });
  const [attempt, setAttempt] = useState(0);
  const latest = useRef(load);
  latest.current = load;
  useEffect(() => {
    const life = new AbortController();
    setState((known) => ({ ...known, isLoading: true }));
    const fetchIt = async (): Promise<void> => {
      try {
        const value = await latest.current(life.signal);
        if (!life.signal.aborted) setState({ value, error: null, isLoading: false });
      } catch (error) {
        if (!life.signal.aborted) setState((known) => ({ ...known, error, isLoading: false }));
      }
    };
    void fetchIt();
    return () => life.abort();
  }, [attempt, ...inputs]);
  const reload = useCallback(() => setAttempt((count) => count + 1), []);
  return { ...state, reload };
}
