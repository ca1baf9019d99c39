import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@agentapi-proxy/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { DeclaredRoute } from '../../packages/server/src/http/control-server.ts';
import { ROLE_PERMISSIONS, ROLES } from '../../packages/server/src/auth/permissions.ts';
import type { Role } from '../../packages/server/src/auth/permissions.ts';
import { startApp } from '../../packages/server/test/support/app.ts';
import { ROUTE_RULES } from '../../packages/server/test/support/route-rules.ts';
import type { RouteRule } from '../../packages/server/test/support/route-rules.ts';
import { rawRequest } from '../support/raw-request.ts';
import { startServer } from '../support/server-process.ts';
import type { ServerProcess } from '../support/server-process.ts';

/*
 * Everybody × everything: each kind of caller asks the running server for each route that it declares, and for
 * everything below /:sessionId/ with each method. What must come out is computed from the declaration.
 */

const RELATIONS = ['owner', 'other', 'shared-read', 'shared-write'] as const;
type Relation = (typeof RELATIONS)[number];

type Caller =
  | { readonly kind: 'key'; readonly role: Role; readonly relation: Relation; readonly bare?: boolean }
  | { readonly kind: 'link'; readonly toIt: boolean }
  | { readonly kind: 'none' | 'empty' | 'malformed' | 'unknown' | 'expired' | 'revoked' | 'half' | 'query' };

const CALLERS: readonly Caller[] = [
  ...ROLES.flatMap((role) => RELATIONS.map((relation) => ({ kind: 'key', role, relation }) as const)),
  // Role and ownership alone give nothing.
  { kind: 'key', role: 'admin', relation: 'owner', bare: true },
  { kind: 'link', toIt: true },
  { kind: 'link', toIt: false },
  ...(['none', 'empty', 'malformed', 'unknown', 'expired', 'revoked', 'half', 'query'] as const).map(
    (kind) => ({ kind }),
  ),
];

/** User of each relation to what alice owns. */
const USERS: Readonly<Record<Relation, string>> = {
  owner: 'alice',
  other: 'olga',
  'shared-read': 'rita',
  'shared-write': 'willi',
};

const DATA_PLANE_METHODS = ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

const ROOT_KEY = key('root');
const EXPIRED_KEY = key('expired');
const keys = new Map<string, string>();
const credentials = { link: '', otherLink: '', revoked: '' };
const ids = { session: '', otherSession: '', profile: '', apiKey: '' };

let folder: string;
let server: ServerProcess;
let routes: readonly DeclaredRoute[];

function key(name: string): string {
  return `ap_${name}_${randomBytes(16).toString('hex')}`;
}

function nameOf(caller: Caller): string {
  if (caller.kind === 'link') return caller.toIt ? 'link' : 'link to another session';
  if (caller.kind !== 'key') return `${caller.kind} key`;
  return `${caller.role}${caller.bare === true ? ' without permissions' : ''}, ${caller.relation}`;
}

beforeAll(async () => {
  await using declared = await startApp();
  routes = declared.routes;
  folder = await mkdtemp(join(tmpdir(), 'matrix-'));
  const entries: object[] = [
    { key: ROOT_KEY, user_id: 'root', role: 'admin', permissions: ['*'] },
    {
      key: EXPIRED_KEY,
      user_id: 'alice',
      role: 'admin',
      permissions: ['*'],
      expires_at: '2020-01-01T00:00:00Z',
    },
  ];
  for (const caller of CALLERS) {
    if (caller.kind !== 'key') continue;
    const secret = key('matrix');
    keys.set(nameOf(caller), secret);
    entries.push({
      key: secret,
      user_id: USERS[caller.relation],
      role: caller.role,
      permissions: caller.bare === true ? [] : ROLE_PERMISSIONS[caller.role],
    });
  }
  await writeFile(join(folder, 'keys.json'), JSON.stringify({ api_keys: entries }));
  server = await startServer({
    folder,
    config: {
      auth: { enabled: true, keys_file: 'keys.json' },
      limits: { failed_keys_per_minute: 0, starts_per_minute: 0, sessions_per_user: 0 },
    },
  });
  const root = createClient({ baseUrl: server.url, apiKey: ROOT_KEY });
  const [alices, olgas] = await Promise.all([
    root.start({ user_id: 'alice' }),
    root.start({ user_id: 'olga' }),
  ]);
  await Promise.all([alices.waitUntilReady(), olgas.waitUntilReady()]);
  ids.session = alices.id;
  ids.otherSession = olgas.id;
  for (const access of ['read', 'write'] as const) {
    await asRoot('POST', `/sessions/${ids.session}/shares`, { user_id: USERS[`shared-${access}`], access });
  }
  credentials.link = (await asRoot('POST', `/sessions/${ids.session}/links`, {})).token ?? '';
  credentials.otherLink = (await asRoot('POST', `/sessions/${ids.otherSession}/links`, {})).token ?? '';
  const revoked = await asRoot('POST', '/api-keys', { user_id: 'alice', role: 'admin' });
  credentials.revoked = revoked.key ?? '';
  await asRoot('DELETE', `/api-keys/${revoked.id}`);
  ids.profile = await newProfile();
  ids.apiKey = await newKey();
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const replySchema = z.looseObject({
  id: z.string().optional(),
  key: z.string().optional(),
  token: z.string().optional(),
  profile: z.looseObject({ id: z.string() }).optional(),
});

async function asRoot(method: string, path: string, body?: object): Promise<z.infer<typeof replySchema>> {
  return ask(method, path, ROOT_KEY, body);
}

async function ask(method: string, path: string, apiKey: string, body?: object) {
  const answer = await server.request(path, {
    method,
    headers: { 'x-api-key': apiKey },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  expect([path, answer.status]).toEqual([path, expect.toSatisfy((status: number) => status < 300)]);
  return replySchema.parse(await answer.json());
}

async function newProfile(): Promise<string> {
  const owner = keys.get('user, owner') ?? '';
  return (await ask('POST', '/profiles', owner, { name: 'matrix' })).profile?.id ?? '';
}

async function newKey(): Promise<string> {
  return (await asRoot('POST', '/api-keys', { user_id: 'alice', role: 'readonly' })).id ?? '';
}

/** The header lines with which a caller comes, and the query where it must be of no use. */
function presented(caller: Caller): { headers: Record<string, string>; query: string } {
  const own = (value: string) => ({ headers: { 'x-api-key': value }, query: '' });
  switch (caller.kind) {
    case 'key':
      return own(keys.get(nameOf(caller)) ?? '');
    case 'link': {
      const token = caller.toIt ? credentials.link : credentials.otherLink;
      return { headers: { authorization: `Bearer ${token}` }, query: '' };
    }
    case 'none':
      return { headers: {}, query: '' };
    case 'empty':
      return own('');
    case 'malformed':
      return own(`Bearer ${ROOT_KEY}`);
    case 'unknown':
      return own(key('unknown'));
    case 'expired':
      return own(EXPIRED_KEY);
    case 'revoked':
      return own(credentials.revoked);
    case 'half':
      return own(ROOT_KEY.slice(0, -1));
    case 'query':
      return { headers: {}, query: `?api_key=${ROOT_KEY}&X-API-Key=${ROOT_KEY}&token=${credentials.link}` };
  }
}

type Verdict = 'allowed' | 'API key required' | 'Invalid API key' | 'forbidden';

/** What the declaration says. */
function verdict(
  caller: Caller,
  requires: DeclaredRoute['requires'],
  rule: RouteRule,
  method: string,
): Verdict {
  // Without the header that pages of others cannot send, whoever asks.
  if (rule === 'console') return 'forbidden';
  if (requires === null) return 'allowed';
  switch (caller.kind) {
    case 'none':
    case 'empty':
    case 'query':
      return 'API key required';
    case 'link':
      if (!['GET', 'HEAD', 'OPTIONS'].includes(method)) return 'forbidden';
      if (requires === 'authenticated') return 'allowed';
      if (requires !== 'session:access') return 'forbidden';
      return rule === 'session-read' && caller.toIt ? 'allowed' : 'forbidden';
    case 'key':
      return keyVerdict(caller, requires, rule);
    default:
      return 'Invalid API key';
  }
}

function keyVerdict(
  { role, relation, bare }: Extract<Caller, { kind: 'key' }>,
  requires: Exclude<DeclaredRoute['requires'], null>,
  rule: RouteRule,
): Verdict {
  if (requires === 'authenticated') return 'allowed';
  const held = bare === true ? [] : ROLE_PERMISSIONS[role];
  if (!held.includes('*') && !held.includes(requires)) return 'forbidden';
  if (role === 'admin' || relation === 'owner' || rule === 'own')
    return rule === 'admins' && role !== 'admin' ? 'forbidden' : 'allowed';
  const shared = relation === 'other' ? null : relation;
  if (rule === 'session-read') return shared === null ? 'forbidden' : 'allowed';
  if (rule === 'session-write') return shared === 'shared-write' ? 'allowed' : 'forbidden';
  return 'forbidden';
}

/** A body with which the route does nothing that matters, but gets as far as looking who asks. */
const BODIES: Readonly<Record<string, object>> = {
  'POST /start': { agent: 'there is none' },
  'POST /start-with-profile': { profile_id: 'there is none' },
  'POST /sessions/:sessionId/shares': { user_id: 'zoe', access: 'read' },
  'POST /sessions/:sessionId/links': { ttl_seconds: 60 },
  'POST /sessions/:sessionId/git/pull-request': { title: 'without a repository' },
  'POST /sessions/:sessionId/messages': { content: 'hello' },
  'PATCH /sessions/:sessionId/queue/:messageId': { content: 'hello' },
  'POST /profiles': { name: '' },
  'PUT /profiles/:profileId': { description: 'changed' },
  'POST /profiles/:profileId/repositories': {},
  'POST /profiles/:profileId/templates': {},
  'POST /api-keys': { permissions: ['there is none'] },
};

/** Parameters without which a route does not look who asks. */
const QUERIES: Readonly<Record<string, string>> = {
  'GET /sessions/:sessionId/wait': '?for=stable&timeout=0',
  'GET /search/messages': '?q=hello',
};

/** The path of a route with alice's things in it; what the caller will remove is made for that. */
async function targetOf({ method, path }: DeclaredRoute, isAllowed: boolean): Promise<string> {
  const removes = method === 'DELETE' && isAllowed;
  let filled = `${path}${QUERIES[`${method} ${path}`] ?? ''}`
    .replace(':shareId', '00000000-0000-4000-8000-000000000000')
    .replace(':messageId', '00000000-0000-4000-8000-000000000000');
  if (path.includes(':sessionId')) {
    const client = createClient({ baseUrl: server.url, apiKey: ROOT_KEY });
    const own = removes && path.endsWith(':sessionId');
    const session = own ? (await client.start({ user_id: 'alice' })).id : ids.session;
    filled = filled.replace(':sessionId', session);
  }
  if (path.includes(':profileId'))
    filled = filled.replace(':profileId', removes ? await newProfile() : ids.profile);
  const replaced = removes || path.endsWith('/rotate');
  if (path.includes(':keyId'))
    filled = filled.replace(':keyId', replaced && isAllowed ? await newKey() : ids.apiKey);
  return filled;
}

async function outcome(
  caller: Caller,
  method: string,
  path: string,
  body?: object,
): Promise<{ verdict: Verdict; status: number }> {
  const { headers, query } = presented(caller);
  const answer = await rawRequest(server.port, {
    method,
    path: path.includes('?') ? path + query.replace('?', '&') : path + query,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const { status } = answer;
  if (status === 401) {
    // HEAD has no body to tell the two apart.
    if (answer.body === '')
      return {
        verdict:
          caller.kind === 'none' || caller.kind === 'empty' || caller.kind === 'query'
            ? 'API key required'
            : 'Invalid API key',
        status,
      };
    const message = z
      .object({ message: z.enum(['API key required', 'Invalid API key']) })
      .parse(JSON.parse(answer.body));
    return { verdict: message.message, status };
  }
  return { verdict: status === 403 ? 'forbidden' : 'allowed', status };
}

describe('PX-047, PX-050, PX-051, PX-052, PX-203: the authorization matrix', () => {
  test('every declared route × every caller', async () => {
    const wrong: string[] = [];
    let cells = 0;
    for (const route of routes) {
      const name = `${route.method} ${route.path}`;
      const rule = ROUTE_RULES[name];
      expect(rule, `${name} has no rule`).toBeDefined();
      if (rule === undefined) continue;
      for (const caller of CALLERS) {
        const expected = verdict(caller, route.requires, rule, route.method);
        const path = await targetOf(route, expected === 'allowed');
        const got = await outcome(caller, route.method, path, BODIES[name]);
        cells += 1;
        if (got.verdict !== expected || got.status >= 500) {
          wrong.push(`${name} by ${nameOf(caller)}: ${got.verdict} (${got.status}), not ${expected}`);
        }
      }
    }
    expect(wrong).toEqual([]);
    expect(cells).toBe(routes.length * CALLERS.length);
  }, 120_000);

  test('everything below /:sessionId/ × every method × every caller', async () => {
    const wrong: string[] = [];
    for (const method of DATA_PLANE_METHODS) {
      const rule = ['GET', 'HEAD', 'OPTIONS'].includes(method) ? 'session-read' : 'session-write';
      for (const caller of CALLERS) {
        const expected = verdict(caller, 'session:access', rule, method);
        const got = await outcome(caller, method, `/${ids.session}/status`);
        if (got.verdict !== expected || got.status >= 500) {
          wrong.push(`${method} by ${nameOf(caller)}: ${got.verdict} (${got.status}), not ${expected}`);
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  test('an upgrade counts as writing', async () => {
    const upgrade = { connection: 'Upgrade', upgrade: 'websocket' };
    for (const caller of CALLERS) {
      const expected = verdict(caller, 'session:access', 'session-write', 'POST');
      const { headers, query } = presented(caller);
      const path = `/${ids.session}/status${query}`;
      const { status } = await rawRequest(server.port, { path, headers: { ...headers, ...upgrade } });
      const allowed = status !== 401 && status !== 403;
      expect([nameOf(caller), allowed]).toEqual([nameOf(caller), expected === 'allowed']);
    }
  });

  test('PX-053: what does not exist is 404 for everybody who holds the permission, and 403 for others', async () => {
    const unknown = '00000000-0000-4000-8000-000000000000';
    for (const caller of CALLERS.filter(({ kind }) => kind === 'key')) {
      const held = verdict(caller, 'session:access', 'own', 'GET') === 'allowed';
      for (const path of [`/sessions/${unknown}`, `/${unknown}/status`]) {
        const { status } = await rawRequest(server.port, { path, headers: presented(caller).headers });
        expect([nameOf(caller), path, status]).toEqual([nameOf(caller), path, held ? 404 : 403]);
      }
    }
  });

  test('PX-046: an unknown path asks for a key before it says so', async () => {
    for (const caller of CALLERS) {
      const expected = verdict(caller, 'authenticated', 'own', 'GET');
      const { status } = await rawRequest(server.port, {
        path: '/nothing',
        headers: presented(caller).headers,
      });
      expect([nameOf(caller), status]).toEqual([nameOf(caller), expected === 'allowed' ? 404 : 401]);
    }
  });

  test('PX-121: lists show nothing that belongs to others and is not shared', async () => {
    const listed = async (caller: Caller, query: string): Promise<readonly string[]> => {
      const { body } = await rawRequest(server.port, {
        path: `/search?${query}`,
        headers: presented(caller).headers,
      });
      const { sessions } = z
        .object({ sessions: z.array(z.object({ session_id: z.string() })) })
        .parse(JSON.parse(body));
      return sessions.map(({ session_id: id }) => id);
    };
    const user = (relation: Relation) => ({ kind: 'key', role: 'user', relation }) as const;
    for (const query of [
      '',
      'state=all',
      'user_id=alice',
      'shared=true',
      'shared=true&state=all&user_id=alice',
    ]) {
      const asksShared = query.includes('shared') || query.includes('user_id');
      expect(await listed(user('owner'), query)).toContain(ids.session);
      expect(await listed(user('other'), query)).not.toContain(ids.session);
      if (!asksShared) expect(await listed(user('shared-read'), query)).not.toContain(ids.session);
    }
    for (const relation of ['shared-read', 'shared-write'] as const) {
      expect(await listed(user(relation), 'shared=true')).toEqual([ids.session]);
      expect(await listed(user(relation), 'shared=true&state=all&tag.none=x')).toEqual([]);
    }
  });

  test('nobody has harmed what they were refused', async () => {
    for (const path of [`/sessions/${ids.session}`, `/${ids.session}/status`, `/profiles/${ids.profile}`]) {
      const { status } = await rawRequest(server.port, { path, headers: { 'x-api-key': ROOT_KEY } });
      expect([path, status]).toEqual([path, 200]);
    }
  });
});
