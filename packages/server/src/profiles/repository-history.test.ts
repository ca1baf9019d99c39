import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_ENTRIES, withRepository } from './profile-input.ts';
import type { RepositoryEntry } from './profile.ts';
import { withUsedRepository } from './repository-history.ts';

const NOW = new Date('2026-01-02T12:00:00Z');

function entry(url: string, day = 1): RepositoryEntry {
  return {
    id: `id of ${url}`,
    url,
    name: url,
    branch: null,
    lastCommit: null,
    metadata: {},
    accessedAt: new Date(Date.UTC(2026, 0, 1, day)),
  };
}

describe('withRepository', () => {
  test('PX-197, PX-198: any sequence of additions leaves one entry an address, in the order of the first ones', () => {
    const input = fc.record({
      url: fc.constantFrom('u', 'v', 'w', 'x'),
      name: fc.constantFrom('a', 'b'),
      branch: fc.option(fc.constantFrom('main', 'next'), { nil: undefined }),
      metadata: fc.dictionary(fc.constantFrom('k', 'l'), fc.string({ maxLength: 3 })),
    });
    fc.assert(
      fc.property(fc.array(input, { maxLength: 20 }), (inputs) => {
        const history = inputs.reduce<readonly RepositoryEntry[]>(
          (present, each, index) => withRepository(present, each, new Date(index)),
          [],
        );
        expect(history.map(({ url }) => url)).toEqual([...new Set(inputs.map(({ url }) => url))]);
        expect(new Set(history.map(({ id }) => id)).size).toBe(history.length);
        for (const { url, name, branch, metadata, accessedAt } of history) {
          const same = inputs.filter((each) => each.url === url);
          expect(name).toBe(same.at(-1)?.name);
          expect(branch).toBe(same.findLast((each) => each.branch !== undefined)?.branch ?? null);
          expect(metadata).toEqual(Object.assign({}, ...same.map((each) => each.metadata)));
          expect(accessedAt.getTime()).toBe(inputs.findLastIndex((each) => each.url === url));
        }
      }),
    );
  });

  test('the histories before stay as they were', () => {
    const before = Object.freeze([Object.freeze(entry('u'))]);
    withRepository(before, { url: 'u', name: 'n', metadata: { k: 'v' } }, NOW);
    expect(before).toEqual([entry('u')]);
  });

  test('a full history takes no more, but still renews', () => {
    const full = Array.from({ length: MAX_ENTRIES }, (_, index) => entry(`u${index}`));
    expect(() => withRepository(full, { url: 'new', name: 'n' }, NOW)).toThrow(
      'repository_history has 1001 entries; at most 1000 are allowed',
    );
    expect(withRepository(full, { url: 'u7', name: 'n' }, NOW)).toHaveLength(MAX_ENTRIES);
  });
});

describe('withUsedRepository', () => {
  test.each([
    'owner/repo',
    'Owner/Repo',
    'https://github.com/owner/repo',
    'https://github.com/owner/repo.git',
    'git@github.com:owner/repo.git',
  ])('%s is the repository that the history has in another form', (repository) => {
    for (const url of ['git@github.com:owner/repo.git', 'https://github.com/owner/repo', 'owner/repo']) {
      const history = withUsedRepository([entry(url)], { repository }, NOW);
      expect(history).toEqual([{ ...entry(url), accessedAt: NOW }]);
    }
  });

  test('a new one gets its address and name from the tag', () => {
    const tags = { repository: 'git@github.com:Owner/Repo.git', branch: 'next' };
    const history = withUsedRepository([entry('https://gitlab.example/owner/repo')], tags, NOW);
    expect(history[1]).toMatchObject({
      url: 'https://github.com/Owner/Repo',
      name: 'Owner/Repo',
      branch: 'next',
      accessedAt: NOW,
    });
  });

  test.each([{}, { repository: '' }, { repository: 'not one' }, { branch: 'main' }])(
    '%j names none, so nothing changes',
    (tags) => {
      const history = [entry('u')];
      expect(withUsedRepository(history, tags, NOW)).toBe(history);
    },
  );

  test('a tag without a branch leaves the branch', () => {
    const known = { ...entry('owner/repo'), branch: 'main' };
    expect(withUsedRepository([known], { repository: 'owner/repo', branch: '' }, NOW)[0]?.branch).toBe(
      'main',
    );
  });

  test('a full history forgets the one that was not used for the longest time', () => {
    const full = Array.from({ length: MAX_ENTRIES }, (_, index) => entry(`u${index}`, index === 500 ? 0 : 5));
    const history = withUsedRepository(full, { repository: 'owner/repo' }, NOW);
    expect(history).toHaveLength(MAX_ENTRIES);
    expect(history.map(({ url }) => url)).not.toContain('u500');
    expect(history.at(-1)?.name).toBe('owner/repo');
  });
});
