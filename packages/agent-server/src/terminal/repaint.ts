import { createRequire } from 'node:module';
import type * as Serialize from '@xterm/addon-serialize';
import type * as Xterm from '@xterm/headless';

// `require` instead of `import`: see pty.ts.
const require = createRequire(import.meta.url);

/** Switches that the serializer leaves out, as they are after a reset. */
const SWITCHES: Readonly<Record<number, boolean>> = {
  25: true,
  1005: false,
  1006: false,
  1015: false,
  1016: false,
};

/** First and last row of the region that scrolls, from 1. */
type Region = readonly [top: number, bottom: number];

/**
 * Describes a terminal's state in output that brings another terminal of the same size into it. Follows what the
 * serializer does not know: whether the cursor shows, its form, how the mouse is reported and the region that scrolls. Links that
 * are on the screen already come without their addresses.
 */
export class Repaint implements Disposable {
  readonly #terminal: Xterm.Terminal;
  readonly #switches = new Map<number, boolean>();
  readonly #regions = new Map<'normal' | 'alternate', Region>();
  readonly #handlers: readonly Xterm.IDisposable[];
  #cursor: number | null = null;
  #serializer: Serialize.SerializeAddon | null = null;

  constructor(terminal: Xterm.Terminal) {
    this.#terminal = terminal;
    const { parser } = terminal;
    // `false`: the terminal's own handler does the work.
    const seen = (note: (params: Params) => void) => (params: Params) => {
      note(params);
      return false;
    };
    const reset = (): boolean => {
      this.#forget();
      return false;
    };
    this.#handlers = [
      parser.registerCsiHandler(
        { prefix: '?', final: 'h' },
        seen((params) => this.#switch(params, true)),
      ),
      parser.registerCsiHandler(
        { prefix: '?', final: 'l' },
        seen((params) => this.#switch(params, false)),
      ),
      parser.registerCsiHandler(
        { final: 'r' },
        seen((params) => this.#region(params)),
      ),
      parser.registerCsiHandler(
        { intermediates: ' ', final: 'q' },
        seen(([form]) => {
          this.#cursor = typeof form === 'number' ? form : null;
        }),
      ),
      parser.registerCsiHandler({ intermediates: '!', final: 'p' }, reset),
      parser.registerEscHandler({ final: 'c' }, reset),
    ];
  }

  /** Output for a terminal of this size that has just been reset. */
  text(): string {
    let serializer = this.#serializer;
    if (serializer === null) {
      // Loaded for the first viewer: most sessions never have one.
      const { SerializeAddon }: typeof Serialize = require('@xterm/addon-serialize');
      serializer = new SerializeAddon();
      this.#terminal.loadAddon(serializer);
      this.#serializer = serializer;
    }
    const switches = [...this.#switches].map(([number, on]) => `\x1b[?${number}${on ? 'h' : 'l'}`);
    const cursor = this.#cursor === null ? '' : `\x1b[${this.#cursor} q`;
    return serializer.serialize() + this.#blanks() + this.#placeText() + switches.join('') + cursor;
  }

  /** A change of the size ends the regions that scroll. */
  resized(): void {
    this.#regions.clear();
  }

  [Symbol.dispose](): void {
    for (const handler of this.#handlers) handler.dispose();
  }

  #switch(params: Params, on: boolean): void {
    for (const number of params) {
      if (typeof number !== 'number' || !Object.hasOwn(SWITCHES, number)) continue;
      if (SWITCHES[number] === on) this.#switches.delete(number);
      else this.#switches.set(number, on);
    }
  }

  #region([first, last]: Params): void {
    const { rows, buffer } = this.#terminal;
    const top = typeof first === 'number' && first > 0 ? first : 1;
    const bottom = typeof last === 'number' && last > 0 && last < rows ? last : rows;
    if (bottom <= top) return;
    if (top === 1 && bottom === rows) this.#regions.delete(buffer.active.type);
    else this.#regions.set(buffer.active.type, [top, bottom]);
  }

  /**
   * What the serializer leaves out: rows that were erased in a colour and have no text, and what remains of a wide
   * character whose first half was written over. And what it leaves behind: a dash at the beginning of a blank row
   * between two parts of a longer line.
   */
  #blanks(): string {
    const { buffer, rows, cols, modes } = this.#terminal;
    const { active } = buffer;
    if (modes.originMode || modes.insertMode) return '';
    const cell = active.getNullCell();
    let text = '';
    for (let y = 0; y < rows; y += 1) {
      const line = active.getLine(active.baseY + y);
      if (line === undefined) continue;
      const isErased = line.translateToString(true) === '';
      const isBetween = isErased && active.getLine(active.baseY + y + 1)?.isWrapped === true;
      for (let x = 0; x < cols; x += 1) {
        line.getCell(x, cell);
        const at = `\x1b[${y + 1};${x + 1}H`;
        if (isErased && !cell.isBgDefault()) text += `${at}\x1b[${backgroundOf(cell)}m\x1b[X`;
        else if (isBetween && x === 0) text += `${at}\x1b[49m\x1b[X`;
        if (isRemainder(cell)) text += `${at}${penOf(cell)} `;
      }
    }
    // Saved and restored: the pen and a cursor beyond the last column.
    return text === '' ? '' : `\x1b7${text}\x1b8`;
  }

  /** Region and cursor: setting the one moves the other, and after erased rows the serializer takes the wrong row. */
  #placeText(): string {
    const { buffer, cols, modes } = this.#terminal;
    const { type, cursorX, cursorY } = buffer.active;
    const region = this.#regions.get(type);
    // Beyond the last column the next character begins a new row: no address says that, but the serializer does.
    if (region === undefined && cursorX >= cols) return '';
    const row = cursorY + 1 - (modes.originMode ? (region?.[0] ?? 1) - 1 : 0);
    const scrolls = region === undefined ? '' : `\x1b[${region.join(';')}r`;
    return `${scrolls}\x1b[${row};${Math.min(cursorX, cols - 1) + 1}H`;
  }

  #forget(): void {
    this.#switches.clear();
    this.#regions.clear();
    this.#cursor = null;
  }
}

/** A cell without a character that shows all the same. */
function isRemainder(cell: Xterm.IBufferCell): boolean {
  return cell.getChars() === '' && cell.getWidth() === 1 && cell.isInverse() + cell.isUnderline() > 0;
}

function penOf(cell: Xterm.IBufferCell): string {
  const pen = ['0'];
  if (cell.isBold() !== 0) pen.push('1');
  if (cell.isUnderline() !== 0) pen.push('4');
  if (cell.isInverse() !== 0) pen.push('7');
  if (!cell.isFgDefault()) pen.push(foregroundOf(cell));
  if (!cell.isBgDefault()) pen.push(backgroundOf(cell));
  return `\x1b[${pen.join(';')}m`;
}

function foregroundOf(cell: Xterm.IBufferCell): string {
  return `38;${colourText(cell.getFgColor(), cell.isFgPalette())}`;
}

function backgroundOf(cell: Xterm.IBufferCell): string {
  return `48;${colourText(cell.getBgColor(), cell.isBgPalette())}`;
}

function colourText(colour: number, isPalette: boolean): string {
  return isPalette ? `5;${colour}` : `2;${colour >> 16};${(colour >> 8) & 255};${colour & 255}`;
}

type Params = readonly (number | readonly number[])[];
