import { mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { openMemory } from '../src/store/sqlite.ts';
import type { Store } from '../src/store/store.ts';
import { startApp } from './support/app.ts';
import type { TestApp } from './support/app.ts';

const ROOT = 'ap_root_00000000000000000000000000000001';
const USER = 'ap_user_00000000000000000000000000000002';
const MAKER = 'ap_maker_0000000000000000000000000000003';

const api_keys = [
  { key: ROOT, user_id: 'root', role: 'admin', permissions: ['*'] },
  {
    key: USER,
    user_id: 'alice',
    permissions: ['session:list', 'key:create', 'key:list', 'key:revoke', 'audit:read'],
  },
  {
    key: MAKER,
    user_id: 'maker',
    role: 'admin',
    permissions: ['key:create', 'session:list'],
    expires_at: '2999-01-01T00:00:00Z',
  },
];

const keySchema = z.looseObject({
  id: z.string(),
  key: z.string().optional(),
  hint: z.string(),
  user_id: z.string(),
  role: z.string(),
  permissions: z.array(z.string()),
  expires_at: z.string().nullable(),
  revoked_at: z.string().nullable(),
  last_used_at: z.string().nullable(),
});
type Key = z.infer<typeof keySchema>;

const auditSchema = z.object({
  entries: z.array(
    z.looseObject({
      action: z.string(),
      outcome: z.string(),
      user_id: z.string().nullable(),
      key_id: z.string().nullable(),
      target_id: z.string().nullable(),
      remote_address: z.string().nullable(),
      request_id: z.string().nullable(),
      details: z.record(z.string(), z.unknown()),
    }),
  ),
  next_cursor: z.string().optional(),
});

let folder: string;
let store: Store;
let app: TestApp;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'access-test-'));
  store = await openMemory();
  app = await startApp(
    { auth: { enabled: true, api_keys }, limits: { failed_keys_per_minute: 5 } },
    { openStore: async () => Promise.resolve(store) },
  );
});
afterEach(async () => {
  await app[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

async function call(key: string | null, method: string, path: string, body?: object): Promise<Response> {
  return app.request(path, {
    method,
    headers: key === null ? {} : { 'x-api-key': key },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

async function make(key: string, body: object = {}): Promise<Key & { key: string }> {
  const answer = await call(key, 'POST', '/api-keys', body);
  expect(answer.status).toBe(201);
  expect(answer.headers.get('cache-control')).toBe('no-store');
  return keySchema.extend({ key: z.string() }).parse(await answer.json());
}

async function refusal(key: string, method: string, path: string, body?: object): Promise<string> {
  const answer = await call(key, method, path, body);
  const { code } = z.object({ code: z.string() }).parse(await answer.json());
  return `${answer.status} ${code}`;
}

async function list(key: string, query = ''): Promise<readonly Key[]> {
  const answer = await call(key, 'GET', `/api-keys${query}`);
  expect(answer.status).toBe(200);
  return z.object({ api_keys: z.array(keySchema) }).parse(await answer.json()).api_keys;
}

async function audit(query = ''): Promise<z.infer<typeof auditSchema>> {
  const answer = await call(ROOT, 'GET', `/audit?${query}`);
  expect(answer.status).toBe(200);
  return auditSchema.parse(await answer.json());
}

describe('API keys', () => {
  test('PX-055, DF-09: a key is shown once, works at once, and is nowhere in the store', async () => {
    const made = await make(USER, { name: 'laptop' });
    expect(made.key).toMatch(/^ap_alice_[0-9a-f]{32}$/);
    expect((await call(made.key, 'GET', '/search')).status).toBe(200);
    const listed = await list(USER);
    expect(listed).toMatchObject([{ id: made.id, name: 'laptop', user_id: 'alice', role: 'user' }]);
    expect(JSON.stringify(listed)).not.toContain(made.key.slice(-32));
    expect(JSON.stringify(await store.apiKeys.list())).not.toContain(made.key.slice(-32));
    expect(app.log()).not.toContain(made.key);
  });

  test('a key can do at most what its creator can', async () => {
    expect((await make(USER)).permissions.toSorted()).toEqual([
      'key:create',
      'key:list',
      'key:revoke',
      'session:list',
    ]);
    expect((await make(USER, { permissions: ['session:list'] })).permissions).toEqual(['session:list']);
    for (const permissions of [['session:create'], ['session:list', 'profile:list'], ['*']]) {
      expect(await refusal(USER, 'POST', '/api-keys', { permissions })).toBe('403 permissions_exceeded');
    }
    // Not even an admin: what counts are permissions.
    expect(await refusal(MAKER, 'POST', '/api-keys', { permissions: ['*'] })).toBe(
      '403 permissions_exceeded',
    );
    expect((await make(MAKER, { role: 'admin' })).permissions).toEqual(['session:list', 'key:create']);
    expect(await refusal(USER, 'POST', '/api-keys', { permissions: ['session:fly'] })).toBe(
      '400 invalid_request',
    );
  });

  test('only admins make keys for others and admins', async () => {
    expect(await refusal(USER, 'POST', '/api-keys', { user_id: 'bob' })).toBe('403 foreign_key');
    expect(await refusal(USER, 'POST', '/api-keys', { role: 'admin' })).toBe('403 permissions_exceeded');
    expect((await make(USER, { user_id: 'alice' })).user_id).toBe('alice');
    const bobs = await make(ROOT, { user_id: 'bob', role: 'readonly' });
    expect(bobs).toMatchObject({ user_id: 'bob', role: 'readonly', created_by: 'root' });
    expect(await refusal(bobs.key, 'POST', '/api-keys')).toBe('403 insufficient_permissions');
  });

  test('a key does not outlive the one it was made with', async () => {
    expect((await make(MAKER)).expires_at).toBe('2999-01-01T00:00:00.000Z');
    const early = { expires_at: '2998-01-01T00:00:00+02:00' };
    expect((await make(MAKER, early)).expires_at).toBe('2997-12-31T22:00:00.000Z');
    expect(await refusal(MAKER, 'POST', '/api-keys', { expires_at: '2999-01-01T00:00:01Z' })).toBe(
      '403 permissions_exceeded',
    );
    for (const expires_at of ['2020-01-01T00:00:00Z', 'tomorrow']) {
      expect(await refusal(ROOT, 'POST', '/api-keys', { expires_at })).toBe('400 invalid_request');
    }
    expect((await make(ROOT)).expires_at).toBeNull();
  });

  test('PX-039: a key in the store expires while the server runs', async () => {
    const { id, key } = await make(USER);
    expect((await call(key, 'GET', '/me')).status).toBe(200);
    const rotated = await call(USER, 'POST', `/api-keys/${id}/rotate`, { overlap_seconds: 1 });
    expect(rotated.status).toBe(201);
    await expect.poll(async () => (await call(key, 'GET', '/me')).status).toBe(401);
    const answer = await call(key, 'GET', '/me');
    expect(await answer.json()).toMatchObject({ message: 'Invalid API key' });
  });

  test('a revoked key is refused from the next request on, also by its own hand', async () => {
    const made = await make(USER);
    expect((await call(made.key, 'DELETE', `/api-keys/${made.id}`)).status).toBe(200);
    expect((await call(made.key, 'GET', '/me')).status).toBe(401);
    expect((await list(USER))[0]?.revoked_at).not.toBeNull();
    expect((await call(USER, 'DELETE', `/api-keys/${made.id}`)).status).toBe(200);
  });

  test('a revoked or replaced key is refused also while the store cannot be read', async () => {
    const [revoked, replaced] = [await make(USER), await make(USER)];
    const findAll = store.apiKeys.findAll.bind(store.apiKeys);
    store.apiKeys.findAll = async () => Promise.reject(new Error('disk gone'));
    expect((await call(USER, 'DELETE', `/api-keys/${revoked.id}`)).status).toBe(200);
    const rotated = await call(USER, 'POST', `/api-keys/${replaced.id}/rotate`, { overlap_seconds: 0 });
    expect(rotated.status).toBe(201);
    for (const { key } of [revoked, replaced]) expect((await call(key, 'GET', '/me')).status).toBe(401);
    expect(app.log()).toContain('the API keys in the store cannot be read');
    store.apiKeys.findAll = findAll;
  });

  test('nobody sees or touches the keys of others, admins do', async () => {
    const alices = await make(USER);
    const bobs = await make(ROOT, { user_id: 'bob' });
    expect((await list(bobs.key)).map(({ id }) => id)).toEqual([bobs.id]);
    expect((await list(bobs.key, '?user_id=alice')).map(({ id }) => id)).toEqual([bobs.id]);
    expect((await list(ROOT)).map(({ id }) => id)).toEqual([alices.id, bobs.id]);
    expect((await list(ROOT, '?user_id=alice')).map(({ id }) => id)).toEqual([alices.id]);
    expect(await refusal(bobs.key, 'DELETE', `/api-keys/${alices.id}`)).toBe('403 foreign_key');
    expect(await refusal(bobs.key, 'POST', `/api-keys/${alices.id}/rotate`)).toBe('403 foreign_key');
    expect(await refusal(bobs.key, 'DELETE', '/api-keys/none')).toBe('404 api_key_not_found');
    expect((await call(alices.key, 'GET', '/me')).status).toBe(200);
  });

  test('a rotated key works for the overlap, and its successor can do the same', async () => {
    const old = await make(USER, { permissions: ['session:list'], name: 'ci' });
    const answer = await call(USER, 'POST', `/api-keys/${old.id}/rotate`, { overlap_seconds: 60 });
    const fresh = keySchema.extend({ key: z.string() }).parse(await answer.json());
    expect(fresh).toMatchObject({ name: 'ci', user_id: 'alice', permissions: ['session:list'] });
    expect(fresh.key).not.toBe(old.key);
    for (const { key } of [old, fresh]) expect((await call(key, 'GET', '/search')).status).toBe(200);
    const [before] = await list(USER);
    const left = Date.parse(before?.expires_at ?? '') - Date.now();
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThanOrEqual(60_000);
    const none = await call(USER, 'POST', `/api-keys/${fresh.id}/rotate`, { overlap_seconds: 0 });
    expect(none.status).toBe(201);
    expect((await call(fresh.key, 'GET', '/search')).status).toBe(401);
    expect(await refusal(USER, 'POST', `/api-keys/${fresh.id}/rotate`)).toBe('404 api_key_not_found');
  });

  test('a rotation gives nobody what they do not have', async () => {
    const strong = await make(ROOT, { role: 'admin' });
    expect(await refusal(MAKER, 'POST', `/api-keys/${strong.id}/rotate`)).toBe('403 permissions_exceeded');
    const admins = await make(ROOT, { user_id: 'carol', role: 'admin' });
    const users = await make(ROOT, { user_id: 'carol', permissions: ['*'] });
    for (const body of [{}, { overlap_seconds: 0 }]) {
      const path = `/api-keys/${admins.id}/rotate`;
      expect(await refusal(users.key, 'POST', path, body)).toBe('403 permissions_exceeded');
    }
    expect((await list(users.key)).map(({ id }) => id)).toEqual([admins.id, users.id]);
    expect((await call(admins.key, 'POST', `/api-keys/${admins.id}/rotate`)).status).toBe(201);
  });

  test('the last use is noted', async () => {
    const made = await make(USER);
    expect((await list(USER))[0]?.last_used_at).toBeNull();
    await call(made.key, 'GET', '/me');
    // Every change writes what was noted until then.
    await make(USER);
    const [used] = await list(USER);
    expect(Date.parse(used?.last_used_at ?? '')).toBeGreaterThan(Date.now() - 60_000);
  });

  test('what another process does to the store counts within seconds', async () => {
    const made = await make(USER);
    await store.apiKeys.revoke(made.id, new Date());
    await expect
      .poll(async () => (await call(made.key, 'GET', '/me')).status, { timeout: 15_000, interval: 100 })
      .toBe(401);
  });

  test('GET /me says who the caller is', async () => {
    expect(await (await call(USER, 'GET', '/me')).json()).toMatchObject({
      user_id: 'alice',
      role: 'user',
      permissions: api_keys[1]?.permissions,
      authentication: 'on',
    });
  });

  test('with authentication off nobody can make a key for when it is on', async () => {
    await using off = await startApp();
    expect(await (await off.request('/me')).json()).toMatchObject({
      user_id: 'anonymous',
      role: 'admin',
      permissions: ['*'],
      authentication: 'off',
    });
    const answer = await off.request('/api-keys', { method: 'POST' });
    expect(answer.status).toBe(409);
    expect(await answer.json()).toMatchObject({ code: 'authentication_off' });
  });
});

describe('failed attempts', () => {
  async function attempt(key: string): Promise<number> {
    return (await call(key, 'GET', '/search')).status;
  }

  test('too many wrong keys from an address are 429 with a time to wait; right ones go on, new ones too', async () => {
    const fresh = await make(ROOT, { user_id: 'bob' });
    expect(await attempt(USER)).toBe(200);
    for (let i = 0; i < 5; i += 1) expect(await attempt(`wrong-${i}`)).toBe(401);
    const answer = await call('wrong-again', 'GET', '/search');
    expect(answer.status).toBe(429);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(Number(answer.headers.get('retry-after'))).toBeLessThanOrEqual(60);
    expect(await answer.json()).toMatchObject({ code: 'too_many_failures' });
    // On both planes; nobody can lock out others behind the same address.
    expect((await call('wrong', 'GET', '/some-session/status')).status).toBe(429);
    expect(await attempt(fresh.key)).toBe(200);
    expect(await attempt(USER)).toBe(200);
    expect((await call(null, 'GET', '/search')).status).toBe(401);
    expect((await call(null, 'GET', '/health')).status).toBe(200);
  });

  test('a missing key is no attempt, and neither is a missing permission', async () => {
    for (let i = 0; i < 20; i += 1) {
      expect((await call(null, 'GET', '/search')).status).toBe(401);
      expect((await call(USER, 'GET', '/profiles')).status).toBe(403);
    }
    expect(await attempt('wrong')).toBe(401);
  });

  test('DF-16: behind a trusted proxy the clients are told apart', async () => {
    await using behind = await startApp({
      auth: { enabled: true, api_keys },
      limits: { failed_keys_per_minute: 2 },
      trusted_proxies: ['127.0.0.1'],
    });
    const from = async (client: string, key: string): Promise<number> => {
      const headers = { 'x-api-key': key, 'x-forwarded-for': client };
      return (await behind.request('/search', { headers })).status;
    };
    const statuses = [];
    for (let i = 0; i < 4; i += 1) statuses.push(await from(`203.0.113.${i}, 192.0.2.1`, 'wrong'));
    expect(statuses).toEqual([401, 401, 429, 429]);
    expect(await from('192.0.2.2', 'wrong')).toBe(401);
    expect(await from('192.0.2.2', USER)).toBe(200);
  });
});

describe('the audit log', () => {
  test('says who made, replaced and revoked which key, from where, and never the key', async () => {
    const made = await make(ROOT, { user_id: 'bob' });
    const rotated = await call(ROOT, 'POST', `/api-keys/${made.id}/rotate`);
    const fresh = keySchema.parse(await rotated.json());
    await call(made.key, 'DELETE', `/api-keys/${fresh.id}`);
    const { entries } = await audit();
    expect(entries).toMatchObject([
      { action: 'key.revoke', outcome: 'allowed', user_id: 'bob', key_id: made.id, target_id: fresh.id },
      { action: 'key.rotate', outcome: 'allowed', user_id: 'root', target_id: fresh.id },
      { action: 'key.create', outcome: 'allowed', user_id: 'root', key_id: null, target_id: made.id },
    ]);
    expect(entries[1]?.details).toMatchObject({ replaces: made.id, holder: 'bob' });
    expect(entries[0]).toMatchObject({ remote_address: '127.0.0.1', target_kind: 'key' });
    expect(entries[1]?.request_id).toBe(rotated.headers.get('x-request-id'));
    const text = JSON.stringify(entries);
    for (const secret of [made.key, fresh.key ?? '', ROOT]) expect(text).not.toContain(secret);
  });

  test('refusals are recorded: the first one at once, the same again as a number', async () => {
    for (let i = 0; i < 4; i += 1) await call(USER, 'GET', '/profiles');
    for (let i = 0; i < 4; i += 1) await call(`wrong-key-${i}`, 'GET', '/search');
    await call(USER, 'GET', '/00000000-0000-4000-8000-000000000000/status');
    await expect.poll(async () => (await audit('outcome=denied')).entries.length).toBe(3);
    const { entries } = await audit('outcome=denied');
    expect(entries).toMatchObject([
      { action: 'session.use', user_id: 'alice', target_id: '00000000-0000-4000-8000-000000000000' },
      { action: 'authentication', user_id: null, remote_address: '127.0.0.1' },
      { action: 'request', user_id: 'alice', target_id: '/profiles' },
    ]);
    expect(JSON.stringify(entries)).not.toContain('wrong-key');
  });

  test('it is read page by page and by filters', async () => {
    for (let i = 0; i < 5; i += 1) await make(i % 2 === 0 ? ROOT : USER);
    const ids: unknown[] = [];
    let cursor: string | undefined;
    do {
      const page = await audit(`action=key.create&limit=2${cursor === undefined ? '' : `&cursor=${cursor}`}`);
      ids.push(...page.entries.map(({ target_id: id }) => id));
      cursor = page.next_cursor;
    } while (cursor !== undefined);
    expect(new Set(ids).size).toBe(5);
    expect((await audit('user_id=alice')).entries).toHaveLength(2);
    expect((await audit('user_id=alice&action=key.revoke')).entries).toEqual([]);
    expect((await audit('since=2999-01-01T00:00:00Z')).entries).toEqual([]);
    expect((await audit('until=2999-01-01T00:00:00Z')).entries).toHaveLength(5);
    for (const query of ['limit=0', 'outcome=maybe', 'since=yesterday', 'cursor=x']) {
      expect(await refusal(ROOT, 'GET', `/audit?${query}`)).toBe('400 invalid_query');
    }
  });

  test('it takes the permission and the role', async () => {
    expect(await refusal(USER, 'GET', '/audit')).toBe('403 insufficient_permissions');
    expect(await refusal(MAKER, 'GET', '/audit')).toBe('403 insufficient_permissions');
  });

  test('what the store does not take is in the log, and the action stands', async () => {
    const made = await make(USER);
    const append = store.audit.append.bind(store.audit);
    store.audit.append = async () => Promise.reject(new Error('disk full'));
    expect((await call(USER, 'DELETE', `/api-keys/${made.id}`)).status).toBe(200);
    store.audit.append = append;
    expect(app.log()).toContain('an entry of the audit log could not be stored');
    expect(app.log()).toContain(made.id);
  });
});

describe('DF-08: the keys file', () => {
  const path = (): string => join(folder, 'keys.json');
  const content = (...keys: string[]): string =>
    JSON.stringify({ api_keys: keys.map((key) => ({ key, user_id: 'file', permissions: ['*'] })) });

  async function startWithFile(): Promise<TestApp> {
    await writeFile(path(), content('first-key'));
    await app[Symbol.asyncDispose]();
    store = await openMemory();
    app = await startApp(
      { auth: { enabled: true, keys_file: path() } },
      { openStore: async () => Promise.resolve(store) },
    );
    return app;
  }

  const works = async (key: string): Promise<boolean> => (await call(key, 'GET', '/me')).status === 200;

  test('is read again when it is written, replaced or linked to another one', async () => {
    await startWithFile();
    await writeFile(path(), content('second-key'));
    await expect.poll(() => works('second-key'), { timeout: 5_000 }).toBe(true);
    expect(await works('first-key')).toBe(false);

    await writeFile(`${path()}.new`, content('third-key'));
    await rename(`${path()}.new`, path());
    await expect.poll(() => works('third-key'), { timeout: 5_000 }).toBe(true);

    await writeFile(join(folder, 'elsewhere.json'), content('fourth-key'));
    await symlink('elsewhere.json', `${path()}.link`);
    await rename(`${path()}.link`, path());
    await expect.poll(() => works('fourth-key'), { timeout: 5_000 }).toBe(true);
    expect(await works('third-key')).toBe(false);
    expect((await store.audit.list({ action: 'config.reload' }, 10)).entries).toHaveLength(3);
  });

  test('a broken or missing one keeps the keys and is reported; a mended one counts', async () => {
    await startWithFile();
    await writeFile(path(), '{"api_keys": [{"key": "s3cr3t-s3cr3t"');
    await expect.poll(() => app.log(), { timeout: 5_000 }).toContain('the keys file is broken');
    expect(await works('first-key')).toBe(true);
    await rm(path());
    await expect.poll(() => app.log(), { timeout: 5_000 }).toContain('no such file');
    expect(await works('first-key')).toBe(true);
    expect(app.log()).not.toContain('s3cr3t');
    await expect(app.reload()).rejects.toThrow('no such file');
    await writeFile(path(), content('mended-key'));
    await expect.poll(() => works('mended-key'), { timeout: 5_000 }).toBe(true);
  });

  test('SIGHUP drops no request', async () => {
    await startWithFile();
    const done = new AbortController();
    const statuses = new Set<number>();
    const load = Array.from({ length: 4 }, async () => {
      while (!done.signal.aborted) statuses.add((await call('first-key', 'GET', '/search')).status);
    });
    for (let i = 0; i < 20; i += 1) {
      await writeFile(path(), content('first-key', `other-key-${i}`));
      await app.reload();
    }
    done.abort();
    await Promise.all(load);
    expect([...statuses]).toEqual([200]);
  });

  test('keys in the store work beside it', async () => {
    await startWithFile();
    const made = await make('first-key');
    expect(await works(made.key)).toBe(true);
  });
});
