import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { keyCode, type KeyPress } from './key-codes.ts';

const press = (key: string, modifiers: Partial<KeyPress> = {}): KeyPress => ({
  key,
  ctrlKey: false,
  altKey: false,
  shiftKey: false,
  metaKey: false,
  ...modifiers,
});

describe('keyCode', () => {
  test.each([
    ['a', {}, 'a'],
    ['ä', {}, 'ä'],
    ['😀', {}, '😀'],
    ['Enter', {}, '\r'],
    ['Enter', { shiftKey: true }, '\u001b\r'],
    ['Tab', {}, '\t'],
    ['Tab', { shiftKey: true }, '\u001b[Z'],
    ['Backspace', {}, '\u007f'],
    ['Backspace', { altKey: true }, '\u001b\u007f'],
    ['Backspace', { ctrlKey: true }, '\b'],
    ['Escape', {}, '\u001b'],
    ['ArrowUp', {}, '\u001b[A'],
    ['ArrowLeft', { ctrlKey: true }, '\u001b[1;5D'],
    ['End', { shiftKey: true }, '\u001b[1;2F'],
    ['F1', {}, '\u001bOP'],
    ['F4', { shiftKey: true }, '\u001b[1;2S'],
    ['F12', {}, '\u001b[24~'],
    ['Delete', { ctrlKey: true }, '\u001b[3;5~'],
    ['PageUp', {}, '\u001b[5~'],
    ['c', { ctrlKey: true }, '\u0003'],
    ['C', { ctrlKey: true, shiftKey: true }, '\u0003'],
    [' ', { ctrlKey: true }, '\u0000'],
    ['_', { ctrlKey: true, shiftKey: true }, '\u001f'],
    ['b', { altKey: true }, '\u001bb'],
    ['@', { ctrlKey: true, altKey: true, altGraph: true }, '@'],
    ['€', { ctrlKey: true }, null],
    ['c', { metaKey: true }, null],
    ['Shift', {}, null],
    ['Dead', {}, null],
    ['constructor', {}, null],
  ] as const)('%s with %o sends %j', (key, modifiers, keys) => {
    expect(keyCode(press(key, modifiers), false)).toBe(keys);
  });

  test('cursor keys have another form where the program asks for it, but not with modifiers', () => {
    expect(keyCode(press('ArrowDown'), true)).toBe('\u001bOB');
    expect(keyCode(press('Home'), true)).toBe('\u001bOH');
    expect(keyCode(press('ArrowDown', { shiftKey: true }), true)).toBe('\u001b[1;2B');
  });

  test('whatever a keyboard says, the answer is keys or nothing', () => {
    const flag = fc.boolean();
    const presses = fc.record({
      key: fc.string({ unit: 'grapheme' }),
      ctrlKey: flag,
      altKey: flag,
      shiftKey: flag,
      metaKey: flag,
    });
    fc.assert(
      fc.property(presses, flag, (some, applicationCursor) => {
        expect(keyCode(some, applicationCursor)).not.toBe('');
      }),
    );
  });
});
