import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { inkEnd, isBlank, lastLines, linesOf, trimmed, withoutOuterBlankLines } from './text-lines.ts';

/** Unicode White_Space, as agentapi section 0 lists it. */
const WHITE_SPACE = [
  ...[0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x20, 0x85, 0xa0, 0x1680, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000],
  ...Array.from({ length: 11 }, (_, i) => 0x2000 + i),
];
/** Text in which white space, line ends and characters of all planes are frequent. */
const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom('\n', ' ', '\u00a0', '\u0085', '\ufeff', 'a', '\r', '🌮') }),
);

test('AA-130: white space is exactly what Unicode says, not what JavaScript trims', () => {
  const found = Array.from({ length: 0x10000 }, (_, unit) => unit).filter((unit) =>
    isBlank(String.fromCharCode(unit)),
  );
  expect(found).toEqual(WHITE_SPACE.sort((a, b) => a - b));
  expect(trimmed('\u0085 a\ufeff \u3000')).toBe('a\ufeff');
  expect(trimmed('\ufeff')).toBe('\ufeff');
  expect(trimmed(' \u0085 ')).toBe('');
  expect(trimmed(' \r')).toBe('');
});

test('AA-130: only outer blank lines go; inner ones, indentation and trailing spaces stay', () => {
  expect(withoutOuterBlankLines([' ', '', '  a  ', '   ', 'b ', '\u2003', ''])).toEqual([
    '  a  ',
    '   ',
    'b ',
  ]);
  expect(withoutOuterBlankLines(['', '  '])).toEqual([]);
});

test('the last lines of a text end with its last line that is not blank', () => {
  expect(lastLines('a\nb\nc  \n   \n\n', 2)).toEqual(['b', 'c  ']);
  expect(lastLines('a', 5)).toEqual(['a']);
  expect(lastLines(' \n ', 5)).toEqual([]);
});

test('AA-130: for any text trimming keeps a contiguous part and leaves no outer white space', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const lines = linesOf(text);
      expect(lines.join('\n')).toBe(text);
      const kept = withoutOuterBlankLines(lines);
      expect(text).toContain(kept.join('\n'));
      expect(kept.filter((line) => !isBlank(line))).toEqual(lines.filter((line) => !isBlank(line)));
      expect(inkEnd(lines)).toBe(lines.findLastIndex((line) => !isBlank(line)) + 1);
      for (const line of lines) {
        expect(line).toContain(trimmed(line));
        expect(isBlank(line)).toBe(trimmed(line) === '');
        expect(trimmed(trimmed(line))).toBe(trimmed(line));
      }
    }),
  );
});
