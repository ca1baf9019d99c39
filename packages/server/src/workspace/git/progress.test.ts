import { expect, test } from 'vitest';
import { LineCutter, parseProgress } from './progress.ts';

test.each([
  [
    'Receiving objects:  42% (84/200), 10.00 MiB | 5.00 MiB/s',
    42,
    'Receiving objects: 42% (84/200), 10.00 MiB | 5.00 MiB/s',
  ],
  ['remote: Counting objects: 100% (5/5), done.', 100, 'Counting objects: 100% (5/5), done.'],
  ['Updating files:   3% (30/1000)', 3, 'Updating files: 3% (30/1000)'],
  ['Resolving deltas:   0% (0/12)', 0, 'Resolving deltas: 0% (0/12)'],
])('%j is progress', (line, percent, detail) => {
  expect(parseProgress(line)).toEqual({ percent, detail });
});

test.each(['fatal: Authentication failed', 'remote: Enumerating objects: 5, done.', '50% (1/2)'])(
  '%j is none',
  (line) => {
    expect(parseProgress(line)).toBeNull();
  },
);

test('lines end with line feeds and carriage returns, wherever the stream is cut', () => {
  const text = 'a: 1%\ra: 2%\r\na: 100%, done.\n\nlast';
  for (let size = 1; size <= text.length; size += 1) {
    const lines: string[] = [];
    const cutter = new LineCutter((line) => lines.push(line));
    for (let at = 0; at < text.length; at += size) cutter.push(text.slice(at, at + size));
    cutter.end();
    expect(lines).toEqual(['a: 1%', 'a: 2%', 'a: 100%, done.', 'last']);
  }
});

test('a line without an end does not fill the memory', () => {
  const lines: string[] = [];
  const cutter = new LineCutter((line) => lines.push(line));
  for (let round = 0; round < 10; round += 1) cutter.push('x'.repeat(1000));
  cutter.end();
  expect(lines.join('').length).toBeLessThanOrEqual(LineCutter.MAX_CHARS);
});
