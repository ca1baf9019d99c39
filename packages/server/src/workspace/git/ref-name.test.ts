import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isRefName } from './ref-name.ts';

describe('isRefName', () => {
  test.each(['main', 'feature/x', 'v1.2.3', 'renovate/npm-a.b', 'ö', 'a@b', 'fix-#12', "o'neill"])(
    '%s is a name',
    (name) => {
      expect(isRefName(name)).toBe(true);
    },
  );

  test.each([
    ['a leading dash', '-x'],
    ['a leading option', '--upload-pack=touch f'],
    ['two dots', 'a..b'],
    ['a parent folder', '../x'],
    ['a blank', 'a b'],
    ['a line break', 'a\nb'],
    ['a NUL', 'a\0b'],
    ['a colon', 'a:b'],
    ['a caret', 'a^'],
    ['a lock', 'a.lock'],
    ['a lock folder', 'a.lock/b'],
    ['a reflog', 'a@{1}'],
    ['a slash at the end', 'a/'],
    ['a hidden part', 'a/.b'],
    ['nothing', ''],
    ['HEAD', 'HEAD'],
  ])('DF-48: %s makes no name', (_what, name) => {
    expect(isRefName(name)).toBe(false);
  });

  test('whatever is accepted, git accepts as the name of a branch', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...Array.from('ab-./@{}~^:?*[\\ $`;lock')) }), (name) => {
        if (!isRefName(name)) return;
        expect(() =>
          execFileSync('git', ['check-ref-format', '--branch', name], { stdio: 'pipe' }),
        ).not.toThrow();
      }),
      { numRuns: 150 },
    );
  });
});
