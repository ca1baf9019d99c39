import type { ReadonlySignal } from '@preact/signals';
import type { TabLocks } from './tab-group.ts';

/** Of the six connections that a browser has to a server, one is for the overview, and one for everything else. */
const PLACE_COUNT = 4;
/** So long a stream waits for a place that becomes free, before it takes one from another. */
const PATIENCE_MS = 4_000;
/** In the window where somebody writes; not at once, so that places do not change hands all the time. */
const FOCUSED_PATIENCE_MS = 500;

/** What is to be told of the page. */
type Focusable = Pick<Document, 'hasFocus'>;

/** Whether all requests to the server go over one connection, as with HTTP/2, so that streams do not stand in the way. */
export function sharesConnection(page: Pick<Performance, 'getEntriesByType'>): boolean {
  return page
    .getEntriesByType('navigation')
    .some((entry) => 'nextHopProtocol' in entry && /^h[23]/.test(String(entry.nextHopProtocol)));
}

/** The time in which a stream may be open. */
export interface StreamTurn {
  /** Aborts when it is over: nobody sees the page, or another stream has taken the place. */
  readonly over: AbortSignal;
  /** Makes room for others. */
  readonly end: () => void;
}

interface StreamTurnsOptions {
  /** Streams of pages that nobody sees have no turn. */
  readonly isSeen: ReadonlySignal<boolean>;
  /** `null` where streams need no places: they do not share connections, or nobody can tell the tabs apart. */
  readonly locks: TabLocks | null;
  readonly page: Focusable;
}

/**
 * Who may stream: over HTTP/1.1 browsers have six connections to a server for all windows together, and streams that
 * take them all leave none for requests. There are places for four; more of them take turns.
 */
export class StreamTurns {
  readonly #options: StreamTurnsOptions;

  constructor(options: StreamTurnsOptions) {
    this.#options = options;
  }

  /**
   * Waits until somebody sees the page and a stream may be open.
   *
   * @throws the reason of the signal
   */
  async next(signal: AbortSignal): Promise<StreamTurn> {
    const { isSeen, locks } = this.#options;
    for (;;) {
      await untilSeen(isSeen, signal);
      const over = new AbortController();
      const end = (): void => over.abort();
      let unsubscribe = (): void => undefined;
      over.signal.addEventListener('abort', () => {
        unsubscribe();
        signal.removeEventListener('abort', end);
      });
      signal.addEventListener('abort', end);
      unsubscribe = isSeen.subscribe((seen) => {
        if (!seen) end();
      });
      if (locks !== null) await this.#takePlace(locks, over);
      signal.throwIfAborted();
      if (!over.signal.aborted) return { over: over.signal, end };
    }
  }

  /** Resolves with a place that is held until `over`, or when that comes first. */
  async #takePlace(locks: TabLocks, over: AbortController): Promise<void> {
    if (over.signal.aborted) return;
    const waiting = new AbortController();
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        waiting.abort();
        resolve();
      };
      const ask = async (place: string, options: LockOptions): Promise<void> => {
        let isMine = false;
        try {
          await locks.request(place, options, async () => {
            if (waiting.signal.aborted) return;
            isMine = true;
            done();
            await aborted(over.signal);
          });
        } catch {
          // Somebody else has taken it; or there are no locks to be had, and the stream does without.
          if (isMine) over.abort();
          else done();
        }
      };
      // Any: nobody knows how long the others have had theirs.
      const take = (): void => void ask(placeName(Math.floor(Math.random() * PLACE_COUNT)), { steal: true });
      const timer = setTimeout(take, this.#options.page.hasFocus() ? FOCUSED_PATIENCE_MS : PATIENCE_MS);
      over.signal.addEventListener('abort', done);
      for (let index = 0; index < PLACE_COUNT; index += 1) {
        void ask(placeName(index), { signal: waiting.signal });
      }
    });
  }
}

function placeName(index: number): string {
  return `agentapi-proxy.console.stream.${index}`;
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve());
  });
}

async function untilSeen(isSeen: ReadonlySignal<boolean>, signal: AbortSignal): Promise<void> {
  let end = (): void => undefined;
  let unsubscribe = (): void => undefined;
  try {
    await new Promise<void>((resolve) => {
      end = resolve;
      signal.addEventListener('abort', end);
      if (signal.aborted) resolve();
      unsubscribe = isSeen.subscribe((seen) => {
        if (seen) resolve();
      });
    });
  } finally {
    unsubscribe();
    signal.removeEventListener('abort', end);
  }
  signal.throwIfAborted();
}
