import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { HAS_POSTGRES, PostgresServer } from '../../tools/src/postgres-server.ts';
import { eventually, runCommand, startServer } from '../support/server-process.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { SmallDisk } from '../support/small-disk.ts';
import {
  ask,
  errorOf,
  getSession,
  jsonRequest,
  remove,
  search,
  start,
  untilStable,
} from '../support/wire.ts';

vi.setConfig({ testTimeout: 120_000 });

/** Several pages of a database, so that what is free inside its files is used up soon. */
const LARGE = 'x'.repeat(60_000);
const MOST_ATTEMPTS = 400;

async function addProfile(server: ServerProcess, name: string): Promise<Response> {
  return server.request('/profiles', jsonRequest({ name, system_prompt: LARGE }));
}

async function profileNames(server: ServerProcess): Promise<readonly string[]> {
  const body: unknown = await (await server.request('/profiles')).json();
  return Object(body).profiles.map(({ name }: { name: string }) => name);
}

/** Adds profiles until one is refused; the names of those taken, and the refusal. */
async function addUntilRefused(server: ServerProcess, prefix: string) {
  const taken: string[] = [];
  for (let index = 0; index < MOST_ATTEMPTS; index += 1) {
    const name = `${prefix} ${index}`;
    const response = await addProfile(server, name);
    if (response.status !== 201) return { taken, refusal: response };
    await response.arrayBuffer();
    taken.push(name);
  }
  throw new Error('the disk is never full');
}

/** Starts the server on a folder on which it cannot start; what it says. */
async function refusalToStart(folder: string): Promise<string> {
  const { code, stderr } = await runCommand(['server', '--config', join(folder, 'config.json')]);
  expect(code).toBe(1);
  const said = stderr.split('\n').filter((line) => line.startsWith('agentapi-proxy: '));
  expect(said).toHaveLength(1);
  return said.join('\n');
}

async function digestOf(path: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
}

const NO_LIMIT = { limits: { profiles_per_user: 0 } };

describe('a full disk', () => {
  test('DF-31: writes are refused by name, reads and sessions go on, nothing is lost, and with room again it works', async () => {
    await using disk = await SmallDisk.create();
    const { folder } = disk;
    let known: readonly string[];
    let id: string;
    {
      await using server = await startServer({ folder, config: NO_LIMIT });
      id = await start(server, { tags: { a: 'b' } });
      await untilStable(server, id);
      await addProfile(server, 'before');
      await disk.fill(server.pid);

      const { taken, refusal } = await addUntilRefused(server, 'while full');
      known = ['before', ...taken];
      expect(refusal.headers.get('retry-after')).toBe('5');
      expect(await errorOf(refusal)).toMatchObject(
        disk.isMounted
          ? { status: 507, code: 'store_full', message: 'The store has no room left; nothing was changed' }
          : { status: 503, code: 'store_unavailable', message: 'The store cannot be used at the moment' },
      );
      expect(
        (await server.request('/start', jsonRequest({ tags: { long: LARGE.slice(0, 16_000) } }))).status,
      ).toBe(refusal.status);
      expect(await profileNames(server)).toEqual(known);
      expect((await search(server, '?state=all')).map(({ session_id: found }) => found)).toEqual([id]);
      expect(await ask(server, id, 'hello')).toContain('hello');
      expect((await server.request('/health')).status).toBe(200);
      expect(server.output()).toContain(disk.isMounted ? 'has no room left on its disk' : 'its disk fails');

      await disk.free(server.pid);
      await eventually('the store takes writes again', async () => {
        const response = await addProfile(server, 'after');
        return response.status === 201;
      });
      known = [...known, 'after'];
      expect(await profileNames(server)).toEqual(known);
      const second = await start(server);
      await untilStable(server, second);
      expect((await remove(server, second)).status).toBe(200);
      server.kill('SIGKILL');
      await server.exited;
      // The next server goes on with the session; only the last one ends it.
      await using next = await startServer({ folder, config: { ...NO_LIMIT, on_shutdown: 'terminate' } });
      expect(await profileNames(next)).toEqual(known);
      expect(await ask(next, id, 'still there?')).toContain('still there?');
      expect(await getSession(next, id)).toMatchObject({ state: 'running', tags: { a: 'b' } });
    }
    if (!disk.isMounted) return;
    const store = join(folder, 'data', 'store.db');
    const before = await digestOf(store);
    await disk.fill(0);
    expect(await refusalToStart(folder)).toMatch(/no room left|ENOSPC|no space left/);
    expect(await digestOf(store)).toBe(before);
    await disk.free(0);
    await using server = await startServer({ folder, config: NO_LIMIT });
    expect(await profileNames(server)).toEqual(known);
    expect((await getSession(server, id)).state).toBe('stopped');
  });
});

describe('a data folder that cannot be written', () => {
  test('DF-31: the start is refused by its name, nothing changes, and with rights it starts', async (context) => {
    await using disk = await SmallDisk.create();
    // Nothing can be taken away from root where no disk can be mounted.
    context.skip(!disk.isMounted && process.getuid?.() === 0, '[needs mount]');
    const { folder } = disk;
    {
      await using server = await startServer({ folder, config: { on_shutdown: 'terminate' } });
      await addProfile(server, 'kept');
    }
    const store = join(folder, 'data', 'store.db');
    const before = await digestOf(store);
    await disk.setReadOnly(true);
    expect(await refusalToStart(folder)).toContain(join(folder, 'data'));
    await disk.setReadOnly(false);
    expect(await digestOf(store)).toBe(before);
    await using server = await startServer({ folder });
    expect(await profileNames(server)).toEqual(['kept']);
  });
});

describe.skipIf(!HAS_POSTGRES)('PostgreSQL [needs postgresql]', () => {
  test('DF-31: a database that turns read-only refuses writes with 503, and takes them again later', async () => {
    await using postgres = await PostgresServer.start();
    const url = await postgres.createDatabase();
    const database = new URL(url).pathname.slice(1);
    const setReadOnly = async (isReadOnly: boolean): Promise<void> => {
      await postgres.query(`alter database ${database} set default_transaction_read_only = ${isReadOnly}`);
      // The setting holds for new connections.
      await postgres.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${database}'`,
      );
    };
    await using server = await startServer({ config: { store: { url } } });
    const id = await start(server);
    await untilStable(server, id);
    await addProfile(server, 'before');
    await setReadOnly(true);
    const refusal = await eventually('writes are refused because of it', async () => {
      const response = await addProfile(server, 'while read-only');
      return response.status === 503 && server.output().includes('25006') && response;
    });
    expect(refusal.headers.get('retry-after')).toBe('5');
    expect(await errorOf(refusal)).toMatchObject({ code: 'store_unavailable' });
    expect(await profileNames(server)).toEqual(['before']);
    expect(await ask(server, id, 'hello')).toContain('hello');
    await setReadOnly(false);
    await eventually(
      'the store takes writes again',
      async () => (await addProfile(server, 'after')).status === 201,
    );
    expect(await profileNames(server)).toEqual(['before', 'after']);
  });
});
