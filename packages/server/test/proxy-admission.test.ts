import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { exchange, ID, principal, startBackend, startProxy, TestSession, until } from './proxy-harness.ts';
import type { TestBackend } from './proxy-harness.ts';

const OTHER = '11111111-2222-4333-8444-555555555555';

async function startCounter(): Promise<{ backend: TestBackend; arrived: string[] }> {
  const arrived: string[] = [];
  const backend = await startBackend((req, res) => {
    arrived.push(`${req.method} ${req.url}`);
    res.end('from the agent');
  });
  return { backend, arrived };
}

const failureSchema = z.object({
  message: z.string(),
  code: z.string(),
  request_id: z.string(),
  state: z.string().optional(),
  reason: z.string().optional(),
});
type Failure = z.infer<typeof failureSchema>;

async function failure(response: Response): Promise<Failure> {
  expect(response.headers.get('content-type')).toBe('application/json');
  expect(response.headers.get('access-control-allow-origin')).toBe('*');
  const body = failureSchema.parse(await response.json());
  expect(body.request_id).toBe(response.headers.get('x-request-id'));
  return body;
}

describe('with authentication', () => {
  const keys = {
    alice: principal('alice'),
    bob: principal('bob'),
    admin: principal('root', ['session:access'], 'admin'),
    reader: principal('alice', ['session:list']),
  };

  test.each([
    [undefined, ID, 401, 'api_key_required', 'API key required'],
    ['wrong', ID, 401, 'invalid_api_key', 'Invalid API key'],
    [undefined, 'no-such', 401, 'api_key_required', 'API key required'],
    ['reader', ID, 403, 'insufficient_permissions', 'Insufficient permissions'],
    ['reader', 'no-such', 403, 'insufficient_permissions', 'Insufficient permissions'],
    ['bob', 'no-such', 404, 'session_not_found', 'Session not found'],
    ['bob', ID, 403, 'foreign_session_access', 'You can only access your own sessions'],
  ])('PX-057, PX-072: key %s on %s is %i %s', async (key, id, status, code, message) => {
    const { backend, arrived } = await startCounter();
    await using _backend = backend;
    await using proxy = await startProxy({
      sessions: [new TestSession(ID, { port: backend.port, token: null })],
      keys,
    });
    for (const method of ['GET', 'POST', 'OPTIONS', 'HEAD']) {
      const response = await fetch(`${proxy.url}/${id}/x`, {
        method,
        headers: { origin: 'https://ui.example', ...(key === undefined ? {} : { 'x-api-key': key }) },
        ...(method === 'POST' ? { body: 'x'.repeat(200_000) } : {}),
      });
      expect(response.status).toBe(status);
      if (method === 'HEAD') expect(await response.text()).toBe('');
      else expect(await failure(response)).toMatchObject({ code, message });
    }
    expect(arrived).toEqual([]);
  });

  test('the owner and an admin get through', async () => {
    const { backend, arrived } = await startCounter();
    await using _backend = backend;
    await using proxy = await startProxy({
      sessions: [new TestSession(ID, { port: backend.port, token: null })],
      keys,
    });
    for (const key of ['alice', 'admin']) {
      const response = await fetch(`${proxy.url}/${ID}/x`, { headers: { authorization: `Bearer ${key}` } });
      expect([response.status, await response.text()]).toEqual([200, 'from the agent']);
    }
    expect(arrived).toEqual(['GET /x', 'GET /x']);
  });

  test('PX-069, PX-071, PX-151: a preflight is answered alike for every session, and nothing reaches the agent', async () => {
    const { backend, arrived } = await startCounter();
    await using _backend = backend;
    const starting = new TestSession(OTHER, null);
    starting.state = 'starting';
    const ended = new TestSession('ended-session', null);
    ended.become('stopped');
    await using proxy = await startProxy({
      sessions: [new TestSession(ID, { port: backend.port, token: null }), starting, ended],
      keys,
    });
    const answers: string[] = [];
    for (const id of [ID, OTHER, 'ended-session', 'no-such', 'x%2Fy']) {
      const answer = await exchange(
        proxy.port,
        `OPTIONS /${id}/message HTTP/1.1\r\nHost: a.example\r\nOrigin: https://ui.example\r\nX-Request-Id: same\r\n` +
          'Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: x-api-key\r\nConnection: close\r\n\r\n',
      );
      answers.push(answer.replace(/Date: .*\r\n/, ''));
    }
    expect(new Set(answers).size).toBe(1);
    expect(answers[0]).toMatch(/^HTTP\/1\.1 204 No Content\r\n/);
    expect(answers[0]).toContain('Access-Control-Allow-Origin: *\r\n');
    expect(answers[0]).toMatch(/Access-Control-Allow-Headers: .*X-API-Key/);
    expect(answers[0]).toContain('Access-Control-Max-Age: 86400\r\n');
    expect(arrived).toEqual([]);

    // Without the question of a preflight OPTIONS is a request like any other.
    const plain = await fetch(`${proxy.url}/${ID}/message`, { method: 'OPTIONS' });
    expect(plain.status).toBe(401);
    expect(arrived).toEqual([]);
  });
});

describe('paths', () => {
  test.each([
    [`/%30${ID.slice(1)}/x`, 400, 'invalid_session_id'],
    [`/${ID}%2Fx/y`, 400, 'invalid_session_id'],
    [`/x%2F..%2F${ID}/y`, 400, 'invalid_session_id'],
    ['/%73tart/x', 400, 'invalid_session_id'],
    [`/${ID.toUpperCase()}/x`, 404, 'session_not_found'],
    ['/no-such/x', 404, 'session_not_found'],
    ['/../x', 404, 'session_not_found'],
    ['/./x', 404, 'session_not_found'],
    ['/__proto__/x', 404, 'session_not_found'],
    [`/\\${ID}/x`, 404, 'session_not_found'],
  ])('PX-061, DF-23: GET %s is %i %s', async (path, status, code) => {
    const { backend, arrived } = await startCounter();
    await using _backend = backend;
    await using proxy = await startProxy({
      sessions: [new TestSession(ID, { port: backend.port, token: null })],
    });
    const answer = await exchange(
      proxy.port,
      `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
    );
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(answer).toContain(`"code":"${code}"`);
    expect(arrived).toEqual([]);
  });

  test.each([
    '/',
    '/nope',
    `/${ID}`,
    `/${ID}?x=/y/z`,
    `//${ID}/x`,
    '/search/',
    '/start/x',
    '/sessions/x',
    '/sessions/x/log',
    '/profiles/x',
    '/health/',
  ])('PX-058, PX-060, PX-062: %s belongs to the control plane', async (path) => {
    const { backend, arrived } = await startCounter();
    await using _backend = backend;
    const seen: (string | undefined)[] = [];
    await using proxy = await startProxy({
      sessions: [new TestSession(ID, { port: backend.port, token: null })],
      control: (req, res) => {
        seen.push(req.url);
        res.end();
      },
    });
    await exchange(proxy.port, `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    expect(seen).toEqual([path]);
    expect(arrived).toEqual([]);
  });
});

describe('states', () => {
  test.each(['creating', 'starting'] as const)(
    'PX-143: a request to a session that is %s waits for it',
    async (state) => {
      const { backend, arrived } = await startCounter();
      await using _backend = backend;
      const session = new TestSession(ID, null);
      session.state = state;
      await using proxy = await startProxy({ sessions: [session] });
      const answers = Array.from({ length: 20 }, async (_value, i) => {
        const response = await fetch(`${proxy.url}/${ID}/x`, { method: 'POST', body: `body ${i}` });
        return response.text();
      });
      const early = await fetch(`${proxy.url}/nope/x`);
      expect(early.status).toBe(404);
      expect(arrived).toEqual([]);
      session.become('running', { port: backend.port, token: null });
      expect(new Set(await Promise.all(answers))).toEqual(new Set(['from the agent']));
      expect(arrived).toHaveLength(20);
    },
  );

  test('PX-143: after the start timeout it is 503 with Retry-After', async () => {
    const session = new TestSession(ID, null);
    session.state = 'starting';
    await using proxy = await startProxy({ sessions: [session], startTimeoutMs: 50 });
    const response = await fetch(`${proxy.url}/${ID}/x`);
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('2');
    expect(await failure(response)).toMatchObject({ code: 'session_starting' });
  });

  test('a start that fails meanwhile is 404 with the reason', async () => {
    const session = new TestSession(ID, null);
    session.state = 'starting';
    await using proxy = await startProxy({ sessions: [session] });
    const waiting = fetch(`${proxy.url}/${ID}/x`);
    const second = fetch(`${proxy.url}/${OTHER}/x`);
    expect((await second).status).toBe(404);
    session.reason = 'the agent program "claude" was not found';
    session.become('failed');
    const response = await waiting;
    expect(response.status).toBe(404);
    expect(await failure(response)).toMatchObject({
      message: 'Session not found',
      code: 'session_not_found',
      state: 'failed',
      reason: 'the agent program "claude" was not found',
    });
  });

  test('PX-147: a client that leaves while it waits does not reach the agent', async () => {
    const { backend, arrived } = await startCounter();
    await using _backend = backend;
    const session = new TestSession(ID, null);
    session.state = 'starting';
    await using proxy = await startProxy({ sessions: [session] });
    const client = request(`${proxy.url}/${ID}/left`);
    const gone = new Promise((resolve) => {
      client.on('error', resolve);
    });
    client.end();
    const stays = fetch(`${proxy.url}/${ID}/stays`);
    await until(() => client.socket?.bytesWritten !== 0, 'the request being sent');
    client.destroy();
    await gone;
    await fetch(`${proxy.url}/${OTHER}/x`);
    session.become('running', { port: backend.port, token: null });
    await stays;
    expect(arrived).toEqual(['GET /stays']);
  });

  test('PX-144: after its end a session is 404, and a request in progress is 502', async () => {
    const requests: IncomingMessage[] = [];
    await using backend = await startBackend((req) => {
      requests.push(req);
    });
    const session = new TestSession(ID, { port: backend.port, token: null });
    await using proxy = await startProxy({ sessions: [session] });
    const running = fetch(`${proxy.url}/${ID}/x`);
    await until(() => requests.length === 1, 'the request at the agent');
    session.become('stopped');
    const response = await running;
    expect(response.status).toBe(502);
    expect(await failure(response)).toMatchObject({ code: 'upstream_failed' });
    const after = await fetch(`${proxy.url}/${ID}/x`);
    expect(after.status).toBe(404);
    expect(await failure(after)).toMatchObject({ code: 'session_not_found', state: 'stopped' });
    await until(() => backend.sockets.size === 0, 'no connection to the agent');
  });
});
