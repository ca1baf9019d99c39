import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import fc from 'fast-check';
import type { Store } from '../src/store/store.ts';
import { newProfile, newSession, testEngines } from './store/stores.ts';
import type { Site } from './store/stores.ts';
import { startApp } from './support/app.ts';
import type { TestApp } from './support/app.ts';

const KEY = 'key-of-root-0000000000000000';
const api_keys = [{ key: KEY, user_id: 'root', role: 'admin', permissions: ['*'] }];
// No agent is wanted: what is started ends at once.
const agents = { ends: { command: 'true', type: 'custom' } };
const limits = {
  starts_per_minute: 0,
  sessions_total: 0,
  sessions_per_user: 0,
  profiles_per_user: 0,
  api_keys_per_user: 0,
  shares_per_session: 0,
};

/** Texts as they are, and with what databases and encodings stumble over. */
const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc
    .tuple(
      fc.string({ maxLength: 5 }),
      fc.constantFrom(
        '\0',
        '\u{d800}',
        '\u{dfff}',
        '\u{feff}',
        '\u{202e}',
        "'",
        '\\',
        '%',
        '\n',
        '%00',
        '\\u0000',
      ),
      fc.string({ maxLength: 5 }),
    )
    .map((parts) => parts.join('')),
  fc.constantFrom(
    '',
    '\0',
    '__proto__',
    'constructor',
    '../..',
    'null',
    'a'.repeat(300),
    '\u{10ffff}'.repeat(200),
  ),
);
const map = fc.dictionary(hostile, hostile, { maxKeys: 3 });
const list = fc.array(hostile, { maxLength: 3 });

/** Percent-encoded, also what is no Unicode. */
function encoded(text: string): string {
  return [...Buffer.from(text, 'utf8')].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
}

interface Wanted {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
}

for (const engine of testEngines()) {
  describe.skipIf(!engine.available)(`any text in any place, on ${engine.name}`, () => {
    let site: Site;
    let store: Store;
    let app: TestApp;
    const session = newSession({ facts: { ownerId: 'root' } });
    const profile = newProfile({ userId: 'root' });
    beforeAll(async () => {
      site = await engine.site();
      store = await site.open();
      await store.sessions.insert(session);
      await store.sessions.transition(session.facts.id, ['creating'], 'stopped', { at: new Date() });
      await store.profiles.insert(profile);
      app = await startApp(
        { auth: { enabled: true, api_keys }, agents, default_agent: 'ends', limits, log_level: 'error' },
        { openStore: async () => site.open() },
      );
    });
    afterAll(async () => {
      await app[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
      await site[Symbol.asyncDispose]();
      await engine[Symbol.asyncDispose]();
    });

    async function answer({ method, path, body }: Wanted): Promise<{ status: number; text: string }> {
      const response = await app.request(path, {
        method,
        headers: { 'x-api-key': KEY },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return { status: response.status, text: await response.text() };
    }

    /** Refusing is fine, failing is not. */
    async function expectNoFailure(wanted: Wanted): Promise<void> {
      const { status, text } = await answer(wanted);
      expect(status, `${JSON.stringify(wanted)}: ${text}`).toBeLessThan(500);
      if (status >= 400) expect(JSON.parse(text)).toMatchObject({ code: expect.any(String) });
    }

    const profileBody = fc.record(
      {
        name: hostile,
        description: hostile,
        environment: map,
        system_prompt: hostile,
        agent: hostile,
        agent_args: list,
        repository: hostile,
        repository_history: fc.array(
          fc.record({ id: hostile, url: hostile, name: hostile, branch: hostile, metadata: map }),
          { maxLength: 2 },
        ),
        message_templates: fc.array(
          fc.record({ id: hostile, name: hostile, content: hostile, variables: list, metadata: map }),
          { maxLength: 2 },
        ),
      },
      { requiredKeys: ['name'] },
    );
    const startBody = fc.record(
      {
        user_id: hostile,
        environment: map,
        tags: map,
        message: hostile,
        agent_args: list,
        params: fc.record({ message: hostile }),
      },
      { requiredKeys: [] },
    );
    const sessionId = session.facts.id;
    const places: readonly (readonly [name: string, wanted: fc.Arbitrary<Wanted>, runs: number])[] = [
      ['a profile', profileBody.map((body) => ({ method: 'POST', path: '/profiles', body })), 100],
      [
        'a change of a profile',
        profileBody.map((body) => ({ method: 'PUT', path: `/profiles/${profile.id}`, body })),
        100,
      ],
      [
        'a repository of a profile',
        fc
          .record({ url: hostile, name: hostile, branch: hostile, last_commit: hostile, metadata: map })
          .map((body) => ({ method: 'POST', path: `/profiles/${profile.id}/repositories`, body })),
        60,
      ],
      [
        'a template of a profile',
        fc
          .record({ name: hostile, content: hostile, variables: list, category: hostile, metadata: map })
          .map((body) => ({ method: 'POST', path: `/profiles/${profile.id}/templates`, body })),
        60,
      ],
      ['a start', startBody.map((body) => ({ method: 'POST', path: '/start', body })), 40],
      [
        'a start with a profile',
        fc
          .record({ profile_id: hostile, template: hostile, variables: map })
          .map((body) => ({ method: 'POST', path: '/start-with-profile', body })),
        100,
      ],
      [
        'a share',
        hostile.map((user_id) => ({
          method: 'POST',
          path: `/sessions/${sessionId}/shares`,
          body: { user_id, access: 'read' },
        })),
        60,
      ],
      [
        'an API key',
        fc
          .record({ name: hostile, user_id: hostile, role: fc.constant('user') })
          .map((body) => ({ method: 'POST', path: '/api-keys', body })),
        60,
      ],
      [
        'permissions of an API key',
        list.map((permissions) => ({ method: 'POST', path: '/api-keys', body: { name: 'k', permissions } })),
        40,
      ],
      [
        'an id in a path',
        fc
          .tuple(
            fc.constantFrom(
              ...[
                'GET /profiles/',
                'PUT /profiles/',
                'DELETE /profiles/',
                'GET /sessions/',
                'DELETE /sessions/',
              ],
              ...['DELETE /api-keys/', `DELETE /sessions/${sessionId}/shares/`, 'GET /'],
            ),
            hostile,
            fc.constantFrom('', '/log', '/resume', '/rotate', '/shares', '/templates', '/status'),
          )
          .map(([start, id, end]) => {
            const [method = '', path = ''] = start.split(' ');
            return { method, path: `${path}${encoded(id)}${end}` };
          }),
        200,
      ],
      [
        'a query',
        fc
          .tuple(
            fc.constantFrom('/search', '/audit', '/profiles', '/api-keys'),
            fc.constantFrom(
              ...[
                'tag.a',
                'user_id',
                'status',
                'state',
                'cursor',
                'limit',
                'action',
                'target_id',
                'target_kind',
              ],
              ...['since', 'until', 'outcome', 'shared'],
            ),
            hostile,
            hostile,
          )
          .map(([path, name, value, more]) => ({
            method: 'GET',
            path: `${path}?${name}=${encoded(value)}&tag.${encoded(more)}=${encoded(more)}`,
          })),
        200,
      ],
      [
        'a cursor of a search',
        fc.tuple(fc.oneof(fc.nat(), fc.double()), hostile).map((cursor) => ({
          method: 'GET',
          path: `/search?state=all&limit=1&cursor=${Buffer.from(JSON.stringify(cursor)).toString('base64url')}`,
        })),
        60,
      ],
    ];
    test.each(places)('%s', async (_name, wanted, numRuns) => {
      await fc.assert(fc.asyncProperty(wanted, expectNoFailure), { numRuns });
    });

    const broken = ['a\0b', '\0', 'a\u{d800}', '\u{dc00}b'];
    test.each(broken)('%j is no name of a user, profile, key or tag, and nothing is stored', async (text) => {
      const refusals: readonly (readonly [Wanted, string])[] = [
        [{ method: 'POST', path: '/start', body: { user_id: text } }, 'invalid_request'],
        [{ method: 'POST', path: '/start', body: { tags: { [text]: 'v' } } }, 'invalid_tags'],
        [{ method: 'POST', path: '/start', body: { tags: { k: text } } }, 'invalid_tags'],
        [{ method: 'POST', path: '/start', body: { message: text } }, 'invalid_request'],
        [{ method: 'POST', path: '/start', body: { agent_args: [text] } }, 'invalid_request'],
        [{ method: 'POST', path: '/profiles', body: { name: text } }, 'invalid_profile'],
        [{ method: 'POST', path: '/api-keys', body: { name: text } }, 'invalid_request'],
        [{ method: 'POST', path: '/api-keys', body: { user_id: text } }, 'invalid_request'],
        [
          { method: 'POST', path: `/sessions/${sessionId}/shares`, body: { user_id: text, access: 'read' } },
          'invalid_request',
        ],
        [{ method: 'POST', path: '/start-with-profile', body: { profile_id: text } }, 'invalid_request'],
      ];
      const before = await Promise.all([
        store.sessions.count(),
        store.profiles.listAll(),
        store.apiKeys.list(),
      ]);
      for (const [wanted, code] of refusals) {
        const { status, text: body } = await answer(wanted);
        expect([wanted, status, JSON.parse(body).code]).toEqual([wanted, 400, code]);
      }
      expect(
        await Promise.all([store.sessions.count(), store.profiles.listAll(), store.apiKeys.list()]),
      ).toEqual(before);
    });

    test.each([
      `/profiles/a%00b`,
      `/sessions/%00`,
      '/search?tag.a=%00',
      '/audit?user_id=a%00',
      '/api-keys?user_id=%00',
    ])('a NUL in the address %s is 400', async (path) => {
      const { status, text } = await answer({ method: 'GET', path });
      expect([status, JSON.parse(text).code]).toEqual([400, 'invalid_request']);
    });
  });
}
