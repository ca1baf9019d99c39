import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import SqliteFile from 'better-sqlite3';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { KeyFile } from '../src/store/key-source.ts';
import { openSqlite } from '../src/store/sqlite.ts';
import type { Store } from '../src/store/store.ts';
import { newProfile, newSession } from './store/stores.ts';
import { startApp } from './support/app.ts';

const DAY_MS = 86_400_000;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'upkeep-test-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function open(): Promise<Store> {
  return openSqlite(join(folder, 'store.db'), new KeyFile(join(folder, 'encryption.key'), true));
}

function daysAgo(days: number): Date {
  return new Date(Date.now() - days * DAY_MS);
}

async function actionsOf(store: Store): Promise<readonly string[]> {
  return (await store.audit.list({}, 100)).entries.map(({ action }) => action);
}

async function fillAudit(store: Store): Promise<void> {
  for (const days of [400, 300, 2, 0]) await noteAction(store, days, null);
}

async function noteAction(store: Store, days: number, actorKeyId: string | null): Promise<void> {
  await store.audit.append({
    at: daysAgo(days),
    actor: 'alice',
    actorKeyId,
    action: `${days} days ago`,
    outcome: 'allowed',
    targetKind: null,
    targetId: null,
    remoteAddress: null,
    requestId: null,
    details: {},
  });
}

test('entries of the audit log go after audit_retention_days, and that they went is an entry', async () => {
  await using store = await open();
  await fillAudit(store);
  await using _app = await startApp({ audit_retention_days: 1 }, { openStore: open });
  await vi.waitFor(async () => expect(await actionsOf(store)).toEqual(['audit.prune', '0 days ago']), 10_000);
  const [entry] = (await store.audit.list({ action: 'audit.prune' }, 1)).entries;
  expect(entry).toMatchObject({ actor: null, outcome: 'allowed', details: { entries: 3 } });
});

test('entries stay for a year unless told otherwise, and with 0 for ever', async () => {
  {
    await using store = await open();
    await fillAudit(store);
    const app = await startApp({ audit_retention_days: 0 }, { openStore: open });
    await app[Symbol.asyncDispose]();
    expect(await actionsOf(store)).toHaveLength(4);
  }
  await using store = await open();
  await using _app = await startApp({}, { openStore: open });
  await vi.waitFor(async () => expect(await actionsOf(store)).not.toContain('400 days ago'), 10_000);
  expect(await actionsOf(store)).toEqual(['audit.prune', '0 days ago', '2 days ago', '300 days ago']);
});

test('shares and links that have ended are forgotten, those that hold stay', async () => {
  await using store = await open();
  const session = newSession();
  const sessionId = session.facts.id;
  await store.sessions.insert(session);
  const made = { sessionId, createdBy: 'alice', createdAt: daysAgo(9) };
  for (const [id, expiresAt] of [
    ['ended', daysAgo(2)],
    ['holds', daysAgo(-2)],
  ] as const) {
    await store.shares.grant({ ...made, id, userId: id, access: 'read', expiresAt });
    await store.shares.addLink({
      ...made,
      id: `link that ${id}`,
      hash: createHash('sha256').update(id).digest('hex'),
      expiresAt,
    });
  }
  await using _app = await startApp({}, { openStore: open });
  await vi.waitFor(
    async () =>
      expect((await store.shares.listLinks(sessionId)).map(({ id }) => id)).toEqual(['link that holds']),
    10_000,
  );
  expect((await store.shares.listGrants(sessionId)).map(({ id }) => id)).toEqual(['holds']);
});

test('API keys are forgotten 90 days after their end, and the audit log still says whose they were', async () => {
  await using store = await open();
  const made = { hint: '', label: '', userId: 'alice', role: 'user', permissions: [], createdBy: 'alice' };
  for (const [id, expiresAt, revokedAt] of [
    ['expired long ago', daysAgo(91), null],
    ['revoked long ago', null, daysAgo(91)],
    ['expired lately', daysAgo(89), null],
    ['revoked lately', null, daysAgo(89)],
    ['good', null, null],
  ] as const) {
    const hash = createHash('sha256').update(id).digest('hex');
    const times = { createdAt: daysAgo(200), expiresAt, revokedAt, lastUsedAt: null };
    await store.apiKeys.insert({ ...made, id, hash, ...times });
    await noteAction(store, 100, id);
  }
  const root = 'key-of-root-00000000';
  const api_keys = [{ key: root, user_id: 'root', role: 'admin', permissions: ['*'] }];
  await using app = await startApp({ auth: { enabled: true, api_keys } }, { openStore: open });
  await vi.waitFor(
    async () =>
      expect(new Set((await store.apiKeys.list()).map(({ id }) => id))).toEqual(
        new Set(['expired lately', 'revoked lately', 'good']),
      ),
    10_000,
  );
  const response = await app.request('/audit?user_id=alice', { headers: { 'x-api-key': root } });
  expect(await response.json()).toMatchObject({
    entries: [
      { user_id: 'alice', key_id: 'good' },
      { user_id: 'alice', key_id: 'revoked lately' },
      { user_id: 'alice', key_id: 'expired lately' },
      { user_id: 'alice', key_id: 'revoked long ago' },
      { user_id: 'alice', key_id: 'expired long ago' },
    ],
  });
});

test('a change of the encryption key that was interrupted is finished after the start, in the background', async () => {
  await using store = await open();
  const values = Array.from({ length: 250 }, (_, index) => `value ${index}`);
  for (const value of values) await store.profiles.insert(newProfile({ environment: { SECRET: value } }));
  const stop = new AbortController();
  const attempt = store.rotateKeys({ signal: stop.signal, onProgress: () => stop.abort(new Error('stop')) });
  await expect(attempt).rejects.toThrow('stop');
  expect(await store.needsReseal()).toBe(true);
  await using app = await startApp({}, { openStore: open });
  await vi.waitFor(async () => expect(await store.needsReseal()).toBe(false), 10_000);
  const profiles = await store.profiles.listByOwner('alice');
  expect(profiles).toHaveLength(values.length);
  expect(new Set(profiles.map(({ environment }) => environment['SECRET']))).toEqual(new Set(values));
  await vi.waitFor(async () => expect(await actionsOf(store)).toEqual(['encryption.rotate']), 10_000);
  expect((await store.audit.list({}, 1)).entries[0]?.details).toMatchObject({ unreadable: 0, via: 'server' });
  expect(app.log()).toContain('sealed again with the newest encryption key');
});

test('DF-30: a server that was stopped has closed its store', async () => {
  const app = await startApp({}, { openStore: open });
  await app.request('/profiles', { method: 'POST', body: JSON.stringify({ name: 'p' }) });
  expect(await readdir(folder)).toContain('store.db-wal');
  await app[Symbol.asyncDispose]();
  expect((await readdir(folder)).toSorted()).toEqual(['encryption.key', 'store.db']);
});

test('what no key opens is named in the log, and the server runs', async () => {
  await using store = await open();
  const { id } = await store.profiles.insert(newProfile());
  const other = await store.profiles.insert(newProfile());
  const stop = new AbortController();
  stop.abort(new Error('stop'));
  await expect(store.rotateKeys({ signal: stop.signal })).rejects.toThrow('stop');
  // An envelope in another's place.
  const file = new SqliteFile(join(folder, 'store.db'));
  file
    .prepare(
      'update profiles set private_sealed = (select private_sealed from profiles where id = ?) where id = ?',
    )
    .run(other.id, id);
  file.close();
  await using app = await startApp({}, { openStore: open });
  await vi.waitFor(() => expect(app.log()).toContain(`profiles.private of ${id}`), 10_000);
  expect((await app.request('/health')).status).toBe(200);
});

test('a rotation by another process is followed on SIGHUP at the latest', async () => {
  await using store = await open();
  await using app = await startApp({}, { openStore: open });
  const created = await app.request('/profiles', {
    method: 'POST',
    body: JSON.stringify({ name: 'before' }),
  });
  expect(created.status).toBe(201);
  await store.rotateKeys();
  await app.request('/profiles', { method: 'POST', body: JSON.stringify({ name: 'between' }) });
  await app.reload();
  await app.request('/profiles', { method: 'POST', body: JSON.stringify({ name: 'after' }) });
  const file = new SqliteFile(join(folder, 'store.db'), { readonly: true });
  const ids = file
    .prepare<[], { id: string }>('select distinct substr(private_sealed, 4, 8) as id from profiles')
    .all();
  const known = file.prepare<[], { id: string }>('select key_id as id from encryption_keys').all();
  file.close();
  expect(ids).toEqual(known);
  expect(ids).toHaveLength(1);
});
