import { randomBytes, randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { openMemory } from '../src/store/sqlite.ts';
import { newSession } from './store/stores.ts';
import { startApp } from './support/app.ts';
import type { TestApp } from './support/app.ts';

const ROOT = 'ap_root_00000000000000000000000000000001';
const ALICE = 'ap_alice_0000000000000000000000000000002';

const auth = {
  enabled: true,
  api_keys: [
    { key: ROOT, user_id: 'root', role: 'admin', permissions: ['*'] },
    { key: ALICE, user_id: 'alice', permissions: ['*'] },
  ],
};

const answerSchema = z.looseObject({ id: z.string().optional(), code: z.string().optional() });

async function call(app: TestApp, key: string, method: string, path: string, body: object = {}) {
  const response = await app.request(path, {
    method,
    headers: { 'x-api-key': key },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: answerSchema.parse(await response.json()) };
}

describe('limits.api_keys_per_user', () => {
  test('of many made at once a user gets as many as allowed; ended ones make room, others go on', async () => {
    await using app = await startApp({ auth, limits: { api_keys_per_user: 3 } });
    const make = async (key = ALICE, body: object = {}) => call(app, key, 'POST', '/api-keys', body);
    const answers = await Promise.all(Array.from({ length: 8 }, async () => make()));
    const made = answers.filter(({ status }) => status === 201);
    expect(made).toHaveLength(3);
    expect(answers.find(({ status }) => status !== 201)).toMatchObject({
      status: 409,
      body: {
        code: 'too_many_api_keys',
        message: 'You already have 3 API keys, the limit for one user; revoke one first',
        request_id: expect.any(String),
      },
    });
    expect(await make(ROOT, { user_id: 'alice' })).toMatchObject({
      status: 409,
      body: { message: 'The user already has 3 API keys, the limit for one user; revoke one first' },
    });
    expect(await make(ROOT)).toMatchObject({ status: 201 });
    const [first, second] = made;
    await call(app, ALICE, 'DELETE', `/api-keys/${first?.body.id}`);
    expect(await make(ALICE, { expires_at: new Date(Date.now() + 400).toISOString() })).toMatchObject({
      status: 201,
    });
    await expect.poll(async () => (await make()).status, { timeout: 10_000 }).toBe(201);
    expect(await make()).toMatchObject({ status: 409 });

    // Whoever has as many as allowed replaces one, keeps both for a while, and has no room for a further one.
    const rotation = `/api-keys/${second?.body.id}/rotate`;
    for (const overlap_seconds of [60, 60, 0]) {
      expect(await call(app, ALICE, 'POST', rotation, { overlap_seconds })).toMatchObject({ status: 201 });
    }
    expect(await make()).toMatchObject({ status: 409 });
  });

  test('0 is no limit', async () => {
    await using app = await startApp({ auth, limits: { api_keys_per_user: 0 } });
    for (let index = 0; index < 110; index += 1) {
      expect(await call(app, ALICE, 'POST', '/api-keys')).toMatchObject({ status: 201 });
    }
  });

  test('rotations cannot pile up keys without end', async () => {
    const store = await openMemory();
    const id = randomUUID();
    await store.transaction(async ({ apiKeys }) => {
      for (let index = 0; index < 1_002; index += 1) {
        await apiKeys.insert({
          id: index === 0 ? id : randomUUID(),
          hash: randomBytes(32).toString('hex'),
          hint: 'ap_alice_…',
          label: '',
          userId: 'alice',
          role: 'user',
          permissions: [],
          createdBy: 'alice',
          createdAt: new Date(),
          expiresAt: null,
          revokedAt: null,
          lastUsedAt: null,
        });
      }
    });
    await using app = await startApp(
      { auth, limits: { api_keys_per_user: 3 } },
      { openStore: async () => Promise.resolve(store) },
    );
    const rotate = async (overlap_seconds: number) =>
      call(app, ALICE, 'POST', `/api-keys/${id}/rotate`, { overlap_seconds });
    expect(await rotate(60)).toMatchObject({ status: 201 });
    expect(await rotate(60)).toMatchObject({
      status: 409,
      body: {
        code: 'too_many_api_keys',
        message: 'Too many keys that were replaced are still good; replace it without an overlap',
      },
    });
    expect(await rotate(0)).toMatchObject({ status: 201 });
  });

  test.each([0, 60])(
    'a rotation with an overlap of %d s does not replace what another one ends meanwhile',
    async (overlap) => {
      const store = await openMemory();
      await using app = await startApp({ auth }, { openStore: async () => Promise.resolve(store) });
      const { body } = await call(app, ALICE, 'POST', '/api-keys');
      const rotate = async (overlap_seconds: number) =>
        call(app, ALICE, 'POST', `/api-keys/${body.id}/rotate`, { overlap_seconds });
      const get = store.apiKeys.get.bind(store.apiKeys);
      store.apiKeys.get = async (id) => {
        const record = await get(id);
        store.apiKeys.get = get;
        expect(await rotate(0)).toMatchObject({ status: 201 });
        return record;
      };
      expect(await rotate(overlap)).toMatchObject({ status: 404, body: { code: 'api_key_not_found' } });
      expect(await store.apiKeys.list('alice')).toHaveLength(2);
    },
  );
});

describe('limits.shares_per_session', () => {
  test('a session is shared with as many users and links as allowed; who has access can be given another', async () => {
    const store = await openMemory();
    const session = newSession();
    const { id } = session.facts;
    await store.sessions.insert(session);
    await using app = await startApp(
      { auth, limits: { shares_per_session: 4 } },
      { openStore: async () => Promise.resolve(store) },
    );
    const link = async () => call(app, ALICE, 'POST', `/sessions/${id}/links`);
    const share = async (user_id: string, access = 'write') =>
      call(app, ALICE, 'POST', `/sessions/${id}/shares`, { user_id, access });
    expect(await share('bob')).toMatchObject({ status: 201 });
    const answers = await Promise.all(Array.from({ length: 8 }, link));
    const made = answers.filter(({ status }) => status === 201);
    expect(made).toHaveLength(3);
    expect(answers.find(({ status }) => status !== 201)).toMatchObject({
      status: 409,
      body: {
        code: 'too_many_shares',
        message: 'The session already has 4 shares and links, the limit; take one back first',
        request_id: expect.any(String),
      },
    });
    expect(await share('carol')).toMatchObject({ status: 409, body: { code: 'too_many_shares' } });
    expect(await share('bob', 'read')).toMatchObject({ status: 201, body: { access: 'read' } });
    await call(app, ALICE, 'DELETE', `/sessions/${id}/shares/${made[0]?.body.id}`);
    expect(await share('carol')).toMatchObject({ status: 201 });
    expect(await link()).toMatchObject({ status: 409 });
  });
});
