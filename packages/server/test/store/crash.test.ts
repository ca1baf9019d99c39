import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdtemp, rm, stat, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { KeyFile } from '../../src/store/key-source.ts';
import { openPostgres } from '../../src/store/postgres.ts';
import { openSqlite } from '../../src/store/sqlite.ts';
import type { Store } from '../../src/store/store.ts';
import { HAS_POSTGRES, PostgresServer } from '../../../../tools/src/postgres-server.ts';

const WRITER = fileURLToPath(new URL('../support/store-writer.mjs', import.meta.url));
const KILLS = 8;

const writeLine = z.object({
  kind: z.string(),
  id: z.string().optional(),
  errorKind: z.string().optional(),
  message: z.string().optional(),
});
type Write = z.output<typeof writeLine>;

/** A process that writes until it is killed. */
class Writer {
  readonly acknowledged: Write[] = [];
  readonly process: ChildProcess;
  /** Resolves when it is over and everything it acknowledged is read. */
  readonly over: Promise<void>;

  constructor(
    engine: 'sqlite' | 'postgres',
    location: string,
    keyFile: string,
    prefix: string,
    limitKb?: number,
  ) {
    const args = [WRITER, engine, location, keyFile, prefix];
    this.process =
      limitKb === undefined
        ? spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
        : spawn('/bin/sh', ['-c', `ulimit -f ${limitKb * 2}; exec "$@"`, 'sh', process.execPath, ...args], {
            stdio: ['ignore', 'pipe', 'inherit'],
          });
    const { stdout } = this.process;
    if (stdout === null) throw new Error('the writer has no output');
    const lines = createInterface(stdout);
    // What a kill cut off was not acknowledged.
    lines.on('line', (line) => {
      if (line.endsWith('}')) this.acknowledged.push(writeLine.parse(JSON.parse(line)));
    });
    this.over = Promise.all([once(this.process, 'exit'), once(lines, 'close')]).then(() => undefined);
    onTestFinished(async () => {
      this.process.kill('SIGKILL');
      await this.over;
    });
  }

  /** Resolves once so many writes were acknowledged. */
  async wrote(count: number): Promise<void> {
    for (const deadline = Date.now() + 30_000; this.acknowledged.length < count; await pause(1)) {
      if (Date.now() > deadline) throw new Error('the writer does not write');
    }
  }

  async kill(): Promise<void> {
    this.process.kill('SIGKILL');
    await this.over;
  }
}

/** Every acknowledged write is there, and no half of one. */
async function expectAcknowledged(store: Store, acknowledged: readonly Write[]): Promise<void> {
  const last = new Map<string, string>();
  for (const { kind, id } of acknowledged) if (id !== undefined) last.set(id, kind);
  const { sessions } = await store.sessions.list();
  const present = new Set(sessions.map((session) => session.facts.id));
  // The write after the last acknowledged one of a writer may have happened, too.
  const newest = new Map([...last.keys()].map((id) => [id.split('-')[0], id]));
  for (const [id, kind] of last) {
    if (kind === 'deleted') expect(present.has(id)).toBe(false);
    else if (newest.get(id.split('-')[0]) !== id) expect(present.has(id)).toBe(true);
    if (!present.has(id)) continue;
    const session = await store.sessions.get(id);
    expect(session?.history.length).toBe(session?.state === 'starting' ? 2 : 1);
    if (kind !== 'session') expect(session?.state).toBe('starting');
    expect((await store.sessions.readSecrets(id))?.environment).toEqual({ SECRET: `secret of ${id}` });
    expect(
      await store.sessions.count({ tags: new Map([['number', String(Number(id.slice(-6)))]]) }),
    ).toBeGreaterThan(0);
    const [a, b] = [await store.info.get(`a-${id}`), await store.info.get(`b-${id}`)];
    expect(a).toBe(b);
    if (kind === 'both') expect(a).toBe('both');
  }
}

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'store-crash-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

describe('SQLite', () => {
  test('PX-169, PX-211: after SIGKILL at any moment every acknowledged write is there', async () => {
    const folder = await newFolder();
    const path = join(folder, 'store.db');
    const keys = new KeyFile(join(folder, 'encryption.key'), true);
    const acknowledged: Write[] = [];
    for (let round = 0; round < KILLS; round += 1) {
      const writer = new Writer('sqlite', path, keys.path, `round${round}`);
      // From the very start of the first opening to some hundred writes later.
      await writer.wrote(Math.floor(Math.random() * 200) * Math.min(round, 1));
      await pause(Math.random() * 30);
      await writer.kill();
      acknowledged.push(...writer.acknowledged);
      await using store = await openSqlite(path, keys);
      await expectAcknowledged(store, writer.acknowledged);
    }
    await using store = await openSqlite(path, keys);
    await expectAcknowledged(store, acknowledged);
  });

  test('power cut: a copy of the files at any moment opens, is consistent and has every acknowledged write', async () => {
    const folder = await newFolder();
    const path = join(folder, 'store.db');
    const keys = new KeyFile(join(folder, 'encryption.key'), true);
    const writer = new Writer('sqlite', path, keys.path, 'cut');
    for (let cut = 1; cut <= KILLS; cut += 1) {
      await writer.wrote(cut * 60);
      writer.process.kill('SIGSTOP');
      const count = writer.acknowledged.length;
      const copy = join(folder, `copy${cut}.db`);
      const torn = join(folder, `torn${cut}.db`);
      for (const to of [copy, torn]) {
        await copyFile(path, to);
        await copyFile(`${path}-wal`, `${to}-wal`);
      }
      writer.process.kill('SIGCONT');
      const whole = writer.acknowledged.slice(0, count);
      {
        await using store = await openSqlite(copy, keys);
        await expectAcknowledged(store, whole);
      }

      // What was on its way to the disk may arrive in part: writes may be missing then, but only the latest ones.
      await truncate(`${torn}-wal`, Math.floor(Math.random() * (await stat(`${torn}-wal`)).size));
      await using store = await openSqlite(torn, keys);
      const numbers = (await store.sessions.list()).sessions.map((session) =>
        Number(session.facts.id.slice(-6)),
      );
      const newest = numbers[0] ?? -1;
      const expected = Array.from({ length: newest + 1 }, (_, index) => newest - index).filter(
        (number) => number % 3 !== 0 || number === newest,
      );
      expect(numbers).toEqual(expected);
    }
    await writer.kill();
  });

  test('a disk that takes no more is an error that says so; what was acknowledged is there', async () => {
    const folder = await newFolder();
    const path = join(folder, 'store.db');
    const keys = new KeyFile(join(folder, 'encryption.key'), true);
    const writer = new Writer('sqlite', path, keys.path, 'full', 1_500);
    await writer.over;
    expect(writer.process.exitCode).toBe(3);
    const [failure] = writer.acknowledged.splice(-1);
    expect(failure).toMatchObject({
      kind: 'error',
      errorKind: expect.stringMatching(/^(full|unavailable)$/),
      message: expect.stringContaining(path),
    });
    expect(writer.acknowledged.length).toBeGreaterThan(20);
    await using store = await openSqlite(path, keys);
    await expectAcknowledged(store, writer.acknowledged);
  });
});

describe.skipIf(!HAS_POSTGRES)('PostgreSQL [needs postgresql]', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await PostgresServer.start({ durable: true });
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test('after SIGKILL of the writer at any moment every acknowledged write is there', async () => {
    const url = await server.createDatabase();
    const keys = new KeyFile(join(await newFolder(), 'encryption.key'), true);
    for (let round = 0; round < KILLS; round += 1) {
      const writer = new Writer('postgres', url, keys.path, `round${round}`);
      await writer.wrote(Math.floor(Math.random() * 200) * Math.min(round, 1));
      await pause(Math.random() * 30);
      await writer.kill();
      await using store = await openPostgres(url, keys);
      await expectAcknowledged(store, writer.acknowledged);
    }
  });

  test('after SIGKILL of PostgreSQL the writer has a clear error, and every acknowledged write is there', async () => {
    const url = await server.createDatabase();
    const keys = new KeyFile(join(await newFolder(), 'encryption.key'), true);
    const writer = new Writer('postgres', url, keys.path, 'server');
    await writer.wrote(100);
    await server.stop('SIGKILL');
    await writer.over;
    const [failure] = writer.acknowledged.splice(-1);
    expect(failure).toMatchObject({ kind: 'error', errorKind: 'unavailable' });
    await server.launch();
    await using store = await openPostgres(url, keys);
    await expectAcknowledged(store, writer.acknowledged);
  });
});
