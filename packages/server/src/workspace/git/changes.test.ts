import { expect, test } from 'vitest';
import { isPathInside, parseDiffSummary, parseStatus } from './changes.ts';

const ID = 'a'.repeat(40);

test('the status: changed, renamed, conflicted and new files, whatever their names', () => {
  const text = [
    `1 .M N... 100644 100644 100644 ${ID} ${ID} src/a b.txt`,
    `1 A. N... 000000 100644 100644 ${ID} ${ID} new\nline.txt`,
    `2 R. N... 100644 100644 100644 ${ID} ${ID} R100 to.txt`,
    'from.txt',
    `u UU N... 100644 100644 100644 100644 ${ID} ${ID} ${ID} both.txt`,
    '? extra file',
    '',
  ].join('\0');
  expect(parseStatus(text)).toEqual([
    { path: 'src/a b.txt', staged: null, unstaged: 'modified', from: null },
    { path: 'new\nline.txt', staged: 'added', unstaged: null, from: null },
    { path: 'to.txt', staged: 'renamed', unstaged: null, from: 'from.txt' },
    { path: 'both.txt', staged: 'conflicted', unstaged: 'conflicted', from: null },
    { path: 'extra file', staged: null, unstaged: 'untracked', from: null },
  ]);
});

test('a list that was cut ends with its last whole entry', () => {
  expect(parseStatus('? a\0? b\0? c', true).map(({ path }) => path)).toEqual(['a']);
});

test('the summary of a difference: renamed files and files that are no text', () => {
  const raw = (letter: string): string => `:100644 100644 ${ID} ${ID} ${letter}`;
  const text = [
    ...[raw('M'), 'a.txt', raw('R090'), 'old.txt', 'new.txt', raw('A'), 'image.png', raw('D'), 'gone.txt'],
    ...['1\t2\ta.txt', '3\t0\t', 'old.txt', 'new.txt', '-\t-\timage.png', '0\t9\tgone.txt', ''],
  ].join('\0');
  expect(parseDiffSummary(text)).toEqual([
    { path: 'a.txt', kind: 'modified', from: null, added: 1, removed: 2 },
    { path: 'new.txt', kind: 'renamed', from: 'old.txt', added: 3, removed: 0 },
    { path: 'image.png', kind: 'added', from: null, added: null, removed: null },
    { path: 'gone.txt', kind: 'deleted', from: null, added: 0, removed: 9 },
  ]);
});

test.each([
  ['src/a.txt', true],
  ['..a', true],
  ['', false],
  ['/etc/passwd', false],
  ['a/../../b', false],
  ['..', false],
  ['a\0b', false],
])('%j lies within the workspace: %s', (path, isInside) => {
  expect(isPathInside(path)).toBe(isInside);
});
