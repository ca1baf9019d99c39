import { afterAll, describe, expect, test } from 'vitest';
import { startProfileApp, UNKNOWN_ID } from './support/profile-app.ts';
import { ProfileCaller } from './support/profile-wire.ts';

const profiles = await startProfileApp();
const { app, alice, bob, admin } = profiles;
afterAll(async () => profiles[Symbol.asyncDispose]());

describe('POST /profiles', () => {
  test('PX-187: answers 201 with the whole profile, and leaves out what is empty', async () => {
    const answer = await alice.call('POST', '/profiles', { name: 'p' });
    expect(answer.status).toBe(201);
    expect(answer.body).toEqual({
      profile: {
        id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
        user_id: 'alice',
        name: 'p',
        environment: {},
        repository_history: [],
        system_prompt: '',
        message_templates: [],
        created_at: expect.any(String),
        updated_at: expect.any(String),
      },
    });
    const { created_at: created, updated_at: updated } = await alice.create({ name: 'p' });
    expect(created).toBe(updated);
  });

  test('everything that was given comes back', async () => {
    const given = {
      name: 'p',
      description: 'd',
      environment: { A: '1', B: '' },
      system_prompt: 'Be brief.',
      agent: 'codex',
      agent_args: ['--fast'],
      repository: 'owner/repo',
      is_default: true,
    };
    const made = await alice.create({
      ...given,
      repository_history: [
        {
          url: 'https://github.com/a/b',
          name: 'b',
          branch: 'main',
          last_commit: 'c0ffee',
          metadata: { k: 'v' },
        },
      ],
      message_templates: [
        { name: 't', content: 'Hi {{you}}', variables: ['you'], category: 'c', metadata: { k: 'v' } },
      ],
    });
    expect(made).toMatchObject({
      ...given,
      repository_history: [
        {
          url: 'https://github.com/a/b',
          name: 'b',
          branch: 'main',
          last_commit: 'c0ffee',
          metadata: { k: 'v' },
        },
      ],
      message_templates: [
        { name: 't', content: 'Hi {{you}}', variables: ['you'], category: 'c', metadata: { k: 'v' } },
      ],
    });
    expect(await alice.get(made.id)).toEqual(made);
    await alice.call('DELETE', `/profiles/${made.id}`);
  });

  test('PX-188: id, owner and times in the body are ignored, and named', async () => {
    const theirs = {
      id: UNKNOWN_ID,
      user_id: 'bob',
      created_at: '2001-01-01T00:00:00Z',
      updated_at: '2001-01-01T00:00:00Z',
      last_used_at: '2001-01-01T00:00:00Z',
    };
    const answer = await alice.call('POST', '/profiles', { name: 'p', ...theirs, 'ünknown\ud800': 1 });
    expect(answer.status).toBe(201);
    expect(answer.headers.get('x-ignored-members')).toBe(
      'id, user_id, created_at, updated_at, last_used_at, %C3%BCnknown%EF%BF%BD',
    );
    expect(answer.body['profile']).toMatchObject({ user_id: 'alice' });
    expect(answer.body['profile']).not.toMatchObject({ id: UNKNOWN_ID });
    expect(JSON.stringify(answer.body)).not.toContain('2001');
    expect((await alice.call('GET', `/profiles/${UNKNOWN_ID}`)).status).toBe(404);
  });

  test('PX-201: entries and templates get ids and times here, whatever the client sends', async () => {
    const before = Date.now();
    const { repository_history: repositories, message_templates: templates } = await alice.create({
      name: 'p',
      repository_history: [{ id: 'mine', url: 'u', name: 'n', accessed_at: '0001-01-01T00:00:00Z' }],
      message_templates: [{ id: 'mine', name: 'n', content: 'c', created_at: '0001-01-01T00:00:00Z' }],
    });
    expect(repositories[0]?.id).toMatch(/^[0-9a-f-]{36}$/);
    expect(templates[0]?.id).toMatch(/^[0-9a-f-]{36}$/);
    expect(Date.parse(repositories[0]?.accessed_at ?? '')).toBeGreaterThanOrEqual(before);
    expect(Date.parse(templates[0]?.created_at ?? '')).toBeGreaterThanOrEqual(before);
  });

  test.each([[undefined], [''], [' \t\n'], [null]])(
    'PX-189: the name %j is refused and named',
    async (name) => {
      const answer = await alice.call('POST', '/profiles', { name });
      expect(answer).toMatchObject({
        status: 400,
        body: { message: 'name must not be empty', code: 'invalid_profile', field: 'name' },
      });
    },
  );

  test('PX-189: no body at all has no name', async () => {
    expect((await alice.call('POST', '/profiles')).body['message']).toBe('name must not be empty');
    expect((await alice.call('POST', '/profiles', 'null')).body['message']).toBe('name must not be empty');
  });

  test('blanks around a name are not kept', async () => {
    expect((await alice.create({ name: '  my profile\n' })).name).toBe('my profile');
  });

  test.each([
    ['{', /line 1, column 2/],
    ['"p"', /expected object/],
    [[], /expected object/],
    [{ name: 1 }, /^name/],
    [{ name: 'p', environment: [] }, /^environment/],
    [{ name: 'p', environment: { A: 1 } }, /^environment.A/],
    [{ name: 'p', environment: { A: null } }, /^environment.A/],
    [{ name: 'p', repository_history: {} }, /^repository_history/],
    [{ name: 'p', repository_history: ['u'] }, /^repository_history.0/],
    [{ name: 'p', message_templates: [{ name: 1 }] }, /^message_templates.0.name/],
    [{ name: 'p', system_prompt: {} }, /^system_prompt/],
    [{ name: 'p', is_default: 'yes' }, /^is_default/],
  ])('PX-190: %j is no profile', async (body, detail) => {
    const answer = await alice.call('POST', '/profiles', body);
    expect(answer).toMatchObject({
      status: 400,
      body: {
        message: 'Invalid request body',
        code: 'invalid_request',
        detail: expect.stringMatching(detail),
      },
    });
  });

  test.each([
    [{ environment: { '1A': 'hidden' } }, 'invalid_environment', 'environment.1A'],
    [{ environment: { LD_PRELOAD: 'hidden' } }, 'invalid_environment', 'environment.LD_PRELOAD'],
    [{ agent: 'nobody' }, 'unknown_agent', 'agent'],
    [{ repository: '../x' }, 'invalid_profile', 'repository'],
    [{ repository: 'a/b c' }, 'invalid_profile', 'repository'],
    [{ system_prompt: 'a\0b' }, 'invalid_profile', 'system_prompt'],
    [{ system_prompt: 'ü'.repeat(50_001) }, 'invalid_profile', 'system_prompt'],
    [{ agent_args: ['a', 'b\0'] }, 'invalid_profile', 'agent_args.1'],
    [{ description: 'x'.repeat(10_001) }, 'invalid_profile', 'description'],
    [{ name: 'x'.repeat(201) }, 'invalid_profile', 'name'],
    [
      { repository_history: [{ url: 'u', name: 'n' }, { name: 'n' }] },
      'invalid_profile',
      'repository_history.1.url',
    ],
    [{ repository_history: [{ url: 'u', name: ' ' }] }, 'invalid_profile', 'repository_history.0.name'],
    [
      {
        repository_history: [
          { url: 'u', name: 'n' },
          { url: ' u ', name: 'n' },
        ],
      },
      'invalid_profile',
      'repository_history.1.url',
    ],
    [
      { repository_history: [{ url: 'https://hidden@github.com/a/b', name: 'n' }] },
      'invalid_profile',
      'repository_history.0.url',
    ],
    [
      { repository_history: [{ url: 'ssh://git:hidden@github.com/a/b', name: 'n' }] },
      'invalid_profile',
      'repository_history.0.url',
    ],
    [{ message_templates: [{ name: 't', content: ' ' }] }, 'invalid_profile', 'message_templates.0.content'],
    [{ message_templates: [{ content: 'c' }] }, 'invalid_profile', 'message_templates.0.name'],
    [
      { message_templates: [{ name: 't', content: 'c', variables: [''] }] },
      'invalid_profile',
      'message_templates.0.variables.0',
    ],
    [
      { message_templates: [{ name: 't', content: 'c', metadata: { k: 'x'.repeat(10_001) } }] },
      'invalid_profile',
      'message_templates.0.metadata.k',
    ],
  ])('%j is refused with the path of the field, and no value', async (body, code, field) => {
    const before = (await alice.list()).length;
    const answer = await alice.call('POST', '/profiles', { name: 'p', ...body });
    expect(answer).toMatchObject({ status: 400, body: { code, field } });
    expect(JSON.stringify(answer.body)).not.toContain('hidden');
    expect((await alice.list()).length).toBe(before);
  });

  test('repositories of other forges and over SSH may be in the history', async () => {
    const urls = [
      'git@github.com:a/b.git',
      'ssh://git@host/a/b',
      'https://gitlab.example/a/b:c@d',
      'file:///x',
    ];
    const made = await alice.create({
      name: 'p',
      repository_history: urls.map((url) => ({ url, name: 'n' })),
    });
    expect(made.repository_history.map(({ url }) => url)).toEqual(urls);
  });
});

describe('GET /profiles', () => {
  test('PX-191: nobody else’s, with their number; none is an empty list', async () => {
    const carol = new ProfileCaller(app, 'key-of-carol');
    expect((await carol.call('GET', '/profiles')).body).toEqual({ profiles: [], total: 0 });
    const first = await carol.create({ name: 'first' });
    const second = await carol.create({ name: 'second' });
    await bob.create({ name: 'of bob' });
    expect(await carol.list()).toEqual([first, second]);
    expect(await carol.list('?user_id=bob')).toEqual([first, second]);
    await carol.call('DELETE', `/profiles/${first.id}`);
    expect(await carol.list()).toEqual([second]);
  });

  test('DD-11: an admin sees everybody’s, or those of one user', async () => {
    const own = await alice.create({ name: 'of alice' });
    const foreign = await bob.create({ name: 'of bob' });
    const all = (await admin.list()).map(({ id }) => id);
    expect(all).toEqual(expect.arrayContaining([own.id, foreign.id]));
    const ofBob = await admin.list('?user_id=bob');
    expect(new Set(ofBob.map(({ user_id: user }) => user))).toEqual(new Set(['bob']));
    expect(ofBob.map(({ id }) => id)).toContain(foreign.id);
  });
});
