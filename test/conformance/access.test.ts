import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@agentapi-proxy/client';
import type { Session } from '@agentapi-proxy/client';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { filesBelow, ifThere } from '../support/files-below.ts';
import { eventually, runCommand, startServer } from '../support/server-process.ts';
import type { ServerProcess } from '../support/server-process.ts';

const issuedSchema = z.looseObject({ id: z.string(), key: z.string(), hint: z.string() });
const linkSchema = z.looseObject({ id: z.string(), token: z.string() });

let folder: string;
let server: ServerProcess;
/** Everything that must be nowhere. */
const secrets: string[] = [];
const keys = { root: '', alice: '', bob: '' };
let session: Session;

/** Runs a `keys` command on the server's store, beside the running server. */
async function command(
  ...args: readonly string[]
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return runCommand(['keys', ...args, '--config', join(folder, 'config.json')], { cwd: folder });
}

async function createKey(...args: readonly string[]): Promise<z.infer<typeof issuedSchema>> {
  const { code, stdout, stderr } = await command('create', ...args, '--json');
  expect([code, stderr]).toEqual([0, '']);
  const issued = issuedSchema.parse(JSON.parse(stdout));
  secrets.push(issued.key);
  return issued;
}

async function start(): Promise<ServerProcess> {
  return startServer({
    folder,
    args: ['--verbose'],
    config: {
      auth: { enabled: true },
      limits: { failed_keys_per_minute: 0 },
      persistence: { enabled: true },
    },
  });
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'agentapi-proxy-access-'));
  server = await start();
  keys.root = (await createKey('--user', 'root', '--role', 'admin')).key;
  keys.alice = (await createKey('--user', 'alice', '--name', 'laptop', '--expires', '90d')).key;
  keys.bob = (await createKey('--user', 'bob')).key;
  await eventually('the server knows the keys', async () => (await call(keys.bob, 'GET', '/me')).ok);
  session = await createClient({ baseUrl: server.url, apiKey: keys.alice }).start();
  await session.waitUntilReady();
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

async function call(credential: string, method: string, path: string, body?: object): Promise<Response> {
  return server.request(path, {
    method,
    headers: { authorization: `Bearer ${credential}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

async function status(credential: string, method: string, path: string, body?: object): Promise<number> {
  const answer = await call(credential, method, path, body);
  await answer.body?.cancel();
  return answer.status;
}

async function share(access: 'read' | 'write', more: object = {}): Promise<string> {
  const answer = await call(keys.alice, 'POST', `/sessions/${session.id}/shares`, {
    user_id: 'bob',
    access,
    ...more,
  });
  expect(answer.status).toBe(201);
  return z.looseObject({ id: z.string() }).parse(await answer.json()).id;
}

async function link(body: object = {}): Promise<z.infer<typeof linkSchema>> {
  const answer = await call(keys.alice, 'POST', `/sessions/${session.id}/links`, body);
  expect(answer.status).toBe(201);
  const made = linkSchema.parse(await answer.json());
  secrets.push(made.token);
  return made;
}

/** Opens an event stream and answers when it has begun. */
async function openStream(credential: string): Promise<{ readonly ended: Promise<void> }> {
  const answer = await call(credential, 'GET', `/${session.id}/events`);
  expect(answer.status).toBe(200);
  const reader = answer.body?.getReader();
  await reader?.read();
  const drain = async (): Promise<void> => {
    while ((await reader?.read())?.done === false);
  };
  return { ended: drain().catch(() => undefined) };
}

describe('sharing', () => {
  beforeEach(async () => {
    const answer = await call(keys.alice, 'GET', `/sessions/${session.id}/shares`);
    const item = z.array(z.looseObject({ id: z.string() }));
    const { shares, links } = z.object({ shares: item, links: item }).parse(await answer.json());
    for (const { id } of [...shares, ...links]) {
      await status(keys.alice, 'DELETE', `/sessions/${session.id}/shares/${id}`);
    }
  });

  const message = { content: 'hello', type: 'user' };

  test('a share to read lets look on, one to write lets talk, and neither lets end', async () => {
    expect(await status(keys.bob, 'GET', `/${session.id}/status`)).toBe(403);
    await share('read');
    for (const path of [
      `/${session.id}/status`,
      `/${session.id}/messages`,
      `/sessions/${session.id}`,
      `/sessions/${session.id}/log`,
    ]) {
      expect([path, await status(keys.bob, 'GET', path)]).toEqual([path, 200]);
    }
    const refused = await call(keys.bob, 'POST', `/${session.id}/message`, message);
    expect(refused.status).toBe(403);
    expect(await refused.json()).toMatchObject({ code: 'shared_for_reading' });

    await share('write');
    await eventually(
      'the agent takes a message',
      async () => (await status(keys.bob, 'POST', `/${session.id}/message`, message)) === 200,
    );
    expect(await status(keys.bob, 'DELETE', `/sessions/${session.id}`)).toBe(403);
    expect(
      await status(keys.bob, 'POST', `/sessions/${session.id}/shares`, { user_id: 'eve', access: 'read' }),
    ).toBe(403);
    expect(await status(keys.bob, 'POST', `/sessions/${session.id}/links`)).toBe(403);
  });

  test('PX-114: a session says what its caller may do with it, and so does its row in a search', async () => {
    const told = async (credential: string): Promise<readonly unknown[]> => {
      const detail = await call(credential, 'GET', `/sessions/${session.id}`);
      const found = await call(credential, 'GET', '/search?shared=true');
      const row = z.looseObject({ session_id: z.string(), access: z.string() });
      const { sessions = [] } = z.object({ sessions: z.array(row).optional() }).parse(await found.json());
      return [
        row.parse(await detail.json()).access,
        sessions.find(({ session_id: id }) => id === session.id)?.access,
      ];
    };
    expect(await told(keys.alice)).toEqual(['own', 'own']);
    expect(await told(keys.root)).toEqual(['own', 'own']);
    await share('read');
    expect(await told(keys.bob)).toEqual(['read', 'read']);
    await share('write');
    expect(await told(keys.bob)).toEqual(['write', 'write']);
    // A link lists nothing.
    const { token } = await link();
    expect(await told(token)).toEqual(['read', undefined]);
  });

  test('a share opens one session, adds no permission, and is its owner’s to give', async () => {
    const reader = await createKey('--user', 'reader', '--role', 'readonly');
    await eventually('the server knows the key', async () => (await call(reader.key, 'GET', '/me')).ok);
    const given = { user_id: 'reader', access: 'write' };
    expect(await status(keys.alice, 'POST', `/sessions/${session.id}/shares`, given)).toBe(201);
    expect(await status(reader.key, 'GET', `/${session.id}/status`)).toBe(403);
    expect(await status(keys.bob, 'POST', `/sessions/${session.id}/shares`, given)).toBe(403);
    for (const body of [
      { user_id: 'alice', access: 'read' },
      { user_id: 'bob', access: 'own' },
      { user_id: 'bob' },
      { user_id: 'bob', access: 'read', expires_at: '2020-01-01T00:00:00Z' },
    ]) {
      expect(await status(keys.alice, 'POST', `/sessions/${session.id}/shares`, body)).toBe(400);
    }
    expect(await status(keys.root, 'POST', `/sessions/00000000-0000-4000-8000-000000000000/links`)).toBe(404);
  });

  test('PX-121: what is shared is listed only when asked for', async () => {
    await share('read');
    const found = async (query: string): Promise<number> =>
      z
        .object({ sessions: z.array(z.unknown()) })
        .parse(await (await call(keys.bob, 'GET', `/search${query}`)).json()).sessions.length;
    expect(await found('')).toBe(0);
    expect(await found('?shared=true')).toBe(1);
  });

  test('an expired share is none', async () => {
    await share('read', { expires_at: new Date(Date.now() + 500).toISOString() });
    expect(await status(keys.bob, 'GET', `/sessions/${session.id}`)).toBe(200);
    await eventually(
      'the share ends',
      async () => (await status(keys.bob, 'GET', `/${session.id}/status`)) === 403,
    );
  });

  test('a revoked share ends at once, and the streams opened with it too; others go on', async () => {
    const id = await share('write');
    const bobs = await openStream(keys.bob);
    const alices = await openStream(keys.alice);
    expect(await status(keys.alice, 'DELETE', `/sessions/${session.id}/shares/${id}`)).toBe(200);
    expect(await status(keys.bob, 'GET', `/${session.id}/status`)).toBe(403);
    await bobs.ended;
    expect(await Promise.race([alices.ended, Promise.resolve('still open')])).toBe('still open');
    expect(await status(keys.alice, 'DELETE', `/sessions/${session.id}/shares/${id}`)).toBe(404);
  });

  test('a link reads its session and nothing else, wherever a key may stand', async () => {
    const { token } = await link();
    expect(token).toMatch(/^share_[0-9a-f]{48}$/);
    for (const headers of [{ authorization: `Bearer ${token}` }, { 'x-api-key': token }]) {
      expect((await server.request(`/${session.id}/messages`, { headers })).status).toBe(200);
    }
    expect((await server.request(`/${session.id}/messages?token=${token}`)).status).toBe(401);
    expect(await status(token, 'POST', `/${session.id}/message`, message)).toBe(403);
    for (const path of ['/search', '/profiles', '/api-keys', '/audit', `/sessions/${session.id}/shares`]) {
      expect([path, await status(token, 'GET', path)]).toEqual([path, 403]);
    }
    const me: unknown = await (await call(token, 'GET', '/me')).json();
    expect(me).toMatchObject({ role: 'link', session_id: session.id, permissions: ['session:access'] });
  });

  test('a revoked or expired link is an invalid key', async () => {
    const { id, token } = await link({ ttl_seconds: 60 });
    const stream = await openStream(token);
    expect(await status(keys.alice, 'DELETE', `/sessions/${session.id}/shares/${id}`)).toBe(200);
    expect(await status(token, 'GET', `/${session.id}/status`)).toBe(401);
    await stream.ended;
    const soon = await link({ expires_at: new Date(Date.now() + 500).toISOString() });
    await eventually(
      'the link ends',
      async () => (await status(soon.token, 'GET', `/${session.id}/status`)) === 401,
    );
    for (const body of [
      { ttl_seconds: 1 },
      { ttl_seconds: 60, expires_at: '2999-01-01T00:00:00Z' },
      { expires_at: '2999-01-01T00:00:00Z' },
    ]) {
      expect(await status(keys.alice, 'POST', `/sessions/${session.id}/links`, body)).toBe(400);
    }
  });

  test('shares end with their session', async () => {
    const other = await createClient({ baseUrl: server.url, apiKey: keys.alice }).start();
    const answer = await call(keys.alice, 'POST', `/sessions/${other.id}/links`);
    const { token } = linkSchema.parse(await answer.json());
    await other.delete();
    expect([401, 404]).toContain(await status(token, 'GET', `/${other.id}/status`));
  });

  test('what was shared is shared after a restart', async () => {
    await share('read');
    const { token } = await link();
    await server.stop();
    server = await start();
    expect(await status(keys.bob, 'GET', `/sessions/${session.id}`)).toBe(200);
    expect(await status(token, 'GET', `/sessions/${session.id}`)).toBe(200);
    expect(await status(keys.bob, 'DELETE', `/sessions/${session.id}`)).toBe(403);
  });
});

describe('agentapi-proxy keys', () => {
  test('PX-021, DF-64: makes keys of each role, shown once', async () => {
    const { code, stdout } = await command(
      'create',
      '--user',
      'carol',
      '--role',
      'readonly',
      '--expires',
      '90d',
    );
    expect(code).toBe(0);
    const [, key = ''] = /^API Key: (ap_carol_[0-9a-f]{32})$/m.exec(stdout) ?? [];
    expect(key).not.toBe('');
    secrets.push(key);
    expect(stdout).toMatch(/^Permissions: session:list, profile:list, profile:read$/m);
    expect(stdout).toMatch(/^Expires at: \d{4}-/m);
    const listed = await command('list', '--user', 'carol');
    expect(listed.stdout).toMatch(/carol +readonly +valid/);
    expect(listed.stdout).not.toContain(key);
    const env = { AGENTAPI_PROXY_LIMITS_API_KEYS_PER_USER: '1' };
    const more = ['keys', 'create', '--user', 'carol', '--config', join(folder, 'config.json')];
    const refused = await runCommand(more, { cwd: folder, env });
    expect([refused.code, refused.stdout]).toEqual([1, '']);
    expect(refused.stderr).toContain('The user already has 1 API keys, the limit for one user');
    const custom = await createKey(
      '--user',
      'dave smith/ö',
      '--permissions',
      'session:list, audit:read',
      '--prefix',
      'team',
    );
    expect(custom.key).toMatch(/^team_dave-smith-_[0-9a-f]{32}$/);
    expect(custom).toMatchObject({
      user_id: 'dave smith/ö',
      permissions: ['session:list', 'audit:read'],
      expires_at: null,
    });
  });

  test('revokes and rotates; the running server knows within seconds', async () => {
    const { id, key } = await createKey('--user', 'erin');
    await eventually('the key works', async () => (await call(key, 'GET', '/me')).ok);
    const rotated = await command('rotate', id, '--overlap', '0s', '--json');
    const fresh = issuedSchema.parse(JSON.parse(rotated.stdout));
    secrets.push(fresh.key);
    await eventually('the old one is refused', async () => (await status(key, 'GET', '/me')) === 401);
    expect(await status(fresh.key, 'GET', '/me')).toBe(200);
    expect((await command('revoke', fresh.id)).code).toBe(0);
    await eventually('the new one is refused', async () => (await status(fresh.key, 'GET', '/me')) === 401);
    const entries = await call(keys.root, 'GET', `/audit?action=key.revoke&target_id=${fresh.id}`);
    expect(await entries.json()).toMatchObject({
      entries: [{ user_id: null, details: { holder: 'erin', via: 'command line' } }],
    });
  });

  test.each([
    [['create'], 2, '--user'],
    [['create', '--user', 'x', '--role', 'boss'], 2, 'admin, user, readonly'],
    [['create', '--user', 'x', '--expires', '-1d'], 2, '--expires'],
    [['create', '--user', 'x', '--expires', '0d'], 2, '--expires'],
    [['create', '--user', 'x', '--permissions', 'session:fly'], 1, 'session:fly'],
    [['create', '--user', 'x', '--prefix', 'a_b'], 2, '--prefix'],
    [['revoke', 'none'], 1, 'not found'],
    [['rotate', 'none'], 1, 'not found'],
  ])('PX-004, PX-026: keys %j exits with %d and says why', async (args, code, text) => {
    const result = await command(...args);
    expect(result.code).toBe(code);
    expect(result.stderr).toContain(text);
    expect(result.stdout).toBe('');
  });

  test('seals everything with a new encryption key while the server runs', async () => {
    const profile = { name: 'sealed', environment: { TOKEN: 'canary-sealed-value' } };
    secrets.push('canary-sealed-value');
    const made = await call(keys.alice, 'POST', '/profiles', profile);
    expect(made.status).toBe(201);
    const { profile: saved } = z
      .object({ profile: z.looseObject({ id: z.string() }) })
      .parse(await made.json());
    for (const args of [['rotate'], ['rotate-encryption', '--json']]) {
      const { code, stdout } = await command(...args);
      expect([args, code]).toEqual([args, 0]);
      expect(stdout).toMatch(/resealed|sealed again/);
    }
    const read = await call(keys.alice, 'GET', `/profiles/${saved.id}`);
    expect(JSON.stringify(await read.json())).toContain('canary-sealed-value');
  });

  test('refuses to work where nothing would be kept', async () => {
    const env = { AGENTAPI_PROXY_PERSISTENCE_ENABLED: 'false' };
    const { code, stderr } = await runCommand(['keys', 'list'], { cwd: tmpdir(), env });
    expect(code).toBe(2);
    expect(stderr).toContain('persistence is off');
  });
});

test('PX-055, DF-09: no key, link or sealed value is in a file of the server, its log or an argument of a process', async () => {
  const { key } = await createKey('--user', 'canary');
  await eventually('the key works', async () => (await call(key, 'GET', '/me')).ok);
  await call(key, 'GET', '/audit');
  await call(`${key}x`, 'GET', '/search');
  await call(key, 'POST', '/api-keys', { permissions: ['*'], name: 'x' });
  const found: string[] = [];
  const look = (where: string, content: string): void => {
    for (const secret of secrets)
      if (content.includes(secret)) found.push(`${where}: ${secret.slice(0, 12)}…`);
  };
  for (const path of await filesBelow(server.dataDir)) {
    look(path, (await ifThere(readFile(path, 'latin1'))) ?? '');
  }
  look('log', server.output());
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    look(`arguments of ${pid}`, await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => ''));
  }
  expect(found).toEqual([]);
  expect(secrets.length).toBeGreaterThan(10);
  expect((await stat(join(server.dataDir, 'store.db'))).mode & 0o777).toBe(0o600);
});
