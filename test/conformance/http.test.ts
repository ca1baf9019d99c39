import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { exchangeBytes, rawRequest } from '../support/raw-request.ts';
import type { RawAnswer, RawRequest } from '../support/raw-request.ts';
import { eventually, startServer } from '../support/server-process.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { getSession, jsonRequest, remove, search, start, untilState } from '../support/wire.ts';

const UNKNOWN = '00000000-0000-4000-8000-000000000000';
const ORIGIN = { origin: 'http://localhost:3000' };

/** What the scripted agent server tells about a request. */
const echoSchema = z.object({
  method: z.string(),
  url: z.string(),
  rawHeaders: z.array(z.string()),
  body: z.string(),
});

let server: ServerProcess;
/** A session whose agent server tells what it got. */
let echo: string;
beforeAll(async () => {
  server = await startServer({
    config: {
      agent_server: 'external',
      agentapi_path: fileURLToPath(new URL('../support/scripted-agentapi.mjs', import.meta.url)),
    },
  });
  echo = await start(server);
  await untilState(server, echo, 'running');
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

async function raw(request: RawRequest): Promise<RawAnswer> {
  return rawRequest(server.port, request);
}

async function echoOf(
  request: Partial<RawRequest>,
): Promise<z.infer<typeof echoSchema> & { headers: ReadonlyMap<string, string> }> {
  const { status, body } = await raw({ path: `/${echo}/echo`, ...request });
  expect(status).toBe(200);
  const seen = echoSchema.parse(JSON.parse(body));
  const lines = seen.rawHeaders.flatMap((name, i) =>
    i % 2 === 0 ? [[name.toLowerCase(), seen.rawHeaders[i + 1] ?? ''] as const] : [],
  );
  return { ...seen, headers: new Map(lines) };
}

const errorSchema = z.strictObject({
  message: z.string(),
  code: z.string(),
  request_id: z.string(),
  field: z.string().optional(),
});

/** Checks the one error shape (PX-057) and gives it with the status. */
function expectError(
  answer: RawAnswer,
  status: number,
  message: string | RegExp,
): z.infer<typeof errorSchema> {
  expect(answer.status).toBe(status);
  expect(answer.headers['content-type']).toBe('application/json');
  const error = errorSchema.parse(JSON.parse(answer.body));
  expect(answer.body.endsWith('}\n')).toBe(true);
  expect(answer.headers['x-request-id']).toBe(error.request_id);
  if (typeof message === 'string') expect(error.message).toBe(message);
  else expect(error.message).toMatch(message);
  return error;
}

describe('paths and methods', () => {
  test.each(['/', '/nope', '/favicon.ico', `/${UNKNOWN}`, '/?x=1/y'])(
    'PX-057, PX-058, PX-060: GET %s is 404 Not Found',
    async (path) => {
      expectError(await raw({ path }), 404, 'Not Found');
    },
  );

  test.each([`/${UNKNOWN}/status`, `/${UNKNOWN}/`, '/no-such/x', '/no-such//x', '/.env/x'])(
    'PX-061: GET %s is 404 Session not found',
    async (path) => {
      expectError(await raw({ path }), 404, 'Session not found');
    },
  );

  test('PX-060: the id without a slash is no session, with one it is the root of its agent server', async () => {
    expectError(await raw({ path: `/${echo}` }), 404, 'Not Found');
    expect(await echoOf({ path: `/${echo}/` })).toMatchObject({ url: '/' });
  });

  test.each([
    ['GET', '/start', 'OPTIONS, POST'],
    ['POST', '/search', 'OPTIONS, GET'],
    ['HEAD', '/search', 'OPTIONS, GET'],
    ['PUT', '/sessions/x', 'OPTIONS, GET, DELETE'],
    ['POST', '/health', 'OPTIONS, GET'],
    ['PATCH', '/profiles', 'OPTIONS, POST, GET'],
    ['PATCH', '/profiles/x', 'OPTIONS, GET, PUT, DELETE'],
    ['GET', '/profiles/x/templates', 'OPTIONS, POST'],
    ['GET', '/start-with-profile', 'OPTIONS, POST'],
  ])('PX-059: %s %s is 405 with Allow: %s', async (method, path, allow) => {
    const answer = await raw({ method, path });
    expect(answer.headers.allow).toBe(allow);
    if (method === 'HEAD') expect(answer).toMatchObject({ status: 405, body: '' });
    else expectError(answer, 405, 'Method Not Allowed');
  });

  test.each([
    ['GET', '/sessions/x', 404, 'Session not found'],
    ['GET', '/sessions/', 404, 'Session not found'],
    ['DELETE', '/sessions/', 404, 'Session not found'],
    ['GET', '/sessions/x/y', 404, 'Not Found'],
    ['GET', '/search/', 404, 'Not Found'],
    ['GET', '/start/x', 404, 'Not Found'],
    ['GET', '/health/x', 404, 'Not Found'],
    ['PATCH', '/profiles/x', 405, 'Method Not Allowed'],
    ['GET', '/profiles/x/y', 404, 'Not Found'],
    ['GET', '/start-with-profile/x', 404, 'Not Found'],
    ['GET', '/metrics/x', 404, 'Not Found'],
  ])('PX-062: %s %s is answered by its own route', async (method, path, status, message) => {
    expectError(await raw({ method, path }), status, message);
  });

  test('PX-064: HEAD of a session path reaches the agent server as HEAD and has no body', async () => {
    const answer = await raw({ method: 'HEAD', path: `/${echo}/echo` });
    expect(answer).toMatchObject({ status: 200, body: '' });
    expect(answer.headers['content-type']).toBe('application/json');
    expect(await raw({ method: 'HEAD', path: `/${UNKNOWN}/x` })).toMatchObject({ status: 404, body: '' });
  });

  test('a request target that is no path, and CONNECT, are refused', async () => {
    for (const line of [
      'GET http://example.org/ HTTP/1.1',
      'OPTIONS * HTTP/1.1',
      'CONNECT a.example:1 HTTP/1.1',
    ]) {
      const answer = await exchangeBytes(
        server.port,
        `${line}\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
      );
      expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
      expect(answer).toMatch(/"code":"(?:invalid_request|method_not_allowed)"/);
    }
  });
});

describe('health and version', () => {
  test.each(['/health', '/livez'])('PX-063: GET %s is 200', async (path) => {
    const answer = await raw({ path });
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toEqual({ status: 'ok' });
  });

  test('GET /readyz is 200 "ready" while sessions are taken', async () => {
    const answer = await raw({ path: '/readyz' });
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toEqual({ status: 'ready' });
  });

  test('GET /version tells program, version, agent server and default agent', async () => {
    const answer = await raw({ path: '/version' });
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toMatchObject({
      name: 'agentapi-proxy',
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      agent_server: 'external',
      default_agent: 'demo',
    });
  });
});

describe('bad input: a clear error, and nothing is started', () => {
  let sessionsBefore: number;
  beforeAll(async () => {
    sessionsBefore = (await search(server, '?state=all')).length;
  });
  afterAll(async () => {
    if ((await search(server, '?state=all')).length !== sessionsBefore) {
      throw new Error('a refused request has started a session');
    }
  });

  test('PX-065, DF-21: a body of 20 MB is 413, announced or not, and the client gets the answer', async () => {
    const body = Buffer.alloc(20 * 1024 ** 2, 0x20);
    const chunked = { 'transfer-encoding': 'chunked' };
    for (const headers of [{ 'content-length': String(body.length) }, chunked]) {
      expectError(
        await raw({ method: 'POST', path: '/start', headers, body }),
        413,
        'Request body too large',
      );
    }
  });

  test('PX-065, PX-086: malformed JSON is 400 with line and column', async () => {
    const answer = await raw({ method: 'POST', path: '/start', body: '{\n  "message": "x",\n}' });
    expectError(answer, 400, /line 3, column 1/);
  });

  test('1,000 header lines are 431 on every kind of path', async () => {
    const lines = Array.from({ length: 1_000 }, (_, i) => [`x-${i}`, 'v']).flat();
    for (const [method, path] of [
      ['POST', '/start'],
      ['GET', '/search'],
      ['GET', `/${echo}/echo`],
      ['GET', '/nope'],
    ] as const) {
      expectError(await raw({ method, path, headers: lines }), 431, /headers too large/i);
    }
  });

  test('a head of 100 kB is 431', async () => {
    expectError(await raw({ path: '/search', headers: { 'x-big': 'x'.repeat(100_000) } }), 431, /headers/i);
  });

  test.each([
    [`/..%2f${UNKNOWN}/status`],
    ['/%2e%2e/status'],
    ['/a%2Fb/status'],
    ['/a%5cb/status'],
    [`/%2F${UNKNOWN}/x`],
  ])('DF-23: the encoded session id in %s is 400 and no other session', async (path) => {
    expectError(await raw({ path }), 400, 'Invalid session id');
  });

  test('DF-23: the id of a real session, percent-encoded, is not that session', async () => {
    const encoded = `%${echo.charCodeAt(0).toString(16)}${echo.slice(1)}`;
    expectError(await raw({ path: `/${encoded}/echo` }), 400, 'Invalid session id');
    expectError(
      await raw({ method: 'DELETE', path: `/sessions/${UNKNOWN}%2f..%2f${echo}` }),
      404,
      'Session not found',
    );
    expect(await getSession(server, echo)).toMatchObject({ state: 'running' });
  });

  test('DF-23: dot segments after the id stay below the session', async () => {
    expect(await echoOf({ path: `/${echo}/../../search` })).toMatchObject({ url: '/../../search' });
    expectError(await raw({ path: `/../${echo}/echo` }), 404, 'Session not found');
  });

  test('what is not HTTP is 400 and ends the connection', async () => {
    const answer = await exchangeBytes(server.port, 'HELLO\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain('"code":"invalid_request"');
  });

  test.each([
    ['?limit=x', 'limit'],
    ['?limit=0', 'limit'],
    ['?state=nope', 'state'],
    ['?cursor=nope', 'cursor'],
  ])('GET /search%s is 400 naming %s', async (query, field) => {
    const error = expectError(await raw({ path: `/search${query}` }), 400, /./);
    expect(error.message + (error.field ?? '')).toContain(field);
  });

  test('the server lives on', async () => {
    expect((await raw({ path: '/health' })).status).toBe(200);
  });
});

describe('CORS', () => {
  test.each(['/start', '/search', '/sessions/x', '/profiles', '/profiles/x', '/profiles/x/y', '/nope'])(
    'PX-068, PX-069, PX-073: OPTIONS %s with Origin is 204 with all methods and headers',
    async (path) => {
      const { status, headers, body } = await raw({ method: 'OPTIONS', path, headers: ORIGIN });
      expect({ status, body }).toEqual({ status: 204, body: '' });
      expect(headers['access-control-allow-origin']).toBe('*');
      const methods = headers['access-control-allow-methods']?.split(/,\s*/);
      expect(methods).toEqual(['GET', 'HEAD', 'PUT', 'PATCH', 'POST', 'DELETE', 'OPTIONS']);
      const allowed = headers['access-control-allow-headers']?.toLowerCase().split(/,\s*/);
      expect(allowed).toEqual(
        expect.arrayContaining(['content-type', 'accept', 'authorization', 'x-api-key', 'x-requested-with']),
      );
      expect(headers['access-control-max-age']).toBe('86400');
      expect(headers.vary).toContain('Origin');
    },
  );

  test('PX-071, DF-49: a preflight is answered alike for running, starting, ended and unknown sessions', async () => {
    const starting = await start(server, { environment: { START_DELAY_MS: '3000' } });
    const ended = await start(server);
    await untilState(server, ended, 'running');
    await raw({ path: `/${ended}/die` }).catch(() => undefined);
    await untilState(server, ended, 'failed', 'stopped');
    const preflight = { ...ORIGIN, 'access-control-request-method': 'POST' };
    const answers = await Promise.all(
      [echo, starting, ended, UNKNOWN].map(async (id) => {
        const { status, headers, body } = await raw({
          method: 'OPTIONS',
          path: `/${id}/message`,
          headers: preflight,
        });
        const { date: _date, 'x-request-id': _id, ...rest } = headers;
        return { status, headers: rest, body };
      }),
    );
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(answers[0]).toMatchObject({ status: 204, body: '' });
    expect(answers[0]?.headers).toMatchObject({ 'access-control-allow-origin': '*' });
    expect(await getSession(server, starting)).toMatchObject({ state: 'starting' });
    await remove(server, starting);
  });

  test('OPTIONS without Origin: 204 with Allow for the server’s own paths, and the agent server’s business below a session', async () => {
    const own = await raw({ method: 'OPTIONS', path: '/start' });
    expect(own).toMatchObject({ status: 204, body: '' });
    expect(own.headers.allow).toBe('OPTIONS, POST');
    expect(await echoOf({ method: 'OPTIONS' })).toMatchObject({ method: 'OPTIONS' });
  });

  test('PX-067, PX-070: answers of the server’s own routes carry the headers, errors too', async () => {
    for (const [method, path] of [
      ['GET', '/search'],
      ['GET', '/nope'],
      ['POST', '/search'],
      ['DELETE', `/sessions/${UNKNOWN}`],
      ['GET', '/health'],
    ] as const) {
      const { headers } = await raw({ method, path, headers: ORIGIN });
      expect(headers['access-control-allow-origin']).toBe('*');
      expect(headers.vary).toBe('Origin');
      expect(headers).not.toHaveProperty('access-control-allow-credentials');
      expect((await raw({ method, path })).headers.vary).toBe('Origin');
    }
  });

  test('PX-072, DF-50: refusals on session paths carry them as well', async () => {
    const unknown = await raw({ path: `/${UNKNOWN}/status`, headers: ORIGIN });
    const malformed = await raw({ path: '/a%2fb/status', headers: ORIGIN });
    for (const { status, headers } of [unknown, malformed]) {
      expect([400, 404]).toContain(status);
      expect(headers['access-control-allow-origin']).toBe('*');
    }
  });

  test('PX-074, PX-075: the agent’s own headers are replaced, each appears once, others stay', async () => {
    const { headers, headerNames } = await raw({ path: `/${echo}/own-cors`, headers: ORIGIN });
    expect(headers['access-control-allow-origin']).toBe('*');
    expect(headers['access-control-allow-methods']).toContain('DELETE');
    expect(headers['access-control-expose-headers']).toContain('X-Of-The-Agent');
    expect(headers).not.toHaveProperty('access-control-allow-credentials');
    const cors = headerNames.filter((name) => name.startsWith('access-control-'));
    expect(cors.length).toBe(new Set(cors).size);
  });
});

describe('proxying', () => {
  test('PX-135, PX-134, PX-136: path and query arrive byte for byte', async () => {
    for (const rest of [
      '/e/a%2Fb/c%20d',
      '/e//double//',
      '/e/%e4%B8%96/?a=1&b=%20x;y=1&c',
      "/e/!$&'()*+,;=:@-._~",
      '/e?x=/y/../z',
    ]) {
      expect(await echoOf({ path: `/${echo}${rest}` })).toMatchObject({ url: rest });
    }
  });

  test('PX-133: every method arrives with its body and content type', async () => {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      const seen = await echoOf({ method, headers: { 'content-type': 'text/x-own' }, body: 'bödy' });
      expect(seen).toMatchObject({ method, body: 'bödy' });
      expect(seen.headers.get('content-type')).toBe('text/x-own');
    }
  });

  test('PX-138, PX-139, PX-140: the agent server gets its own Host and the truth about the request', async () => {
    const { port } = await getSession(server, echo);
    const seen = await echoOf({
      headers: {
        host: 'app.localhost:99',
        'x-forwarded-for': '203.0.113.9',
        'x-forwarded-proto': 'https',
        'x-forwarded-host': 'spoofed.example',
      },
    });
    expect(seen.headers.get('host')).toBe(`127.0.0.1:${port}`);
    expect(seen.headers.get('x-forwarded-host')).toBe('app.localhost:99');
    expect(seen.headers.get('x-forwarded-proto')).toBe('http');
    expect(seen.headers.get('x-forwarded-for')).toBe('127.0.0.1');
    expect(seen.headers.get('x-forwarded-prefix')).toBe(`/${echo}`);
  });

  test('PX-137: status, cookies and body of a failure are the agent server’s own', async () => {
    const { status, headers, body } = await raw({ path: `/${echo}/failure` });
    expect({ status, body }).toEqual({ status: 500, body: '{"title":"of the agent"}' });
    expect(headers['set-cookie']).toEqual(['a=1', 'b=2']);
  });

  test('PX-145: Location comes back below the session; a foreign one stays', async () => {
    const near = await raw({ path: `/${echo}/redirect` });
    expect(near).toMatchObject({ status: 302, headers: { location: `/${echo}/chat` } });
    const far = await raw({ path: `/${echo}/redirect-away` });
    expect(far).toMatchObject({ status: 302, headers: { location: 'https://elsewhere.example/chat' } });
  });

  test('PX-143: a request to a starting session is held until it is ready', async () => {
    const id = await start(server, { environment: { START_DELAY_MS: '800' } });
    const answer = await raw({ path: `/${id}/held` });
    expect(answer.status).toBe(200);
    await remove(server, id);
  });

  test('PX-143, PX-144: an agent server that stops listening is 502, one that dies is 502 and then 404', async () => {
    const id = await start(server);
    await untilState(server, id, 'running');
    await raw({ path: `/${id}/stop-listening` });
    const refused = await eventually('it has stopped listening', async () => {
      const answer = await raw({ path: `/${id}/x`, headers: ORIGIN });
      return answer.status !== 200 && answer;
    });
    expectError(refused, 502, 'Bad Gateway');
    expect(refused.headers['access-control-allow-origin']).toBe('*');
    await remove(server, id);

    const dying = await start(server);
    await untilState(server, dying, 'running');
    expectError(await raw({ path: `/${dying}/die` }), 502, 'Bad Gateway');
    await untilState(server, dying, 'failed', 'stopped');
    const gone = await raw({ path: `/${dying}/x` });
    expect(gone.status).toBe(404);
    expect(JSON.parse(gone.body)).toMatchObject({ message: 'Session not found', state: 'failed' });
  });

  test('PX-143: a session that takes longer than the limit is 503 with Retry-After, and no request hangs', async () => {
    await using impatient = await startServer({
      config: {
        agent_server: 'external',
        agentapi_path: fileURLToPath(new URL('../support/scripted-agentapi.mjs', import.meta.url)),
        start_timeout_seconds: 1,
      },
    });
    const id = await start(impatient, { environment: { START_DELAY_MS: '60000' } });
    const answer = await rawRequest(impatient.port, { path: `/${id}/x` });
    // The session fails for the same reason at about the same moment.
    expect([503, 404]).toContain(answer.status);
    if (answer.status === 503) expect(answer.headers).toHaveProperty('retry-after');
    expect(await untilState(impatient, id, 'failed')).toMatchObject({ reason: expect.stringMatching(/1 s/) });
    expect(await impatient.sessionProcesses(id)).toEqual([]);
  });

  test('a request id of the caller is kept, and is in the answer and at the agent server', async () => {
    const headers = { 'x-request-id': 'my-id-1' };
    expect((await raw({ path: '/nope', headers })).headers['x-request-id']).toBe('my-id-1');
    const seen = await echoOf({ headers });
    expect(seen.headers.get('x-request-id')).toBe('my-id-1');
    const bad = await raw({ path: '/nope', headers: { 'x-request-id': 'a b\tc' } });
    expect(bad.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('a start with the wrong method or type starts nothing', async () => {
    const before = (await search(server, '?state=all')).length;
    await server.request('/start', { ...jsonRequest({}), method: 'PUT' });
    expect((await search(server, '?state=all')).length).toBe(before);
  });
});
