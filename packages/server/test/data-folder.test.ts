import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DataFolder, DataFolderError } from '../src/data-folder.ts';

const MODULE = new URL('../dist/data-folder.js', import.meta.url).href;
const isRoot = process.getuid?.() === 0;

let parent: string;
let path: string;
const children: ChildProcess[] = [];

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'data-folder-'));
  path = join(parent, 'data');
});

afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  await rm(parent, { recursive: true, force: true });
});

/** Opens the folder in another process, which holds it until it is killed; resolves with what it says. */
async function openElsewhere(): Promise<{ child: ChildProcess; said: string }> {
  const script = `
    import { DataFolder } from ${JSON.stringify(MODULE)};
    try { await DataFolder.open(${JSON.stringify(path)}); console.log('open'); setInterval(() => {}, 1000); }
    catch (error) { console.log(error.message); }`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const [said]: Buffer[] = await once(child.stdout, 'data');
  return { child, said: String(said).trim() };
}

async function refusal(): Promise<string> {
  const error = await DataFolder.open(path).catch((reason: unknown) => reason);
  if (!(error instanceof DataFolderError)) throw new Error('the folder was opened');
  return error.message;
}

describe('DataFolder', () => {
  test('PX-228: is created for its user only, and so is what it holds', async () => {
    await using data = await DataFolder.open(path);
    expect(data.path).toBe(path);
    expect((await stat(path)).mode & 0o777).toBe(0o700);
    expect((await stat(join(path, 'instance-id'))).mode & 0o777).toBe(0o600);
    expect(await readdir(join(path, 'lock'))).toEqual(['1']);
    expect((await stat(join(path, 'lock', '1'))).mode & 0o777).toBe(0o600);
  });

  test('keeps its instance id', async () => {
    const first = await DataFolder.open(path);
    await first[Symbol.asyncDispose]();
    await using second = await DataFolder.open(path);
    expect(second.instanceId).toMatch(/^[0-9a-f-]{36}$/);
    expect(second.instanceId).toBe(first.instanceId);
  });

  test('a damaged instance id is replaced', async () => {
    const first = await DataFolder.open(path);
    await first[Symbol.asyncDispose]();
    await writeFile(join(path, 'instance-id'), '../..');
    await using second = await DataFolder.open(path);
    expect(second.instanceId).toMatch(/^[0-9a-f-]{36}$/);
    expect(second.instanceId).not.toBe(first.instanceId);
  });

  test('an empty folder that is open to others is made private; one with other files is refused and left alone', async () => {
    await mkdir(path);
    await chmod(path, 0o755);
    const data = await DataFolder.open(path);
    await data[Symbol.asyncDispose]();
    expect((await stat(path)).mode & 0o777).toBe(0o700);

    path = join(parent, 'home');
    await mkdir(path);
    await writeFile(join(path, 'diary'), '');
    await chmod(path, 0o755);
    expect(await refusal()).toMatch(/holds other files and is open to other users.*chmod 700/);
    expect((await stat(path)).mode & 0o777).toBe(0o755);
  });

  test("another user's folder is refused", async () => {
    // Only root can give a folder away; for anybody else the root folder is another user's.
    if (isRoot) {
      await mkdir(path, { mode: 0o700 });
      await chown(path, 12_345, 12_345);
    } else path = '/';
    expect(await refusal()).toMatch(/belongs to another user \(uid \d+, this server runs as \d+\)/);
  });

  test('a place where nothing can be written is refused', async () => {
    path = '/dev/null/data';
    expect(await refusal()).toMatch(/^The data folder \/dev\/null\/data cannot be used: E/);
  });

  test('a file in its place is refused', async () => {
    await writeFile(path, '');
    expect(await refusal()).toMatch(/cannot be used: EEXIST/);
  });
});

describe('the lock', () => {
  test('a second server on the same folder is refused, with the pid of the first', async () => {
    const { child, said } = await openElsewhere();
    expect(said).toBe('open');
    expect(await refusal()).toContain(`in use by another agentapi-proxy server (pid ${child.pid})`);
  });

  test('PX-176: a lock left by kill -9 is taken over at once', async () => {
    const { child } = await openElsewhere();
    child.kill('SIGKILL');
    await once(child, 'exit');
    await using data = await DataFolder.open(path);
    expect(data.instanceId).toMatch(/^[0-9a-f-]{36}$/);
    expect(await readdir(join(path, 'lock'))).toEqual(['2']);
  });

  test('DF-27: a lock whose pid belongs to another program by now holds nobody up', async () => {
    const { child } = await openElsewhere();
    child.kill('SIGKILL');
    await once(child, 'exit');
    const lock = join(path, 'lock', '1');
    const holder = JSON.parse(await readFile(lock, 'utf8'));
    await writeFile(lock, JSON.stringify({ ...holder, pid: process.pid }));
    await using data = await DataFolder.open(path);
    expect(data.path).toBe(path);
  });

  test('a lock that a crash of the machine has damaged holds nobody up', async () => {
    await mkdir(join(path, 'lock'), { recursive: true, mode: 0o700 });
    await chmod(path, 0o700);
    await writeFile(join(path, 'lock', '7'), '\0\0\0\0');
    await using data = await DataFolder.open(path);
    expect(await readdir(join(data.path, 'lock'))).toEqual(['8']);
  });

  test('released, it is free for the same process and for others', async () => {
    const first = await DataFolder.open(path);
    expect(await refusal()).toContain(`(pid ${process.pid})`);
    await first[Symbol.asyncDispose]();
    await first[Symbol.asyncDispose]();
    const { said } = await openElsewhere();
    expect(said).toBe('open');
  });

  test('of many that want a stale lock at the same moment exactly one gets it', async () => {
    const { child } = await openElsewhere();
    child.kill('SIGKILL');
    await once(child, 'exit');
    for (let round = 0; round < 20; round += 1) {
      const results = await Promise.allSettled(Array.from({ length: 8 }, () => DataFolder.open(path)));
      const winners = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
      const losers = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
      expect(winners).toHaveLength(1);
      expect(losers.every((reason) => reason instanceof DataFolderError)).toBe(true);
      await winners[0]?.[Symbol.asyncDispose]();
    }
  });

  test('of many processes that start at the same moment exactly one gets a stale lock', async () => {
    const { child } = await openElsewhere();
    child.kill('SIGKILL');
    await once(child, 'exit');
    const said = (await Promise.all(Array.from({ length: 6 }, openElsewhere))).map((one) => one.said);
    expect(said.filter((text) => text === 'open')).toHaveLength(1);
    expect(said.filter((text) => text.includes('in use by another'))).toHaveLength(5);
  });
});
