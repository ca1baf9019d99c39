import { afterAll, describe, expect, test } from 'vitest';
import { startProfileApp, UNKNOWN_ID } from './support/profile-app.ts';
import { ProfileCaller } from './support/profile-wire.ts';

const profiles = await startProfileApp();
const { app, alice, bob } = profiles;
afterAll(async () => profiles[Symbol.asyncDispose]());

describe('POST /profiles/:id/repositories', () => {
  test('PX-197: the entry has an id, and the time is now whatever was sent', async () => {
    const { id } = await alice.create({ name: 'p' });
    const before = Date.now();
    const answer = await alice.call('POST', `/profiles/${id}/repositories`, {
      id: 'mine',
      url: 'u',
      name: 'n',
      branch: 'main',
      accessed_at: '2001-01-01T00:00:00Z',
    });
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({ message: 'Repository added to profile successfully' });
    expect(answer.headers.get('x-ignored-members')).toBe('accessed_at');
    const [entry] = (await alice.get(id)).repository_history;
    expect(entry).toMatchObject({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      url: 'u',
      name: 'n',
      branch: 'main',
    });
    expect(Date.parse(entry?.accessed_at ?? '')).toBeGreaterThanOrEqual(before);
  });

  test('PX-198: the same address again is one entry: same id and place, merged, with a new time', async () => {
    const { id } = await alice.create({
      name: 'p',
      repository_history: [
        { url: 'u', name: 'n', branch: 'main', metadata: { a: '1', b: '2' } },
        { url: 'v', name: 'm' },
      ],
    });
    const [before] = (await alice.get(id)).repository_history;
    await alice.call('POST', `/profiles/${id}/repositories`, {
      url: ' u ',
      name: 'renamed',
      last_commit: 'c0ffee',
      metadata: { b: '3' },
    });
    const [after, ...others] = (await alice.get(id)).repository_history;
    expect(after).toEqual({
      ...before,
      name: 'renamed',
      last_commit: 'c0ffee',
      metadata: { a: '1', b: '3' },
      accessed_at: expect.any(String),
    });
    expect(Date.parse(after?.accessed_at ?? '')).toBeGreaterThanOrEqual(
      Date.parse(before?.accessed_at ?? ''),
    );
    expect(others).toHaveLength(1);
  });

  test.each([
    [{}, 'url'],
    [{ name: 'n' }, 'url'],
    [{ url: ' ', name: 'n' }, 'url'],
    [{ url: 'u' }, 'name'],
    [{ url: 'u', name: '' }, 'name'],
  ])('PX-199: %j is refused with the field', async (body, field) => {
    const { id } = await alice.create({ name: 'p' });
    expect(await alice.call('POST', `/profiles/${id}/repositories`, body)).toMatchObject({
      status: 400,
      body: { message: `${field} must not be empty`, code: 'invalid_profile', field },
    });
  });
});

describe('POST /profiles/:id/templates', () => {
  test('PX-200: is always appended, with an id and the time made here', async () => {
    const { id } = await alice.create({ name: 'p' });
    const before = Date.now();
    for (const content of ['first', 'second']) {
      const template = { id: 'mine', name: 't', content, created_at: '2001-01-01T00:00:00Z' };
      const answer = await alice.call('POST', `/profiles/${id}/templates`, template);
      expect(answer.status).toBe(200);
      expect(answer.body).toEqual({ message: 'Template added to profile successfully' });
    }
    const templates = (await alice.get(id)).message_templates;
    expect(templates.map(({ name, content }) => [name, content])).toEqual([
      ['t', 'first'],
      ['t', 'second'],
    ]);
    expect(new Set(templates.map((each) => each.id)).size).toBe(2);
    for (const { created_at: at } of templates) expect(Date.parse(at)).toBeGreaterThanOrEqual(before);
  });

  test.each([
    [{ content: 'c' }, 'name'],
    [{ name: ' ', content: 'c' }, 'name'],
    [{ name: 't' }, 'content'],
    [{ name: 't', content: '\n' }, 'content'],
  ])('PX-199: %j is refused with the field', async (body, field) => {
    const { id } = await alice.create({ name: 'p' });
    expect(await alice.call('POST', `/profiles/${id}/templates`, body)).toMatchObject({
      status: 400,
      body: { message: `${field} must not be empty`, code: 'invalid_profile', field },
    });
  });
});

describe('the default profile', () => {
  test('is at most one of a user, and can be given up', async () => {
    const carol = new ProfileCaller(app, 'key-of-carol');
    const foreign = await bob.create({ name: 'of bob', is_default: true });
    const first = await carol.create({ name: 'first', is_default: true });
    const second = await carol.create({ name: 'second', is_default: true });
    expect(second['is_default']).toBe(true);
    expect(await carol.get(first.id)).not.toHaveProperty('is_default');
    expect(await carol.update(first.id, { is_default: true })).toHaveProperty('is_default', true);
    expect(await carol.get(second.id)).not.toHaveProperty('is_default');
    expect(await carol.update(first.id, { name: 'still' })).toHaveProperty('is_default', true);
    expect(await carol.update(first.id, { is_default: false })).not.toHaveProperty('is_default');
    expect(await bob.get(foreign.id)).toHaveProperty('is_default', true);
  });
});

describe('POST /start-with-profile: what is refused', () => {
  test.each([[undefined], [{}], [{ profile_id: '' }], [{ profile_id: null }]])(
    'PX-204: %j names no profile',
    async (body) => {
      expect(await alice.call('POST', '/start-with-profile', body)).toMatchObject({
        status: 400,
        body: { message: 'Profile ID is required', code: 'profile_id_required' },
      });
    },
  );

  test('PX-204: an unknown profile', async () => {
    const answer = await alice.call('POST', '/start-with-profile', { profile_id: UNKNOWN_ID });
    expect(answer).toMatchObject({ status: 404, body: { message: 'Profile not found' } });
  });

  test.each(['{', '[]', '{"profile_id":7}', '{"profile_id":"x","environment":{"A":1}}', '{"variables":[]}'])(
    'PX-190: %s is no request, before any profile is looked for',
    async (body) => {
      const answer = await alice.call('POST', '/start-with-profile', body);
      expect(answer).toMatchObject({ status: 400, body: { message: 'Invalid request body' } });
    },
  );

  test('unknown and missing variables of a template are named', async () => {
    const { id } = await alice.create({
      name: 'p',
      message_templates: [{ name: 't', content: '{{a}} {{b}}' }],
    });
    const request = { profile_id: id, template: 't', variables: { b: 'hidden', c: 'hidden' } };
    const answer = await alice.call('POST', '/start-with-profile', request);
    expect(answer).toMatchObject({
      status: 400,
      body: {
        code: 'invalid_template',
        message: 'The variables do not fit the template "t"; missing: a; unknown: c',
        field: 'variables.a',
      },
    });
    const both = { profile_id: id, template: 't', tags: { message: 'm' } };
    expect((await alice.call('POST', '/start-with-profile', both)).body['code']).toBe('invalid_template');
  });

  test('a start that is refused is no use of the profile', async () => {
    const { id } = await alice.create({ name: 'p' });
    const answer = await alice.call('POST', '/start-with-profile', { profile_id: id, agent: 'nobody' });
    expect(answer).toMatchObject({ status: 400, body: { code: 'unknown_agent' } });
    expect(await alice.get(id)).not.toHaveProperty('last_used_at');
  });
});
