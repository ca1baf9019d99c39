import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createClient } from '@agentapi-proxy/client';
import type { Client, Session } from '@agentapi-proxy/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { readEvents } from '../support/event-reader.ts';
import type { EventReader } from '../support/event-reader.ts';
import { filesBelow, ifThere } from '../support/files-below.ts';
import { rawRequest } from '../support/raw-request.ts';
import type { RawAnswer } from '../support/raw-request.ts';
import { eventually, runCommand, startServer } from '../support/server-process.ts';
import type { ServerProcess } from '../support/server-process.ts';

const UNKNOWN = '00000000-0000-4000-8000-000000000000';
const SESSION_PERMISSIONS = ['session:create', 'session:list', 'session:delete', 'session:access'];

function secret(name: string): string {
  return `ap_${name}_${randomBytes(16).toString('hex')}`;
}

/** Every key of this file. What begins with "bad" is in the keys file and must not work. */
const KEYS = {
  alice: secret('alice'),
  bob: secret('bob'),
  root: secret('root'),
  boss: secret('boss'),
  reader: secret('reader'),
  starter: secret('starter'),
  forever: secret('forever'),
  rotated: secret('rotated'),
  badExpired: secret('expired'),
  badUndatable: secret('undatable'),
  unknown: secret('unknown'),
  added: secret('added'),
} as const;
type KeyName = keyof typeof KEYS;

const ENTRIES: readonly Readonly<Record<string, unknown>>[] = [
  { key: KEYS.alice, user_id: 'alice', role: 'user', permissions: SESSION_PERMISSIONS },
  { key: KEYS.bob, user_id: 'bob', role: 'user', permissions: ['*'] },
  { key: KEYS.root, user_id: 'root', role: 'admin', permissions: ['*'] },
  { key: KEYS.boss, user_id: 'boss', role: 'admin', permissions: ['session:list'] },
  { key: KEYS.reader, user_id: 'reader', role: 'readonly', permissions: ['session:list'] },
  { key: KEYS.starter, user_id: 'starter', role: 'user', permissions: ['session:create'] },
  { key: KEYS.forever, user_id: 'forever', role: 'user', permissions: ['*'] },
  { key: KEYS.rotated, user_id: 'old', permissions: ['*'], expires_at: '2020-01-01T00:00:00Z' },
  { key: KEYS.rotated, user_id: 'new', permissions: ['*'], expires_at: '2999-01-01T00:00:00Z' },
  { key: KEYS.badExpired, user_id: 'alice', permissions: ['*'], expires_at: '2020-01-01T00:00:00Z' },
  { key: KEYS.badUndatable, user_id: 'alice', permissions: ['*'], expires_at: 'next tuesday' },
  { key: '', user_id: 'nobody', role: 'admin', permissions: ['*'] },
];

const CANARY = {
  request: `canary-request-${randomBytes(8).toString('hex')}`,
  operator: `canary-operator-${randomBytes(8).toString('hex')}`,
  agent: `canary-agent-${randomBytes(8).toString('hex')}`,
  refused: `canary-refused-${randomBytes(8).toString('hex')}`,
  bearer: `canary-bearer-${randomBytes(8).toString('hex')}`,
} as const;

let folder: string;
let server: ServerProcess;
/** Running sessions of alice and of bob. */
let alices: Session;
let bobs: Session;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'agentapi-proxy-auth-'));
  await writeKeys(ENTRIES);
  server = await startServer({
    folder,
    args: ['--verbose'],
    env: { OPERATOR_SECRET: CANARY.operator },
    config: {
      auth: { enabled: true, keys_file: 'keys.json' },
      limits: { failed_keys_per_minute: 0 },
      environment: { pass: ['OPERATOR_SECRET'] },
      agents: {
        demo: { env: { AGENT_SECRET: CANARY.agent } },
        teller: { command: 'sh', args: ['-c', 'echo "I know $REQUEST_SECRET"; exit 3'] },
      },
    },
  });
  const environment = { REQUEST_SECRET: CANARY.request };
  [alices, bobs] = await Promise.all([
    clientOf('alice').start({ environment }),
    clientOf('bob').start({ environment }),
  ]);
  await Promise.all([alices.waitUntilReady(), bobs.waitUntilReady()]);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

async function writeKeys(entries: readonly unknown[]): Promise<void> {
  await writeFile(join(folder, 'keys.json'), JSON.stringify({ api_keys: entries }), { mode: 0o600 });
}

function clientOf(name: KeyName): Client {
  return createClient({ baseUrl: server.url, apiKey: KEYS[name] });
}

async function call(
  method: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ readonly status: number; readonly message: string; readonly answer: RawAnswer }> {
  const answer = await rawRequest(server.port, { method, path, headers });
  const body: unknown = answer.body === '' ? {} : JSON.parse(answer.body);
  const message = typeof body === 'object' && body !== null && 'message' in body ? String(body.message) : '';
  return { status: answer.status, message, answer };
}

async function callAs(name: KeyName, method: string, path: string): Promise<[number, string]> {
  const { status, message } = await call(method, path, { 'x-api-key': KEYS[name] });
  return [status, status < 400 ? '' : message];
}

const sessionEventSchema = z.looseObject({ session_id: z.string().optional() });

const REQUIRED = 'API key required';
const INVALID = 'Invalid API key';
const INSUFFICIENT = 'Insufficient permissions';
const FOREIGN = 'You can only access your own sessions';
const FOREIGN_DELETE = 'You can only delete your own sessions';

describe('who is let in', () => {
  test.each([
    ['PX-037: no header', {}, REQUIRED],
    ['PX-037: an empty header', { 'x-api-key': '' }, REQUIRED],
    ['PX-037: another scheme', { authorization: 'Basic YTpi' }, REQUIRED],
    ['PX-038: a wrong key', { 'x-api-key': KEYS.unknown }, INVALID],
    ['PX-038: the beginning of a key', { 'x-api-key': KEYS.alice.slice(0, -1) }, INVALID],
    ['PX-039: an expired key', { 'x-api-key': KEYS.badExpired }, INVALID],
    ['PX-040: a key with a date that is none', { 'x-api-key': KEYS.badUndatable }, INVALID],
    ['PX-043: a blank key', { 'x-api-key': ' ' }, REQUIRED],
    ['PX-044: a wrong bearer', { authorization: `Bearer ${CANARY.bearer}` }, INVALID],
    [
      'PX-044: a wrong header beside a right bearer',
      { 'x-api-key': KEYS.unknown, authorization: `Bearer ${KEYS.alice}` },
      INVALID,
    ],
  ])('%s is 401 on every kind of path', async (_name, headers, message) => {
    for (const [method, path] of [
      ['GET', '/search'],
      ['POST', '/start'],
      ['GET', `/sessions/${alices.id}`],
      ['GET', `/sessions/${alices.id}/log`],
      ['DELETE', `/sessions/${alices.id}`],
      ['GET', `/${alices.id}/status`],
      ['OPTIONS', `/${alices.id}/status`],
      ['GET', `/${UNKNOWN}/status`],
      // PX-046: so is an unknown path.
      ['GET', '/nope'],
      ['GET', '/profiles'],
    ] as const) {
      const {
        status,
        message: got,
        answer,
      } = await call(method, path, { ...headers, origin: 'https://ui.example' });
      expect([method, path, status, got]).toEqual([method, path, 401, message]);
      // PX-067, PX-072: a page of another origin can read why.
      expect(answer.headers['access-control-allow-origin']).toBe('*');
    }
  });

  test.each([
    ['PX-038: the header', { 'x-api-key': KEYS.alice }],
    ['PX-056: the header in other letters', { 'X-aPI-kEY': KEYS.alice }],
    ['PX-041: a key without an end', { 'x-api-key': KEYS.forever }],
    ['PX-042: the second of two entries, the first of which has expired', { 'x-api-key': KEYS.rotated }],
    ['PX-044: a bearer', { authorization: `Bearer ${KEYS.alice}` }],
    ['PX-044: a bearer in other letters', { authorization: `bearer ${KEYS.alice}` }],
    [
      'PX-044: the header beside a wrong bearer',
      { 'x-api-key': KEYS.alice, authorization: `Bearer ${KEYS.unknown}` },
    ],
  ])('%s is let in', async (_name, headers) => {
    expect((await call('GET', '/search', headers)).status).toBe(200);
    // PX-046
    expect(await call('GET', '/nope', headers)).toMatchObject({ status: 404, message: 'Not Found' });
  });

  test('PX-042: sessions belong to the user of the entry that counts', async () => {
    const session = await clientOf('rotated').start();
    expect(await session.details()).toMatchObject({ user_id: 'new' });
    await session.delete();
  });

  test('PX-045: a key in the query is none', async () => {
    for (const query of [
      `?api_key=${KEYS.alice}`,
      `?X-API-Key=${KEYS.alice}`,
      `?access_token=${KEYS.alice}`,
    ]) {
      expect(await call('GET', `/search${query}`)).toMatchObject({ status: 401, message: REQUIRED });
      expect(await call('GET', `/${alices.id}/status${query}`)).toMatchObject({
        status: 401,
        message: REQUIRED,
      });
    }
  });

  test('PX-069: a preflight needs no key', async () => {
    for (const path of ['/start', '/search', '/sessions/x', `/${alices.id}/status`, `/${UNKNOWN}/x`]) {
      const { status, answer } = await call('OPTIONS', path, {
        origin: 'https://ui.example',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type,x-api-key',
      });
      expect([path, status]).toEqual([path, 204]);
      expect(answer.headers['access-control-allow-headers']?.toLowerCase()).toContain('x-api-key');
    }
  });

  test('PX-063: health and version need no key', async () => {
    for (const path of ['/health', '/livez', '/readyz', '/version']) {
      expect((await call('GET', path)).status).toBe(200);
    }
  });
});

describe('what a key may do', () => {
  /** Status and message of each request for a session of alice. */
  async function rights(name: KeyName): Promise<Record<string, [number, string]>> {
    return {
      search: await callAs(name, 'GET', '/search'),
      detail: await callAs(name, 'GET', `/sessions/${alices.id}`),
      log: await callAs(name, 'GET', `/sessions/${alices.id}/log`).catch(() => [200, '']),
      proxy: await callAs(name, 'GET', `/${alices.id}/status`),
      proxyUnknown: await callAs(name, 'GET', `/${UNKNOWN}/status`),
      deleteUnknown: await callAs(name, 'DELETE', `/sessions/${UNKNOWN}`),
    };
  }
  const ok: [number, string] = [200, ''];
  const unknown: [number, string] = [404, 'Session not found'];
  const insufficient: [number, string] = [403, INSUFFICIENT];
  const foreign: [number, string] = [403, FOREIGN];
  const owned = { detail: ok, log: ok, proxy: ok, proxyUnknown: unknown, deleteUnknown: unknown };

  test('the owner may do everything', async () => {
    expect(await rights('alice')).toEqual({ search: ok, ...owned });
  });

  test('PX-048, PX-051: so may an admin with "*"', async () => {
    expect(await rights('root')).toEqual({ search: ok, ...owned });
  });

  test('PX-050, PX-052, PX-053: "*" without the role gives no session of others, and unknown ones are 404 first', async () => {
    expect(await rights('bob')).toEqual({
      search: ok,
      ...owned,
      detail: foreign,
      log: foreign,
      proxy: foreign,
    });
    expect(await callAs('bob', 'DELETE', `/sessions/${alices.id}`)).toEqual([403, FOREIGN_DELETE]);
  });

  test('PX-047, PX-049, PX-054: without the permission everything is 403, whatever the role', async () => {
    const all = Object.fromEntries(Object.keys(owned).map((name) => [name, insufficient]));
    expect(await rights('reader')).toEqual({ ...all, search: ok });
    expect(await rights('boss')).toEqual({ ...all, search: ok });
    expect(await rights('starter')).toEqual({ ...all, search: insufficient });
    for (const name of ['reader', 'boss'] as const) {
      expect(await callAs(name, 'POST', '/start')).toEqual(insufficient);
    }
  });

  test('PX-050, PX-054, PX-121: a search shows own sessions only, an admin’s all of them', async () => {
    const ownersSeenBy = async (name: KeyName, filter = {}): Promise<Set<string>> =>
      new Set((await clientOf(name).search(filter)).sessions.map(({ user_id }) => user_id));
    expect(await ownersSeenBy('alice')).toEqual(new Set(['alice']));
    expect(await ownersSeenBy('bob')).toEqual(new Set(['bob']));
    expect(await ownersSeenBy('bob', { user_id: 'alice' })).toEqual(new Set());
    expect(await ownersSeenBy('reader')).toEqual(new Set());
    expect(await ownersSeenBy('root')).toEqual(new Set(['alice', 'bob']));
    expect(await ownersSeenBy('root', { user_id: 'bob' })).toEqual(new Set(['bob']));
  });

  test('PX-078: the owner is the key’s user; only an admin may name another', async () => {
    const ignored = await fetch(`${server.url}/start`, {
      method: 'POST',
      headers: { 'x-api-key': KEYS.alice, 'content-type': 'application/json' },
      body: '{"user_id":"bob"}',
    });
    expect(ignored.headers.get('x-ignored-members')).toBe('user_id');
    const [own] = (await clientOf('alice').search()).sessions;
    expect(own).toMatchObject({ user_id: 'alice' });
    await clientOf('alice').delete(own?.session_id ?? '');

    const given = await clientOf('root').start({ user_id: 'bob' });
    expect(await clientOf('bob').get(given.id)).toMatchObject({ user_id: 'bob' });
    // PX-051
    expect(await callAs('root', 'DELETE', `/sessions/${given.id}`)).toEqual(ok);
  });

  test('PX-034, PX-036: the keys file replaces inline keys; with authentication off no key is needed', async () => {
    await using both = await startServer({
      folder: await mkdtemp(join(folder, 'both-')),
      config: {
        auth: {
          enabled: true,
          keys_file: join(folder, 'keys.json'),
          api_keys: [{ key: KEYS.unknown, user_id: 'inline', permissions: ['*'] }],
        },
      },
    });
    const searchWith = async (key: string): Promise<number> =>
      (await both.request('/search', { headers: { 'x-api-key': key } })).status;
    expect([await searchWith(KEYS.unknown), await searchWith(KEYS.alice)]).toEqual([401, 200]);
    await using off = await startServer({
      folder: await mkdtemp(join(folder, 'off-')),
      config: { auth: { enabled: false, keys_file: join(folder, 'keys.json') } },
    });
    expect((await off.request('/search')).status).toBe(200);
  });
});

describe('SIGHUP', () => {
  test('DF-08: a broken keys file leaves the old keys and is reported; a good one is taken', async () => {
    await writeFile(join(folder, 'keys.json'), '{"api_keys": [');
    server.kill('SIGHUP');
    const report = await eventually('the failure is in the log', () =>
      server.logLines().find(({ msg }) => msg?.startsWith('reload failed') === true),
    );
    expect(JSON.stringify(report)).toContain('keys.json');
    expect((await callAs('alice', 'GET', '/search'))[0]).toBe(200);

    await writeKeys([...ENTRIES, { key: KEYS.added, user_id: 'added', permissions: ['*'] }]);
    server.kill('SIGHUP');
    await eventually('the new key works', async () => (await callAs('added', 'GET', '/search'))[0] === 200);
    expect((await callAs('alice', 'GET', '/search'))[0]).toBe(200);
  });

  test('an open GET /events shows only what its key may see now, also to one that was an admin', async () => {
    const follow = async (name: KeyName): Promise<EventReader> =>
      readEvents(`${server.url}/events`, { 'x-api-key': KEYS[name] });
    const eventsOf = ({ events }: EventReader, id: string): readonly string[] =>
      events.filter(({ data }) => sessionEventSchema.parse(data).session_id === id).map(({ name }) => name);
    const [roots, bobsOwn] = await Promise.all([follow('root'), follow('bob')]);
    try {
      await eventually('the admin sees a session of alice', () => eventsOf(roots, alices.id).length > 0);
      const demoted = ENTRIES.map((entry) =>
        entry['key'] === KEYS.root ? { ...entry, role: 'user' } : entry,
      );
      await writeKeys(demoted);
      server.kill('SIGHUP');
      await eventually('it is hidden', () => eventsOf(roots, alices.id).includes('session_hidden'));
      const session = await clientOf('bob').start();
      await eventually('bob sees the new session', () => eventsOf(bobsOwn, session.id).length > 0);
      await session.delete();
      await eventually('bob sees its end', () => eventsOf(bobsOwn, session.id).includes('session_deleted'));
      const own = await clientOf('root').start();
      await eventually('the stream goes on', () => eventsOf(roots, own.id).length > 0);
      await own.delete();
      expect(eventsOf(roots, session.id)).toEqual([]);
    } finally {
      for (const reader of [roots, bobsOwn]) reader.cut();
      await writeKeys(ENTRIES);
      server.kill('SIGHUP');
    }
    const path = `/sessions/${alices.id}`;
    await eventually('all is as before', async () => (await callAs('root', 'GET', path))[0] === 200);
  });
});

describe('what an agent is given', () => {
  test('PX-230: it cannot reach its neighbour, nor itself, nor the server', async () => {
    const { port } = await bobs.details();
    const { port: own } = await alices.details();
    const status = (url: string): string => `curl -s -o /dev/null -w '%{http_code} ' '${url}'`;
    const { text } = await alices.sendAndWait(
      [
        `/run ${status(`http://127.0.0.1:${port}/status`)}`,
        status(`http://127.0.0.1:${port}/messages`),
        status(`http://localhost:${port}/events`),
        `${status(`http://127.0.0.1:${port}/status`)} -H 'x-agentapi-token: guess' -H 'Authorization: Bearer guess'`,
        status(`http://127.0.0.1:${own}/status`),
        status(`${server.url}/${bobs.id}/status`),
        `${status(`${server.url}/search`)}; echo; echo done`,
      ].join('; '),
    );
    expect(text.replaceAll(/\s+/g, ' ')).toContain('401 401 401 401 401 401 401 done');
  });

  test('PX-141, PX-230, DF-12: its environment holds what was configured and asked for, and no credential', async () => {
    const names = new Set<string>();
    for (const { environ } of await processesOf(alices.id)) {
      for (const line of environ) names.add(line.slice(0, line.indexOf('=')));
    }
    const inherited = ['PATH', 'HOME', 'LANG', 'TERM', 'USER', 'LOGNAME', 'SHELL'];
    const own = ['REQUEST_SECRET', 'OPERATOR_SECRET', 'AGENT_SECRET', 'AGENTAPI_PROXY_SESSION'];
    // What shells and terminals set for their children.
    const usual = ['PWD', 'OLDPWD', 'SHLVL', '_', 'COLUMNS', 'LINES', 'COLORTERM'];
    // What start scripts are told, docs/scripts.md.
    const scripts = ['AGENTAPI_PROXY_SESSION_ID', 'AGENTAPI_PROXY_WORKSPACE', 'AGENTAPI_ARGS', 'CLAUDE_ARGS'];
    const known = [...inherited, ...own, ...usual, ...scripts];
    expect([...names].filter((name) => !known.includes(name))).toEqual([]);
    expect([...names]).toEqual(expect.arrayContaining(own));
  });

  test('PX-141: key, bearer and the server’s cookies do not reach the agent server; other headers do', async () => {
    await using scripted = await startServer({
      folder: await mkdtemp(join(folder, 'scripted-')),
      config: {
        auth: { enabled: true, keys_file: join(folder, 'keys.json') },
        agent_server: 'external',
        agentapi_path: fileURLToPath(new URL('../support/scripted-agentapi.mjs', import.meta.url)),
      },
    });
    const client = createClient({ baseUrl: scripted.url, apiKey: KEYS.alice });
    const { id } = await client.start();
    const { status, body } = await rawRequest(scripted.port, {
      path: `/${id}/echo`,
      headers: {
        'x-api-key': KEYS.alice,
        authorization: `Bearer ${KEYS.bob}`,
        cookie: 'agentapi_proxy_session=of-the-server; theme=dark',
        'x-own': 'kept',
      },
    });
    expect(status).toBe(200);
    for (const hidden of [KEYS.alice, KEYS.bob, 'of-the-server']) expect(body).not.toContain(hidden);
    expect(body).toContain('"x-own","kept"');
    expect(body).toContain('theme=dark');
  });
});

describe('where secrets are not', () => {
  test('PX-229: no argument of any process holds a key, a token or a value of the environment', async () => {
    const secrets = [...Object.values(KEYS), ...Object.values(CANARY)];
    for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
      const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      for (const each of secrets) expect(line).not.toContain(each);
    }
    const processes = await processesOf(alices.id);
    expect(processes.length).toBeGreaterThanOrEqual(2);
    for (const { argv } of processes) {
      // A token is long and random; ids, paths, words and numbers are all that may stand there.
      const odd = argv.filter((arg) => !arg.startsWith('/') && /[A-Za-z0-9+=_-]{24,}/.test(arg));
      expect(odd).toEqual([]);
    }
  });

  test('PX-055, PX-166: keys and values are in no log line with --verbose, no answer and no file', async () => {
    // Whatever can go wrong with a value at hand.
    const alice = clientOf('alice');
    const environment = { REQUEST_SECRET: CANARY.request, LD_PRELOAD: CANARY.refused };
    const refusal: unknown = await alice.start({ environment }).catch((error: unknown) => error);
    expect(String(refusal)).toContain('LD_PRELOAD');
    expect(JSON.stringify(refusal)).not.toContain(CANARY.refused);
    await call('GET', '/search', { 'x-api-key': KEYS.unknown });
    await call('GET', `/${alices.id}/status`, { authorization: `Bearer ${CANARY.bearer}` });
    await call('GET', `/${alices.id}/status?key=${KEYS.alice}`, { 'x-api-key': KEYS.alice });
    const teller = await alice.start({ agent: 'teller', environment: { REQUEST_SECRET: CANARY.request } });
    await eventually('the agent has ended', async () => (await teller.details()).state === 'failed');
    await alices.sendAndWait('/run echo a message');

    const log = server.output();
    expect(log).toContain('"level":"debug"');
    expect(log).toContain(alices.id);
    for (const each of [...Object.values(KEYS), ...Object.values(CANARY)]) expect(log).not.toContain(each);

    const files = await filesBelow(server.dataDir);
    expect(files).toContainEqual(expect.stringMatching(/session\.log$/));
    for (const path of files) {
      const content = (await ifThere(readFile(path, 'utf8'))) ?? '';
      // An agent may print what it was given; its own output is the owner's.
      const secrets = path.includes(teller.id)
        ? Object.values(KEYS)
        : [...Object.values(KEYS), ...Object.values(CANARY)];
      for (const each of secrets) expect([path, content.includes(each)]).toEqual([path, false]);
    }
    await teller.delete();
  });

  test('PX-228: everything below data_dir is for the server’s user only', async () => {
    await alices.sendAndWait('/run echo note > note.txt');
    const folders = (await readdir(server.dataDir, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name));
    const paths = [server.dataDir, ...folders, ...(await filesBelow(server.dataDir))];
    expect(paths.length).toBeGreaterThanOrEqual(8);
    for (const path of paths.filter((each) => !each.endsWith('note.txt'))) {
      const mode = (await ifThere(stat(path)))?.mode ?? 0;
      expect([path, (mode & 0o077).toString(8)]).toEqual([path, '0']);
    }
  });
});

describe('PX-227: with authentication off', () => {
  let off: ServerProcess;
  beforeAll(async () => {
    off = await startServer();
  });
  afterAll(async () => {
    await off[Symbol.asyncDispose]();
  });

  test.each([
    ['localhost:1', undefined, 200],
    ['127.0.0.1:1', 'http://localhost:3000', 200],
    ['evil.example', undefined, 403],
    ['127.0.0.1:1', 'https://evil.example', 403],
    ['127.0.0.1:1', 'null', 403],
    ['evil.example', 'http://evil.example', 403],
  ])('Host %s with Origin %s is %d', async (host, origin, expected) => {
    const headers = { host, ...(origin === undefined ? {} : { origin }) };
    for (const [method, path] of [
      ['GET', '/search'],
      ['GET', '/health'],
    ] as const) {
      const { status, body } = await rawRequest(off.port, { method, path, headers });
      expect(status).toBe(expected);
      if (status === 403) expect(body).toMatch(/"code":"(?:host|origin)_not_allowed"/);
    }
    const started = await rawRequest(off.port, { method: 'POST', path: '/start', headers });
    expect(started.status).toBe(expected);
  });

  test('a foreign page starts nothing', async () => {
    const before = (await off.client.search()).sessions.length;
    await rawRequest(off.port, {
      method: 'POST',
      path: '/start',
      headers: { origin: 'https://evil.example', 'content-type': 'text/plain' },
      body: '{}',
    });
    expect((await off.client.search()).sessions.length).toBe(before);
  });

  test('it listens on loopback only, and refuses to listen elsewhere unless told twice', async () => {
    const foreign = Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .find(({ internal, family }) => !internal && family === 'IPv4');
    if (foreign !== undefined) {
      await expect(fetch(`http://${foreign.address}:${off.port}/health`)).rejects.toThrow(/fetch failed/);
    }
    const own = await mkdtemp(join(folder, 'bind-'));
    const env = { AGENTAPI_PROXY_DATA_DIR: join(own, 'data') };
    const refused = await runCommand(['server', '-p', '0', '--host', '0.0.0.0'], { cwd: own, env });
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/host.*auth\.enabled.*allow_insecure_bind/s);
  });
});

interface ProcessFacts {
  readonly argv: readonly string[];
  readonly environ: readonly string[];
}

/** Arguments and environments of the processes of a session. */
async function processesOf(sessionId: string): Promise<readonly ProcessFacts[]> {
  const pids = (await server.sessionProcesses(sessionId)).map((text) => text.replace('pid ', ''));
  const read = async (pid: string, file: string): Promise<readonly string[]> =>
    (await readFile(`/proc/${pid}/${file}`, 'utf8')).split('\0').filter((part) => part !== '');
  return Promise.all(
    pids.map(async (pid) => ({ argv: await read(pid, 'cmdline'), environ: await read(pid, 'environ') })),
  );
}
