import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { newSession, type TestEngine } from './stores.ts';

const NOW = new Date('2026-01-01T12:00:00.123Z');

function minutesLater(minutes: number): Date {
  return new Date(NOW.getTime() + minutes * 60_000);
}

export function shareContract(engine: TestEngine): void {
  describe('shares', () => {
    test('a grant holds until it expires, is revoked or replaced', async () => {
      await using site = await engine.site();
      await using store = await site.open();
      const session = newSession();
      const sessionId = session.facts.id;
      await store.sessions.insert(session);
      const terms = { sessionId, userId: 'bob', createdBy: 'alice', createdAt: NOW } as const;
      const granted = await store.shares.grant({
        ...terms,
        id: 'grant-1',
        access: 'read',
        expiresAt: minutesLater(5),
      });
      expect(granted).toEqual({
        ...terms,
        id: 'grant-1',
        access: 'read',
        expiresAt: minutesLater(5),
        revokedAt: null,
      });
      const { shares } = store;
      expect(await shares.accessOf(sessionId, 'bob', minutesLater(4))).toBe('read');
      expect(await shares.accessOf(sessionId, 'bob', minutesLater(5))).toBeNull();
      expect(await shares.accessOf(sessionId, 'carol', NOW)).toBeNull();

      const again = await shares.grant({ ...terms, id: 'grant-2', access: 'write', expiresAt: null });
      expect(again).toMatchObject({ id: 'grant-1', access: 'write', expiresAt: null });
      expect(await shares.accessOf(sessionId, 'bob', minutesLater(99))).toBe('write');
      expect(await shares.findAllGrants(NOW)).toEqual([again]);

      expect(await shares.revokeGrant(randomUUID(), 'grant-1', NOW)).toBe(false);
      expect(await shares.revokeGrant(sessionId, 'grant-1', NOW)).toBe(true);
      expect(await shares.revokeGrant(sessionId, 'grant-1', NOW)).toBe(false);
      expect(await shares.accessOf(sessionId, 'bob', NOW)).toBeNull();
      expect(await shares.findAllGrants(NOW)).toEqual([]);
      expect(await shares.listGrants(sessionId)).toMatchObject([{ id: 'grant-1', revokedAt: NOW }]);
      await shares.grant({ ...terms, id: 'grant-3', access: 'read', expiresAt: null });
      expect(await shares.accessOf(sessionId, 'bob', NOW)).toBe('read');

      await expect(
        shares.grant({ ...terms, sessionId: randomUUID(), id: 'x', access: 'read', expiresAt: null }),
      ).rejects.toMatchObject({ kind: 'conflict' });
    });

    test('a link opens until it expires or is revoked', async () => {
      await using site = await engine.site();
      await using store = await site.open();
      const session = newSession();
      const sessionId = session.facts.id;
      await store.sessions.insert(session);
      const link = {
        id: randomUUID(),
        sessionId,
        hash: 'a'.repeat(64),
        createdBy: 'alice',
        createdAt: NOW,
        expiresAt: minutesLater(5),
      };
      const { shares } = store;
      expect(await shares.addLink(link)).toEqual({ ...link, revokedAt: null });
      await expect(shares.addLink({ ...link, id: 'other' })).rejects.toMatchObject({ kind: 'conflict' });
      expect(await shares.findLink(link.hash, minutesLater(4))).toEqual({ ...link, revokedAt: null });
      expect(await shares.findLink(link.hash, minutesLater(5))).toBeNull();
      expect(await shares.findLink('b'.repeat(64), NOW)).toBeNull();
      const later = { ...link, id: randomUUID(), hash: 'c'.repeat(64), expiresAt: minutesLater(9) };
      await shares.addLink(later);
      const idsAt = async (at: Date): Promise<ReadonlySet<string>> =>
        new Set((await shares.findAllLinks(at)).map(({ id }) => id));
      expect(await idsAt(minutesLater(4))).toEqual(new Set([link.id, later.id]));
      expect(await idsAt(minutesLater(5))).toEqual(new Set([later.id]));
      expect(await shares.findAllLinks(minutesLater(8))).toEqual([{ ...later, revokedAt: null }]);
      expect(await shares.revokeLink(sessionId, later.id, minutesLater(1))).toBe(true);
      expect(await idsAt(minutesLater(2))).toEqual(new Set([link.id]));
      expect(await shares.revokeLink(randomUUID(), link.id, NOW)).toBe(false);
      expect(await shares.revokeLink(sessionId, link.id, NOW)).toBe(true);
      expect(await shares.findLink(link.hash, NOW)).toBeNull();
      expect(await shares.findAllLinks(NOW)).toEqual([]);
      const links = await shares.listLinks(sessionId);
      expect(links).toHaveLength(2);
      expect(links).toContainEqual({ ...link, revokedAt: NOW });

      await shares.grant({ ...link, id: 'kept', userId: 'bob', access: 'read', expiresAt: null });
      expect(await shares.prune(NOW)).toBe(0);
      expect(await shares.prune(minutesLater(1))).toBe(1);
      expect(await shares.prune(minutesLater(2))).toBe(1);
      expect(await shares.listLinks(sessionId)).toEqual([]);
      expect(await shares.listGrants(sessionId)).toHaveLength(1);
    });

    test('of many added at once, through two connections, as many are taken as a session may have', async () => {
      await using site = await engine.site();
      await using store = await site.open();
      await using other = await site.open();
      const [session, another] = [newSession(), newSession()];
      for (const each of [session, another]) await store.sessions.insert(each);
      const sessionId = session.facts.id;
      const terms = { sessionId, createdBy: 'alice', createdAt: NOW, expiresAt: minutesLater(5) };
      const newLink = () => ({ ...terms, id: randomUUID(), hash: randomUUID() });
      const newGrant = (userId: string) => ({ ...terms, id: randomUUID(), userId, access: 'read' as const });
      // What has ended does not count.
      await store.shares.addLink({ ...newLink(), expiresAt: NOW });
      await store.shares.grant({ ...newGrant('expired'), expiresAt: NOW });
      const { id: revoked } = await store.shares.grant(newGrant('revoked'));
      await store.shares.revokeGrant(sessionId, revoked, NOW);
      const results = await Promise.all(
        Array.from({ length: 12 }, async (_, index) => {
          const { shares } = index < 6 ? store : other;
          if (index % 2 === 0) return shares.addLinkWithin(newLink(), 5);
          return shares.grantWithin({ ...newGrant(`user-${index}`), expiresAt: null }, 5);
        }),
      );
      expect(results.filter((share) => share !== null)).toHaveLength(5);
      expect(await store.shares.addLinkWithin(newLink(), 5)).toBeNull();
      expect(await store.shares.grantWithin(newGrant('revoked'), 5)).toBeNull();
      expect(
        await store.shares.addLinkWithin({ ...newLink(), sessionId: another.facts.id }, 5),
      ).toMatchObject({
        revokedAt: null,
      });
      const [granted] = await store.shares.findAllGrants(NOW);
      const wanted = { ...newGrant(granted?.userId ?? ''), access: 'write' as const };
      expect(await store.shares.grantWithin(wanted, 1)).toMatchObject({ id: granted?.id, access: 'write' });
      const gone = { ...newLink(), sessionId: randomUUID() };
      await expect(store.shares.addLinkWithin(gone, 5)).rejects.toMatchObject({ kind: 'conflict' });
    });
  });
}
