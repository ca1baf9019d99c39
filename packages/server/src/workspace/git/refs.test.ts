import { describe, expect, test } from 'vitest';
import { parseRemoteRefs, resolveTarget } from './refs.ts';
import type { WantedRef } from './refs.ts';

const A = 'a'.repeat(40);
const B = 'b'.repeat(40);
const C = 'c'.repeat(40);

const refs = parseRemoteRefs(
  [
    'ref: refs/heads/trunk\tHEAD',
    `${A}\tHEAD`,
    `${B}\trefs/heads/feature/login`,
    `${A}\trefs/heads/trunk`,
    `${B}\trefs/tags/v1.0`,
    `${C}\trefs/tags/v1.0^{}`,
    '',
  ].join('\n'),
);

function target(wanted: Partial<WantedRef>): unknown {
  return resolveTarget(refs, { branch: null, ref: null, createBranch: false, ...wanted });
}

describe('resolveTarget', () => {
  test('PX-102: without a wish the default branch, whatever it is called', () => {
    expect(target({})).toEqual({ kind: 'branch', branch: 'trunk', commit: A });
  });

  test('PX-102: the branch, the tag or the commit that is asked for', () => {
    expect(target({ branch: 'feature/login' })).toEqual({
      kind: 'branch',
      branch: 'feature/login',
      commit: B,
    });
    expect(target({ ref: 'trunk' })).toEqual({ kind: 'branch', branch: 'trunk', commit: A });
    expect(target({ ref: 'v1.0' })).toEqual({ kind: 'tag', tag: 'v1.0', commit: C });
    expect(target({ ref: 'abcdef1' })).toEqual({ kind: 'commit', commit: 'abcdef1' });
  });

  test.each([
    [{ branch: 'trunc' }, /no branch "trunc"; near it: trunk/],
    [{ branch: 'login' }, /no branch "login"; near it: feature\/login/],
    [{ branch: 'zzzzzzzzzz' }, /no branch "zzzzzzzzzz"; there are: feature\/login, trunk/],
    [{ ref: 'v1.1' }, /no branch, tag or commit "v1.1"; near it: v1.0/],
  ])('PX-102: what is unknown is refused with what is near: %j', (wanted, message) => {
    expect(() => target(wanted)).toThrow(message);
  });

  test('a branch that is not there is made when that is asked for, where it is asked for', () => {
    const trunk = { kind: 'branch', branch: 'trunk', commit: A };
    expect(target({ branch: 'new', createBranch: true })).toEqual({
      kind: 'new-branch',
      branch: 'new',
      from: trunk,
    });
    expect(target({ branch: 'new', createBranch: true, ref: 'v1.0' })).toEqual({
      kind: 'new-branch',
      branch: 'new',
      from: { kind: 'tag', tag: 'v1.0', commit: C },
    });
    expect(target({ branch: 'trunk', createBranch: true })).toEqual(trunk);
  });

  test('a repository without commits is checked out as it is', () => {
    const empty = parseRemoteRefs('');
    const wanted = { branch: null, ref: null, createBranch: false };
    expect(resolveTarget(empty, wanted)).toEqual({ kind: 'empty', branch: 'main' });
    expect(resolveTarget(empty, { ...wanted, branch: 'x' })).toEqual({ kind: 'empty', branch: 'x' });
    expect(() => resolveTarget(empty, { ...wanted, ref: 'v1' })).toThrow('the repository has none');
  });
});
