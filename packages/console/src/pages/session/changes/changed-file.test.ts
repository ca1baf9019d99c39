import { expect, test } from 'vitest';
import { byFolder, changedFiles, initiallyOpen, splitPath, sumOfLines } from './changed-file.ts';

const textOf = (path: string): string =>
  `diff --git a/${path} b/${path}\n--- a/${path}\n+++ b/${path}\n@@ -1 +1 @@\n-a\n+b\n`;
const file = (path: string) => ({ path, change: 'modified', added: 1, removed: 1 }) as const;

test('every file gets its part of the text; the last one of a cut text is asked for once more', () => {
  const files = [file('a.txt'), file('b/c.txt')];
  const diff = `${textOf('a.txt')}${textOf('b/c.txt')}`;
  const whole = changedFiles({ against: null, files, diff, truncated: false });
  expect(whole.map(({ section }) => section?.path)).toEqual(['a.txt', 'b/c.txt']);
  const cut = changedFiles({ against: null, files, diff, truncated: true });
  expect(cut.map(({ section }) => section?.path)).toEqual(['a.txt', undefined]);
});

test('files are grouped by folder, and their lines added up', () => {
  expect(splitPath('a/b/c.txt')).toEqual({ folder: 'a/b/', name: 'c.txt' });
  const files = [file('a/1'), file('2'), file('a/3')];
  expect(byFolder(files).map(({ folder, files }) => [folder, files.length])).toEqual([
    ['a/', 2],
    ['', 1],
  ]);
  expect(sumOfLines([...files, { added: null, removed: null }])).toEqual({ added: 3, removed: 3 });
});

test('short files are open from the beginning, long ones and those not fetched are not', () => {
  const long = `${textOf('long')}${'+x\n'.repeat(300)}`;
  const files = [file('long'), file('short'), file('absent')];
  const diff = `${long}${textOf('short')}`;
  const open = initiallyOpen(changedFiles({ against: null, files, diff, truncated: false }));
  expect([...open]).toEqual(['short']);
});
