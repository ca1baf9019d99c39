import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { charWidth, fit, plainText, textWidth, wrapLine } from './text-width.ts';

const line = fc.string({ unit: fc.constantFrom('a', 'b', ' ', '日', '😀', 'e\u0301', '\u200d', 'ﾊ', '。') });

describe('charWidth', () => {
  test('East Asian characters and emoji take two cells, marks and joiners none', () => {
    const widths = (text: string): readonly number[] => Array.from(text, charWidth);
    expect(widths('aé─>²')).toEqual([1, 1, 1, 1, 1]);
    expect(widths('日本語かカ한。Ａ')).toEqual([2, 2, 2, 2, 2, 2, 2, 2]);
    expect(widths('😀🦀')).toEqual([2, 2]);
    expect(widths('\u0301\u200d\ufe0f')).toEqual([0, 0, 0]);
    expect(widths('ﾊ🇩')).toEqual([1, 1]);
  });
});

describe('wrapLine', () => {
  test('breaks after a blank where there is one, else where the row is full', () => {
    expect(wrapLine('one two three', 8)).toEqual(['one two ', 'three']);
    expect(wrapLine('abcdefgh', 3)).toEqual(['abc', 'def', 'gh']);
    expect(wrapLine('日本語', 5)).toEqual(['日本', '語']);
    expect(wrapLine('', 5)).toEqual(['']);
  });

  test('a blank on the edge is the only thing that is lost', () => {
    expect(wrapLine('four five', 4)).toEqual(['four', 'five']);
  });

  test('whatever the line: no row is too wide, and the rows are the line again', () => {
    fc.assert(
      fc.property(line, fc.integer({ min: 2, max: 20 }), (text, width) => {
        const rows = wrapLine(text, width);
        for (const row of rows) expect(textWidth(row)).toBeLessThanOrEqual(width);
        expect(rows.join('').replaceAll(' ', '')).toBe(text.replaceAll(' ', ''));
      }),
    );
  });
});

test('fit: the longest beginning that fits', () => {
  expect(fit('日本語', 5)).toBe('日本');
  fc.assert(
    fc.property(line, fc.nat(20), (text, width) => {
      const fitted = fit(text, width);
      expect(text.startsWith(fitted)).toBe(true);
      expect(textWidth(fitted)).toBeLessThanOrEqual(width);
    }),
  );
});

describe('plainText', () => {
  test('drops colours, titles, control characters and what a carriage return overwrites', () => {
    expect(plainText('\x1b[1;31mred\x1b[0m \x1b]0;title\x07x\x1b(B\x07')).toBe('red x');
    expect(plainText('10%\r50%\r100%\r\nnext')).toBe('100%\nnext');
  });

  test('puts blanks in place of tabs', () => {
    expect(plainText('a\tb\n\tc\n日\td')).toBe('a       b\n        c\n日      d');
  });

  test('whatever the text: nothing is left that a terminal would obey', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(plainText(text)).toMatch(/^[^\x00-\x09\x0b-\x1f\x7f-\x9f]*$/);
      }),
    );
  });
});
