import type { Row, RowStyle } from './layout.ts';

/** All rows that exist, the oldest of which may have been forgotten. */
export interface Frame {
  readonly rows: readonly Row[];
  /** How many rows came before `rows[0]`. */
  readonly forgotten: number;
  /** Position in `rows`, and the cell. */
  readonly cursor: { readonly row: number; readonly column: number };
}

const STYLE_STARTS: Readonly<Record<RowStyle, string>> = { plain: '', dim: '\x1b[2m', bold: '\x1b[1m' };
const STYLE_END = '\x1b[0m';
/** Bracketed paste on; automatic wrapping off, as widths of rare characters differ between terminals. */
const SET_UP = '\x1b[?2004h\x1b[?7l';
const RESTORE = '\x1b[0m\x1b[?7h\x1b[?25h\x1b[?2004l';

/**
 * Shows the last rows of a frame on a terminal and scrolls older ones out at the top, as a program that
 * just prints would. Only rows that have changed are written, each frame in one piece.
 */
export class Painter {
  readonly #write: (text: string) => void;
  #columns: number;
  #height: number;
  /** What each screen row shows; `null` before the first frame and after a change of size. */
  #painted: string[] | null = null;
  /** Number of the row at the top of the screen. */
  #top = 0;
  #isSetUp = false;

  constructor(write: (text: string) => void, columns: number, height: number) {
    this.#write = write;
    this.#columns = columns;
    this.#height = height;
  }

  get columns(): number {
    return this.#columns;
  }

  /** Takes a new size; the next frame is painted anew. */
  resize(columns: number, height: number): void {
    this.#columns = Math.max(1, columns);
    this.#height = Math.max(1, height);
    this.#painted = null;
  }

  /** Paints everything anew next time. */
  invalidate(): void {
    this.#painted = null;
  }

  paint(frame: Frame): void {
    const total = frame.forgotten + frame.rows.length;
    let out = '';
    if (this.#painted === null) {
      // What stood on the screen before is scrolled away rather than erased.
      out += this.#isSetUp ? '\x1b[H\x1b[2J' : `${SET_UP}${'\n'.repeat(this.#height - 1)}\x1b[H\x1b[2J`;
      this.#top = this.#isSetUp ? Math.max(frame.forgotten, total - this.#height) : frame.forgotten;
      this.#isSetUp = true;
      this.#painted = [];
    }
    const painted = this.#painted;
    // Never more than a screen at once, and painted before, so that every row scrolls out as it is now.
    for (let rest = total - this.#height - this.#top; rest > 0; rest = total - this.#height - this.#top) {
      const step = Math.min(rest, this.#height);
      out += `${this.#changedRows(frame, painted)}\x1b[${this.#height};1H${'\n'.repeat(step)}`;
      painted.splice(0, step);
      this.#top += step;
    }
    out += this.#changedRows(frame, painted);
    const cursorRow = frame.forgotten + frame.cursor.row - this.#top;
    const place = `\x1b[${Math.max(0, cursorRow) + 1};${Math.min(frame.cursor.column, this.#columns - 1) + 1}H`;
    this.#write(out === '' ? place : `\x1b[?25l${out}${place}\x1b[?25h`);
  }

  /** Leaves the last frame on the screen, the cursor below it, and the terminal as it was found. */
  restore(): void {
    if (!this.#isSetUp) return;
    this.#isSetUp = false;
    const last = Math.max(1, this.#painted?.findLastIndex((text) => text !== '') ?? 0) + 1;
    this.#write(`\x1b[${Math.min(last, this.#height)};1H\r\n${RESTORE}`);
  }

  #changedRows(frame: Frame, painted: string[]): string {
    let out = '';
    for (let y = 0; y < this.#height; y += 1) {
      const row = frame.rows[this.#top + y - frame.forgotten];
      const text = row === undefined ? '' : rendered(row);
      if (text === (painted[y] ?? '')) continue;
      painted[y] = text;
      // Erased first: behind a row that fills the width there is no place left to erase from.
      out += `\x1b[${y + 1};1H\x1b[2K${text}`;
    }
    return out;
  }
}

function rendered(row: Row): string {
  const start = STYLE_STARTS[row.style];
  return start === '' || row.text === '' ? row.text : start + row.text + STYLE_END;
}
