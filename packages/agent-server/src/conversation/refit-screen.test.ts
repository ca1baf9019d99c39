import { expect, test } from 'vitest';
import { refitScreen } from './refit-screen.ts';

test('AA-169: rows keep their text and get the new width', () => {
  expect(refitScreen('ab  \n    \n日  \n', 4, 6)).toBe('ab    \n      \n日    \n');
  expect(refitScreen('ab  \n    \n日  \n', 4, 2)).toBe('ab\n  \n日\n');
});

test('AA-169: a row that no longer fits is wrapped', () => {
  expect(refitScreen('abcd\n', 4, 3)).toBe('abc\nd  \n');
});

test('an empty baseline and an equal width change nothing', () => {
  expect(refitScreen('', 80, 100)).toBe('');
  expect(refitScreen('ab\n', 2, 2)).toBe('ab\n');
});
