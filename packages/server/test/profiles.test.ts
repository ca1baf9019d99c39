import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startApp } from './support/app.ts';
import type { TestApp } from './support/app.ts';
import { ProfileCaller } from './support/profile-wire.ts';

const USER = [
  'session:create',
  'profile:create',
  'profile:list',
  'profile:read',
  'profile:update',
  'profile:delete',
];
const UNKNOWN_ID = '00000000-0000-4000-8000-000000000000';

function key(name: string, user: string, permissions: readonly string[], role = 'user'): object {
  return { key: name, user_id: user, role, permissions };
}

const KEYS = [
  key('key-of-alice', 'alice', USER),
  key('key-of-bob', 'bob', USER),
  key('key-of-carol', 'carol', USER),
  key('reading-key-of-alice', 'alice', ['profile:list', 'profile:read'], 'readonly'),
  key('key-of-admin', 'root', ['*'], 'admin'),
  ...USER.map((permission) => key(`only-${permission}`, 'alice', [permission])),
];

let app: TestApp;
let alice: ProfileCaller;
let bob: ProfileCaller;
let admin: ProfileCaller;
beforeAll(async () => {
  app = await startApp({ auth: { enabled: true, api_keys: KEYS } });
  alice = new ProfileCaller(app, 'key-of-alice');
  bob = new ProfileCaller(app, 'key-of-bob');
  admin = new ProfileCaller(app, 'key-of-admin');
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
});

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

describe('whose profile it is', () => {
  test('PX-194, PX-204: foreign profiles are refused in the words for each use', async () => {
    const { id } = await alice.create({ name: 'p' });
    const entry = { url: 'u', name: 'n' };
    const refusals = [
      ['GET', `/profiles/${id}`, undefined, 'You can only access your own profiles'],
      ['PUT', `/profiles/${id}`, {}, 'You can only update your own profiles'],
      ['DELETE', `/profiles/${id}`, undefined, 'You can only delete your own profiles'],
      ['POST', `/profiles/${id}/repositories`, entry, 'You can only modify your own profiles'],
      ['POST', `/profiles/${id}/templates`, entry, 'You can only modify your own profiles'],
      ['POST', '/start-with-profile', { profile_id: id }, 'You can only use your own profiles'],
    ] as const;
    for (const [method, path, body, message] of refusals) {
      expect(await bob.call(method, path, body)).toMatchObject({ status: 403, body: { message } });
    }
    expect((await alice.get(id)).repository_history).toEqual([]);
  });

  test('existence comes before the owner, and the owner before body and version', async () => {
    const { id } = await alice.create({ name: 'p' });
    for (const [method, path] of [
      ['PUT', ''],
      ['POST', '/repositories'],
      ['POST', '/templates'],
    ] as const) {
      expect((await bob.call(method, `/profiles/${UNKNOWN_ID}${path}`, '{')).status).toBe(404);
      expect((await bob.call(method, `/profiles/${id}${path}`, '{', { 'if-match': '"9"' })).status).toBe(403);
      expect((await alice.call(method, `/profiles/${id}${path}`, '{')).status).toBe(400);
    }
    expect((await bob.call('DELETE', `/profiles/${id}`, undefined, { 'if-match': '"9"' })).status).toBe(403);
  });

  test('DD-11: an admin may do everything with the profiles of others, and they stay theirs', async () => {
    const { id } = await alice.create({ name: 'p' });
    await admin.call('POST', `/profiles/${id}/repositories`, { url: 'u', name: 'n' });
    expect(await admin.update(id, { name: 'q' })).toMatchObject({ user_id: 'alice', name: 'q' });
    expect(await alice.get(id)).toMatchObject({ repository_history: [{ url: 'u' }] });
    expect((await admin.call('DELETE', `/profiles/${id}`)).status).toBe(200);
  });

  test.each([
    ['POST', '/profiles', 'profile:create'],
    ['GET', '/profiles', 'profile:list'],
    ['GET', `/profiles/${UNKNOWN_ID}`, 'profile:read'],
    ['PUT', `/profiles/${UNKNOWN_ID}`, 'profile:update'],
    ['POST', `/profiles/${UNKNOWN_ID}/repositories`, 'profile:update'],
    ['POST', `/profiles/${UNKNOWN_ID}/templates`, 'profile:update'],
    ['DELETE', `/profiles/${UNKNOWN_ID}`, 'profile:delete'],
    ['POST', '/start-with-profile', 'session:create'],
  ])('PX-203: %s %s needs %s', async (method, path, needed) => {
    for (const permission of USER) {
      const { status, body } = await new ProfileCaller(app, `only-${permission}`).call(method, path);
      if (permission === needed) expect([200, 400, 404]).toContain(status);
      else
        expect({ status, message: body['message'] }).toEqual({
          status: 403,
          message: 'Insufficient permissions',
        });
    }
    expect((await new ProfileCaller(app).call(method, path)).status).toBe(401);
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

describe('from web pages of other origins', () => {
  test('PX-073: preflights below /profiles are answered, and every answer carries CORS headers', async () => {
    const { id } = await alice.create({ name: 'p' });
    const origin = { origin: 'https://ui.example' };
    for (const path of [`/profiles/${id}`, `/profiles/${UNKNOWN_ID}`, `/profiles/${id}/repositories`]) {
      const preflight = await app.request(path, {
        method: 'OPTIONS',
        headers: { ...origin, 'access-control-request-method': 'PUT' },
      });
      expect(preflight.status).toBe(204);
      expect(preflight.headers.get('access-control-allow-methods')).toContain('PUT');
      expect(preflight.headers.get('access-control-allow-headers')).toContain('If-Match');
    }
    const answers = [
      await alice.call('GET', `/profiles/${id}`, undefined, origin),
      await alice.call('GET', `/profiles/${UNKNOWN_ID}`, undefined, origin),
      await bob.call('PUT', `/profiles/${id}`, {}, origin),
      await alice.call('PATCH', `/profiles/${id}`, {}, origin),
      await new ProfileCaller(app).call('GET', `/profiles/${id}`, undefined, origin),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 404, 403, 405, 401]);
    for (const { headers } of answers) {
      expect(headers.get('access-control-allow-origin')).toBe('*');
      expect(headers.get('access-control-expose-headers')).toContain('ETag');
    }
  });
});

describe('without authentication', () => {
  test('PX-202: profiles work, and belong to anonymous', async () => {
    await using open = await startApp();
    const anybody = new ProfileCaller(open);
    const made = await anybody.create({ name: 'p', environment: { A: '1' } });
    expect(made).toMatchObject({ user_id: 'anonymous', environment: { A: '1' } });
    expect(await anybody.list()).toEqual([made]);
    expect(await anybody.update(made.id, { name: 'q' })).toMatchObject({
      name: 'q',
      environment: { A: '1' },
    });
    expect((await anybody.call('DELETE', `/profiles/${made.id}`)).status).toBe(200);
  });
});
