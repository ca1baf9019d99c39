import type { Log } from '../log.ts';
import type { Pruned } from '../store/journal.ts';
import type { Store } from '../store/store.ts';
import type { JournalObserver } from './observer.ts';

/** Ages are counted in hours; where they are shorter, a part of them. */
const AGE_CHECK_MS = { shortest: 1_000, longest: 600_000 } as const;
const CHECKS_PER_AGE = 4;
/** Batches of which the segments are forgotten at a time. */
const AGE_BATCHES = 200;

export interface PrunerOptions {
  readonly store: Store;
  /** Most bytes of the journal of a session, as they are stored. */
  readonly maxBytes: number;
  /** How long events are kept; `Infinity` = with their session. */
  readonly maxAgeMs: number;
  /** When what is under way to the store was drafted, in milliseconds since 1970; `null` when nothing is. */
  readonly draftedAt: () => number | null;
  /** Told of sessions whose events up to a position are forgotten. */
  readonly onForgotten: (sessionId: string, position: number) => void;
  readonly observer?: Pick<JournalObserver, 'pruned'> | undefined;
  readonly log: Log;
}

/** Forgets what journals hold beyond their bounds; one thing after another. */
export class Pruner implements AsyncDisposable {
  readonly #options: PrunerOptions;
  readonly #timer: NodeJS.Timeout | null;
  #working: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: PrunerOptions) {
    this.#options = options;
    const { maxAgeMs } = options;
    const { shortest, longest } = AGE_CHECK_MS;
    const checkMs = Math.min(longest, Math.max(shortest, maxAgeMs / CHECKS_PER_AGE));
    this.#timer = Number.isFinite(maxAgeMs) ? setInterval(() => this.#toAge(), checkMs).unref() : null;
  }

  /** To be called when a session has begun another segment. Failures are logged. */
  toSize(sessionId: string): void {
    const { store, maxBytes } = this.#options;
    this.#after(async () => this.#note(await store.journal.pruneToSize(sessionId, maxBytes)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.#working;
  }

  #toAge(): void {
    const { store, maxAgeMs, draftedAt } = this.#options;
    this.#after(async () => {
      // What a draft refers to is in a segment that began within this age before it was drafted.
      const before = new Date((draftedAt() ?? Date.now()) - maxAgeMs);
      while (!this.#closed) {
        if (!this.#note(await store.journal.pruneToAge(before, AGE_BATCHES))) return;
      }
    });
  }

  /** @returns whether anything was forgotten. */
  #note({ bytes, upTo }: Pruned): boolean {
    for (const [sessionId, position] of upTo) this.#options.onForgotten(sessionId, position);
    if (upTo.size > 0) this.#options.observer?.pruned(bytes);
    return upTo.size > 0;
  }

  #after(work: () => Promise<unknown>): void {
    this.#working = this.#working
      .then(async () => void (await work()))
      .catch((err: unknown) => this.#options.log.warn({ err }, 'old events are not forgotten yet'));
  }
}
