import fc from 'fast-check';
import stringWidth from 'string-width';
import { describe, expect, test } from 'vitest';
import { onOneLine, tableOf } from './table.ts';

describe('tables', () => {
  test('columns are aligned, also below wide characters and emoji', () => {
    const lines = tableOf([
      ['ID', 'TITLE', 'STATE'],
      ['1', '日本語', 'running'],
      ['2', 'a👍b', 'failed'],
      ['3', 'plain', 'stopped'],
    ]);
    expect(lines).toEqual([
      'ID  TITLE   STATE',
      '1   日本語  running',
      '2   a👍b    failed',
      '3   plain   stopped',
    ]);
  });

  test('without a width nothing is cut', () => {
    const long = 'x'.repeat(500);
    expect(tableOf([['A'], [long]])[1]).toBe(long);
  });

  test('the widest column is cut first, with an ellipsis', () => {
    const lines = tableOf([['12345678', 'running', 'a title that is much too long for this']], {
      columns: 30,
    });
    expect(lines).toEqual(['12345678  running  a title th…']);
  });

  test('what could move the cursor or break the table is taken out of cells', () => {
    expect(tableOf([['a\u001b[2Jb\nc\td', 'e']])[0]).toBe('a [2Jb c d  e');
    expect(onOneLine('\u0000\u009b31m x \r\n')).toBe('31m x');
  });

  test('no line is ever wider than the terminal, whatever the cells hold', () => {
    const cell = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom('日本語テキスト', '👍👍👍', 'x'.repeat(90)),
    );
    const rows = fc
      .integer({ min: 1, max: 7 })
      .chain((width) =>
        fc.array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 6 }),
      );
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 120 }), (table, columns) => {
        for (const line of tableOf(table, { columns }))
          expect(stringWidth(line)).toBeLessThanOrEqual(columns);
      }),
    );
  });

  test('a style dresses the text only', () => {
    const style = (text: string): string => `<${text}>`;
    expect(tableOf([['a', 'b']], { style })).toEqual(['<a>  <b>']);
  });
});
