import { EventEmitter } from 'node:events';
import { cp, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runCommandLine } from '../src/cli/program.ts';
import { DataFolder } from '../src/data-folder.ts';
import { KeyFile } from '../src/store/key-source.ts';
import { openSqlite } from '../src/store/sqlite.ts';
import type { Store } from '../src/store/store.ts';
import { newSession } from './store/stores.ts';

interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

describe('backup, restore and migrate', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cli-store-'));
    await writeFile(join(folder, 'config.json'), JSON.stringify({ data_dir: 'data' }));
  });
  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  async function run(...args: readonly string[]): Promise<Finished> {
    let stdout = '';
    let stderr = '';
    const code = await runCommandLine(args, {
      environment: { HOME: folder },
      workingDirectory: folder,
      stdout: { write: (text) => (stdout += text) },
      stderr: { write: (text) => (stderr += text) },
      openStreams: () => {
        throw new Error('no terminal is wanted');
      },
      signals: new EventEmitter(),
      exitNow: () => undefined,
      loadApp: async () => Promise.reject(new Error('no server is wanted')),
      runAgentServer: async () => Promise.reject(new Error('no agent server is wanted')),
    });
    return { code, stdout, stderr };
  }

  async function withStore<Result>(
    work: (store: Store) => Promise<Result>,
    dataDir = 'data',
  ): Promise<Result> {
    const path = join(folder, dataDir);
    await using owner = await DataFolder.open(path);
    const store = await openSqlite(
      join(owner.path, 'store.db'),
      new KeyFile(join(path, 'encryption.key'), true),
    );
    try {
      return await work(store);
    } finally {
      await store[Symbol.asyncDispose]();
    }
  }

  test('a backup restores into another data folder, with the key at hand', async () => {
    const session = newSession();
    await withStore(async (store) => store.sessions.insert({ ...session, message: 'a secret' }));
    const made = await run('backup', 'saved.db');
    expect(made).toMatchObject({ code: 0, stderr: '' });
    expect(made.stdout).toContain('keep the encryption key');
    expect((await stat(join(folder, 'saved.db'))).mode & 0o777).toBe(0o600);
    const again = await run('backup', 'saved.db');
    expect(again.code).toBe(1);
    expect(again.stderr).toContain('saved.db');

    await writeFile(join(folder, 'other.json'), JSON.stringify({ data_dir: 'other' }));
    const restored = await run('restore', '-c', 'other.json', 'saved.db');
    expect(restored).toMatchObject({ code: 0, stderr: '' });
    expect(restored.stdout).toMatch(/sessions: 1\n/);
    expect(restored.stdout).toMatch(/needs the encryption key \S+ to open it/);
    await cp(join(folder, 'data', 'encryption.key'), join(folder, 'other', 'encryption.key'));
    await withStore(async (store) => {
      expect((await store.sessions.readSecrets(session.facts.id))?.message).toBe('a secret');
    }, 'other');
  });

  test('a store that holds something is replaced only by force, and never under a running server', async () => {
    await withStore(async (store) => store.sessions.insert(newSession()));
    expect((await run('backup', 'one.db')).code).toBe(0);
    await withStore(async (store) => store.sessions.insert(newSession()));
    const refused = await run('restore', 'one.db');
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toContain('--force');
    {
      await using _running = await DataFolder.open(join(folder, 'data'));
      const locked = await run('restore', '--force', 'one.db');
      expect(locked.code).toBe(1);
      expect(locked.stderr).toContain('in use by another agentapi-proxy server');
      expect((await run('backup', 'two.db')).code).toBe(0);
    }
    expect((await run('restore', '--force', 'one.db')).code).toBe(0);
    await withStore(async (store) => expect(await store.sessions.count()).toBe(1));
  });

  test('PX-168: migrate imports the files of the reference once, and names what it cannot take', async () => {
    const id = '0b9c1a52-6a3e-4c38-9a52-2f4f0f4a6c11';
    const session = {
      id,
      port: 9000,
      started_at: '2025-06-20T10:00:00.123456789Z',
      user_id: 'alice',
      status: 'active',
      environment: { PLAIN: 'p', MY_KEY: 'ENC:AAAA' },
      tags: { a: '1' },
      process_id: 19639,
      command: ['bash'],
    };
    await writeFile(
      join(folder, 'sessions.json'),
      JSON.stringify({ sessions: [session], updated_at: session.started_at }),
    );
    const profile = { id: '5b9c1a52-6a3e-4c38-9a52-2f4f0f4a6c12', user_id: 'alice', name: 'mine' };
    await writeFile(join(folder, 'sessions.json.profiles'), JSON.stringify([profile]));
    const first = await run('migrate');
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(first.stdout).toContain('imported 1 sessions from');
    expect(first.stdout).toContain(`MY_KEY of session ${id}`);
    expect(first.stdout).toContain('imported 1 profiles from');
    await withStore(async (store) => {
      expect(await store.sessions.get(id)).toMatchObject({
        state: 'stopped',
        facts: { ownerId: 'alice', tags: { a: '1' } },
      });
      expect((await store.sessions.readSecrets(id))?.environment).toEqual({ PLAIN: 'p' });
    });
    expect((await run('migrate')).stdout).toContain('imported 0 sessions');
    const before = await readFile(join(folder, 'sessions.json'), 'utf8');
    await writeFile(join(folder, 'broken.json'), before.slice(0, 40));
    const broken = await run('migrate', '--sessions', 'broken.json');
    expect(broken).toMatchObject({ code: 1 });
    expect(broken.stderr).toContain('broken.json');
    expect((await run('migrate', '--profiles', 'absent.json')).code).toBe(1);
  });

  test('without persistence there is no store', async () => {
    await writeFile(join(folder, 'config.json'), JSON.stringify({ persistence: { enabled: false } }));
    for (const args of [['backup', 'x'], ['restore', 'x'], ['migrate']]) {
      expect(await run(...args)).toMatchObject({ code: 2, stdout: '' });
    }
  });
});
