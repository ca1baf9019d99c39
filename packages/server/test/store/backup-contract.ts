import { randomUUID } from 'node:crypto';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { restoreBackup } from '../../src/store/restore.ts';
import type { Store } from '../../src/store/store.ts';
import { newProfile, newSession, sqliteTestEngine, type TestEngine } from './stores.ts';

const NOW = new Date('2026-01-01T12:00:00Z');

interface Sample {
  readonly sessionId: string;
  readonly profileId: string;
}

/** Something in every table. */
async function fill(store: Store): Promise<Sample> {
  const session = newSession({ facts: { tags: { team: 'x\0y' } }, message: 'secret message' });
  const sessionId = session.facts.id;
  await store.sessions.insert(session);
  await store.sessions.transition(sessionId, ['creating'], 'stopped', { at: NOW, reason: 'over' });
  const profile = await store.profiles.insert(newProfile({ environment: { A: 'geheim' }, isDefault: true }));
  await store.apiKeys.insert({
    id: randomUUID(),
    hash: randomUUID(),
    hint: 'h',
    label: '',
    userId: 'alice',
    role: 'user',
    permissions: ['*'],
    createdBy: 'alice',
    createdAt: NOW,
    expiresAt: null,
    revokedAt: null,
    lastUsedAt: null,
  });
  const share = { sessionId, createdBy: 'alice', createdAt: NOW, expiresAt: NOW };
  await store.shares.grant({ ...share, id: randomUUID(), userId: 'bob', access: 'read' });
  await store.shares.addLink({ ...share, id: randomUUID(), hash: randomUUID() });
  await store.info.set('sample', 'value');
  await audit(store);
  return { sessionId, profileId: profile.id };
}

async function audit(store: Store): Promise<void> {
  await store.audit.append({
    at: NOW,
    actor: 'alice',
    actorKeyId: null,
    action: 'test',
    outcome: 'allowed',
    targetKind: null,
    targetId: null,
    remoteAddress: null,
    requestId: null,
    details: {},
  });
}

async function expectSample(store: Store, { sessionId, profileId }: Sample): Promise<void> {
  expect(await store.sessions.get(sessionId)).toMatchObject({
    state: 'stopped',
    history: [{}, { reason: 'over' }],
  });
  expect(await store.sessions.readSecrets(sessionId)).toMatchObject({ message: 'secret message' });
  expect(await store.sessions.count({ tags: new Map([['team', 'x\0y']]) })).toBe(1);
  expect(await store.profiles.getDefault('alice')).toMatchObject({
    id: profileId,
    environment: { A: 'geheim' },
  });
  expect(await store.apiKeys.findAll()).toHaveLength(1);
  expect(await store.shares.listGrants(sessionId)).toHaveLength(1);
  expect(await store.shares.listLinks(sessionId)).toHaveLength(1);
  expect(await store.info.get('sample')).toBe('value');
  expect((await store.audit.list({}, 10)).entries).toHaveLength(1);
}

export function backupContract(engine: TestEngine): void {
  describe('backup', () => {
    test('a backup made in use restores into a new store, audit log and keys included', async () => {
      await using site = await engine.site();
      const backup = join(site.folder, 'backup');
      let sample: Sample;
      {
        await using store = await site.open();
        sample = await fill(store);
        const writes = Promise.all(Array.from({ length: 30 }, () => store.sessions.insert(newSession())));
        await store.backup(backup);
        await writes;
      }
      expect((await stat(backup)).mode & 0o777).toBe(0o600);
      expect((await readFile(backup)).includes('secret message')).toBe(false);
      expect((await readdir(site.folder)).filter((name) => name.startsWith('backup'))).toEqual(['backup']);

      await using target = await engine.site();
      const report = await restoreBackup(target.engine(), backup, { force: false });
      expect(report.rows).toMatchObject({
        profiles: 1,
        api_keys: 1,
        audit_log: 1,
        share_grants: 1,
        share_links: 1,
      });
      expect(report.keyIds).toHaveLength(1);
      await expect(target.open()).rejects.toMatchObject({ kind: 'key' });
      await using restored = await target.open(site.keys);
      await expectSample(restored, sample);
      // Life goes on after the restored entries.
      await audit(restored);
      expect((await restored.audit.list({}, 10)).entries.map((entry) => entry.sequence)).toEqual([2, 1]);
    });

    test('a backup moves a store to SQLite', async () => {
      await using site = await engine.site();
      await using store = await site.open();
      const sample = await fill(store);
      const backup = join(site.folder, 'backup');
      await store.backup(backup);
      const before = await readFile(backup);
      await using target = await sqliteTestEngine().site();
      await restoreBackup(target.engine(), backup, { force: false });
      await using moved = await target.open(site.keys);
      await expectSample(moved, sample);
      expect((await readFile(backup)).equals(before)).toBe(true);
    });

    test('a backup of SQLite moves here', async () => {
      await using source = await sqliteTestEngine().site();
      await using store = await source.open();
      const sample = await fill(store);
      const backup = join(source.folder, 'backup');
      await store.backup(backup);
      await using target = await engine.site();
      await restoreBackup(target.engine(), backup, { force: false });
      await using moved = await target.open(source.keys);
      await expectSample(moved, sample);
    });

    test('a store that holds something is replaced by force only, and then wholly', async () => {
      await using site = await engine.site();
      await using store = await site.open();
      const sample = await fill(store);
      const backup = join(site.folder, 'backup');
      await store.backup(backup);
      const late = newSession();
      await store.sessions.insert(late);
      await audit(store);
      await expect(restoreBackup(site.engine(), backup, { force: false })).rejects.toMatchObject({
        kind: 'conflict',
        message: expect.stringContaining('--force'),
      });
      expect(await store.sessions.get(late.facts.id)).not.toBeNull();
      await restoreBackup(site.engine(), backup, { force: true });
      expect(await store.sessions.get(late.facts.id)).toBeNull();
      await expectSample(store, sample);
    });

    test('a damaged or foreign file restores nothing, even by force', async () => {
      await using site = await engine.site();
      await using store = await site.open();
      const sample = await fill(store);
      const whole = join(site.folder, 'whole');
      await store.backup(whole);
      const bytes = await readFile(whole);
      const damaged = join(site.folder, 'damaged');
      const middle = Math.floor(bytes.length / 2);
      const variants = [
        Buffer.from(''),
        Buffer.from('{"some": "json"}\n'),
        Buffer.from('SQLite format 3\0 and then nothing'),
        bytes.subarray(0, middle),
        Buffer.concat([bytes.subarray(0, middle), Buffer.alloc(5_000, 'x'), bytes.subarray(middle + 5_000)]),
      ];
      for (const variant of variants) {
        await writeFile(damaged, variant);
        await expect(restoreBackup(site.engine(), damaged, { force: true })).rejects.toMatchObject({
          name: 'StoreError',
          kind: 'corrupt',
          message: expect.stringContaining(damaged),
        });
        await expectSample(store, sample);
      }
      await expect(
        restoreBackup(site.engine(), join(site.folder, 'missing'), { force: true }),
      ).rejects.toMatchObject({ message: expect.stringContaining('cannot be read') });
    });

    test('a backup never replaces a file, and one that fails leaves none', async () => {
      await using site = await engine.site();
      await using store = await site.open();
      const taken = join(site.folder, 'taken');
      await writeFile(taken, 'precious');
      await expect(store.backup(taken)).rejects.toMatchObject({
        message: expect.stringContaining('the file exists'),
      });
      expect(await readFile(taken, 'utf8')).toBe('precious');
      await expect(store.backup(join(site.folder, 'no-folder', 'backup'))).rejects.toMatchObject({
        name: 'StoreError',
        message: expect.stringContaining('cannot be written'),
      });
      await store.ping();
    });
  });
}
