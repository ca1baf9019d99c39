import { execFile } from 'node:child_process';
import { cp, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ROOT, testedBlock } from '../support/documents.ts';
import { eventually, runCommand, startServer } from '../support/server-process.ts';
import { ServerSeries } from '../support/server-series.ts';
import { ask, getSession, search, start, untilStable, untilState } from '../support/wire.ts';

vi.setConfig({ testTimeout: 120_000 });

/** Runs a block of docs/operations.md word for word in a folder. */
async function runBlock(name: string, cwd: string): Promise<string> {
  const script = await testedBlock('docs/operations.md', name);
  const PATH = `${join(ROOT, 'bin')}:${process.env['PATH'] ?? ''}`;
  const { stdout } = await promisify(execFile)('sh', ['-e', '-c', script], { cwd, env: { PATH, HOME: cwd } });
  return stdout;
}

async function linesOf(file: string): Promise<readonly string[]> {
  return (await readFile(file, 'utf8')).trim().split('\n');
}

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'operations-test-'));
  await writeFile(join(folder, 'config.json'), JSON.stringify({ data_dir: 'data', port: 0 }));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe('docs/operations.md, run by sh word for word', () => {
  test('a backup and its key, restored on a new machine: sessions, their secrets and conversations are there', async () => {
    await using servers = await ServerSeries.start({ config: { on_shutdown: 'terminate' } });
    const { server } = servers;
    const id = await start(server, { environment: { SECRET: 'from the backup' }, tags: { a: 'b' } });
    expect(await ask(server, id, 'remember me')).toContain('remember me');
    expect(await runBlock('backup', servers.folder)).toContain('a backup of');
    await servers.stop();
    for (const file of ['store-backup.db', 'encryption-backup.key'])
      await copyFile(join(servers.folder, file), join(folder, file));

    expect(await runBlock('restore', folder)).toMatch(/sessions: 1\n.*needs the encryption key [0-9a-f]{8}/s);
    await mkdir(join(folder, 'data', 'sessions'), { mode: 0o700 });
    await cp(servers.sessionPath(id), join(folder, 'data', 'sessions', id), { recursive: true });
    await using next = await startServer({ folder, config: { on_shutdown: 'terminate' } });
    expect(await getSession(next, id)).toMatchObject({ state: 'stopped', tags: { a: 'b' } });
    expect((await next.request(`/sessions/${id}/resume`, { method: 'POST' })).status).toBe(200);
    expect(await ask(next, id, '/run printenv SECRET')).toContain('from the backup');
    const said = await (await next.request(`/${id}/messages`)).text();
    expect(said).toContain('remember me');
  });

  test('a rotation while sessions run: the server seals with the new key, and the old one can go', async () => {
    await using servers = await ServerSeries.start();
    const { server } = servers;
    const environment = { SECRET: 'sealed twice' };
    const before = await start(server, { environment });
    await untilStable(server, before);
    expect(await runBlock('rotate', servers.folder)).toMatch(
      /sealed again with the newest key: [1-9].*no longer needed, except for backups made before: key [0-9a-f]{8}/s,
    );
    // Sealed with the old key, unless the server is quick: it seals it again as soon as it knows of the new one.
    await start(server, { environment });
    const isSealedAnew = (): boolean =>
      servers.withDatabase((database) => {
        const used = database
          .prepare<[], { id: string }>('select distinct substr(start_sealed, 4, 8) as id from sessions')
          .all();
        const known = database.prepare<[], { id: string }>('select key_id as id from encryption_keys').all();
        return known.length === 1 && used.length === 1 && used[0]?.id === known[0]?.id;
      });
    await eventually('the running server has sealed with the new key', isSealedAnew);
    await start(server, { environment });
    expect(isSealedAnew()).toBe(true);
    expect(await ask(server, before, 'still here?')).toContain('still here?');
    const keyFile = join(server.dataDir, 'encryption.key');
    const [old = '', newest = '', ...more] = await linesOf(keyFile);
    expect(more).toEqual([]);
    await servers.crash();
    await writeFile(keyFile, `${old}\n`);
    const refused = await runCommand(['server', '--config', join(servers.folder, 'config.json')]);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('Put the right key back')]);
    await writeFile(keyFile, `${newest}\n`);
    const next = await servers.next();
    expect(await ask(next, before, '/run printenv SECRET')).toContain('sealed twice');
    await servers.killSession(before);
    await untilState(next, before, 'failed');
    expect((await next.request(`/sessions/${before}/resume`, { method: 'POST' })).status).toBe(200);
    expect(await ask(next, before, '/run printenv SECRET')).toContain('sealed twice');
  });

  test('own keys in a variable: the new one is appended, the server seals again, and the old one can go', async () => {
    const [old, fresh] = [Buffer.alloc(32, 1).toString('base64'), Buffer.alloc(32, 2).toString('base64')];
    const env = (keys: string): Readonly<Record<string, string>> => ({ AGENTAPI_PROXY_ENCRYPTION_KEY: keys });
    await using servers = await ServerSeries.start({ env: env(old) });
    const id = await start(servers.server, { environment: { SECRET: 'sealed twice' } });
    await untilStable(servers.server, id);
    const rotated = await runCommand(['keys', 'rotate'], { cwd: servers.folder, env: env(old) });
    expect([rotated.code, rotated.stderr]).toEqual([1, expect.stringContaining('append one to its value')]);
    await servers.stop();
    const second = await servers.next({ env: env(`${old},${fresh}`) });
    await eventually('it is said that everything is sealed again', () =>
      second.output().includes('secrets sealed again with the newest encryption key'),
    );
    await servers.stop();
    const third = await servers.next({ env: env(fresh) });
    expect(await ask(third, id, '/run printenv SECRET')).toContain('sealed twice');
    expect(third.output()).not.toContain(fresh);
  });

  test('PX-168: the files of the reference are imported, each once', async () => {
    const started_at = '2025-06-01T12:00:00Z';
    const session = {
      id: '6f1f7f0e-8d1c-4c57-8e0b-0e6f3f0e8d1c',
      port: 9000,
      started_at,
      user_id: 'alice',
      status: 'active',
    };
    await writeFile(
      join(folder, 'sessions.json'),
      JSON.stringify({ sessions: [session], updated_at: started_at }),
    );
    await writeFile(join(folder, 'sessions.json.profiles'), '[]');
    expect(await runBlock('migrate', folder)).toContain('imported 1 sessions');
    expect(await runBlock('migrate', folder)).toContain('imported 0 sessions');
    await using server = await startServer({ folder });
    expect(await search(server, '?state=all')).toMatchObject([{ session_id: session.id, state: 'stopped' }]);
  });
});
