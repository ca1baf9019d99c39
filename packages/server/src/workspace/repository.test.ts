import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AppError } from '../errors.ts';
import { parseRepository } from './repository.ts';

describe('parseRepository', () => {
  test.each([
    'owner/repo',
    'https://github.com/owner/repo',
    'https://github.com/owner/repo.git',
    'http://github.com/owner/repo',
    'git@github.com:owner/repo',
    'git@github.com:owner/repo.git',
  ])('PX-097: %s means owner/repo', (value) => {
    expect(parseRepository(value)).toEqual({ owner: 'owner', name: 'repo' });
  });

  test.each([
    'not-a-repo',
    'a/b/c',
    'https://github.com/a/b/c',
    '/repo',
    'owner/',
    '',
    '../x',
    'x/..',
    './x',
    'a b/c',
    '-x/y',
    'x/-y',
    'x/$(touch f)',
    'x/`id`',
    'x/y;z',
    'x/y\nz',
    'https://gitlab.com/owner/repo',
    'x/y.git.git/',
    'ö/x',
  ])('PX-098, PX-099: %j is refused, naming the tag', (value) => {
    expect(() => parseRepository(value)).toThrow(
      expect.objectContaining({
        code: 'invalid_repository',
        message: expect.stringContaining('tags.repository'),
      }),
    );
  });

  test('whatever is accepted is harmless as a path component and as an argument', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...Array.from('ab-._/$ ~\\;@:')) })),
        (value) => {
          try {
            for (const part of Object.values(parseRepository(value))) {
              expect(part).toMatch(/^[A-Za-z0-9_.][A-Za-z0-9_.-]*$/);
              expect(['.', '..']).not.toContain(part);
            }
          } catch (error) {
            expect(error).toBeInstanceOf(AppError);
          }
        },
      ),
    );
  });
});
