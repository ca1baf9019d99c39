import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isWorkspaceName, workspaceNameOf } from './workspace-name.ts';

const ID = '0a1b2c3d-0000-4000-8000-000000000000';

describe('workspaceNameOf', () => {
  test.each([
    ['fix-login', 'fix-login-0a1b2c3d'],
    ['  Ändern, bitte!  ', 'Andern-bitte-0a1b2c3d'],
    ['../../etc/passwd', 'etc-passwd-0a1b2c3d'],
    ['..', 'workspace-0a1b2c3d'],
    ['$(touch x); `y`', 'touch-x-y-0a1b2c3d'],
    ['日本語', 'workspace-0a1b2c3d'],
    ['-rf', 'rf-0a1b2c3d'],
    ['.hidden', 'hidden-0a1b2c3d'],
    [`${'a'.repeat(39)}-b`, `${'a'.repeat(39)}-0a1b2c3d`],
  ])('%j is %j', (wanted, expected) => {
    expect(workspaceNameOf(wanted, ID)).toBe(expected);
  });

  test('no name, or a blank one, is none', () => {
    for (const wanted of [undefined, '', ' \n']) expect(workspaceNameOf(wanted, ID)).toBeNull();
  });

  test('whatever is wanted, it is one short and harmless part of a path', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), fc.uuid({ version: 4 }), (wanted, id) => {
        const name = workspaceNameOf(wanted, id);
        if (name === null) return;
        expect(name).toMatch(/^[A-Za-z0-9][A-Za-z0-9._-]{0,48}$/);
        expect(isWorkspaceName(name, id)).toBe(true);
      }),
    );
  });
});
