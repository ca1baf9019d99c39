import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { layoutDialog, layoutEcho, layoutInputBox } from './layout.ts';
import type { Row } from './layout.ts';
import { textWidth } from './text-width.ts';

const texts = (rows: readonly Row[]): readonly string[] => rows.map(({ text }) => text);
const message = fc.string({ unit: fc.constantFrom('a', ' ', '日', '😀', '\n', 'e\u0301') });

describe('layoutInputBox', () => {
  test('AA-126: the prompt row stands right below a border of strokes', () => {
    const { rows, cursor } = layoutInputBox('', 0, 'hint', 20);
    expect(texts(rows)).toEqual(['─'.repeat(20), '> ', '─'.repeat(20), '  hint']);
    expect(cursor).toEqual({ row: 1, column: 2 });
  });

  test('shows the rows around the cursor of a long text', () => {
    const { rows, cursor } = layoutInputBox('1\n2\n3\n4\n5', 9, 'hint', 20);
    expect(texts(rows).slice(1, 4)).toEqual(['> 3', '  4', '  5']);
    expect(cursor).toEqual({ row: 3, column: 3 });
    expect(texts(layoutInputBox('1\n2\n3\n4\n5', 0, 'hint', 20).rows).slice(1, 4)).toEqual([
      '> 1',
      '  2',
      '  3',
    ]);
  });

  test('whatever the text: no row is too wide, the prompt is in reach, the cursor in the box', () => {
    fc.assert(
      fc.property(message, fc.nat(), fc.integer({ min: 15, max: 60 }), (text, place, columns) => {
        const cursorAt = place % (text.length + 1);
        const { rows, cursor } = layoutInputBox(text, cursorAt, 'a hint that is not short', columns);
        for (const { text: row } of rows) expect(textWidth(row)).toBeLessThanOrEqual(columns);
        const prompt = rows.findIndex((row) => row.text.startsWith('> '));
        expect(rows.length - prompt).toBeLessThanOrEqual(6);
        expect(cursor.row).toBeGreaterThanOrEqual(1);
        expect(cursor.row).toBeLessThan(rows.length - 2);
        expect(cursor.column).toBeLessThan(columns);
      }),
    );
  });
});

describe('layoutEcho', () => {
  test('shows the message behind a prompt, numbered at the end of the first row', () => {
    expect(texts(layoutEcho('one\ntwo', 12, 20))).toEqual(['> one             ¹²', '  two']);
  });

  test('the same message twice gives different rows', () => {
    expect(texts(layoutEcho('hello', 1, 20))).not.toEqual(texts(layoutEcho('hello', 2, 20)));
  });

  test('whatever the message: no row is too wide', () => {
    fc.assert(
      fc.property(message, fc.integer({ min: 1, max: 99_999 }), (text, turn) => {
        for (const row of layoutEcho(text, turn, 20)) expect(textWidth(row.text)).toBeLessThanOrEqual(20);
      }),
    );
  });
});

test('layoutDialog: numbered choices, the selected one marked, no prompt sign', () => {
  const dialog = { title: 'Title', question: 'Really?', choices: ['Yes', 'No'], selected: 1 };
  const { rows, cursor } = layoutDialog(dialog, 20);
  expect(texts(rows)).toEqual([
    '─'.repeat(20),
    'Title',
    '',
    'Really?',
    '  1. Yes',
    '❯ 2. No',
    '',
    'Enter to confirm · E',
  ]);
  expect(cursor).toEqual({ row: 5, column: 0 });
  expect(texts(rows).some((text) => text.includes('>'))).toBe(false);
});
