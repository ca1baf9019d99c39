import { randomBytes } from 'node:crypto';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { git, startGitServer } from '../support/git-server.ts';
import type { GitServer } from '../support/git-server.ts';
import { eventually, startServer } from '../support/server-process.ts';
import type { ServerOptions, ServerProcess } from '../support/server-process.ts';
import { watchProcesses } from '../support/process-watch.ts';

const TOKEN = 'ghp_requestToken0123456789abcdefABCDEF';
const SERVER_TOKEN = 'ghp_serverToken0123456789abcdefABCDEFx';
const OTHER = 'ghp_otherUser0123456789abcdefABCDEFxxx';
const WRONG = 'ghp_wrongToken0123456789abcdefABCDEFxx';

const startedSchema = z.object({ session_id: z.uuid() });
const detailSchema = z.looseObject({
  state: z.string(),
  reason: z.string().optional(),
  failure: z.object({ code: z.string(), kind: z.string() }).optional(),
  progress: z.object({ step: z.string(), percent: z.number().nullable(), detail: z.string() }).optional(),
  tags: z.record(z.string(), z.string()),
  environment_names: z.array(z.string()),
});
type Detail = z.infer<typeof detailSchema>;

let forge: GitServer;
let server: ServerProcess;

async function post(path: string, body: object, on = server): Promise<Response> {
  return on.request(path, { method: 'POST', body: JSON.stringify(body) });
}

async function start(body: object, on = server): Promise<string> {
  const response = await post('/start', body, on);
  const answer: unknown = await response.json();
  expect({ status: response.status, answer }).toMatchObject({ status: 200 });
  return startedSchema.parse(answer).session_id;
}

async function detail(id: string, on = server): Promise<Detail> {
  return detailSchema.parse(await (await on.request(`/sessions/${id}`)).json());
}

async function settled(id: string, on = server): Promise<Detail> {
  return eventually(
    'the session has started or failed',
    async () => {
      const now = await detail(id, on);
      return now.state === 'running' || now.state === 'failed' ? now : false;
    },
    60_000,
  );
}

async function failed(
  body: object,
  on = server,
): Promise<{ readonly reason: string; readonly kind: string }> {
  const id = await start(body, on);
  const now = await settled(id, on);
  expect(now).toMatchObject({ state: 'failed', failure: { code: 'workspace_clone_failed' } });
  expect(now.progress).toBeUndefined();
  expect(await filesOf(join(sessionFolderOf(id, on)))).not.toContain('.git');
  await remove(id, on);
  return { reason: now.reason ?? '', kind: now.failure?.kind ?? '' };
}

function sessionFolderOf(id: string, on = server): string {
  return join(on.dataDir, 'sessions', id);
}

/** The one folder with a git folder, whatever it is called. */
async function workspaceOf(id: string, on = server): Promise<string> {
  const root = sessionFolderOf(id, on);
  const entries = await readdir(root, { withFileTypes: true });
  const [folder] = entries.filter((entry) => entry.isDirectory());
  return join(root, folder?.name ?? '');
}

/** Names of everything below a folder. */
async function filesOf(folder: string): Promise<string> {
  return (await readdir(folder, { recursive: true }).catch(() => [])).join('\n');
}

async function remove(id: string, on = server): Promise<void> {
  expect((await on.request(`/sessions/${id}`, { method: 'DELETE' })).status).toBe(200);
}

/** Starts a session on a repository, looks at its clone and deletes it. */
async function withClone(
  body: object,
  look: (workspace: string, id: string) => Promise<void>,
): Promise<void> {
  const id = await start(body);
  expect(await settled(id)).toMatchObject({ state: 'running' });
  await look(await workspaceOf(id), id);
  await remove(id);
}

async function startWithForge(options: ServerOptions = {}): Promise<ServerProcess> {
  return startServer({ ...options, env: { GITHUB_API: forge.apiUrl, ...options.env } });
}

/** Whether a text stands in a file below a folder. */
async function findInFiles(folder: string, text: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    if ((await readFile(path)).includes(text)) found.push(path);
  }
  return found;
}

beforeAll(async () => {
  forge = await startGitServer();
  await forge.create('o/public', { 'README.md': '# Public\n', 'src/main.txt': 'one\n' });
  const bare = join(forge.folder, 'o/public.git');
  await git(bare, 'branch', 'feature/login', 'trunk');
  await git(bare, 'tag', '-a', 'v1.0', '-m', 'First', 'trunk');
  await forge.create('o/private', { 'secret.txt': 'hidden\n' });
  forge.makePrivate('o/private');
  forge.allow(TOKEN, 'o/private');
  forge.allow(OTHER, 'o/else');
  server = await startWithForge();
}, 60_000);

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await forge[Symbol.asyncDispose]();
});

describe('a repository in the workspace of a session', { timeout: 120_000 }, () => {
  test('PX-100, PX-102: the agent runs inside the clone, on the default branch whatever its name', async () => {
    await withClone({ tags: { repository: 'o/public' } }, async (workspace, id) => {
      expect(await readFile(join(workspace, 'README.md'), 'utf8')).toBe('# Public\n');
      expect(await git(workspace, 'symbolic-ref', '--short', 'HEAD')).toBe('trunk');
      expect(await git(workspace, 'remote', 'get-url', 'origin')).toBe(`${forge.url}o/public.git`);
      expect(await git(workspace, 'status', '--porcelain', '--branch')).toBe('## trunk...origin/trunk');
      expect((await stat(workspace)).mode & 0o777).toBe(0o700);
      const session = server.client.session(id);
      await session.waitUntilReady();
      expect((await session.sendAndWait('/run cat src/main.txt')).text).toContain('one');
    });
  });

  test('PX-102, DD-22: branch, tag and commit are honoured', async () => {
    const commit = await git(join(forge.folder, 'o/public.git'), 'rev-parse', 'trunk');
    const head = async (workspace: string): Promise<string> =>
      git(workspace, 'status', '--porcelain', '--branch');
    await withClone({ tags: { repository: 'o/public', branch: 'feature/login' } }, async (workspace) => {
      expect(await head(workspace)).toBe('## feature/login...origin/feature/login');
    });
    await withClone({ repository: 'o/public', ref: 'v1.0' }, async (workspace) => {
      expect(await head(workspace)).toBe('## HEAD (no branch)');
      expect(await git(workspace, 'rev-parse', 'HEAD')).toBe(commit);
    });
    await withClone({ repository: 'o/public', ref: commit.slice(0, 8) }, async (workspace) => {
      expect(await git(workspace, 'rev-parse', 'HEAD')).toBe(commit);
    });
  });

  test('PX-102: an unknown branch fails the session and names what is near', async () => {
    const { reason, kind } = await failed({ repository: 'o/public', branch: 'feature/logim' });
    expect(kind).toBe('ref_not_found');
    expect(reason).toContain('There is no branch "feature/logim"; near it: feature/login');
  });

  test('a branch that is not there is made when that is asked for', async () => {
    await withClone(
      { repository: 'o/public', branch: 'agent/work', create_branch: true },
      async (workspace) => {
        expect(await git(workspace, 'status', '--porcelain', '--branch')).toBe('## agent/work');
      },
    );
  });

  test('DF-47: a depth is respected', async () => {
    const work = join(server.folder, 'deep');
    await git(server.folder, 'clone', '--quiet', join(forge.folder, 'o/public.git'), work);
    await git(work, 'commit', '--quiet', '--allow-empty', '-m', 'Second');
    await git(work, 'push', '--quiet', 'origin', 'trunk');
    const count = async (workspace: string): Promise<string> => git(workspace, 'rev-list', '--count', 'HEAD');
    await withClone({ repository: 'o/public', depth: 1 }, async (workspace) => {
      expect(await count(workspace)).toBe('1');
    });
    await withClone({ repository: 'o/public' }, async (workspace) => {
      expect(await count(workspace)).toBe('2');
    });
  });

  test('a repository without commits is there to be filled', async () => {
    await git(forge.folder, 'init', '--quiet', '--bare', 'o/empty.git');
    await withClone({ repository: 'o/empty' }, async (workspace) => {
      expect(await git(workspace, 'remote', 'get-url', 'origin')).toBe(`${forge.url}o/empty.git`);
      expect(await git(workspace, 'symbolic-ref', '--short', 'HEAD')).toBe('main');
    });
  });

  test('a resumed session finds its clone as the agent has left it', async () => {
    const id = await start({ repository: 'o/public' });
    await settled(id);
    const workspace = await workspaceOf(id);
    await writeFile(join(workspace, 'mine.txt'), 'mine');
    await server.client.session(id).waitUntilReady();
    await server.client.session(id).send('/exit 0');
    await eventually('the session has ended', async () => (await detail(id)).state === 'stopped');
    expect((await post(`/sessions/${id}/resume`, {})).status).toBe(200);
    expect(await settled(id)).toMatchObject({ state: 'running' });
    expect(await readFile(join(workspace, 'mine.txt'), 'utf8')).toBe('mine');
    await remove(id);
  });

  test.each([
    { tags: { repository: 'x/$(touch /tmp/px099)' } },
    { repository: '../x' },
    { repository: 'o/public', branch: '--upload-pack=touch f' },
    { repository: 'o/public', ref: '-x' },
  ])('PX-098, PX-099: %j is 400 and nothing is started', async (body) => {
    const before = forge.requests.length;
    expect((await post('/start', body)).status).toBe(400);
    expect(forge.requests.length).toBe(before);
  });
});

describe('a private repository', { timeout: 120_000 }, () => {
  test('PX-083: opens with the token of the request, and PX-103: leaves no trace of it', async () => {
    await using watch = watchProcesses(TOKEN);
    const bodies = [
      { repository: 'o/private', github_token: TOKEN },
      { repository: 'o/private', params: { github_token: TOKEN } },
    ];
    for (const body of bodies) {
      const id = await start(body);
      expect(await settled(id)).toMatchObject({ state: 'running', environment_names: [] });
      expect(await readFile(join(await workspaceOf(id), 'secret.txt'), 'utf8')).toBe('hidden\n');
      expect(await findInFiles(server.dataDir, TOKEN)).toEqual([]);
      expect(JSON.stringify(await detail(id))).not.toContain(TOKEN);
      const session = server.client.session(id);
      await session.waitUntilReady();
      expect((await session.sendAndWait('/run env')).text).not.toContain(TOKEN);
      await remove(id);
    }
    expect(watch.samples).toBeGreaterThan(5);
    expect([...watch.inArguments]).toEqual([]);
    expect([...watch.inEnvironment]).toEqual([]);
    expect(server.output()).not.toContain(TOKEN);
  });

  test('PX-083, DF-44: a token in the environment of the request beats that of the server', async () => {
    forge.allow(SERVER_TOKEN, 'o/else');
    await using other = await startWithForge({ env: { GITHUB_TOKEN: SERVER_TOKEN } });
    const { kind, reason } = await failed({ repository: 'o/private' }, other);
    expect(kind).toBe('repository_not_found');
    expect(reason).toContain("the server's GitHub token");
    const id = await start({ repository: 'o/private', environment: { GITHUB_TOKEN: TOKEN } }, other);
    expect(await settled(id, other)).toMatchObject({ state: 'running' });
    await remove(id, other);
    forge.allow(SERVER_TOKEN, 'o/private');
    const byServer = await start({ repository: 'o/private' }, other);
    expect(await settled(byServer, other)).toMatchObject({ state: 'running' });
    const session = other.client.session(byServer);
    await session.waitUntilReady();
    expect((await session.sendAndWait('/run env')).text).not.toContain(SERVER_TOKEN);
    await remove(byServer, other);
    expect(other.output()).not.toContain(SERVER_TOKEN);
  });

  test('a token of the profile opens it, too', async () => {
    const profile = await post('/profiles', {
      name: 'private',
      environment: { GITHUB_TOKEN: TOKEN },
      repository: 'o/private',
    });
    const { profile: made } = z.object({ profile: z.object({ id: z.string() }) }).parse(await profile.json());
    const response = await post('/start-with-profile', { profile_id: made.id });
    const { session_id: id } = startedSchema.parse(await response.json());
    expect(await settled(id)).toMatchObject({ state: 'running', tags: { repository: 'o/private' } });
    await remove(id);
  });

  test('git in the terminal uses the own token of the session where the operator allows it', async () => {
    await using kind = await startWithForge({ config: { github: { agent_credentials: true } } });
    const look = 'GIT_TERMINAL_PROMPT=0 git ls-remote origin HEAD >/dev/null && echo opened || echo closed';
    const ask = async (on: ServerProcess, environment: Readonly<Record<string, string>>): Promise<string> => {
      const id = await start({ repository: 'o/private', github_token: TOKEN, environment }, on);
      expect(await settled(id, on)).toMatchObject({ state: 'running' });
      const session = on.client.session(id);
      await session.waitUntilReady();
      const { text } = await session.sendAndWait(`/run ${look}`);
      expect(await findInFiles(join(await workspaceOf(id, on), '.git'), TOKEN)).toEqual([]);
      await remove(id, on);
      return text.split('\n').slice(-3).join(' ');
    };
    expect(await ask(kind, { GITHUB_TOKEN: TOKEN })).toContain('opened');
    expect(await ask(kind, {})).toContain('closed');
    expect(await ask(server, { GITHUB_TOKEN: TOKEN })).toContain('closed');
  });

  test.each([
    ['no token', {}, 'no_credentials', /private and there is no token/],
    [
      'a wrong token',
      { github_token: WRONG },
      'authentication_failed',
      /does not accept the token of the request/,
    ],
    ['the token of somebody else', { github_token: OTHER }, 'repository_not_found', /cannot be seen/],
    ['a token with a line break', { github_token: 'a\nhost=x' }, 'authentication_failed', /characters/],
  ])('PX-101: with %s the session fails, the agent is not started', async (_what, body, kind, reason) => {
    const outcome = await failed({ repository: 'o/private', ...body });
    expect(outcome.kind).toBe(kind);
    expect(outcome.reason).toMatch(reason);
    expect(outcome.reason).not.toContain(WRONG);
  });

  test('the copy that one user has made opens nothing to another', async () => {
    const id = await start({ repository: 'o/private', github_token: TOKEN });
    expect(await settled(id)).toMatchObject({ state: 'running' });
    expect(await filesOf(join(server.dataDir, 'repositories'))).toContain('private.git');
    const outcome = await failed({ repository: 'o/private', github_token: OTHER });
    expect(outcome.kind).toBe('repository_not_found');
    await remove(id);
  });

  test('PX-101: an unknown repository and an unreachable host are told apart', async () => {
    expect((await failed({ repository: 'o/nothing', github_token: TOKEN })).kind).toBe(
      'repository_not_found',
    );
    await using alone = await startServer({ env: { GITHUB_API: 'http://127.0.0.1:1/api/v3' } });
    const { kind, reason } = await failed({ repository: 'o/public' }, alone);
    expect(kind).toBe('host_unreachable');
    expect(reason).toContain('127.0.0.1:1 cannot be reached');
  });

  test('a forge that does not answer ends the start in time', async () => {
    await using hasty = await startWithForge({ config: { github: { clone_timeout_seconds: 1 } } });
    const release = forge.hold();
    const { kind } = await failed({ repository: 'o/public' }, hasty);
    release();
    expect(kind).toBe('timeout');
  });

  test('DELETE ends a clone under way, and nothing is left', async () => {
    const release = forge.hold();
    const id = await start({ repository: 'o/public' });
    await eventually(
      'the clone asks the forge',
      async () => (await detail(id)).progress?.step === 'connecting',
    );
    await remove(id);
    release();
    expect(await server.sessionProcesses(id)).toEqual([]);
    await expect(stat(sessionFolderOf(id))).rejects.toThrow('ENOENT');
  });
});

describe('a large repository', { timeout: 120_000 }, () => {
  const FILES = 40;
  /** 200 MB that cannot be compressed. */
  const FILE_BYTES = 5 * 1024 ** 2;

  test('shows its progress, and comes from the copy the second time, for two sessions at once', async () => {
    const files = Object.fromEntries(
      Array.from({ length: FILES }, (_, index) => [`blob-${index}.bin`, randomBytes(FILE_BYTES)]),
    );
    await forge.create('o/large', files);
    const seen = new Map<string, number>();
    const watch = async (id: string): Promise<Detail> =>
      eventually(
        'the session has started or failed',
        async () => {
          const now = await detail(id);
          const { step, percent } = now.progress ?? { step: now.state, percent: null };
          seen.set(step, Math.max(seen.get(step) ?? 0, percent ?? 0));
          return now.state === 'running' || now.state === 'failed' ? now : false;
        },
        120_000,
      );
    const firstAt = performance.now();
    const sentBefore = forge.sentBytes();
    const id = await start({ repository: 'o/large' });
    const second = await start({ repository: 'o/large' });
    const [one, two] = await Promise.all([watch(id), watch(second)]);
    expect([one.state, two.state]).toEqual(['running', 'running']);
    const firstMs = Math.round(performance.now() - firstAt);
    // Both have it, but it was sent only once.
    expect(forge.sentBytes() - sentBefore).toBeGreaterThan(FILES * FILE_BYTES);
    expect(forge.sentBytes() - sentBefore).toBeLessThan(1.5 * FILES * FILE_BYTES);
    expect([...seen.keys()]).toEqual(expect.arrayContaining(['fetching', 'waiting', 'running']));
    expect(seen.get('fetching')).toBeGreaterThan(0);
    const sentFirst = forge.sentBytes();
    const thirdAt = performance.now();
    const third = await start({ repository: 'o/large' });
    expect(await watch(third)).toMatchObject({ state: 'running' });
    const thirdMs = Math.round(performance.now() - thirdAt);
    expect(forge.sentBytes() - sentFirst).toBeLessThan(FILE_BYTES);
    // No file of one is a file of another: an agent could change what others get.
    const [pack = ''] = await readdir(join(await workspaceOf(third), '.git/objects/pack'));
    expect((await stat(join(await workspaceOf(third), '.git/objects/pack', pack))).nlink).toBe(1);
    console.log(`200 MB: two sessions at once ${firstMs} ms, from the copy ${thirdMs} ms`);
    for (const each of [id, second, third]) await remove(each);
  }, 180_000);

  test('copies are removed when they are too much', async () => {
    await using small = await startWithForge({ config: { github: { cache_bytes: 1024 } } });
    const id = await start({ repository: 'o/public' }, small);
    expect(await settled(id, small)).toMatchObject({ state: 'running' });
    await eventually(
      'the copy is removed',
      async () => !(await filesOf(join(small.dataDir, 'repositories'))).includes('.git'),
    );
    await remove(id, small);
  });

  test('without copies everything comes from the forge', async () => {
    await using none = await startWithForge({ config: { github: { cache_bytes: 0, depth: 1 } } });
    const id = await start({ repository: 'o/public', depth: 0 }, none);
    expect(await settled(id, none)).toMatchObject({ state: 'running' });
    expect(await filesOf(join(none.dataDir, 'repositories'))).toBe('');
    expect(await git(await workspaceOf(id, none), 'status', '--porcelain', '--branch')).toBe(
      '## trunk...origin/trunk',
    );
    await remove(id, none);
  });

  test('a broken copy is made anew', async () => {
    const id = await start({ repository: 'o/public' });
    await settled(id);
    await remove(id);
    const mirror = join(
      server.dataDir,
      'repositories',
      `127.0.0.1_${new URL(forge.url).port}`,
      'o/public.git',
    );
    await writeFile(join(mirror, 'packed-refs'), 'garbage\n');
    await writeFile(join(mirror, 'config'), '[core\n');
    const again = await start({ repository: 'o/public' });
    expect(await settled(again)).toMatchObject({ state: 'running' });
    await remove(again);
  });
});
