import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { startApp } from './support/app.ts';
import type { TestApp } from './support/app.ts';
import { ProfileCaller } from './support/profile-wire.ts';

const OWNER = ['profile:create', 'profile:list', 'profile:read', 'profile:update', 'profile:delete'];
const CANARY = 'canary-4e1d09-value';

const api_keys = [
  { key: 'key-of-alice', user_id: 'alice', permissions: OWNER },
  { key: 'key-of-bob', user_id: 'bob', permissions: OWNER },
  { key: 'key-of-root', user_id: 'root', role: 'admin', permissions: ['*'] },
];

const auditSchema = z.object({
  entries: z.array(
    z.looseObject({
      action: z.string(),
      outcome: z.string(),
      user_id: z.string().nullable(),
      target_kind: z.string().nullable(),
      target_id: z.string().nullable(),
    }),
  ),
});

async function auditOf(app: TestApp): Promise<z.infer<typeof auditSchema>['entries']> {
  const response = await app.request('/audit?target_kind=profile', {
    headers: { 'x-api-key': 'key-of-root' },
  });
  return auditSchema.parse(await response.json()).entries.toReversed();
}

describe('profiles in the audit log', () => {
  test('whoever makes, changes or removes a profile is recorded, without anything from it', async () => {
    await using app = await startApp({ auth: { enabled: true, api_keys } });
    const alice = new ProfileCaller(app, 'key-of-alice');
    const root = new ProfileCaller(app, 'key-of-root');
    const { id } = await alice.create({ name: CANARY, environment: { SECRET: CANARY } });
    await alice.update(id, { system_prompt: CANARY });
    await alice.call('POST', `/profiles/${id}/repositories`, { name: 'r', url: `https://host/${CANARY}` });
    await alice.call('POST', `/profiles/${id}/templates`, { name: 't', content: CANARY });
    await root.call('DELETE', `/profiles/${id}`);
    // What does not happen is not recorded.
    await alice.call('POST', '/profiles', { name: '' });
    await alice.call('PUT', `/profiles/${id}`, { name: 'gone' });
    await alice.call('GET', '/profiles');
    const entries = await auditOf(app);
    expect(entries.map(({ user_id: user, action, outcome }) => `${user} ${action} ${outcome}`)).toEqual([
      'alice profile.create allowed',
      'alice profile.update allowed',
      'alice profile.update allowed',
      'alice profile.update allowed',
      'root profile.delete allowed',
    ]);
    expect(new Set(entries.map(({ target_id: target }) => target))).toEqual(new Set([id]));
    expect(JSON.stringify(entries)).not.toContain(CANARY);
  });

  test('a start from a profile names the profile', async () => {
    const agents = { ends: { command: 'true', type: 'custom' } };
    await using app = await startApp({ auth: { enabled: true, api_keys }, agents, default_agent: 'ends' });
    const root = new ProfileCaller(app, 'key-of-root');
    const { id } = await root.create({ name: 'p', environment: { SECRET: CANARY } });
    const started = await root.call('POST', '/start-with-profile', { profile_id: id });
    expect(started).toMatchObject({ status: 200 });
    const response = await root.call('GET', '/audit?action=session.start');
    expect(auditSchema.parse(response.body).entries).toMatchObject([
      {
        user_id: 'root',
        outcome: 'allowed',
        target_kind: 'session',
        target_id: started.body['session_id'],
        details: { profile: id },
      },
    ]);
    expect(JSON.stringify(response.body)).not.toContain(CANARY);
  });

  test('who was refused the profile of somebody else is recorded', async () => {
    await using app = await startApp({ auth: { enabled: true, api_keys } });
    const { id } = await new ProfileCaller(app, 'key-of-alice').create({ name: 'p' });
    const bob = new ProfileCaller(app, 'key-of-bob');
    expect(await bob.call('PUT', `/profiles/${id}`, { name: 'mine' })).toMatchObject({ status: 403 });
    expect(await bob.call('DELETE', `/profiles/${id}`)).toMatchObject({ status: 403 });
    await expect
      .poll(async () =>
        (await auditOf(app)).map((entry) => `${entry.user_id} ${entry.action} ${entry.outcome}`),
      )
      .toEqual(['alice profile.create allowed', 'bob profile.update denied', 'bob profile.delete denied']);
  });
});

describe('limits.profiles_per_user', () => {
  test('a user who has as many profiles as allowed gets 409, others and removing go on', async () => {
    await using app = await startApp({ auth: { enabled: true, api_keys }, limits: { profiles_per_user: 3 } });
    const alice = new ProfileCaller(app, 'key-of-alice');
    const answers = await Promise.all(
      Array.from({ length: 8 }, async (_, index) => alice.call('POST', '/profiles', { name: `p${index}` })),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(3);
    const [refused] = answers.filter(({ status }) => status !== 201);
    expect(refused).toMatchObject({
      status: 409,
      body: {
        code: 'too_many_profiles',
        message: 'You already have 3 profiles, the limit for one user; delete one first',
        request_id: expect.any(String),
      },
    });
    const [first] = await alice.list();
    expect(await alice.list()).toHaveLength(3);
    expect(await alice.update(first?.id ?? '', { name: 'still changed' })).toMatchObject({
      name: 'still changed',
    });
    await new ProfileCaller(app, 'key-of-bob').create({ name: 'bobs' });
    await alice.call('DELETE', `/profiles/${first?.id}`);
    await alice.create({ name: 'fits again' });
  });

  test('0 is no limit', async () => {
    await using app = await startApp({ limits: { profiles_per_user: 0 } });
    const anybody = new ProfileCaller(app);
    for (let index = 0; index < 210; index += 1) await anybody.create({ name: 'p' });
    expect(await anybody.list()).toHaveLength(210);
  });
});
