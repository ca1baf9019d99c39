import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { filesBelow, ifThere } from '../support/files-below.ts';
import { lineAgent } from '../support/line-agent.ts';
import { runCommand, startServer } from '../support/server-process.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { ServerSeries } from '../support/server-series.ts';
import { ask, getSession, remove, say, search, start, untilStable, untilState } from '../support/wire.ts';

// Each test starts several servers, one after another.
vi.setConfig({ testTimeout: 120_000 });

const CANARY = 'canary-5f1c8a7e-value';

async function digestsOf(folder: string, names: readonly string[]): Promise<readonly string[]> {
  return Promise.all(
    names.map(async (name) =>
      createHash('sha256')
        .update(await readFile(join(folder, name)))
        .digest('hex'),
    ),
  );
}

/** Starts the server on a folder on which it cannot start; what it says. */
async function refusal(servers: ServerSeries, env: Record<string, string> = {}): Promise<string> {
  const { code, stdout, stderr } = await runCommand(
    ['server', '--config', join(servers.folder, 'config.json')],
    { env },
  );
  expect(code).toBe(1);
  expect(stdout).not.toContain('is ready');
  return stderr
    .split('\n')
    .filter((line) => line.startsWith('agentapi-proxy: '))
    .join('\n');
}

describe('what is kept', () => {
  test('PX-167: a session is in the store before its start is answered', async () => {
    await using servers = await ServerSeries.start();
    const ids: string[] = [];
    for (let round = 0; round < 3; round += 1) {
      ids.push(await start(servers.server, { tags: { round: String(round) }, user_id: 'alice' }));
      await servers.crashAndRestart();
    }
    const found = await search(servers.server, '?state=all');
    expect(found.map(({ session_id: id }) => id)).toEqual(ids.toReversed());
    expect(found.every(({ user_id: user }) => user === 'alice')).toBe(true);
  });

  test('PX-173: a deleted session is gone from the store, with its history and tags', async () => {
    await using servers = await ServerSeries.start();
    const id = await start(servers.server, { tags: { a: 'b' } });
    await untilState(servers.server, id, 'running');
    await remove(servers.server, id);
    await servers.stop();
    servers.withDatabase((database) => {
      for (const table of ['sessions', 'session_states', 'session_tags']) {
        expect(database.prepare(`select count(*) as total from ${table}`).get()).toEqual({ total: 0 });
      }
    });
  });

  test('every state is a line of the history', async () => {
    await using servers = await ServerSeries.start();
    const id = await start(servers.server);
    await untilStable(servers.server, id);
    await say(servers.server, id, '/exit 0').catch(() => undefined);
    const { history } = await untilState(servers.server, id, 'stopped');
    await servers.crashAndRestart();
    expect((await getSession(servers.server, id)).history).toEqual(history);
    expect(history.map(({ state }) => state)).toEqual([
      'creating',
      'starting',
      'running',
      'stopping',
      'stopped',
    ]);
  });

  test('PX-115, DF-69: pages of living and ended sessions together are the whole list, in order', async () => {
    await using servers = await ServerSeries.start({
      config: { agents: { line: lineAgent() }, default_agent: 'line' },
    });
    const { server } = servers;
    const ids: string[] = [];
    for (let index = 0; index < 6; index += 1)
      ids.push(await start(server, { tags: { index: String(index) } }));
    await Promise.all(ids.map(async (id) => untilState(server, id, 'running')));
    for (const id of [ids[1]!, ids[2]!, ids[5]!]) {
      await servers.killSession(id);
      await untilState(server, id, 'failed');
    }
    const pages = async (query: string): Promise<string[]> => {
      const collected: string[] = [];
      for (let cursor = ''; ;) {
        const response = await server.request(`/search?${query}${cursor === '' ? '' : `&cursor=${cursor}`}`);
        const page = Object(await response.json());
        collected.push(...page.sessions.map((row: { session_id: string }) => row.session_id));
        if (page.next_cursor === undefined) return collected;
        cursor = page.next_cursor;
      }
    };
    const newestFirst = ids.toReversed();
    expect(await pages('state=all&limit=1')).toEqual(newestFirst);
    expect(await pages('state=all&limit=4')).toEqual(newestFirst);
    expect(await pages('state=all')).toEqual(newestFirst);
    expect(await pages('state=failed&limit=2')).toEqual([ids[5], ids[2], ids[1]]);
    expect(await pages('state=all&tag.index=2&limit=2')).toEqual([ids[2]]);
    expect(await pages('limit=2')).toEqual([ids[4], ids[3], ids[0]]);
    await servers.crashAndRestart();
    const after = servers.server;
    expect((await search(after, '?state=all')).map(({ session_id: id }) => id)).toEqual(newestFirst);
  });

  test('without persistence everything is in memory, and the server says so', async () => {
    await using server = await startServer({ config: { persistence: { enabled: false } } });
    await untilState(server, await start(server), 'running');
    expect(server.output()).toContain('persistence is off');
    expect(await readdir(server.dataDir)).not.toContain('store.db');
    expect(await readdir(server.dataDir)).not.toContain('encryption.key');
  });
});

describe('secrets', () => {
  test('PX-169, PX-170, PX-228: no value is readable in any file, log, argument list or answer; files are private', async () => {
    await using servers = await ServerSeries.start({ args: ['--verbose'] });
    const environment = { MY_SECRET: CANARY };
    const ids = [await start(servers.server, { environment }), await start(servers.server, { environment })];
    await Promise.all(ids.map(async (id) => untilStable(servers.server, id)));
    const first = servers.server;
    const second = await servers.crashAndRestart();
    await ask(second, ids[0]!, 'hello');
    await servers.killSession(ids[1]!);
    await untilState(second, ids[1]!, 'failed');
    expect((await second.request(`/sessions/${ids[1]}/resume`, { method: 'POST' })).status).toBe(200);
    await untilStable(second, ids[1]!);
    const files = await filesBelow(second.dataDir);
    expect(files.some((file) => file.endsWith('store.db'))).toBe(true);
    for (const file of files) {
      const found = await ifThere(Promise.all([readFile(file), stat(file)]));
      if (found === null) continue;
      const [content, { mode }] = found;
      expect([file, content.includes(CANARY), (mode & 0o077).toString(8)]).toEqual([file, false, '0']);
    }
    const processes = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
    for (const pid of processes) {
      const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      expect(line).not.toContain(CANARY);
    }
    expect(first.output() + second.output()).not.toContain(CANARY);
    const answers = await Promise.all(
      ids.map(async (id) => (await second.request(`/sessions/${id}`)).text()),
    );
    expect(answers.join('')).not.toContain(CANARY);
    // Two sessions with equal values have different ciphertexts.
    servers.withDatabase((database) => {
      const rows = database.prepare<[], { start_sealed: string }>('select start_sealed from sessions').all();
      expect(new Set(rows.map((row) => row.start_sealed)).size).toBe(2);
    });
    expect(await ask(second, ids[1]!, '/run printenv MY_SECRET | cut -c1-6')).toContain('canary');
  });
});

describe('a store that cannot be used is fatal at the start', () => {
  async function stopped(): Promise<{ servers: ServerSeries; server: ServerProcess }> {
    const servers = await ServerSeries.start({ config: { on_shutdown: 'terminate' } });
    await untilState(servers.server, await start(servers.server, { environment: { A: 'b' } }), 'running');
    await servers.stop();
    return { servers, server: servers.server };
  }

  test('PX-171: a wrong or missing key – the store stays as it is, and the right key works', async () => {
    const { servers, server } = await stopped();
    await using _owner = servers;
    const before = await digestsOf(server.dataDir, ['store.db']);
    const key = join(server.dataDir, 'encryption.key');
    await rename(key, `${key}.away`);
    expect(await refusal(servers)).toMatch(/encryption key/);
    const wrong = Buffer.alloc(32, 7).toString('base64');
    const text = await refusal(servers, { AGENTAPI_PROXY_ENCRYPTION_KEY: wrong });
    expect(text).toMatch(/key/);
    expect(text).not.toContain(wrong);
    expect(await digestsOf(server.dataDir, ['store.db'])).toEqual(before);
    await rename(`${key}.away`, key);
    expect(await search(await servers.next(), '?state=all')).toHaveLength(1);
  });

  test('PX-172, DF-31: a damaged store – named, and not overwritten', async () => {
    const { servers, server } = await stopped();
    await using _owner = servers;
    await writeFile(
      join(server.dataDir, 'store.db'),
      'this is no database, but it is long enough to look like one'.repeat(100),
    );
    const before = await digestsOf(server.dataDir, ['store.db']);
    expect(await refusal(servers)).toContain(join(server.dataDir, 'store.db'));
    expect(await digestsOf(server.dataDir, ['store.db'])).toEqual(before);
  });

  test('PX-033, DF-31: a place that cannot be written', async () => {
    const { servers, server } = await stopped();
    await using _owner = servers;
    await rm(join(server.dataDir, 'store.db'));
    await mkdir(join(server.dataDir, 'store.db'));
    expect(await refusal(servers)).toContain('store.db');
  });
});
