import { signal as madeSignal, type ReadonlySignal } from '@preact/signals';
import { isPassing } from './passing-error.ts';
import type { StreamTurns } from './stream-turns.ts';

/** Whoever looks at another tab for a moment comes back to a page that has missed nothing. */
const HIDDEN_MS = 5_000;
/** A machine that wakes up has its network back a moment later. */
const RETRY_MS = 1_500;

/** What is to be told of page visibility. */
type Visible = Pick<Document, 'hidden' | 'addEventListener'>;

/** A stream that is opened anew whenever it has its turn again. */
export interface SeenStream<Event> {
  readonly turns: StreamTurns;
  /** Ends it for good. */
  readonly signal: AbortSignal;
  /** Opens the stream where it was left; ended by the signal. */
  readonly open: (signal: AbortSignal) => AsyncIterable<Event>;
  /** After a pause it could not be opened, and is tried again soon: what is known may be old. */
  readonly onRetry?: () => void;
}

/** Whether somebody may see the page: false once it has been hidden for some seconds. Lives as long as the page. */
export function seenSignal(page: Visible): ReadonlySignal<boolean> {
  const isSeen = madeSignal(true);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const look = (): void => {
    clearTimeout(timer);
    if (!page.hidden) isSeen.value = true;
    else
      timer = setTimeout(() => {
        isSeen.value = false;
      }, HIDDEN_MS);
  };
  page.addEventListener('visibilitychange', look);
  look();
  return isSeen;
}

/**
 * Follows a stream while somebody sees the page and it has its turn: browsers share six connections among all tabs. Ends
 * when the stream does, and rejects as it does; what fails in passing after a pause is opened again.
 */
export async function* whileSeen<Event>({
  turns,
  signal,
  open,
  onRetry,
}: SeenStream<Event>): AsyncGenerator<Event, void, undefined> {
  for (let wasPaused = false; ; wasPaused = true) {
    const turn = await turns.next(signal);
    const look = new AbortController();
    const end = (): void => look.abort(signal.reason);
    turn.over.addEventListener('abort', end);
    try {
      yield* open(look.signal);
      return;
    } catch (error) {
      if (signal.aborted) throw error;
      if (!look.signal.aborted) {
        if (!wasPaused || !isPassing(error)) throw error;
        onRetry?.();
        turn.end();
        await pause(RETRY_MS, signal);
      }
    } finally {
      turn.end();
    }
  }
}

/** Waits, or until the signal. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
  });
}
