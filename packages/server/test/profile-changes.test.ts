import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { startProfileApp, UNKNOWN_ID } from './support/profile-app.ts';
import { ProfileCaller } from './support/profile-wire.ts';

const profiles = await startProfileApp();
const { app, alice, bob, admin } = profiles;
afterAll(async () => profiles[Symbol.asyncDispose]());

describe('GET /profiles/:id', () => {
  test.each([UNKNOWN_ID, 'x', '..%2f', 'a%01b'])('PX-192: %s is unknown', async (id) => {
    const answer = await alice.call('GET', `/profiles/${id}`);
    expect(answer).toMatchObject({
      status: 404,
      body: { message: 'Profile not found', code: 'profile_not_found' },
    });
  });

  test('PX-192: a foreign one is refused', async () => {
    const { id } = await alice.create({ name: 'p' });
    const answer = await bob.call('GET', `/profiles/${id}`);
    expect(answer).toMatchObject({ status: 403, body: { message: 'You can only access your own profiles' } });
  });

  test('values of variables are for the owner who may change them; others see the names', async () => {
    const { id } = await alice.create({ name: 'p', environment: { A: 'canary-value', B: '' } });
    expect((await alice.get(id)).environment).toEqual({ A: 'canary-value', B: '' });
    const readers = [
      admin,
      new ProfileCaller(app, 'reading-key-of-alice'),
      new ProfileCaller(app, 'only-profile:read'),
    ];
    for (const reader of readers) {
      const answer = await reader.call('GET', `/profiles/${id}`);
      expect(answer.status).toBe(200);
      expect(answer.body['profile']).toMatchObject({ environment_names: ['A', 'B'] });
      expect(answer.body['profile']).not.toHaveProperty('environment');
      expect(JSON.stringify(answer.body)).not.toContain('canary-value');
    }
    const listed = await admin.call('GET', '/profiles');
    expect(JSON.stringify(listed.body)).not.toContain('canary-value');
    const changed = await admin.call('PUT', `/profiles/${id}`, { name: 'renamed by an admin' });
    expect(JSON.stringify(changed.body)).not.toContain('canary-value');
    expect(await alice.get(id)).toMatchObject({
      name: 'renamed by an admin',
      environment: { A: 'canary-value' },
    });
    expect(app.log()).not.toContain('canary-value');
  });
});

describe('PUT /profiles/:id', () => {
  const given = {
    name: 'p',
    description: 'd',
    environment: { A: '1', B: '2' },
    repository_history: [{ url: 'u', name: 'n', branch: 'b', metadata: { k: 'v' } }],
    system_prompt: 's',
    message_templates: [{ name: 't', content: 'c', variables: ['v'] }],
    agent: 'codex',
    agent_args: ['-x'],
    repository: 'a/b',
  };

  test('PX-193: a subset changes only these fields and updated_at', async () => {
    const made = await alice.create(given);
    const changed = await alice.update(made.id, { description: 'other' });
    expect(changed).toEqual({ ...made, description: 'other', updated_at: expect.any(String) });
    expect(Date.parse(changed.updated_at)).toBeGreaterThanOrEqual(Date.parse(made.updated_at));
    expect(await alice.get(made.id)).toEqual(changed);
  });

  test('PX-193: null is unchanged, and so is everything without a body', async () => {
    const made = await alice.create(given);
    const unchanged = { ...made, updated_at: expect.any(String) };
    const nothing = Object.fromEntries([...Object.keys(given), 'is_default'].map((name) => [name, null]));
    expect(await alice.update(made.id, nothing)).toEqual(unchanged);
    expect(await alice.update(made.id, undefined)).toEqual(unchanged);
  });

  test('PX-193: {} and [] clear, and so do empty texts', async () => {
    const made = await alice.create(given);
    const cleared = await alice.update(made.id, {
      description: '',
      environment: {},
      repository_history: [],
      system_prompt: '',
      message_templates: [],
      agent: '',
      agent_args: [],
      repository: '',
    });
    expect(cleared).toEqual({
      id: made.id,
      user_id: 'alice',
      name: 'p',
      environment: {},
      repository_history: [],
      system_prompt: '',
      message_templates: [],
      created_at: made.created_at,
      updated_at: expect.any(String),
    });
  });

  test('PX-193: maps and lists are replaced as a whole', async () => {
    const made = await alice.create(given);
    const changed = await alice.update(made.id, {
      environment: { C: '3' },
      repository_history: [{ url: 'v', name: 'm' }],
      message_templates: [{ name: 'u', content: 'd' }],
    });
    expect(changed.environment).toEqual({ C: '3' });
    expect(changed.repository_history.map(({ url }) => url)).toEqual(['v']);
    expect(changed.message_templates.map(({ name }) => name)).toEqual(['u']);
  });

  test('PX-201: entries that are sent back keep id and time, new ones get their own', async () => {
    const made = await alice.create(given);
    const [entry] = made.repository_history;
    const [template] = made.message_templates;
    const changed = await alice.update(made.id, {
      repository_history: [
        { url: 'v', name: 'm' },
        { ...entry, name: 'renamed' },
      ],
      message_templates: [
        { ...template, content: 'changed' },
        { ...template },
        { id: 'mine', name: 'a', content: 'b' },
      ],
    });
    expect(changed.repository_history[1]).toEqual({ ...entry, name: 'renamed' });
    expect(changed.message_templates[0]).toEqual({ ...template, content: 'changed' });
    const ids = [...changed.repository_history, ...changed.message_templates].map(({ id }) => id);
    expect(new Set(ids).size).toBe(5);
    expect(ids).not.toContain('mine');
  });

  test('what was read can be written back', async () => {
    const made = await alice.create(given);
    expect(await alice.update(made.id, made)).toEqual({ ...made, updated_at: expect.any(String) });
  });

  test.each([
    ['name', ''],
    ['name', ' '],
  ])('PX-195: %s %j is refused', async (field, value) => {
    const made = await alice.create(given);
    const answer = await alice.call('PUT', `/profiles/${made.id}`, { [field]: value, description: 'other' });
    expect(answer).toMatchObject({ status: 400, body: { message: 'name must not be empty', field: 'name' } });
    expect(await alice.get(made.id)).toEqual(made);
  });

  test('PX-190: a body that is none is refused with the reference’s text', async () => {
    const { id } = await alice.create(given);
    for (const body of ['{"name":', [], { name: 7 }]) {
      const answer = await alice.call('PUT', `/profiles/${id}`, body);
      expect(answer).toMatchObject({ status: 400, body: { message: 'Invalid request body' } });
    }
  });
});

describe('DELETE /profiles/:id', () => {
  test('PX-196: says which, and the second time that there is none', async () => {
    const { id } = await alice.create({ name: 'p' });
    const answer = await alice.call('DELETE', `/profiles/${id}`);
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({ message: 'Profile deleted successfully', profile_id: id });
    expect((await alice.call('DELETE', `/profiles/${id}`)).body['message']).toBe('Profile not found');
  });
});

describe('If-Match', () => {
  let id: string;
  beforeEach(async () => {
    ({ id } = await alice.create({ name: 'p' }));
  });

  test('every answer with a profile has its ETag, and every edit a new one', async () => {
    expect((await alice.call('GET', `/profiles/${id}`)).headers.get('etag')).toBe('"1"');
    expect((await alice.call('PUT', `/profiles/${id}`, {})).headers.get('etag')).toBe('"2"');
    const added = await alice.call('POST', `/profiles/${id}/repositories`, { url: 'u', name: 'n' });
    expect(added.headers.get('etag')).toBe('"3"');
    const template = await alice.call('POST', `/profiles/${id}/templates`, { name: 'n', content: 'c' });
    expect(template.headers.get('etag')).toBe('"4"');
    expect((await alice.call('POST', '/profiles', { name: 'p' })).headers.get('etag')).toBe('"1"');
  });

  test('DF-39: an edit of what somebody else has changed is refused and changes nothing', async () => {
    await alice.update(id, { description: 'faster' });
    const edits = [
      ['PUT', `/profiles/${id}`, { description: 'slower' }],
      ['POST', `/profiles/${id}/repositories`, { url: 'u', name: 'n' }],
      ['POST', `/profiles/${id}/templates`, { name: 'n', content: 'c' }],
      ['DELETE', `/profiles/${id}`, undefined],
    ] as const;
    for (const stale of ['"1"', '"3"', 'W/"2"', '2', '"x"', '""', '"99999999999999999999"']) {
      for (const [method, path, body] of edits) {
        expect(await alice.call(method, path, body, { 'if-match': stale })).toMatchObject({
          status: 412,
          body: { code: 'version_conflict', version: 2 },
        });
      }
    }
    expect(await alice.get(id)).toMatchObject({ description: 'faster', repository_history: [] });
  });

  test('an edit of what was read last, or of whatever is there, goes through', async () => {
    expect((await alice.call('PUT', `/profiles/${id}`, {}, { 'if-match': '"1"' })).status).toBe(200);
    expect((await alice.call('PUT', `/profiles/${id}`, {}, { 'if-match': '*' })).status).toBe(200);
    expect((await alice.call('DELETE', `/profiles/${id}`, undefined, { 'if-match': '"3"' })).status).toBe(
      200,
    );
  });

  test('a list of tags is refused', async () => {
    const answer = await alice.call('PUT', `/profiles/${id}`, {}, { 'if-match': '"1", "2"' });
    expect(answer.status).toBe(400);
  });

  test('of edits with the same version at the same time exactly one wins', async () => {
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        alice.call('PUT', `/profiles/${id}`, { description: `edit ${index}` }, { 'if-match': '"1"' }),
      ),
    );
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
      200,
      ...Array.from({ length: 9 }, () => 412),
    ]);
  });
});
