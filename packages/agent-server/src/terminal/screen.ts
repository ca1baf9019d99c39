import { createRequire } from 'node:module';
import type * as Unicode11 from '@xterm/addon-unicode11';
import type * as Xterm from '@xterm/headless';
import { useWidths } from './character-widths.ts';
import { outputPieces } from './output-pieces.ts';
import { Repaint } from './repaint.ts';
import { RowSpeller } from './row-speller.ts';
import { SequenceGuard } from './sequence-guard.ts';
import { StringGuard } from './string-guard.ts';
import { unfinishedString } from './unfinished-string.ts';
import { ZeroWidthGuard } from './zero-width-guard.ts';

// `require` instead of `import`: see pty.ts.
const require = createRequire(import.meta.url);
const { Terminal }: typeof Xterm = require('@xterm/headless');
const { Unicode11Addon }: typeof Unicode11 = require('@xterm/addon-unicode11');

export interface ScreenOptions {
  readonly columns: number;
  readonly rows: number;
  /** Receives the emulator's answers to the program's queries, to be written to the program (AA-101). */
  readonly onReply: (data: string) => void;
  /** Called after output has been applied, whether or not a visible character changed. */
  readonly onChange: () => void;
  /** Called with every piece of output when {@link Screen.repaint} shows it. */
  readonly onApplied?: (output: string) => void;
}

/** What a terminal shows at one moment. */
export class ScreenImage {
  /**
   * The rows down to the last one that is not blank: padded with blanks to the full width, each followed
   * by LF. A wide character stands once and covers two columns (AA-102).
   */
  readonly text: string;
  readonly columns: number;
  readonly #blankRows: number;

  constructor(text: string, columns: number, blankRows: number) {
    this.text = text;
    this.columns = columns;
    this.#blankRows = blankRows;
  }

  /** All rows (AA-098); spelled only on demand, because nearly all rows of a tall screen are blank. */
  get full(): string {
    return this.text + `${' '.repeat(this.columns)}\n`.repeat(this.#blankRows);
  }

  equals(other: ScreenImage): boolean {
    return this.text === other.text && this.columns === other.columns && this.#blankRows === other.#blankRows;
  }
}

/**
 * A terminal emulator without a window and without scrollback: what a person would see of a program
 * (agentapi section 4.1). Rows that leave the top are gone (AA-107).
 */
export class Screen {
  readonly #terminal: Xterm.Terminal;
  readonly #sequences = new SequenceGuard();
  readonly #zeroWidth = new ZeroWidthGuard();
  readonly #strings = new StringGuard();
  readonly #repaint: Repaint;
  readonly #onApplied: ((output: string) => void) | undefined;
  /** Output that the emulator has not been given yet. */
  readonly #waiting: { readonly output: string; readonly done: () => void }[] = [];
  #isApplying = false;
  #unfinished = '';
  #speller: RowSpeller | null = null;
  #title = '';
  #changes = 0;
  #image: ScreenImage | null = null;

  constructor(options: ScreenOptions) {
    this.#terminal = new Terminal({
      cols: options.columns,
      rows: options.rows,
      scrollback: 0,
      // The width tables of the add-on are a "proposed" interface.
      allowProposedApi: true,
      logLevel: 'off',
    });
    useWidths(this.#terminal, new Unicode11Addon());
    this.#repaint = new Repaint(this.#terminal);
    this.#onApplied = options.onApplied;
    this.#terminal.onData(options.onReply);
    this.#terminal.onTitleChange((title) => (this.#title = title));
    this.#terminal.onWriteParsed(() => {
      this.#changed();
      options.onChange();
    });
  }

  /**
   * Applies output of the program; `done` is called once it shows in {@link read}, or never will. However much the output
   * asks for, the event loop is held up for some hundredths of a second at a time.
   */
  write(data: string, done: () => void): void {
    const { rows, cols } = this.#terminal;
    const whole = this.#sequences.filter(this.#zeroWidth.filter(data), Math.max(rows, cols));
    const pieces = outputPieces(this.#strings.filter(whole));
    const last = pieces.length - 1;
    pieces.forEach((output, index) => this.#waiting.push({ output, done: index === last ? done : () => {} }));
    this.#applyNext();
  }

  /** Output that makes another emulator of this size, newly reset, show the same, with colours and cursor. */
  repaint(): string {
    return this.#repaint.text() + this.#unfinished;
  }

  get columns(): number {
    return this.#terminal.cols;
  }

  get rows(): number {
    return this.#terminal.rows;
  }

  /** Grows with every piece of applied output and every resize; equal numbers mean an equal screen. */
  get changes(): number {
    return this.#changes;
  }

  /** The active buffer (AA-099). Costs nothing while nothing changed. */
  read(): ScreenImage {
    if (this.#image !== null) return this.#image;
    const { active } = this.#terminal.buffer;
    const { rows, cols } = this.#terminal;
    const row = (index: number): Xterm.IBufferLine | undefined => active.getLine(active.baseY + index);
    const isBlank = (index: number): boolean => (row(index)?.translateToString(true).trimEnd() ?? '') === '';
    let used = rows;
    while (used > 0 && isBlank(used - 1)) used -= 1;
    this.#speller ??= new RowSpeller(active.getNullCell());
    let text = '';
    for (let index = 0; index < used; index += 1) {
      const line = row(index);
      if (line !== undefined) text += this.#speller.spell(line);
      text += '\n';
    }
    this.#image = new ScreenImage(text, cols, rows - used);
    return this.#image;
  }

  /** The program draws on the alternate buffer, as those do that fill the whole screen. */
  get alternate(): boolean {
    return this.#terminal.buffer.active.type === 'alternate';
  }

  /** The program asks for pasted text to be marked as such (DECSET 2004). */
  get bracketedPaste(): boolean {
    return this.#terminal.modes.bracketedPasteMode;
  }

  /** The program is in the middle of a redraw and asks not to be looked at (DECSET 2026). */
  get midRedraw(): boolean {
    return this.#terminal.modes.synchronizedOutputMode;
  }

  /** The window title last set by the program (OSC 0, OSC 2), empty before. */
  get title(): string {
    return this.#title;
  }

  /** Changes the size; the contents are re-wrapped as a terminal window would. */
  resize(columns: number, rows: number): void {
    this.#terminal.resize(columns, rows);
    this.#repaint.resized();
    this.#changed();
  }

  /** Output that still waits is dropped. */
  dispose(): void {
    this.#repaint[Symbol.dispose]();
    this.#terminal.dispose();
    for (const { done } of this.#waiting.splice(0)) done();
  }

  /** One piece at a time: what the emulator has been given cannot be dropped any more. */
  #applyNext(): void {
    if (this.#isApplying) return;
    const next = this.#waiting.shift();
    if (next === undefined) return;
    this.#isApplying = true;
    this.#terminal.write(next.output, () => {
      this.#unfinished = unfinishedString(this.#unfinished + next.output);
      next.done();
      this.#onApplied?.(next.output);
      this.#isApplying = false;
      this.#applyNext();
    });
  }

  #changed(): void {
    this.#changes += 1;
    this.#image = null;
  }
}
