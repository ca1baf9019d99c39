import fc from 'fast-check';
import { expect, test } from 'vitest';
import { logLines, matchingLines, occurrences } from './log-text.ts';

test('a log is read without what only a terminal understands', () => {
  expect(logLines('\u001b[1;31mred\u001b[0m\n\u001b]0;title\u0007x\ty\r\n\u001b(B\u0000end\n')).toEqual([
    'red',
    'x\ty',
    'end',
  ]);
  expect(logLines('')).toEqual([]);
});

test('matches are found without regard to capitals', () => {
  expect(occurrences('One ONE none', 'one')).toEqual([
    [0, 3],
    [4, 7],
    [9, 12],
  ]);
  expect(occurrences('x', '')).toEqual([]);
  expect(matchingLines(['a', 'b', 'A'], 'a')).toEqual([0, 2]);
  expect(matchingLines(['a'], '')).toEqual([]);
});

test('whatever is found is in its place', () => {
  fc.assert(
    fc.property(fc.string(), fc.string({ minLength: 1 }), fc.string(), (before, word, behind) => {
      const line = `${before}${word}${behind}`;
      const found = occurrences(line, word);
      expect(found.length).toBeGreaterThan(0);
      for (const [from, to] of found) {
        expect(line.slice(from, to).toLowerCase()).toBe(word.toLowerCase());
      }
    }),
  );
});
