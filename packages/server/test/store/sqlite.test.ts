import { chmod, chown, copyFile, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import SqliteFile from 'better-sqlite3';
import { describe, expect, onTestFinished, test } from 'vitest';
import { sqliteError } from '../../src/store/sqlite-errors.ts';
import { openMemory, openSqlite } from '../../src/store/sqlite.ts';
import { newSession, type Site, sqliteTestEngine } from './stores.ts';

/** An account without rights, when the tests run as root, whom no mode stops. */
const NOBODY = 65_534;

function pathOf(site: Site): string {
  return join(site.folder, 'store.db');
}

async function modeOf(path: string): Promise<number> {
  return (await stat(path)).mode & 0o777;
}

/** A site whose store holds `count` sessions and is closed. */
async function filledSite(count: number): Promise<Site> {
  const site = await sqliteTestEngine().site();
  await using store = await site.open();
  for (let index = 0; index < count; index += 1) await store.sessions.insert(newSession());
  return site;
}

/** Takes the rights of root away from this process until the test is over. */
async function asNobody(...owned: readonly string[]): Promise<void> {
  if (process.getuid?.() !== 0) return;
  for (const path of owned) await chown(path, NOBODY, NOBODY);
  process.seteuid?.(NOBODY);
  onTestFinished(() => process.seteuid?.(0));
}

describe('files', () => {
  test('PX-169: the file and what SQLite puts beside it are private, also when the file was not', async () => {
    await using site = await sqliteTestEngine().site();
    await writeFile(pathOf(site), '');
    await chmod(pathOf(site), 0o666);
    await using store = await site.open();
    await store.sessions.insert(newSession());
    const names = (await readdir(site.folder)).filter((name) => name.startsWith('store.db'));
    expect(names.toSorted()).toEqual(['store.db', 'store.db-shm', 'store.db-wal']);
    for (const name of names) expect(await modeOf(join(site.folder, name))).toBe(0o600);
  });

  test('a closed store is one file', async () => {
    await using site = await filledSite(3);
    expect((await readdir(site.folder)).filter((name) => name.startsWith('store.db'))).toEqual(['store.db']);
  });

  test('PX-172, DF-31: a damaged file is refused by its name, and nothing is overwritten', async () => {
    await using site = await filledSite(200);
    const whole = await readFile(pathOf(site));
    const damaged = join(site.folder, 'damaged.db');
    const garbage = Buffer.alloc(6_000, 'x');
    const variants = [
      Buffer.from('this is no database'),
      Buffer.alloc(20_000, 'x'),
      whole.subarray(0, whole.length - 20_000),
      Buffer.concat([whole.subarray(0, 30_000), garbage, whole.subarray(30_000 + garbage.length)]),
      Buffer.concat([Buffer.from('SQLite format 4\0'), whole.subarray(16)]),
    ];
    for (const [index, variant] of variants.entries()) {
      await writeFile(damaged, variant);
      await expect(openSqlite(damaged, site.keys), `variant ${index}`).rejects.toMatchObject({
        name: 'StoreError',
        kind: 'corrupt',
        message: expect.stringMatching(
          new RegExp(`^The store ${damaged} is damaged.*restore a backup; nothing was changed`),
        ),
      });
      expect((await readFile(damaged)).equals(variant)).toBe(true);
    }
    await using store = await site.open();
    expect(await store.sessions.count()).toBe(200);
  });

  test("another program's database is refused and left alone", async () => {
    await using site = await sqliteTestEngine().site();
    const foreign = new SqliteFile(pathOf(site));
    foreign.exec("create table photos (name text); insert into photos values ('beach')");
    foreign.close();
    const before = await readFile(pathOf(site));
    await expect(site.open()).rejects.toMatchObject({
      kind: 'foreign',
      message: expect.stringContaining(`${pathOf(site)} is a database of another program`),
    });
    expect((await readFile(pathOf(site))).equals(before)).toBe(true);
  });

  test('a place where no file can be is refused by its name', async () => {
    await using site = await sqliteTestEngine().site();
    await writeFile(join(site.folder, 'file'), '');
    await mkdir(join(site.folder, 'folder'));
    for (const path of ['missing/store.db', 'file/store.db', 'folder'].map((name) =>
      join(site.folder, name),
    )) {
      await expect(openSqlite(path, site.keys)).rejects.toMatchObject({
        name: 'StoreError',
        kind: 'unavailable',
        message: expect.stringContaining(path),
      });
    }
  });

  test('a folder that may not be written to is refused by its name, and nothing is lost', async () => {
    await using site = await filledSite(5);
    const path = join(site.folder, 'locked', 'store.db');
    await mkdir(dirname(path));
    await copyFile(pathOf(site), path);
    await chmod(dirname(path), 0o500);
    await chmod(path, 0o400);
    await asNobody(site.folder, site.keys.path, dirname(path), path);
    for (const name of ['store.db', 'other.db']) {
      await expect(openSqlite(join(dirname(path), name), site.keys)).rejects.toMatchObject({
        name: 'StoreError',
        kind: expect.stringMatching(/^(unavailable|read_only)$/),
        message: expect.stringContaining(join(dirname(path), name)),
      });
    }
    await chmod(dirname(path), 0o700);
    await using store = await openSqlite(path, site.keys);
    expect(await store.sessions.count()).toBe(5);
  });
});

describe('in use', () => {
  test('a write waits for another process that writes, and the rest of this one goes on', async () => {
    await using site = await filledSite(0);
    await using store = await site.open();
    const other = new SqliteFile(pathOf(site));
    onTestFinished(() => {
      other.close();
    });
    other.exec('begin immediate');
    let written = false;
    const write = store.sessions.insert(newSession()).finally(() => {
      written = true;
    });
    let turns = 0;
    while (turns < 20) {
      await new Promise((resolve) => {
        setTimeout(resolve, 1);
      });
      turns += 1;
    }
    expect(written).toBe(false);
    other.exec('commit');
    await write;
    expect(await store.sessions.count()).toBe(1);
  });

  test('many at once on one store come one after the other', async () => {
    await using site = await sqliteTestEngine().site();
    await using store = await site.open();
    const sessions = Array.from({ length: 200 }, () => newSession());
    await Promise.all(sessions.map((session) => store.sessions.insert(session)));
    expect(await store.sessions.count()).toBe(200);
  });

  test('a store in memory says so, works, and shares nothing', async () => {
    await using store = await openMemory();
    await using other = await openMemory();
    expect(store.inMemory).toBe(true);
    expect(store.location).toBe('in memory');
    const session = newSession({ message: 'secret' });
    await store.sessions.insert(session);
    expect(await store.sessions.readSecrets(session.facts.id)).toMatchObject({ message: 'secret' });
    await store.rotateKeys();
    expect(await store.sessions.readSecrets(session.facts.id)).toMatchObject({ message: 'secret' });
    expect(await other.sessions.count()).toBe(0);
  });
});

describe('what SQLite says, in our words', () => {
  test('a full disk loses nothing that was saved', () => {
    const file = new SqliteFile(':memory:');
    onTestFinished(() => {
      file.close();
    });
    file.exec('create table t (x); pragma max_page_count = 3');
    const insert = file.prepare('insert into t values (randomblob(1000))');
    const fill = (): void => {
      for (let row = 0; row < 100; row += 1) insert.run();
    };
    let failure: unknown;
    try {
      fill();
    } catch (error) {
      failure = sqliteError(error, '/data/store.db');
    }
    expect(failure).toMatchObject({
      kind: 'full',
      message:
        'The store /data/store.db has no room left on its disk; make room, nothing that was saved is lost (SQLITE_FULL)',
    });
  });

  test('what is no failure of SQLite stays what it is', () => {
    const error = new Error('other');
    expect(sqliteError(error, 'x')).toBe(error);
    expect(sqliteError('text', 'x')).toBe('text');
  });
});
