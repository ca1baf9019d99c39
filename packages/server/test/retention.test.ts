import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Retention } from '../src/sessions/retention.ts';
import { openMemory } from '../src/store/sqlite.ts';
import type { Store } from '../src/store/store.ts';
import { Workspaces } from '../src/workspace/workspace.ts';
import { newSession } from './store/stores.ts';

const HOUR_MS = 3_600_000;
const NEVER = Number.POSITIVE_INFINITY;

describe('the retention of ended sessions', () => {
  let folder: string;
  let store: Store;
  let workspaces: Workspaces;
  const live = new Set<string>();
  const forgotten: string[] = [];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'retention-'));
    store = await openMemory();
    workspaces = new Workspaces(folder);
    live.clear();
    forgotten.length = 0;
  });
  afterEach(async () => {
    await store[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  function retention(recordMs: number, filesMs: number): Retention {
    return new Retention({
      store,
      instanceId: 'instance-1',
      workspaces,
      recordMs,
      filesMs,
      whileEnded: async (id, work) => (live.has(id) ? undefined : work()),
      onForgotten: (id, ownerId) => void forgotten.push(`${id} of ${ownerId}`),
      log: pino({ level: 'silent' }),
    });
  }

  async function ended(hoursAgo: number, file: string | null): Promise<string> {
    const id = randomUUID();
    const at = new Date(Date.now() - hoursAgo * HOUR_MS);
    await store.sessions.insert(newSession({ facts: { id, createdAt: at } }));
    await store.sessions.transition(id, ['creating'], 'failed', { at, reason: 'for a test' });
    const { directory } = await workspaces.prepare(id);
    if (file !== null) await writeFile(join(directory, file), 'work');
    return id;
  }

  async function isKnown(id: string): Promise<boolean> {
    return (await store.sessions.get(id)) !== null;
  }

  test('a record goes with its folder after its time, but never while there are files in its workspace', async () => {
    await using subject = retention(24 * HOUR_MS, NEVER);
    const [old, young, precious] = [await ended(25, null), await ended(1, null), await ended(1000, 'a.txt')];
    await subject.sweep();
    expect(await Promise.all([old, young, precious].map(isKnown))).toEqual([false, true, true]);
    expect(forgotten).toEqual([`${old} of alice`]);
    expect(await workspaces.list()).toHaveLength(2);
    expect(await workspaces.holdsFiles(precious)).toBe(true);
  });

  test('however many sessions stay, those behind them are reached', async () => {
    await using subject = retention(24 * HOUR_MS, NEVER);
    for (let index = 0; index < 130; index += 1) await ended(100 + index, 'a.txt');
    const last = await ended(50, null);
    await subject.sweep();
    await subject.sweep();
    expect(await isKnown(last)).toBe(false);
    expect(await store.sessions.count()).toBe(130);
  });

  test('ttl: files go after their time, the record after its own', async () => {
    await using subject = retention(48 * HOUR_MS, 24 * HOUR_MS);
    const [old, middle, young] = [
      await ended(50, 'a.txt'),
      await ended(30, 'a.txt'),
      await ended(20, 'a.txt'),
    ];
    await subject.sweep();
    expect(await Promise.all([old, middle, young].map(isKnown))).toEqual([false, true, true]);
    expect(await workspaces.isThere(middle)).toBe(false);
    expect(await workspaces.holdsFiles(young)).toBe(true);
  });

  test('delete: a session that was deleted with its end is not remembered', async () => {
    await using subject = retention(24 * HOUR_MS, 0);
    const list = vi.spyOn(store.sessions, 'listEndedBefore');
    await subject.sweep();
    const deleted = await ended(0, null);
    await store.sessions.delete(deleted);
    await subject.afterEnd(deleted);
    await subject.sweep();
    // It asks for more, the more it has to skip.
    const limits = list.mock.calls.map(([, , limit]) => limit);
    expect(limits).toEqual(limits.map(() => limits[0]));
  });

  test('delete: files go with the end; a session that lives again is not touched', async () => {
    await using subject = retention(48 * HOUR_MS, 0);
    const [gone, resumed] = [await ended(0, 'a.txt'), await ended(100, 'a.txt')];
    live.add(resumed);
    await subject.afterEnd(gone);
    expect(await workspaces.isThere(gone)).toBe(false);
    await subject.sweep();
    expect(await workspaces.holdsFiles(resumed)).toBe(true);
    expect(await isKnown(resumed)).toBe(true);
  });
});
