export interface QuietGapOptions {
  /** Milliseconds without output after which the screen is taken to be complete. */
  readonly gapMs: number;
  /** How often a gap is waited for before the screen is read all the same. */
  readonly tries: number;
  /** At least so many milliseconds between two reads. */
  readonly intervalMs: number;
  /** The program has announced that it is in the middle of a redraw. */
  readonly midRedraw: () => boolean;
  /** Reads the screen. */
  readonly read: () => void;
}

/** A program that announces a redraw and never ends it is read after this time: one second, as terminals do. */
const MAX_REDRAW_MS = 1_000;

/**
 * Decides when a changing screen is read (agentapi section 4.2): after a pause in the output, but not
 * later than `gapMs * tries` after it began, and never more often than once in `intervalMs` (AA-100).
 * No timer exists while nothing changes.
 */
export class QuietGap {
  readonly #options: QuietGapOptions;
  #timer: NodeJS.Timeout | null = null;
  #firstChangeAt = 0;
  #lastChangeAt = 0;
  #lastReadAt = -Infinity;

  constructor(options: QuietGapOptions) {
    this.#options = options;
  }

  /** Output has been applied to the screen. */
  changed(): void {
    const now = performance.now();
    this.#lastChangeAt = now;
    if (this.#timer !== null) return;
    this.#firstChangeAt = now;
    const { gapMs, intervalMs } = this.#options;
    this.#wait(Math.max(gapMs, this.#lastReadAt + intervalMs - now));
  }

  /** The screen has been read for another reason; what changed until now needs no further read. */
  settled(): void {
    this.#lastReadAt = performance.now();
    this.dispose();
  }

  dispose(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #wait(ms: number): void {
    this.#timer = setTimeout(() => this.#look(), ms);
  }

  #look(): void {
    const { gapMs, tries, midRedraw, read } = this.#options;
    const now = performance.now();
    const rest = this.#firstChangeAt + gapMs * tries - now;
    const moving = now - this.#lastChangeAt < gapMs - TIMER_SLACK_MS && rest > TIMER_SLACK_MS;
    if (moving || (midRedraw() && now - this.#firstChangeAt < MAX_REDRAW_MS)) {
      this.#wait(rest > 0 ? Math.min(gapMs, rest) : gapMs);
      return;
    }
    this.#timer = null;
    this.#lastReadAt = now;
    read();
  }
}

/** Timers of Node may fire up to one millisecond early. */
const TIMER_SLACK_MS = 1;
