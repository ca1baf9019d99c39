import type * as Xterm from '@xterm/headless';
import { z } from 'zod';

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

const pen = z.custom<Pen>((value) => {
  return PEN_METHODS.every((name) => typeof Reflect.get(Object(value), name) === 'function');
});

const buffer = z
  .object({ savedX: z.int(), savedY: z.int(), ybase: z.int(), savedCurAttrData: pen })
  .transform(({ savedX, savedY, ybase, savedCurAttrData }): SavedCursor => {
    return { x: savedX, y: Math.max(savedY - ybase, 0), pen: savedCurAttrData };
  });

/** As in version 6 of `@xterm/headless`, whose names its own add-ons rely upon, too. */
const internals = z.object({
  _core: z.object({
    _inputHandler: z.object({ _curAttrData: pen }),
    buffers: z.object({ normal: buffer, alt: buffer }),
  }),
});

/** @throws ZodError with another version of the emulator that keeps these things elsewhere. */
export function stateOf(terminal: Xterm.Terminal): EmulatorState {
  const { _inputHandler: input, buffers } = internals.parse(terminal)._core;
  return { pen: input._curAttrData, saved: { normal: buffers.normal, alternate: buffers.alt } };
}
