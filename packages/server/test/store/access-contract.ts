import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import type { ApiKeyRecord } from '../../src/store/api-keys.ts';
import type { AuditEvent } from '../../src/store/audit.ts';
import { newProfile, newSession, type TestEngine } from './stores.ts';

const NOW = new Date('2026-01-01T12:00:00.123Z');

function minutesLater(minutes: number): Date {
  return new Date(NOW.getTime() + minutes * 60_000);
}

function newKey(changes: Partial<ApiKeyRecord> = {}): ApiKeyRecord {
  return {
    id: randomUUID(),
    hash: randomUUID().replaceAll('-', '').repeat(2),
    hint: 'ap_alice_12…',
    label: 'laptop',
    userId: 'alice',
    role: 'user',
    permissions: ['session:list', 'key:*'],
    createdBy: 'alice',
    createdAt: NOW,
    expiresAt: null,
    revokedAt: null,
    lastUsedAt: null,
    ...changes,
  };
}

function event(changes: Partial<AuditEvent> = {}): AuditEvent {
  return {
    at: NOW,
    actor: 'alice',
    actorKeyId: null,
    action: 'session.start',
    outcome: 'allowed',
    targetKind: 'session',
    targetId: 'id-1',
    remoteAddress: '127.0.0.1',
    requestId: 'request-1',
    details: {},
    ...changes,
  };
}

export function accessContract(engine: TestEngine): void {
  describe('API keys', () => {
    test('keys come back as they were added; ids and hashes are never shared', async () => {
      await using site = await engine.site();
      const key = newKey({ expiresAt: minutesLater(5), lastUsedAt: NOW });
      {
        await using store = await site.open();
        await store.apiKeys.insert(key);
      }
      await using store = await site.open();
      expect(await store.apiKeys.get(key.id)).toEqual(key);
      expect(await store.apiKeys.get(randomUUID())).toBeNull();
      await expect(store.apiKeys.insert(newKey({ id: key.id }))).rejects.toMatchObject({ kind: 'conflict' });
      await expect(store.apiKeys.insert(newKey({ hash: key.hash }))).rejects.toMatchObject({
        kind: 'conflict',
      });
    });

    test('a revoked key leaves the index for good, and the list still shows it', async () => {
      await using site = await engine.site();
      await using store = await site.open();
      const good = newKey();
      const revoked = newKey({ createdAt: minutesLater(1) });
      const bobs = newKey({ userId: 'bob', createdAt: minutesLater(2) });
      for (const key of [bobs, revoked, good]) await store.apiKeys.insert(key);
      expect(await store.apiKeys.revoke(revoked.id, NOW)).toBe(true);
      expect(await store.apiKeys.revoke(revoked.id, minutesLater(1))).toBe(false);
      expect(await store.apiKeys.revoke(randomUUID(), NOW)).toBe(false);
      expect(await store.apiKeys.setExpiry(revoked.id, null)).toBe(false);
      expect(await store.apiKeys.setExpiry(good.id, minutesLater(9))).toBe(true);
      const expected = { ...good, expiresAt: minutesLater(9) };
      expect(new Set(await store.apiKeys.findAll())).toEqual(new Set([expected, bobs]));
      expect(await store.apiKeys.list('alice')).toEqual([expected, { ...revoked, revokedAt: NOW }]);
      expect(await store.apiKeys.list()).toHaveLength(3);
    });

    test('uses are noted together and only move forward', async () => {
      await using site = await engine.site();
      await using store = await site.open();
      const a = newKey();
      const b = newKey({ lastUsedAt: minutesLater(9) });
      await store.apiKeys.insert(a);
      await store.apiKeys.insert(b);
      await store.apiKeys.touchLastUsed(new Map());
      await store.apiKeys.touchLastUsed(
        new Map([
          [a.id, NOW],
          [b.id, NOW],
          [randomUUID(), NOW],
        ]),
      );
      expect((await store.apiKeys.get(a.id))?.lastUsedAt).toEqual(NOW);
      expect((await store.apiKeys.get(b.id))?.lastUsedAt).toEqual(minutesLater(9));
    });

    test('of many added at once, through two connections, as many are taken as a user may have', async () => {
      await using site = await engine.site();
      await using store = await site.open();
      await using other = await site.open();
      const last = newKey({ expiresAt: minutesLater(1) });
      const present = [
        newKey({ expiresAt: NOW }),
        newKey({ revokedAt: NOW }),
        newKey({ userId: 'bob' }),
        last,
      ];
      for (const key of present) await store.apiKeys.insert(key);
      const results = await Promise.all(
        Array.from({ length: 12 }, async (_, index) =>
          (index % 2 === 0 ? store : other).apiKeys.insertWithin(newKey(), 5),
        ),
      );
      expect(results.filter((added) => added)).toHaveLength(4);
      expect(await store.apiKeys.list('alice')).toHaveLength(7);
      expect(await store.apiKeys.insertWithin(newKey({ userId: 'bob' }), 5)).toBe(true);
      expect(await store.apiKeys.insertWithin(newKey({ createdAt: minutesLater(1) }), 5)).toBe(true);
      expect(await store.apiKeys.insertWithin(newKey({ createdAt: minutesLater(1) }), 5)).toBe(false);
    });

    test('keys that ended before a time are forgotten, all others stay', async () => {
      await using site = await engine.site();
      await using store = await site.open();
      const [expired, revoked, both, expiring] = [
        newKey({ expiresAt: minutesLater(1) }),
        newKey({ revokedAt: minutesLater(2) }),
        newKey({ expiresAt: minutesLater(9), revokedAt: minutesLater(1) }),
        newKey({ expiresAt: minutesLater(9) }),
      ];
      const forEver = newKey();
      for (const key of [expired, revoked, both, expiring, forEver]) await store.apiKeys.insert(key);
      expect(await store.apiKeys.prune(minutesLater(1))).toBe(0);
      expect(await store.apiKeys.prune(minutesLater(2))).toBe(2);
      expect(new Set(await store.apiKeys.list())).toEqual(new Set([revoked, expiring, forEver]));
      expect(await store.apiKeys.prune(minutesLater(9))).toBe(1);
      expect(new Set(await store.apiKeys.list())).toEqual(new Set([expiring, forEver]));
    });
  });

  describe('audit log', () => {
    test('events come back newest first, page by page, filtered', async () => {
      await using site = await engine.site();
      await using store = await site.open();
      const nothing = { actor: null, targetKind: null, targetId: null, remoteAddress: null, requestId: null };
      const events = [
        event({ details: { text: 'a\0"b', number: 1.5, yes: true, none: null } }),
        event({ at: minutesLater(1), actor: 'bob', outcome: 'denied', targetId: 'id-2' }),
        event({ at: minutesLater(2), ...nothing, action: 'auth.failed', outcome: 'failed' }),
        event({ at: minutesLater(3), actorKeyId: 'key-1' }),
      ];
      await store.audit.append();
      for (const each of events.slice(0, 2)) await store.audit.append(each);
      await store.audit.append(...events.slice(2));

      const all = await store.audit.list({}, 10);
      expect(all.entries.map(({ sequence: _sequence, ...rest }) => rest)).toEqual(events.toReversed());
      expect(all.next).toBeNull();
      const first = await store.audit.list({}, 3);
      expect(first.entries).toEqual(all.entries.slice(0, 3));
      expect((await store.audit.list({}, 3, first.next)).entries).toEqual(all.entries.slice(3));

      const actions = async (filter: Parameters<typeof store.audit.list>[0]): Promise<number> =>
        (await store.audit.list(filter, 10)).entries.length;
      expect(await actions({ actor: 'alice' })).toBe(2);
      expect(await actions({ action: 'auth.failed' })).toBe(1);
      expect(await actions({ outcome: 'denied' })).toBe(1);
      expect(await actions({ targetKind: 'session', targetId: 'id-2' })).toBe(1);
      expect(await actions({ since: minutesLater(1), until: minutesLater(3) })).toBe(2);
      expect(await actions({ actor: 'alice', outcome: 'denied' })).toBe(0);
    });

    test('the database itself refuses to change or remove an entry', async () => {
      await using site = await engine.site();
      await using store = await site.open();
      await store.audit.append(event());
      const { db } = site.engine();
      try {
        const attempts = [
          sql`update audit_log set actor = 'nobody'`,
          sql`delete from audit_log`,
          ...(engine.name === 'SQLite' ? [] : [sql`truncate audit_log`]),
        ];
        for (const attempt of attempts) {
          await expect(attempt.execute(db)).rejects.toMatchObject({
            name: 'StoreError',
            cause: expect.objectContaining({ message: 'the audit log is append-only' }),
          });
        }
      } finally {
        await db.destroy();
      }
      expect((await store.audit.list({}, 10)).entries).toMatchObject([{ actor: 'alice' }]);
    });

    test('entries before a time are forgotten, and the others stay as protected as before', async () => {
      await using site = await engine.site();
      await using store = await site.open();
      const old = Array.from({ length: 1_500 }, (_, index) => event({ at: minutesLater(index / 1_500) }));
      await store.audit.append(...old);
      const kept = event({ at: minutesLater(1), action: 'kept' });
      await store.audit.append(kept);
      expect(await store.audit.prune(NOW)).toBe(0);
      expect(await store.audit.prune(minutesLater(1))).toBe(1_000);
      // Others write meanwhile.
      const [pruned] = await Promise.all([
        store.audit.prune(minutesLater(1)),
        store.audit.append(event({ at: minutesLater(2), action: 'added' })),
      ]);
      expect(pruned).toBe(500);
      expect(await store.audit.prune(minutesLater(1))).toBe(0);
      const { entries } = await store.audit.list({}, 10);
      expect(entries.map(({ action }) => action)).toEqual(['added', 'kept']);
      expect(entries.at(-1)?.sequence).toBe(1_501);
      const { db } = site.engine();
      try {
        await expect(sql`delete from audit_log`.execute(db)).rejects.toThrow();
        await expect(sql`update audit_log set at = 0`.execute(db)).rejects.toThrow();
      } finally {
        await db.destroy();
      }
      expect((await store.audit.list({}, 10)).entries).toHaveLength(2);
    });

    test('any text and number in an event comes back', async () => {
      await using site = await engine.site();
      await using store = await site.open();
      const text = fc.string({ unit: 'binary' });
      const value = fc.oneof(
        text,
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.boolean(),
        fc.constant(null),
      );
      await fc.assert(
        fc.asyncProperty(fc.dictionary(text, value), async (details) => {
          await store.audit.append(event({ details }));
          const { entries } = await store.audit.list({}, 1);
          // JSON has no negative zero.
          expect(JSON.stringify(entries[0]?.details)).toBe(JSON.stringify(details));
        }),
        { numRuns: 40 },
      );
    });
  });

  describe('transactions', () => {
    test('everything or nothing: an action and its audit entry', async () => {
      await using site = await engine.site();
      await using store = await site.open();
      const key = newKey();
      const failure = new Error('the rest failed');
      const attempt = store.transaction(async (tables) => {
        await tables.apiKeys.insert(key);
        await tables.audit.append(event());
        await tables.sessions.insert(newSession({ facts: { tags: { a: '1' } } }));
        await tables.profiles.insert(newProfile());
        throw failure;
      });
      await expect(attempt).rejects.toBe(failure);
      expect(await store.apiKeys.list()).toEqual([]);
      expect((await store.audit.list({}, 10)).entries).toEqual([]);
      expect(await store.sessions.count()).toBe(0);
      expect(await store.profiles.listAll()).toEqual([]);

      const result = await store.transaction(async (tables) => {
        await tables.apiKeys.insert(key);
        await tables.audit.append(event());
        const session = newSession();
        await tables.sessions.insert(session);
        await tables.sessions.transition(session.facts.id, ['creating'], 'starting', { at: NOW });
        return session.facts.id;
      });
      expect(await store.apiKeys.findAll()).toEqual([key]);
      expect((await store.audit.list({}, 10)).entries).toHaveLength(1);
      expect(await store.sessions.get(result)).toMatchObject({ state: 'starting' });
    });

    test('transactions at once do not mix', async () => {
      await using site = await engine.site();
      await using store = await site.open();
      const outcomes = await Promise.allSettled(
        Array.from({ length: 20 }, (_, index) =>
          store.transaction(async (tables) => {
            await tables.audit.append(event({ targetId: `${index}` }));
            await tables.apiKeys.insert(newKey());
            if (index % 2 === 1) throw new Error('odd');
          }),
        ),
      );
      expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(10);
      const { entries } = await store.audit.list({}, 100);
      expect(entries.map((entry) => Number(entry.targetId) % 2)).toEqual(Array.from({ length: 10 }, () => 0));
      expect(await store.apiKeys.findAll()).toHaveLength(10);
    });
  });
}
