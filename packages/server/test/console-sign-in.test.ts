import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { eventually, startServer } from '../../../test/support/server-process.ts';
import type { ServerProcess } from '../../../test/support/server-process.ts';
import { rawRequest } from '../../../test/support/raw-request.ts';
import type { RawAnswer } from '../../../test/support/raw-request.ts';

const ROOT = `ap_root_${randomBytes(16).toString('hex')}`;
const OTHER = `ap_other_${randomBytes(16).toString('hex')}`;
const PAGE = { 'x-console': '1' };

let server: ServerProcess;
let sessionId: string;
beforeAll(async () => {
  const everything = { permissions: ['*'] };
  server = await startServer({
    config: {
      auth: {
        enabled: true,
        api_keys: [
          { key: ROOT, user_id: 'root', role: 'admin', ...everything },
          { key: OTHER, user_id: 'other', role: 'user', permissions: ['session:list'] },
        ],
      },
      trusted_proxies: ['127.0.0.1'],
      limits: { failed_keys_per_minute: 5 },
    },
  });
  const started = await ask('POST', '/start', { 'x-api-key': ROOT }, {});
  sessionId = z.object({ session_id: z.string() }).parse(JSON.parse(started.body)).session_id;
  await eventually('the agent is ready', async () => {
    const { status, body } = await ask('GET', `/${sessionId}/status`, { 'x-api-key': ROOT });
    return status === 200 && body.includes('stable');
  });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

function ask(
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: object,
  port = server.port,
): Promise<RawAnswer> {
  const text = body === undefined ? {} : { body: JSON.stringify(body) };
  return rawRequest(port, { method, path, headers, ...text });
}

function setCookieOf({ headers }: RawAnswer): string {
  return headers['set-cookie']?.[0] ?? '';
}

async function signIn(key: string, headers: Record<string, string> = {}): Promise<string> {
  const answer = await ask('POST', '/console/sign-in', { ...PAGE, ...headers }, { api_key: key });
  expect([answer.status, answer.body]).toEqual([204, '']);
  return setCookieOf(answer).split(';')[0] ?? '';
}

function codeOf({ status, body }: RawAnswer): readonly [number, string] {
  return [status, z.object({ code: z.string().default('') }).parse(JSON.parse(body)).code];
}

describe('signing in', () => {
  test('gives a cookie that no script reads, no other site sends, and that does not show the key', async () => {
    const answer = await ask('POST', '/console/sign-in', PAGE, { api_key: ROOT });
    expect(setCookieOf(answer)).toMatch(
      /^agentapi_proxy_console=[A-Za-z0-9_-]{90,100}; Path=\/; Max-Age=2592000; HttpOnly; SameSite=Strict$/,
    );
    expect(answer.headers['cache-control']).toBe('no-store');
    const again = setCookieOf(await ask('POST', '/console/sign-in', PAGE, { api_key: ROOT }));
    expect(again).not.toBe(setCookieOf(answer));
    expect(server.output()).not.toContain(ROOT);
  });

  test('behind a trusted proxy it keeps to HTTPS and to the prefix', async () => {
    const headers = { ...PAGE, 'x-forwarded-proto': 'https', 'x-forwarded-prefix': '/agents/' };
    const answer = await ask('POST', '/console/sign-in', headers, { api_key: ROOT });
    expect(setCookieOf(answer)).toContain('; Path=/agents/; ');
    expect(setCookieOf(answer)).toMatch(/; Secure$/);
    const odd = { ...PAGE, 'x-forwarded-prefix': '/a; Domain=example.com' };
    expect(setCookieOf(await ask('POST', '/console/sign-in', odd, { api_key: ROOT }))).toContain(
      '; Path=/; ',
    );
  });

  test('needs proof that a page of the console asks', async () => {
    const foreign = { ...PAGE, origin: 'https://evil.example' };
    const crossSite = { ...PAGE, 'sec-fetch-site': 'cross-site' };
    for (const headers of [{}, foreign, crossSite, { 'x-console': '0' }]) {
      for (const path of ['/console/sign-in', '/console/sign-out']) {
        const answer = await ask('POST', path, headers, { api_key: ROOT });
        expect(codeOf(answer)).toEqual([403, 'csrf']);
        expect(answer.headers['set-cookie']).toBeUndefined();
      }
    }
  });

  test('wrong keys are refused, counted and recorded like everywhere; what is no body is 400', async () => {
    expect(codeOf(await ask('POST', '/console/sign-in', PAGE, { key: ROOT }))[0]).toBe(400);
    const client = { ...PAGE, 'x-forwarded-for': '192.0.2.7' };
    const codes: string[] = [];
    for (let i = 0; i < 6; i += 1) {
      codes.push(codeOf(await ask('POST', '/console/sign-in', client, { api_key: `wrong-${i}` })).join(' '));
    }
    expect(codes.slice(0, 5)).toEqual(Array.from({ length: 5 }, () => '401 invalid_api_key'));
    expect(codes[5]).toBe('429 too_many_failures');
    const audit = await ask('GET', '/audit?limit=50', { 'x-api-key': ROOT });
    expect(audit.body).toContain('console.sign_in');
    expect(audit.body).toContain('192.0.2.7');
  });

  test('signing out has the browser forget it', async () => {
    const answer = await ask('POST', '/console/sign-out', PAGE);
    expect([answer.status, setCookieOf(answer)]).toEqual([
      204,
      'agentapi_proxy_console=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict',
    ]);
  });
});

describe('the cookie', () => {
  test('is as good as the key on both planes, event streams and WebSockets included', async () => {
    const cookie = await signIn(ROOT);
    const me = await ask('GET', '/me', { cookie });
    expect(JSON.parse(me.body)).toMatchObject({ user_id: 'root', credential: 'cookie' });
    for (const path of [
      `/sessions/${sessionId}`,
      `/${sessionId}/status`,
      `/${sessionId}/internal/terminal`,
    ]) {
      expect([path, (await ask('GET', path, { cookie })).status]).toEqual([path, 200]);
    }
    const raw = { type: 'raw', content: 'x' };
    expect((await ask('POST', `/${sessionId}/message`, { cookie, ...PAGE }, raw)).status).toBe(200);
    const upgrade = { cookie, connection: 'Upgrade', upgrade: 'websocket' };
    const own = { ...upgrade, origin: `http://127.0.0.1:${server.port}` };
    // The agent server has no WebSocket; what matters is that the proxy lets it through.
    expect((await ask('GET', `/${sessionId}/status`, own)).status).toBe(200);
    expect(codeOf(await ask('GET', `/${sessionId}/status`, upgrade))).toEqual([403, 'csrf']);
    const foreign = { ...upgrade, origin: 'https://evil.example' };
    expect(codeOf(await ask('GET', `/${sessionId}/status`, foreign))).toEqual([403, 'csrf']);
  });

  test('changes nothing without X-Console, and nothing for a page of another origin', async () => {
    const cookie = await signIn(ROOT);
    const raw = { type: 'raw', content: 'x' };
    for (const [method, path, body] of [
      ['POST', '/profiles', { name: 'x' }],
      ['POST', `/${sessionId}/message`, raw],
      ['DELETE', `/sessions/${sessionId}`, undefined],
    ] as const) {
      expect(codeOf(await ask(method, path, { cookie }, body))).toEqual([403, 'csrf']);
      for (const more of [
        { 'sec-fetch-site': 'cross-site' },
        { 'sec-fetch-site': 'same-site' },
        { origin: 'https://evil.example' },
        { origin: 'null' },
      ]) {
        const headers = { cookie, ...PAGE, ...more };
        expect(codeOf(await ask(method, path, headers, body))).toEqual([403, 'csrf']);
        expect(codeOf(await ask('GET', '/me', headers))).toEqual([403, 'csrf']);
      }
    }
    expect((await ask('GET', `/sessions/${sessionId}`, { cookie })).status).toBe(200);
  });

  test('a page of our own may come through a proxy that changes Host', async () => {
    const cookie = await signIn(ROOT);
    const origin = 'https://agents.example.com';
    const profile = { name: 'proxied' };
    for (const more of [{ 'sec-fetch-site': 'same-origin' }, { 'x-forwarded-host': 'agents.example.com' }]) {
      const answer = await ask('POST', '/profiles', { cookie, ...PAGE, origin, ...more }, profile);
      expect(answer.status).toBe(201);
    }
  });

  test('opens no page: what an agent serves must not run as a page of the user', async () => {
    const cookie = await signIn(ROOT);
    const headers = { cookie, 'sec-fetch-mode': 'navigate', 'sec-fetch-site': 'same-origin' };
    expect(codeOf(await ask('GET', `/${sessionId}/chat`, headers))).toEqual([401, 'api_key_required']);
  });

  test('a key in a header wins', async () => {
    const cookie = await signIn(ROOT);
    const me = await ask('GET', '/me', { cookie, 'x-api-key': OTHER });
    expect(JSON.parse(me.body)).toMatchObject({ user_id: 'other', credential: 'header' });
    expect(codeOf(await ask('GET', '/me', { cookie, 'x-api-key': 'wrong' }))).toEqual([
      401,
      'invalid_api_key',
    ]);
  });

  test('one that was changed is none', async () => {
    const cookie = await signIn(ROOT);
    const changed = cookie.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'));
    const middle = `${cookie.slice(0, 60)}${cookie[60] === 'A' ? 'B' : 'A'}${cookie.slice(61)}`;
    for (const bad of [middle, cookie.slice(0, -4), 'agentapi_proxy_console=', `x_${cookie}`]) {
      expect(codeOf(await ask('GET', '/me', { cookie: bad }))).toEqual([401, 'api_key_required']);
    }
    expect((await ask('GET', '/me', { cookie: `a=b; ${cookie}; c=d` })).status).toBe(200);
    expect(changed).not.toBe(cookie);
  });

  test('ends with its key: revoked, or expired', async () => {
    const make = async (body: object): Promise<{ id: string; key: string }> => {
      const answer = await ask('POST', '/api-keys', { 'x-api-key': ROOT }, body);
      return z.object({ id: z.string(), key: z.string() }).parse(JSON.parse(answer.body));
    };
    const laptop = await make({ user_id: 'lea', name: 'laptop' });
    const cookie = await signIn(laptop.key);
    const me = await ask('GET', '/me', { cookie });
    expect(JSON.parse(me.body)).toMatchObject({ user_id: 'lea', key: { id: laptop.id, name: 'laptop' } });
    await ask('DELETE', `/api-keys/${laptop.id}`, { 'x-api-key': ROOT });
    expect(codeOf(await ask('GET', '/me', { cookie }))).toEqual([401, 'api_key_required']);

    const brief = await make({
      user_id: 'lea',
      expires_at: new Date(Date.now() + 3_600_000).toISOString(),
    });
    const answer = await ask('POST', '/console/sign-in', PAGE, { api_key: brief.key });
    const seconds = Number(/Max-Age=(\d+)/.exec(setCookieOf(answer))?.[1]);
    expect(seconds).toBeGreaterThan(3_500);
    expect(seconds).toBeLessThanOrEqual(3_600);
  });

  test('opens what a share link opens, and no more', async () => {
    const made = await ask('POST', `/sessions/${sessionId}/links`, { 'x-api-key': ROOT }, {});
    const { token } = z.object({ token: z.string() }).parse(JSON.parse(made.body));
    const cookie = await signIn(token);
    expect((await ask('GET', `/${sessionId}/internal/terminal`, { cookie })).status).toBe(200);
    const keys = { type: 'raw', content: 'x' };
    expect(codeOf(await ask('POST', `/${sessionId}/message`, { cookie, ...PAGE }, keys))).toEqual([
      403,
      'shared_for_reading',
    ]);
    const resize = { columns: 80, rows: 24 };
    expect(codeOf(await ask('POST', `/${sessionId}/internal/resize`, { cookie, ...PAGE }, resize))).toEqual([
      403,
      'shared_for_reading',
    ]);
  });
});

describe('over a restart', () => {
  test.each([
    [true, 200],
    [false, 401],
  ])('with persistence %s a cookie is answered with %i', async (persistent, status) => {
    const config = {
      auth: { enabled: true, api_keys: [{ key: ROOT, user_id: 'root', role: 'admin', permissions: ['*'] }] },
      persistence: { enabled: persistent },
    };
    await using first = await startServer({ config });
    const answer = await ask('POST', '/console/sign-in', PAGE, { api_key: ROOT }, first.port);
    const cookie = setCookieOf(answer).split(';')[0] ?? '';
    expect((await ask('GET', '/me', { cookie }, undefined, first.port)).status).toBe(200);
    await first.stop();
    await using second = await startServer({ config, folder: first.folder });
    expect((await ask('GET', '/me', { cookie }, undefined, second.port)).status).toBe(status);
  });
});

test('without authentication there is nothing to sign in to', async () => {
  await using open = await startServer();
  const answer = await ask('POST', '/console/sign-in', PAGE, { api_key: 'anything' }, open.port);
  expect([answer.status, answer.headers['set-cookie']]).toEqual([204, undefined]);
});

describe('what a console asks first', () => {
  test('GET /me tells limits and what the server has; of keys of the configuration no id', async () => {
    const me: unknown = JSON.parse((await ask('GET', '/me', { 'x-api-key': ROOT })).body);
    expect(me).toMatchObject({
      user_id: 'root',
      permissions: ['*'],
      authentication: 'on',
      credential: 'header',
      server: {
        agent_server: 'embedded',
        default_agent: 'demo',
        persistence: true,
        github: { host: expect.any(String), credentials: false },
      },
      limits: { upload_bytes: 10_485_760, tags: 32, queued_messages: 100 },
    });
    expect(me).not.toHaveProperty('key');
  });

  test('GET /start/agents and /start/scripts tell what sessions can be started with, to whoever may start some', async () => {
    const agents = JSON.parse((await ask('GET', '/start/agents', { 'x-api-key': ROOT })).body);
    expect(agents).toMatchObject({
      default_agent: 'demo',
      agents: expect.arrayContaining([{ name: 'demo', type: 'custom', transport: 'pty', installed: true }]),
    });
    const scripts = JSON.parse((await ask('GET', '/start/scripts', { 'x-api-key': ROOT })).body);
    expect(scripts).toEqual({
      default_script: 'auto',
      scripts: ['agentapi_default.sh', 'agentapi_with_github.sh'],
    });
    for (const path of ['/start/agents', '/start/scripts']) {
      expect((await ask('GET', path, { 'x-api-key': OTHER })).status).toBe(403);
    }
  });
});
