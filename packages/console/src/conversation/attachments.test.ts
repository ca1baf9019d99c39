import { expect, test } from 'vitest';
import { sizeText, withFiles } from './attachments.ts';

test('a message names its files below its text, or alone', () => {
  const files = [
    { name: 'a.txt', path: '/tmp/1/a.txt' },
    { name: 'b.png', path: '/tmp/2/b.png' },
  ];
  expect(withFiles('Look at these', files, 'Files:')).toBe(
    'Look at these\n\nFiles:\n- /tmp/1/a.txt\n- /tmp/2/b.png',
  );
  expect(withFiles(' ', files.slice(0, 1), 'Files:')).toBe('Files:\n- /tmp/1/a.txt');
  expect(withFiles('Nothing', [], 'Files:')).toBe('Nothing');
});

test('sizes are for people', () => {
  expect([1, 2_048, 10 * 2 ** 20, 1.55 * 2 ** 20].map(sizeText)).toEqual(['1 kB', '2 kB', '10 MB', '1.6 MB']);
});
