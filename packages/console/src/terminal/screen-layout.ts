import { signal, type ReadonlySignal } from '@preact/signals';
import type { Emulator, TerminalSize } from './emulator.ts';

/** Parts of the page that show a screen, from the outside in. */
export interface ScreenParts {
  /** Scrolls. */
  readonly scroller: HTMLElement;
  /** As high as what is used of the screen: the usual one is a thousand rows, nearly all of them blank. */
  readonly clip: HTMLElement;
  /** Where keys are typed; lies on the cursor, so that input methods show their choices there. `null` while nobody types. */
  readonly input: () => HTMLElement | null;
}

/** Smaller and larger ones the agent server refuses. */
const LIMITS = { columns: { min: 10, max: 1_000 }, rows: { min: 10, max: 2_000 } } as const;
/** So near to where the screen was scrolled to, nobody has scrolled. */
const NEAR_PX = 24;

/** Keeps the page at the place of a screen where something happens, until somebody scrolls away. */
export class ScreenLayout {
  readonly #emulator: Emulator;
  readonly #parts: ScreenParts;
  readonly #isAway = signal(false);
  /** Somebody has scrolled to something else. */
  readonly isAway: ReadonlySignal<boolean> = this.#isAway;
  #frame: number | undefined;
  /** As of the last update: what is drawn, not what is about to be. */
  #restingTop = 0;

  constructor(emulator: Emulator, parts: ScreenParts) {
    this.#emulator = emulator;
    this.#parts = parts;
  }

  /** The screen, or the window, has changed. */
  updateSoon(): void {
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = undefined;
      this.#update();
    });
  }

  /** Somebody, or this, has scrolled. */
  scrolled(): void {
    this.#isAway.value = Math.abs(this.#parts.scroller.scrollTop - this.#restingTop) > NEAR_PX;
  }

  toCursor(): void {
    this.#isAway.value = false;
    this.#update();
  }

  /** The size with which the terminal would fill the window. */
  fittingSize(): TerminalSize | null {
    const metrics = this.#emulator.metrics();
    if (metrics === null) return null;
    const { scroller, clip } = this.#parts;
    const { paddingLeft, paddingRight, paddingTop, paddingBottom } = getComputedStyle(clip);
    const width = scroller.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight);
    const height = scroller.clientHeight - parseFloat(paddingTop) - parseFloat(paddingBottom);
    return {
      columns: within(Math.floor(width / metrics.cellWidth), LIMITS.columns),
      rows: within(Math.floor(height / metrics.cellHeight), LIMITS.rows),
    };
  }

  close(): void {
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
  }

  #update(): void {
    const metrics = this.#emulator.metrics();
    if (metrics === null) return;
    const { scroller, clip } = this.#parts;
    const { cellHeight, cellWidth, cursorColumn, cursorRow, usedRows } = metrics;
    const { paddingTop, paddingBottom, paddingLeft } = getComputedStyle(clip);
    clip.style.height = `${Math.ceil(usedRows * cellHeight + parseFloat(paddingTop) + parseFloat(paddingBottom))}px`;
    const input = this.#parts.input();
    if (input !== null) {
      const left = parseFloat(paddingLeft) + cursorColumn * cellWidth;
      input.style.left = `${left}px`;
      input.style.top = `${parseFloat(paddingTop) + cursorRow * cellHeight}px`;
      input.style.height = `${cellHeight}px`;
      const isBeside =
        left < scroller.scrollLeft || left > scroller.scrollLeft + scroller.clientWidth - cellWidth;
      if (isBeside && !this.#isAway.value) scroller.scrollLeft = left - scroller.clientWidth / 2;
    }
    // The end of what is used; the cursor, where that is far above.
    const end = Math.max(0, scroller.scrollHeight - scroller.clientHeight);
    const cursor = cursorRow * cellHeight;
    this.#restingTop = cursor < end ? Math.max(0, cursor - scroller.clientHeight / 2) : end;
    if (!this.#isAway.value) scroller.scrollTop = this.#restingTop;
  }
}

function within(value: number, { min, max }: { readonly min: number; readonly max: number }): number {
  return Math.min(max, Math.max(min, value));
}
