import { describe, expect, test } from 'vitest';
import { repositoryRequestOf } from './repository-request.ts';
import type { RepositoryBody, RepositoryRequest } from './repository-request.ts';

function requestOf(body: RepositoryBody, depth: number | null = null): RepositoryRequest {
  return repositoryRequestOf(body, {
    host: 'git.example.com',
    depth,
    isKey: (text) => text === 'ap_alice_1',
  });
}

const plain = { branch: null, ref: null, createBranch: false, depth: null };
const repository = { owner: 'o', name: 'r' };

describe('repositoryRequestOf', () => {
  test('PX-098: a bad repository is refused, naming its member; an empty one is none', () => {
    expect(() => requestOf({ tags: { repository: 'x/$(touch f)' } })).toThrow(/^tags\.repository/);
    expect(() => requestOf({ repository: 'x/$(touch f)' })).toThrow(/^repository/);
    expect(requestOf({ tags: { repository: '' } }).repository).toBeNull();
    expect(requestOf({}).repository).toBeNull();
  });

  test('PX-097: tag and member mean the same, and the tag can be searched for', () => {
    expect(requestOf({ tags: { repository: 'o/r' } }).repository).toEqual({ ...plain, repository });
    const { repository: found, tags } = requestOf({ repository: 'o/r', tags: { a: 'b' } });
    expect(found).toEqual({ ...plain, repository });
    expect(tags).toEqual({ a: 'b', repository: 'o/r' });
  });

  test('PX-105: addresses of the configured forge are understood', () => {
    expect(requestOf({ repository: 'https://git.example.com/o/r.git' }).repository?.repository).toEqual(
      repository,
    );
    expect(requestOf({ repository: 'git@git.example.com:o/r.git' }).repository?.repository).toEqual(
      repository,
    );
    expect(() => requestOf({ repository: 'https://other.example.com/o/r' })).toThrow('repository must be');
  });

  test('two different repositories are refused, two writings of one are not', () => {
    expect(() => requestOf({ repository: 'o/r', tags: { repository: 'o/x' } })).toThrow(
      'different repositories',
    );
    const same = { repository: 'https://github.com/O/R', tags: { repository: 'o/r' } };
    expect(requestOf(same).tags).toEqual({ repository: 'o/r' });
  });

  test('PX-102, DD-22: the branch comes from the member, else the tag', () => {
    const tags = { repository: 'o/r', branch: 'dev' };
    expect(requestOf({ tags }).repository).toMatchObject({ branch: 'dev' });
    expect(requestOf({ tags, branch: 'main' }).repository).toMatchObject({ branch: 'main' });
    expect(requestOf({ tags, ref: 'v1' }).repository).toMatchObject({ branch: null, ref: 'v1' });
    expect(requestOf({ tags: { branch: 'just a label' } }).repository).toBeNull();
  });

  test.each([
    [{ repository: 'o/r', branch: '--upload-pack=x' }, 'branch'],
    [{ tags: { repository: 'o/r', branch: 'a..b' } }, 'tags.branch'],
    [{ repository: 'o/r', ref: '-x' }, 'ref'],
    [{ repository: 'o/r', ref: 'HEAD~1' }, 'ref'],
    [{ repository: 'o/r', create_branch: true }, 'create_branch'],
    [{ repository: 'o/r', branch: 'a', ref: 'b' }, 'ref'],
    [{ branch: 'a' }, 'branch'],
    [{ depth: 1 }, 'depth'],
  ])('DF-48: %j is refused at the member %s', (body, field) => {
    expect(() => requestOf(body)).toThrow(
      expect.objectContaining({ code: 'invalid_ref', details: { field } }),
    );
  });

  test('a new branch may begin anywhere', () => {
    const body = { repository: 'o/r', branch: 'new', ref: 'v1', create_branch: true };
    expect(requestOf(body).repository).toMatchObject({ branch: 'new', ref: 'v1', createBranch: true });
  });

  test('DF-47: the depth is that of the request, else that of the server; 0 is all', () => {
    expect(requestOf({ repository: 'o/r' }, 5).repository?.depth).toBe(5);
    expect(requestOf({ repository: 'o/r', depth: 1 }, 5).repository?.depth).toBe(1);
    expect(requestOf({ repository: 'o/r', depth: 0 }, 5).repository?.depth).toBeNull();
  });

  test('a key of this server in the place of a token is none', () => {
    expect(requestOf({ github_token: 'ghp_1' }).token).toBe('ghp_1');
    expect(requestOf({ params: { github_token: 'ghp_2' } }).token).toBe('ghp_2');
    expect(requestOf({ params: { github_token: 'ap_alice_1' } }).token).toBeNull();
    expect(requestOf({ github_token: 'ap_alice_1', params: { github_token: 'ghp_2' } }).token).toBe('ghp_2');
  });
});
