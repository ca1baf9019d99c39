import type * as Xterm from '@xterm/headless';

/** How characters look: that of a cell, or of those to come. */
export type Pen = Pick<Xterm.IBufferCell, (typeof PEN_METHODS)[number]>;

/** Where a program has told the emulator to come back to (DECSC), from 0. */
export interface SavedCursor {
  readonly x: number;
  readonly y: number;
  readonly pen: Pen;
}

/** What the emulator knows and has no public interface for. */
export interface EmulatorState {
  readonly pen: Pen;
  readonly saved: { readonly normal: SavedCursor; readonly alternate: SavedCursor };
}

const PEN_METHODS = [
  'isBold',
  'isDim',
  'isItalic',
  'isUnderline',
  'isBlink',
  'isInverse',
  'isInvisible',
  'isStrikethrough',
  'isOverline',
  'isFgDefault',
  'isFgPalette',
  'getFgColor',
  'isBgDefault',
  'isBgPalette',
  'getBgColor',
] as const;

/**
 * As in version 6 of `@xterm/headless`, whose names its own add-ons rely upon, too. Read without the schema library, which
 * no other part of a starting agent server needs.
 * @throws TypeError with another version of the emulator that keeps these things elsewhere.
 */
export function stateOf(terminal: Xterm.Terminal): EmulatorState {
  const core = member(terminal, '_core');
  const buffers = member(core, 'buffers');
  return {
    pen: penIn(member(core, '_inputHandler'), '_curAttrData'),
    saved: {
      normal: savedCursorOf(member(buffers, 'normal')),
      alternate: savedCursorOf(member(buffers, 'alt')),
    },
  };
}

function savedCursorOf(buffer: unknown): SavedCursor {
  return {
    x: numberIn(buffer, 'savedX'),
    y: Math.max(numberIn(buffer, 'savedY') - numberIn(buffer, 'ybase'), 0),
    pen: penIn(buffer, 'savedCurAttrData'),
  };
}

function member(owner: unknown, name: string): unknown {
  return Reflect.get(Object(owner), name);
}

function numberIn(owner: unknown, name: string): number {
  const value = member(owner, name);
  if (typeof value !== 'number') throw new TypeError(`the terminal emulator has no number ${name}`);
  return value;
}

function penIn(owner: unknown, name: string): Pen {
  const value = member(owner, name);
  if (!isPen(value)) throw new TypeError(`the terminal emulator has no pen ${name}`);
  return value;
}

function isPen(value: unknown): value is Pen {
  return PEN_METHODS.every((name) => typeof member(value, name) === 'function');
}
