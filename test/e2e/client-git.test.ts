import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createClient } from '@agentapi-proxy/client';
import type { Client, Session } from '@agentapi-proxy/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { git, startGitServer } from '../support/git-server.ts';
import type { GitServer } from '../support/git-server.ts';
import { startServer } from '../support/server-process.ts';
import type { ServerProcess } from '../support/server-process.ts';

const TOKEN = 'ghp_clientGitToken0123456789abcdefABCDE';
const KEYS = ['alice', 'rita'].map((user) => ({
  key: `key-of-${user}-for-the-git-of-the-client`,
  user_id: user,
  role: 'user',
  permissions: ['*'],
}));

describe('PX-213: session.git of the TypeScript client', { timeout: 120_000 }, () => {
  let forge: GitServer;
  let server: ServerProcess;
  /** Bodies of requests for pull requests. */
  const asked: unknown[] = [];
  beforeAll(async () => {
    forge = await startGitServer();
    await forge.create('acme/site', {
      'README.md': '# Site\n',
      'src/a.txt': 'one\ntwo\n',
      'old.txt': 'old\n',
    });
    forge.makePrivate('acme/site');
    forge.allow(TOKEN, 'acme/site');
    forge.onApi(({ method, url, body }) => {
      if (method !== 'POST' || url.pathname !== '/repos/acme/site/pulls') return null;
      asked.push(JSON.parse(body));
      return { status: 201, body: { number: 7, html_url: `${forge.url}acme/site/pull/7` } };
    });
    server = await startServer({
      config: { auth: { enabled: true, api_keys: KEYS } },
      env: { GITHUB_API: forge.apiUrl },
    });
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    await forge[Symbol.asyncDispose]();
  });

  function clientOf(user: string): Client {
    return createClient({ baseUrl: server.url, apiKey: KEYS.find(({ user_id }) => user_id === user)?.key });
  }

  const workspaceOf = ({ id }: Session): string => join(server.dataDir, 'sessions', id, 'workspace');

  test('status, diff, push and openPullRequest: from a change to a pull request', async () => {
    const session = await clientOf('alice').start({
      repository: 'acme/site',
      branch: 'agent/client',
      create_branch: true,
      github_token: TOKEN,
    });
    await session.waitUntilReady({ timeoutMs: 60_000 });
    const first = await session.git.status();
    expect(first).toMatchObject({ branch: 'agent/client', commits_since_start: 0, clean: true, files: [] });

    const workspace = workspaceOf(session);
    await writeFile(join(workspace, 'src/a.txt'), 'one\n2\n');
    await writeFile(join(workspace, 'new file.txt'), 'new\n');
    await rm(join(workspace, 'old.txt'));
    expect((await session.git.status()).files).toEqual(
      expect.arrayContaining([
        { path: 'src/a.txt', staged: null, unstaged: 'modified' },
        { path: 'new file.txt', staged: null, unstaged: 'untracked' },
        { path: 'old.txt', staged: null, unstaged: 'deleted' },
      ]),
    );
    const all = await session.git.diff();
    expect(all).toMatchObject({ against: first.commit, truncated: false });
    expect(all.files.map(({ path }) => path)).toEqual(['new file.txt', 'old.txt', 'src/a.txt']);
    const narrow = await session.git.diff({ path: 'src' });
    expect(narrow.files).toEqual([{ path: 'src/a.txt', change: 'modified', added: 1, removed: 1 }]);
    expect(narrow.diff).toContain('-two\n+2\n');
    await writeFile(join(workspace, 'long.txt'), 'line\n'.repeat(1_000));
    expect((await session.git.diff({ max_bytes: 1024 })).truncated).toBe(true);
    await expect(session.git.diff({ path: '../x' })).rejects.toMatchObject({ kind: 'invalid_request' });

    await git(workspace, 'add', '--all');
    await git(workspace, 'commit', '--quiet', '-m', 'Change everything');
    const commit = await git(workspace, 'rev-parse', 'HEAD');
    expect(await session.git.status()).toMatchObject({ commit, commits_since_start: 1, clean: true });
    expect((await session.git.diff()).files).toEqual([]);
    expect((await session.git.diff({ since: 'start' })).against).toBe(first.commit);

    expect(await session.git.push()).toEqual({ branch: 'agent/client', commit, result: 'created' });
    expect(await git(join(forge.folder, 'acme/site.git'), 'rev-parse', 'agent/client')).toBe(commit);
    expect((await session.git.push({ branch: 'agent/client' })).result).toBe('up_to_date');
    expect(await session.git.openPullRequest({ title: 'Change everything', draft: true })).toEqual({
      number: 7,
      url: `${forge.url}acme/site/pull/7`,
      head: 'agent/client',
      base: 'trunk',
    });
    expect(asked).toEqual([expect.objectContaining({ title: 'Change everything', draft: true })]);
    await session.delete();
    await expect(session.git.status()).rejects.toMatchObject({
      kind: 'not_found',
      code: 'session_not_found',
    });
  });

  test('refusals are typed: no repository, no rights, a branch that GitHub does not take', async () => {
    const alice = clientOf('alice');
    const plain = await alice.start();
    await plain.waitUntilReady();
    const refused = { kind: 'conflict', code: 'not_a_repository' };
    await expect(plain.git.status()).rejects.toMatchObject(refused);
    await expect(plain.git.openPullRequest({ title: 'x' })).rejects.toMatchObject(refused);

    const session = await alice.start({ repository: 'acme/site', github_token: TOKEN });
    await session.waitUntilReady({ timeoutMs: 60_000 });
    await session.shares.grant({ user_id: 'rita', access: 'read' });
    const ritas = clientOf('rita').session(session.id);
    expect(await ritas.git.status()).toMatchObject({ clean: true });
    await expect(ritas.git.push()).rejects.toMatchObject({ kind: 'forbidden', code: 'shared_for_reading' });
    await expect(session.git.push({ branch: 'a b' })).rejects.toMatchObject({ kind: 'invalid_request' });
    await git(workspaceOf(session), 'checkout', '--quiet', '--orphan', 'other');
    await git(workspaceOf(session), 'commit', '--quiet', '-m', 'Other');
    await expect(session.git.push({ branch: 'trunk' })).rejects.toMatchObject({
      kind: 'conflict',
      code: 'github_refused',
      message: expect.stringContaining('trunk'),
    });
  });
});
