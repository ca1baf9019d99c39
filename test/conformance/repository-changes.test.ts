import { chmod, mkdir, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { createClient } from '@agentapi-proxy/client';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { git, startGitServer } from '../support/git-server.ts';
import type { GitServer } from '../support/git-server.ts';
import { eventually, startServer } from '../support/server-process.ts';
import type { ServerProcess } from '../support/server-process.ts';

const execute = promisify(execFile);

const TOKEN = 'ghp_requestToken0123456789abcdefABCDEF';
const KEYS = ['alice', 'rita', 'olga', 'root'].map((user) => ({
  key: `ap_${user}_0123456789abcdef0123456789abcdef`,
  user_id: user,
  role: user === 'root' ? 'admin' : 'user',
  permissions:
    user === 'root' ? ['*'] : ['session:create', 'session:list', 'session:access', 'session:delete'],
}));

const statusSchema = z.object({
  branch: z.string().nullable(),
  commit: z.string().nullable(),
  commits_since_start: z.number().nullable(),
  clean: z.boolean(),
  files: z.array(z.looseObject({ path: z.string() })),
  truncated: z.boolean(),
});
const diffSchema = z.object({
  against: z.string().nullable(),
  files: z.array(z.looseObject({ path: z.string(), change: z.string() })),
  diff: z.string(),
  truncated: z.boolean(),
});
const errorSchema = z.looseObject({ code: z.string(), message: z.string() });

let forge: GitServer;
let server: ServerProcess;
let id: string;
let workspace: string;

async function call(method: string, path: string, body?: object, user = 'alice'): Promise<Response> {
  const key = KEYS.find((each) => each.user_id === user)?.key ?? '';
  return server.request(path, {
    method,
    headers: { 'X-API-Key': key, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

async function answer<T>(schema: z.ZodType<T>, response: Response, status = 200): Promise<T> {
  const value: unknown = await response.json();
  expect({ status: response.status, value }).toMatchObject({ status });
  return schema.parse(value);
}

async function startSession(body: object): Promise<string> {
  const started = await answer(z.object({ session_id: z.uuid() }), await call('POST', '/start', body));
  await eventually(
    'the session runs',
    async () => {
      const now = z.looseObject({ state: z.string(), reason: z.string().optional() });
      const { state, reason } = await answer(now, await call('GET', `/sessions/${started.session_id}`));
      expect({ state, reason }).not.toMatchObject({ state: 'failed' });
      return state === 'running';
    },
    60_000,
  );
  return started.session_id;
}

async function workspaceOf(session: string): Promise<string> {
  const root = join(server.dataDir, 'sessions', session);
  const [folder] = (await readdir(root, { withFileTypes: true })).filter((entry) => entry.isDirectory());
  return join(root, folder?.name ?? '');
}

const at = (path: string): string => `/sessions/${id}/git/${path}`;
const status = async (): Promise<z.infer<typeof statusSchema>> =>
  answer(statusSchema, await call('GET', at('status')));
const diff = async (query = ''): Promise<z.infer<typeof diffSchema>> =>
  answer(diffSchema, await call('GET', at(`diff${query}`)));

beforeAll(async () => {
  forge = await startGitServer();
  await forge.create('o/work', {
    'README.md': '# Work\n',
    'src/a.txt': 'one\ntwo\nthree\n',
    'src/b.txt': 'b\n',
    '.gitignore': 'ignored/\n',
  });
  forge.makePrivate('o/work');
  forge.allow(TOKEN, 'o/work');
  server = await startServer({
    config: { auth: { enabled: true, api_keys: KEYS } },
    env: { GITHUB_API: forge.apiUrl },
  });
}, 60_000);

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await forge[Symbol.asyncDispose]();
});

beforeEach(async () => {
  id = await startSession({ repository: 'o/work', github_token: TOKEN });
  workspace = await workspaceOf(id);
  return async () => {
    await call('DELETE', `/sessions/${id}`);
  };
}, 60_000);

/** What an agent may do, so that each kind of change is there once. */
async function changeFiles(): Promise<void> {
  await writeFile(join(workspace, 'src/a.txt'), 'one\n2\nthree\n');
  await rm(join(workspace, 'src/b.txt'));
  await writeFile(join(workspace, 'new file.txt'), 'new\n');
  await mkdir(join(workspace, 'ignored'));
  await writeFile(join(workspace, 'ignored/x'), 'x');
  await writeFile(join(workspace, 'staged.txt'), 'staged\n');
  await git(workspace, 'add', 'staged.txt');
}

describe('status and differences', { timeout: 120_000 }, () => {
  test('show every kind of change, and nothing that git ignores', async () => {
    expect(await status()).toMatchObject({ branch: 'trunk', clean: true, files: [], commits_since_start: 0 });
    await changeFiles();
    const { files, clean } = await status();
    expect(clean).toBe(false);
    expect(files.toSorted((a, b) => (a.path < b.path ? -1 : 1))).toEqual([
      { path: 'new file.txt', staged: null, unstaged: 'untracked' },
      { path: 'src/a.txt', staged: null, unstaged: 'modified' },
      { path: 'src/b.txt', staged: null, unstaged: 'deleted' },
      { path: 'staged.txt', staged: 'added', unstaged: null },
    ]);
    const found = await diff();
    expect(found.files).toEqual([
      { path: 'new file.txt', change: 'added', added: 1, removed: 0 },
      { path: 'src/a.txt', change: 'modified', added: 1, removed: 1 },
      { path: 'src/b.txt', change: 'deleted', added: 0, removed: 1 },
      { path: 'staged.txt', change: 'added', added: 1, removed: 0 },
    ]);
    expect(found.diff).toContain('-two\n+2\n');
    expect(found.diff).toContain('+new\n');
    expect(found.truncated).toBe(false);
    // Looking changes nothing, not even what is staged.
    expect(await git(workspace, 'diff', '--cached', '--name-only')).toBe('staged.txt');
    expect(await readdir(join(server.dataDir, 'sessions', id))).not.toContainEqual(
      expect.stringContaining('git-view'),
    );
  });

  test('may be narrowed to a path, and are cut where asked', async () => {
    await changeFiles();
    expect((await diff('?path=src')).files.map(({ path }) => path)).toEqual(['src/a.txt', 'src/b.txt']);
    await writeFile(join(workspace, 'long.txt'), 'line\n'.repeat(10_000));
    const cut = await diff('?max_bytes=2048');
    expect(cut.truncated).toBe(true);
    expect(Buffer.byteLength(cut.diff)).toBeLessThanOrEqual(2048);
    expect(cut.diff.endsWith('\n')).toBe(true);
    for (const path of ['/etc', '../x', 'a/../../x']) {
      const refused = await call('GET', at(`diff?path=${encodeURIComponent(path)}`));
      expect((await answer(errorSchema, refused, 400)).code).toBe('invalid_query');
    }
    // A pattern is a name here.
    expect((await diff(`?path=${encodeURIComponent(':(glob)**')}`)).files).toEqual([]);
  });

  test('since the start they show what the agent has committed', async () => {
    await writeFile(join(workspace, 'src/a.txt'), 'changed\n');
    await git(workspace, 'commit', '--quiet', '--all', '-m', 'Second');
    expect(await status()).toMatchObject({ clean: true, commits_since_start: 1 });
    expect((await diff()).files).toEqual([]);
    expect((await diff('?since=start')).files).toEqual([
      { path: 'src/a.txt', change: 'modified', added: 1, removed: 3 },
    ]);
  });

  test('work for a session that has ended', async () => {
    await changeFiles();
    const alice = createClient({ baseUrl: server.url, apiKey: KEYS[0]?.key }).session(id);
    await alice.waitUntilReady();
    await alice.send('/exit 0');
    await eventually('the session has ended', async () => {
      const detail = z.looseObject({ state: z.string() });
      return (await answer(detail, await call('GET', `/sessions/${id}`))).state === 'stopped';
    });
    expect((await status()).files).toHaveLength(4);
  });

  test('of a workspace without a repository are 409', async () => {
    const plain = await startSession({});
    const refused = await call('GET', `/sessions/${plain}/git/status`);
    expect((await answer(errorSchema, refused, 409)).code).toBe('not_a_repository');
    await call('DELETE', `/sessions/${plain}`);
    await rm(join(workspace, '.git'), { recursive: true });
    await symlink(join(forge.folder, 'o/work.git'), join(workspace, '.git'));
    expect((await answer(errorSchema, await call('GET', at('diff')), 409)).code).toBe('not_a_repository');
  });

  test('are for those who may read; pushing is for those who may write', async () => {
    await call('POST', `/sessions/${id}/shares`, { user_id: 'rita', access: 'read' });
    expect((await call('GET', at('status'), undefined, 'rita')).status).toBe(200);
    expect((await call('GET', at('diff'), undefined, 'olga')).status).toBe(403);
    const refused = await call('POST', at('push'), {}, 'rita');
    expect((await answer(errorSchema, refused, 403)).code).toBe('shared_for_reading');
    const pull = await call('POST', at('pull-request'), { title: 'x' }, 'rita');
    expect((await answer(errorSchema, pull, 403)).code).toBe('shared_for_reading');
  });
});

describe('a push', { timeout: 120_000 }, () => {
  const outcomeSchema = z.object({ branch: z.string(), commit: z.string(), result: z.string() });

  test('brings the last commit to the branch, with the token of the session', async () => {
    await git(workspace, 'checkout', '--quiet', '-b', 'agent/one');
    await writeFile(join(workspace, 'src/a.txt'), 'changed\n');
    await git(workspace, 'commit', '--quiet', '--all', '-m', 'Second');
    const commit = await git(workspace, 'rev-parse', 'HEAD');
    const first = await answer(outcomeSchema, await call('POST', at('push')));
    expect(first).toEqual({ branch: 'agent/one', commit, result: 'created' });
    expect(await git(join(forge.folder, 'o/work.git'), 'rev-parse', 'agent/one')).toBe(commit);
    const again = await answer(outcomeSchema, await call('POST', at('push'), { branch: 'agent/one' }));
    expect(again.result).toBe('up_to_date');
    expect(server.output()).not.toContain(TOKEN);
  });

  test('that would lose commits is refused unless it is forced', async () => {
    await git(join(forge.folder, 'o/work.git'), 'branch', '--force', 'agent/two', 'trunk');
    await git(workspace, 'checkout', '--quiet', '--orphan', 'agent/two');
    await git(workspace, 'commit', '--quiet', '-m', 'Other');
    const refused = await answer(errorSchema, await call('POST', at('push')), 409);
    expect(refused.code).toBe('github_refused');
    expect(refused.message).toContain('agent/two');
    const forced = await answer(outcomeSchema, await call('POST', at('push'), { force: true }));
    expect(forced.result).toBe('updated');
  });

  test.each(['-x', '--mirror', 'a b', 'a:b', 'refs/../x'])('to the branch %j is 400', async (branch) => {
    expect((await call('POST', at('push'), { branch })).status).toBe(400);
  });

  test('from a shallow clone works, too', async () => {
    const shallow = await startSession({ repository: 'o/work', github_token: TOKEN, depth: 1 });
    const folder = await workspaceOf(shallow);
    await git(folder, 'commit', '--quiet', '--allow-empty', '-m', 'Shallow');
    const pushed = await call('POST', `/sessions/${shallow}/git/push`, { branch: 'agent/shallow' });
    expect((await answer(outcomeSchema, pushed)).result).toBe('created');
    await call('DELETE', `/sessions/${shallow}`);
  });

  test('without a token is refused before the forge is asked', async () => {
    await forge.create('o/open', { 'a.txt': 'a\n' });
    const open = await startSession({ repository: 'o/open' });
    const before = forge.requests.length;
    const refused = await call('POST', `/sessions/${open}/git/push`);
    expect((await answer(errorSchema, refused, 409)).code).toBe('no_github_token');
    expect(forge.requests.length).toBe(before);
    await call('DELETE', `/sessions/${open}`);
  });
});

describe('a pull request', { timeout: 120_000 }, () => {
  const reply = z.object({ number: z.number(), url: z.string(), head: z.string(), base: z.string() });

  test('is opened for the branch that is checked out, into the one that the session began on', async () => {
    forge.onApi(({ method, url, token, body }) => {
      if (method !== 'POST' || url.pathname !== '/repos/o/work/pulls') return null;
      if (token !== TOKEN) return { status: 401, body: { message: 'Bad credentials' } };
      const wanted = z.looseObject({ head: z.string() }).parse(JSON.parse(body));
      if (wanted.head === 'agent/twice') {
        return { status: 422, body: { message: 'Validation Failed: A pull request already exists' } };
      }
      expect(wanted).toEqual({ title: 'T', body: 'B', head: 'agent/pr', base: 'trunk', draft: true });
      return { status: 201, body: { number: 7, html_url: `${forge.url}o/work/pull/7` } };
    });
    await git(workspace, 'checkout', '--quiet', '-b', 'agent/pr');
    const opened = await call('POST', at('pull-request'), { title: ' T ', body: 'B', draft: true });
    expect(await answer(reply, opened, 201)).toEqual({
      number: 7,
      url: `${forge.url}o/work/pull/7`,
      head: 'agent/pr',
      base: 'trunk',
    });
    const twice = await call('POST', at('pull-request'), { title: 'T', head: 'agent/twice' });
    const refused = await answer(errorSchema, twice, 409);
    expect(refused).toMatchObject({ code: 'github_refused' });
    expect(refused.message).toContain('already exists');
    expect((await call('POST', at('pull-request'), { title: '  ' })).status).toBe(400);
  });
});

describe('a hostile repository', { timeout: 120_000 }, () => {
  test('runs no program and gets no token, whatever its configuration names', async () => {
    const trap = join(server.folder, `trap-${id}`);
    await mkdir(trap);
    const evil = join(trap, 'evil.sh');
    await writeFile(
      evil,
      `#!/bin/sh\nenv > "${trap}/ran-$$"\ncat <&3 >> "${trap}/ran-$$" 2>/dev/null\nexit 0\n`,
    );
    await chmod(evil, 0o755);
    const settings: Readonly<Record<string, string>> = {
      'core.fsmonitor': evil,
      'core.hooksPath': trap,
      'core.sshCommand': evil,
      'core.askPass': evil,
      'core.gitProxy': evil,
      'core.pager': evil,
      'core.editor': evil,
      'core.alternateRefsCommand': evil,
      'diff.external': evil,
      'diff.evil.command': evil,
      'diff.evil.textconv': evil,
      'filter.evil.clean': evil,
      'filter.evil.smudge': evil,
      'filter.evil.process': evil,
      'merge.evil.driver': evil,
      'credential.helper': evil,
      [`credential.${forge.url}.helper`]: evil,
      'gpg.program': evil,
      'push.gpgSign': 'true',
      'uploadpack.packObjectsHook': evil,
      'remote.origin.receivepack': evil,
      'remote.origin.url': `ext::${evil}`,
      'remote.origin.pushurl': `ext::${evil}`,
      'remote.origin.promisor': 'true',
      'extensions.partialClone': 'origin',
      'protocol.ext.allow': 'always',
      [`url.ext::${evil} .insteadOf`]: forge.url,
      [`url.http://127.0.0.1:1/.pushInsteadOf`]: forge.url,
      'http.proxy': 'http://127.0.0.1:1',
      'include.path': join(trap, 'more'),
      'core.worktree': '/',
      'submodule.recurse': 'true',
    };
    await git(workspace, 'checkout', '--quiet', '-b', 'agent/evil');
    await git(workspace, 'commit', '--quiet', '--allow-empty', '-m', 'Evil');
    for (const hook of ['pre-push', 'reference-transaction', 'post-index-change', 'fsmonitor-watchman']) {
      await execute('cp', [evil, join(trap, hook)]);
      await mkdir(join(workspace, '.git/hooks'), { recursive: true });
      await execute('cp', [evil, join(workspace, '.git/hooks', hook)]);
    }
    await writeFile(join(workspace, '.gitattributes'), '* filter=evil diff=evil merge=evil\n');
    await writeFile(join(workspace, 'src/a.txt'), 'changed\n');
    // A repository within the repository has a configuration of its own.
    const inner = join(workspace, 'inner');
    await git(workspace, 'init', '--quiet', 'inner');
    await git(inner, 'commit', '--quiet', '--allow-empty', '-m', 'x');
    await git(inner, 'config', 'core.fsmonitor', evil);
    await execute('mkfifo', [join(workspace, 'pipe')]);
    const config = join(workspace, '.git/config');
    for (const [name, value] of Object.entries(settings))
      await git('/', 'config', '--file', config, name, value);

    expect((await status()).files.map(({ path }) => path)).toContain('src/a.txt');
    expect((await diff()).diff).toContain('+changed\n');
    expect((await diff('?since=start')).diff).toContain('+changed\n');
    const pushed = await call('POST', at('push'));
    expect(await answer(z.looseObject({ result: z.string() }), pushed)).toMatchObject({ result: 'created' });
    const ran = (await readdir(trap)).filter((name) => name.startsWith('ran-'));
    expect(ran).toEqual([]);
    // The trap is one: git by itself walks into it.
    await execute('git', ['-C', inner, 'status']);
    expect(await readdir(trap)).toContainEqual(expect.stringMatching(/^ran-/));
  });

  test('with pipes in the place of its files keeps nobody waiting', async () => {
    for (const name of ['index', 'packed-refs', 'shallow', 'info/exclude']) {
      await rm(join(workspace, '.git', name), { force: true });
      await mkdir(join(workspace, '.git/info'), { recursive: true });
      await execute('mkfifo', [join(workspace, '.git', name)]);
    }
    expect((await status()).branch).toBe('trunk');
    await rm(join(workspace, '.git/HEAD'));
    await execute('mkfifo', [join(workspace, '.git/HEAD')]);
    expect((await answer(errorSchema, await call('GET', at('status')), 409)).code).toBe('not_a_repository');
    expect((await stat(workspace)).isDirectory()).toBe(true);
  });
});

test('pushes are in the audit log, with the branch', async () => {
  await git(workspace, 'checkout', '--quiet', '-b', 'agent/audit');
  const commit = await git(workspace, 'rev-parse', 'HEAD');
  expect((await call('POST', at('push'))).status).toBe(200);
  const page = z.looseObject({ entries: z.array(z.looseObject({})) });
  const { entries } = await answer(
    page,
    await call('GET', '/audit?action=session.git.push', undefined, 'root'),
  );
  expect(entries).toContainEqual(
    expect.objectContaining({
      user_id: 'alice',
      target_id: id,
      outcome: 'allowed',
      details: { branch: 'agent/audit', commit, force: false },
    }),
  );
});
