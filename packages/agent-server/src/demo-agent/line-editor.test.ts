import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { NamedKey } from './keys.ts';
import { LineEditor } from './line-editor.ts';

function edited(text: string, ...keys: readonly NamedKey[]): LineEditor {
  const editor = new LineEditor();
  editor.insert(text);
  for (const key of keys) editor.press(key);
  return editor;
}

describe('LineEditor', () => {
  test('inserts at the cursor', () => {
    const editor = edited('ac', 'left');
    editor.insert('b');
    expect(editor.text).toBe('abc');
    expect(editor.cursor).toBe(2);
  });

  test('deletes what is seen as one character', () => {
    expect(edited('a👩‍👩‍👧', 'backspace').text).toBe('a');
    expect(edited('e\u0301', 'backspace').text).toBe('');
    expect(edited('', 'backspace').text).toBe('');
    expect(edited('a😀b', 'home', 'right', 'delete').text).toBe('ab');
  });

  test('Ctrl+U deletes to the start of the line, Ctrl+W the word', () => {
    expect(edited('one\ntwo three', 'delete-to-start').text).toBe('one\n');
    expect(edited('one two  ', 'delete-word').text).toBe('one ');
    expect(edited('one', 'delete-word', 'delete-word').text).toBe('');
  });

  test('Home and End stay in the line', () => {
    expect(edited('one\ntwo', 'home').cursor).toBe(4);
    expect(edited('one\ntwo', 'home', 'left', 'home', 'end').cursor).toBe(3);
  });

  test('keys that do not edit are left to others', () => {
    const editor = edited('a');
    const keys: readonly NamedKey[] = [
      'enter',
      'up',
      'down',
      'escape',
      'interrupt',
      'end-of-input',
      'redraw',
    ];
    for (const key of keys) expect(editor.press(key)).toBe(false);
    expect(editor.text).toBe('a');
  });

  test('whatever is pressed: the cursor stays inside, and moving changes no text', () => {
    const move = fc.constantFrom<NamedKey>('left', 'right', 'home', 'end');
    const change = fc.constantFrom<NamedKey>(
      'backspace',
      'delete',
      'delete-word',
      'delete-to-start',
      'newline',
    );
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.array(fc.oneof(move, change)), (text, keys) => {
        const editor = edited(text);
        for (const key of keys) {
          const before = editor.text;
          editor.press(key);
          expect(editor.cursor).toBeGreaterThanOrEqual(0);
          expect(editor.cursor).toBeLessThanOrEqual(editor.text.length);
          const isMove = ['left', 'right', 'home', 'end'].includes(key);
          expect(isMove ? editor.text : before).toBe(before);
        }
      }),
    );
  });
});
