import { setTimeout as pause } from 'node:timers/promises';
import type { Store } from '../store/store.ts';
import { frameOf, gapFrame } from './journal-event.ts';
import { storedEvents } from './live-journal.ts';
import type { LiveJournal } from './live-journal.ts';
import type { JournalObserver } from './observer.ts';
import { passes } from './passing-failures.ts';

/** Before a store that did not answer is asked again. */
const STORE_RETRY_MS = 1_000;

/** An event of the journal, or the news that some are not kept any more. */
interface JournalFrame {
  readonly position: number;
  readonly frame: Buffer;
}

export interface JournalReadersOptions {
  readonly store: Store;
  /** The journal of a session that lives. */
  readonly life: (id: string) => LiveJournal | undefined;
  readonly observer: Pick<JournalObserver, 'gapShown'> | undefined;
}

/** Whoever reads journals: from memory those who keep up, from the store the others. */
export class JournalReaders {
  readonly #options: JournalReadersOptions;
  #all = 0;
  #ofStore = 0;

  constructor(options: JournalReadersOptions) {
    this.#options = options;
  }

  get all(): number {
    return this.#all;
  }

  /** Those who read from the store at this moment. */
  get ofStore(): number {
    return this.#ofStore;
  }

  /** Position of the last event of a session; 0 before the first one. @throws StoreError */
  async lastPosition(id: string): Promise<number> {
    const tail = this.#options.life(id)?.tail;
    if (tail !== undefined && tail !== null) return tail.last;
    return (await this.#options.store.journal.readHead(id))?.lastPosition ?? 0;
  }

  /**
   * What happened in a session after a position, and everything that happens from now on, as it stands on the wire; ends
   * with the session. Where events are not kept any more a frame says so. A store that does not answer is waited for.
   * @throws StoreError for one that never will.
   */
  async *follow(id: string, after: number, signal: AbortSignal): AsyncGenerator<Buffer, void, undefined> {
    const { life } = this.#options;
    let wake = (): void => undefined;
    // One listener for the whole time: to add and remove one for every wait costs more than the rest of it.
    const onAbort = (): void => wake();
    signal.addEventListener('abort', onAbort);
    this.#all += 1;
    try {
      await life(id)?.opened;
      let position = after;
      const gap = await untilAnswered(async () => this.#gapBefore(id, after), signal);
      if (gap !== null) {
        ({ position } = gap);
        yield gap.frame;
      }
      while (!signal.aborted) {
        const tail = life(id)?.tail ?? null;
        const piece = tail?.after(position) ?? null;
        if (piece !== null) {
          position = piece.last;
          yield piece.bytes;
        } else if (tail !== null && tail.last <= position) {
          if (tail.closed) return;
          await new Promise<void>((resolve) => {
            wake = resolve;
            tail.whenBeyond(position, resolve);
          });
          tail.withdraw(wake);
        } else {
          const before = position;
          for await (const stored of this.#fromStore(id, position, signal)) {
            ({ position } = stored);
            yield stored.frame;
          }
          if (position !== before) continue;
          await life(id)?.opened;
          // It is over, or nothing of it could be read.
          if ((life(id)?.tail ?? null) === null) return;
        }
      }
    } finally {
      this.#all -= 1;
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** What is in the store after a position; nothing when nothing is. */
  async *#fromStore(
    id: string,
    after: number,
    signal: AbortSignal,
  ): AsyncGenerator<JournalFrame, void, undefined> {
    this.#ofStore += 1;
    try {
      for (let position = after; !signal.aborted;) {
        try {
          // Asked before it is read: what is written meanwhile is not pruned because it was not there yet.
          const end = await this.lastPosition(id);
          for await (const frame of this.#read(id, position)) {
            ({ position } = frame);
            yield frame;
            if (signal.aborted) return;
          }
          if (end > position) yield this.#gap(position, end + 1, 'pruned');
          return;
        } catch (error) {
          if (!passes(error)) throw error;
        }
        await pause(STORE_RETRY_MS, undefined, { signal }).catch(() => undefined);
      }
    } finally {
      this.#ofStore -= 1;
    }
  }

  /** As after the restore of a backup: what was seen is not what is here. `null` for a position that is known. */
  async #gapBefore(id: string, position: number): Promise<JournalFrame | null> {
    const last = await this.lastPosition(id);
    if (position <= last) return null;
    for await (const first of storedEvents(this.#options.store, id, 0)) {
      return this.#gap(position, first.position, 'unknown_position');
    }
    return this.#gap(position, last + 1, 'unknown_position');
  }

  async *#read(id: string, after: number): AsyncGenerator<JournalFrame, void, undefined> {
    let position = after;
    for await (const placed of storedEvents(this.#options.store, id, after)) {
      if (placed.position > position + 1) yield this.#gap(position, placed.position, 'pruned');
      ({ position } = placed);
      yield { position, frame: frameOf(placed) };
    }
  }

  /** It moves the reader on to just before `first`. */
  #gap(after: number, first: number, reason: 'pruned' | 'unknown_position'): JournalFrame {
    this.#options.observer?.gapShown(reason);
    return { position: first - 1, frame: gapFrame(after, first, reason) };
  }
}

/** Asks until the store answers; `null` when `signal` aborts before. @throws StoreError for one that never will. */
async function untilAnswered<Answer>(
  question: () => Promise<Answer>,
  signal: AbortSignal,
): Promise<Answer | null> {
  while (!signal.aborted) {
    try {
      return await question();
    } catch (error) {
      if (!passes(error)) throw error;
    }
    await pause(STORE_RETRY_MS, undefined, { signal }).catch(() => undefined);
  }
  return null;
}
