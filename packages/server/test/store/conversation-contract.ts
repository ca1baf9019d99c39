import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JournalWrite } from '../../src/store/journal.ts';
import { restoreBackup } from '../../src/store/restore.ts';
import type { Store } from '../../src/store/store.ts';
import { parseWordQuery } from '../../src/store/words.ts';
import { newSession, type TestEngine } from './stores.ts';

const NOW = new Date('2026-01-01T12:00:00Z');

async function newId(store: Store, ownerId = 'alice'): Promise<string> {
  const session = newSession({ facts: { ownerId } });
  await store.sessions.insert(session);
  return session.facts.id;
}

function batchOf(
  sessionId: string,
  first: number,
  options: { count?: number; segment?: number; at?: Date; size?: number; text?: string } = {},
): JournalWrite {
  const { count = 1, segment = 1, at = NOW, size = 10, text } = options;
  const lastPosition = first + count - 1;
  return {
    sessionId,
    head: { lastPosition, segment, states: 0, status: 'stable', errors: ['e'] },
    batch: {
      firstPosition: first,
      lastPosition,
      segment,
      at,
      events: Array.from({ length: count }, (_one, index) => ({ n: first + index, pad: 'x'.repeat(size) })),
    },
    messages:
      text === undefined
        ? []
        : [{ id: first, role: 'agent', content: text, time: NOW.toISOString(), position: first }],
  };
}

async function firstPositions(store: Store, id: string): Promise<readonly number[]> {
  return (await store.journal.read(id, 1, 100)).map(({ firstPosition }) => firstPosition);
}

async function found(store: Store, query: string, ownerId = 'alice'): Promise<readonly string[]> {
  const matches = await store.messages.find(ownerId, parseWordQuery(query).words, null, 100);
  return matches.map(({ content }) => content);
}

export function conversationContract(engine: TestEngine): void {
  describe('journals', () => {
    test('hold what was written, in order, and how far they are', async () => {
      await using site = await engine.site();
      await using store = await site.open();
      const id = await newId(store);
      expect(await store.journal.readHead(id)).toBeNull();
      await store.journal.append([batchOf(id, 1, { count: 3 })]);
      await store.journal.append([batchOf(id, 4, { segment: 4 })]);
      expect(await store.journal.readHead(id)).toEqual({
        lastPosition: 4,
        segment: 4,
        states: 0,
        status: 'stable',
        errors: ['e'],
      });
      expect(await firstPositions(store, id)).toEqual([1, 4]);
      expect((await store.journal.read(id, 2, 1))[0]).toMatchObject({ firstPosition: 1, at: NOW });
      expect(await store.journal.segmentOf(id, 2)).toBe(1);
      expect(await store.journal.segmentOf(id, 5)).toBeNull();
    });

    test('of several sessions are written together, those of deleted ones not at all', async () => {
      await using site = await engine.site();
      await using store = await site.open();
      const [a, b] = [await newId(store), await newId(store)];
      await store.journal.append([batchOf(b, 1, { text: 'bye' })]);
      await store.sessions.delete(b);
      expect(await store.journal.append([batchOf(a, 1), batchOf(b, 2)])).toEqual(new Set([b]));
      expect(await firstPositions(store, a)).toEqual([1]);
      expect(await firstPositions(store, b)).toEqual([]);
      expect(await store.journal.readHead(b)).toBeNull();
      expect(await found(store, 'bye')).toEqual([]);
    });

    test('forget whole segments by size, never the newest, and by age', async () => {
      await using site = await engine.site();
      await using store = await site.open();
      const id = await newId(store);
      for (const [index, first] of [1, 2, 3, 4].entries()) {
        const segment = index < 2 ? 1 : first;
        await store.journal.append([batchOf(id, first, { segment, size: 5_000 })]);
      }
      await store.journal.pruneToSize(id, 15_000);
      expect(await firstPositions(store, id)).toEqual([3, 4]);
      await store.journal.pruneToSize(id, 1);
      expect(await firstPositions(store, id)).toEqual([4]);
      const later = new Date(NOW.getTime() + 1_000);
      await store.journal.append([batchOf(id, 5, { segment: 4, at: later })]);
      expect(await store.journal.pruneToAge(later, 10)).toEqual({ bytes: 0, upTo: new Map() });
      // However few at a time: the rest of a segment could not be read without its beginning.
      expect(await store.journal.pruneToAge(new Date(later.getTime() + 1), 1)).toEqual({
        bytes: expect.toSatisfy((bytes: number) => bytes > 5_000 && bytes < 10_000),
        upTo: new Map([[id, 5]]),
      });
      expect((await store.journal.readHead(id))?.lastPosition).toBe(5);
    });

    test('take what is written again, after it was not known whether it had been', async () => {
      await using site = await engine.site();
      await using store = await site.open();
      const id = await newId(store);
      const write = batchOf(id, 1, { count: 2, text: 'twice' });
      await store.journal.append([write]);
      await store.journal.append([write]);
      await store.journal.append([batchOf(id, 3)]);
      expect(await firstPositions(store, id)).toEqual([1, 3]);
      expect(await found(store, 'twice')).toEqual(['twice']);
    });
  });

  describe('messages', () => {
    test('are found by their words, by their owner only, in every script, newest first', async () => {
      await using site = await engine.site();
      await using store = await site.open();
      const [own, others] = [await newId(store), await newId(store, 'bob')];
      const texts = [
        'The refresh token expires',
        'データベースに接続できません',
        'Größe: ÉTÉ 😀',
        'refresh it',
      ];
      for (const [index, text] of texts.entries())
        await store.journal.append([batchOf(own, index + 1, { text })]);
      await store.journal.append([batchOf(others, 1, { text: 'the refresh token of bob' })]);
      expect(await found(store, 'REFRESH')).toEqual(['refresh it', 'The refresh token expires']);
      expect(await found(store, 'token refresh')).toEqual(['The refresh token expires']);
      expect(await found(store, '接続')).toEqual(['データベースに接続できません']);
      expect(await found(store, 'grosse')).toEqual([]);
      expect(await found(store, 'été größe')).toEqual(['Größe: ÉTÉ 😀']);
      expect(await found(store, 'token', 'bob')).toEqual(['the refresh token of bob']);
      expect(await found(store, 'token', 'carol')).toEqual([]);
    });

    test('that change are found by what they are now', async () => {
      await using site = await engine.site();
      await using store = await site.open();
      const id = await newId(store);
      for (const text of ['first draft', 'final text']) {
        const { messages, ...write } = batchOf(id, 1, { text });
        await store.journal.append([{ ...write, batch: null, messages }]);
      }
      expect(await found(store, 'draft')).toEqual([]);
      expect(await found(store, 'final')).toEqual(['final text']);
      expect(await store.messages.list(id, { after: -1 }, 10)).toHaveLength(1);
    });

    test('whatever is searched for is no failure', async () => {
      await using site = await engine.site();
      await using store = await site.open();
      const id = await newId(store);
      await store.journal.append([batchOf(id, 1, { text: 'a OR b NEAR(c) "d" ; drop table x -- \0 * ^ :' })]);
      await fc.assert(
        fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 60 }), async (query) => {
          expect(Array.isArray(await found(store, query))).toBe(true);
        }),
        { numRuns: 50 },
      );
      expect(await found(store, `near ' or 1=1 --`)).toEqual([]);
      expect(await found(store, 'NEAR drop')).toHaveLength(1);
    });

    test('are not on the disk in clear, neither they nor their words, nor what waits or happened', async () => {
      await using site = await engine.site();
      await using store = await site.open();
      const id = await newId(store);
      const { batch, ...write } = batchOf(id, 1, { text: 'unmistakable canary' });
      await store.journal.append([
        { ...write, batch: batch === null ? null : { ...batch, events: ['unmistakable event'] } },
      ]);
      const queued = { id: randomUUID(), sessionId: id, createdBy: 'alice', createdAt: NOW };
      await store.queue.add({ ...queued, content: 'unmistakable wish', idempotencyKey: null }, 10);
      expect((await site.atRest()).includes('unmistakable')).toBe(false);
      expect(await found(store, 'canary')).toEqual(['unmistakable canary']);
    });

    test('can be read and found with another encryption key, and after a restore', async () => {
      await using site = await engine.site();
      await using target = await engine.site();
      const backup = join(site.folder, 'backup');
      const id = await (async () => {
        await using store = await site.open();
        const id = await newId(store);
        await store.journal.append([batchOf(id, 1, { text: 'before the change' })]);
        expect(await store.rotateKeys()).toMatchObject({ unreadable: [] });
        await store.backup(backup);
        return id;
      })();
      await restoreBackup(target.engine(), backup, { force: false });
      await using store = await target.open(site.keys);
      expect(await found(store, 'change')).toEqual(['before the change']);
      await store.journal.append([batchOf(id, 2, { text: 'after the change' })]);
      expect(await found(store, 'change')).toEqual(['after the change', 'before the change']);
      expect(await firstPositions(store, id)).toEqual([1, 2]);
    });
  });

  describe('queued messages', () => {
    const message = (sessionId: string, content: string, idempotencyKey: string | null = null) => ({
      id: randomUUID(),
      sessionId,
      content,
      createdBy: 'alice',
      createdAt: NOW,
      idempotencyKey,
    });

    test('keep their order, whoever adds them at once, and their limit', async () => {
      await using site = await engine.site();
      await using store = await site.open();
      const id = await newId(store);
      const added = await Promise.all(
        Array.from({ length: 8 }, async (_one, n) => store.queue.add(message(id, `m${n}`), 5)),
      );
      expect(added.filter(({ kind }) => kind === 'added')).toHaveLength(5);
      expect(added.filter(({ kind }) => kind === 'full')).toHaveLength(3);
      expect((await store.queue.list(id, 0, 10)).map(({ position }) => position)).toEqual([1, 2, 3, 4, 5]);
      expect(await store.queue.add(message(randomUUID(), 'x'), 5)).toEqual({ kind: 'missing' });
    });

    test('are there once for one idempotency key', async () => {
      await using site = await engine.site();
      await using store = await site.open();
      const id = await newId(store);
      const results = await Promise.all(
        Array.from({ length: 4 }, async () => store.queue.add(message(id, 'x', 'key'), 5)),
      );
      expect(results.map(({ kind }) => kind).sort()).toEqual(['added', 'known', 'known', 'known']);
      expect(await store.queue.list(id, 0, 10)).toHaveLength(1);
      expect((await store.queue.add(message(await newId(store), 'x', 'key'), 5)).kind).toBe('added');
    });

    test('are sent as they were read, once; what is under way is not changed any more', async () => {
      await using site = await engine.site();
      await using store = await site.open();
      const id = await newId(store);
      const { id: first } = message(id, '');
      await store.queue.add({ ...message(id, 'one'), id: first }, 5);
      await store.queue.add(message(id, 'two'), 5);
      expect(await store.queue.edit(first, 'ONE', NOW)).toBe(true);
      expect(await store.queue.markSending(first, 'one', 0, NOW)).toBe(false);
      expect(await store.queue.markSending(first, 'ONE', 2, NOW)).toBe(true);
      expect(await store.queue.next(id)).toMatchObject({ id: first, state: 'sending', alikeBefore: 2 });
      const other = await newId(store);
      await store.queue.add(message(other, 'of another session'), 5);
      expect(await store.queue.countWaiting([])).toEqual({ pending: 0, sending: 0 });
      expect(await store.queue.countWaiting([id])).toEqual({ pending: 1, sending: 1 });
      const all = [id, other, ...Array.from({ length: 1_000 }, () => randomUUID())];
      expect(await store.queue.countWaiting(all)).toEqual({ pending: 2, sending: 1 });
      expect(await store.queue.edit(first, 'late', NOW)).toBe(false);
      expect(await store.queue.mark(first, ['pending'], 'cancelled', NOW)).toBe(false);
      expect(await store.queue.mark(first, ['sending'], 'failed', NOW, 'why')).toBe(true);
      expect(await store.queue.get(id, first)).toMatchObject({ state: 'failed', reason: 'why' });
      expect(await store.queue.next(id)).toMatchObject({ content: 'two', state: 'pending' });
      expect(await store.queue.list(id, 0, 10, ['failed'])).toHaveLength(1);
    });
  });
}
