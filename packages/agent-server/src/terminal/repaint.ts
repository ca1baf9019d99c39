import type * as Xterm from '@xterm/headless';
import { PLAIN, paintBuffer, penText, textOfCell } from './buffer-painter.ts';
import { stateOf } from './emulator-state.ts';
import type { SavedCursor } from './emulator-state.ts';

/** Switches that the emulator does not tell of, as they are after a reset. */
const SWITCHES: Readonly<Record<number, boolean>> = {
  25: true,
  1005: false,
  1006: false,
  1015: false,
  1016: false,
};

/** Without saving the cursor, as 1049 would: what is saved for the normal screen has just been told. */
const ENTER_ALTERNATE = '\x1b[?1047h\x1b[H';

/** First and last row of the region that scrolls, from 1. */
type Region = readonly [top: number, bottom: number];

/**
 * Describes a terminal's state in output that brings another terminal of the same size into it. Follows what the
 * emulator does not tell: whether the cursor shows, its form, how the mouse is reported and the region that scrolls.
 */
export class Repaint implements Disposable {
  readonly #terminal: Xterm.Terminal;
  readonly #switches = new Map<number, boolean>();
  readonly #regions = new Map<'normal' | 'alternate', Region>();
  readonly #handlers: readonly Xterm.IDisposable[];
  #cursor: number | null = null;

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
    const { buffer, rows } = this.#terminal;
    const { pen, saved } = stateOf(this.#terminal);
    let text = paintBuffer(buffer.normal, rows) + saveText(saved.normal);
    if (buffer.active.type === 'alternate') {
      text += ENTER_ALTERNATE + paintBuffer(buffer.alternate, rows) + saveText(saved.alternate);
    }
    // A region and the mode of the origin move the cursor, and only a written character brings it beyond the last column.
    text += this.#regionText() + modesText(this.#terminal.modes) + this.#cursorText() + penText(pen);
    for (const [number, on] of this.#switches) text += `\x1b[?${number}${on ? 'h' : 'l'}`;
    return this.#cursor === null ? text : `${text}\x1b[${this.#cursor} q`;
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

  #regionText(): string {
    const region = this.#regions.get(this.#terminal.buffer.active.type);
    return region === undefined ? '' : `\x1b[${region.join(';')}r`;
  }

  #cursorText(): string {
    const { buffer, cols, modes } = this.#terminal;
    const { active } = buffer;
    const top = modes.originMode ? (this.#regions.get(active.type)?.[0] ?? 1) - 1 : 0;
    if (active.cursorX < cols) return cursorAt(active, top);

    // Beyond the last column, where the next character begins a new row. No address says that: the character that
    // stands there is written again.
    const line = active.getLine(active.baseY + active.cursorY);
    const isWide = line?.getCell(cols - 1)?.getWidth() === 0;
    const last = isWide ? cols - 2 : cols - 1;
    const cell = line?.getCell(last);
    return `\x1b[${active.cursorY + 1 - top};${last + 1}H${cell === undefined ? '' : textOfCell(cell)}`;
  }

  #forget(): void {
    this.#switches.clear();
    this.#regions.clear();
    this.#cursor = null;
  }
}

/** Saves a cursor as that of the terminal is saved; leaves a plain pen. */
function saveText({ x, y, pen }: SavedCursor): string {
  const look = penText(pen);
  return x === 0 && y === 0 && look === PLAIN ? '' : `\x1b[${y + 1};${x + 1}H${look}\x1b7${PLAIN}`;
}

/** Modes that are not as after a reset. */
function modesText(modes: Xterm.IModes): string {
  const { mouseTrackingMode } = modes;
  const switches: readonly (readonly [boolean, string])[] = [
    [modes.applicationCursorKeysMode, '?1h'],
    [modes.applicationKeypadMode, '?66h'],
    [modes.bracketedPasteMode, '?2004h'],
    [modes.insertMode, '4h'],
    [modes.originMode, '?6h'],
    [modes.reverseWraparoundMode, '?45h'],
    [modes.sendFocusMode, '?1004h'],
    [!modes.wraparoundMode, '?7l'],
    [mouseTrackingMode === 'x10', '?9h'],
    [mouseTrackingMode === 'vt200', '?1000h'],
    [mouseTrackingMode === 'drag', '?1002h'],
    [mouseTrackingMode === 'any', '?1003h'],
  ];
  return switches.map(([isOn, text]) => (isOn ? `\x1b[${text}` : '')).join('');
}

function cursorAt({ cursorX, cursorY }: Xterm.IBuffer, top = 0): string {
  return `\x1b[${cursorY + 1 - top};${cursorX + 1}H`;
}

type Params = readonly (number | readonly number[])[];
