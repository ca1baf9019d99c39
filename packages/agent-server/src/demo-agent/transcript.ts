import { layoutEcho, wrapText } from './layout.ts';
import type { Row, RowStyle } from './layout.ts';
import { plainText } from './text-width.ts';

/** Entries kept for a change of the terminal's size; more than any screen shows. */
const MAX_ENTRIES = 5_000;

type Entry =
  | { readonly kind: 'text'; readonly text: string; readonly style: RowStyle }
  | { readonly kind: 'echo'; readonly text: string; readonly turn: number };

/** The conversation so far, broken into rows of the terminal's width. */
export class Transcript {
  readonly #entries: Entry[] = [];
  /** Number of rows of each entry. */
  readonly #heights: number[] = [];
  #rows: Row[] = [];
  #forgotten = 0;
  #columns: number;

  constructor(columns: number) {
    this.#columns = columns;
  }

  get rows(): readonly Row[] {
    return this.#rows;
  }

  /** How many rows were there before `rows[0]`. */
  get forgotten(): number {
    return this.#forgotten;
  }

  addText(text: string, style: RowStyle = 'plain'): void {
    this.#add({ kind: 'text', text: plainText(text), style });
  }

  /** The user's message, numbered. */
  addEcho(text: string, turn: number): void {
    this.#add({ kind: 'echo', text, turn });
  }

  resize(columns: number): void {
    this.#columns = columns;
    this.#rows = [];
    this.#forgotten = 0;
    for (const [index, entry] of this.#entries.entries()) {
      const rows = this.#layout(entry);
      this.#heights[index] = rows.length;
      this.#rows.push(...rows);
    }
  }

  #add(entry: Entry): void {
    const rows = this.#layout(entry);
    this.#entries.push(entry);
    this.#heights.push(rows.length);
    for (const one of rows) this.#rows.push(one);
    while (this.#entries.length > MAX_ENTRIES) {
      this.#entries.shift();
      const height = this.#heights.shift() ?? 0;
      this.#rows.splice(0, height);
      this.#forgotten += height;
    }
  }

  #layout(entry: Entry): readonly Row[] {
    return entry.kind === 'echo'
      ? layoutEcho(entry.text, entry.turn, this.#columns)
      : wrapText(entry.text, this.#columns, entry.style);
  }
}
