import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { exchange, ID, startBackend, startProxy, TestSession, until } from './proxy-harness.ts';
import type { TestProxyOptions } from './proxy-harness.ts';

const bodySchema = z.object({
  code: z.string().optional(),
  message: z.string().optional(),
  request_id: z.string().optional(),
});

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: z.infer<typeof bodySchema>;
}

async function send(port: number, request: string): Promise<Answer> {
  const answer = await exchange(port, request);
  const [head = '', body = ''] = answer.split('\r\n\r\n', 2);
  const headers: Record<string, string> = {};
  for (const line of head.split('\r\n').slice(1)) {
    const [name = '', ...value] = line.split(': ');
    headers[name.toLowerCase()] = value.join(': ');
  }
  const json: unknown = body.startsWith('{') ? JSON.parse(body) : {};
  return { status: Number(head.split(' ')[1]), headers, body: bodySchema.parse(json) };
}

const get = (path: string, lines: readonly string[]): string =>
  ['GET', path, 'HTTP/1.1\r\n'].join(' ') + [...lines, 'Connection: close', '', ''].join('\r\n');

describe('PX-227: without authentication, on loopback', () => {
  async function statusFor(
    lines: readonly string[],
    options: Partial<TestProxyOptions> = {},
  ): Promise<string> {
    await using backend = await startBackend((_req, res) => res.end('ok'));
    await using proxy = await startProxy({
      sessions: [new TestSession(ID, { port: backend.port, token: null })],
      ...options,
    });
    const filled = lines.map((line) => line.replace('PORT', String(proxy.port)));
    const session = await send(proxy.port, get(`/${ID}/x`, filled));
    const control = await send(proxy.port, get('/search', filled));
    expect(control.status === 404 ? 200 : control.status).toBe(session.status);
    if (session.status === 200) return 'ok';
    expect(session.headers['content-type']).toBe('application/json');
    expect(session.headers['vary']).toBe('Origin');
    return session.body.code ?? '';
  }

  test.each([
    ['localhost', 'ok'],
    ['LOCALHOST:PORT', 'ok'],
    ['localhost.:PORT', 'ok'],
    ['app.localhost', 'ok'],
    ['127.0.0.1:PORT', 'ok'],
    ['127.8.9.10', 'ok'],
    ['[::1]:1', 'ok'],
    ['[0:0:0:0:0:0:0:1]', 'ok'],
    ['evil.example', 'host_not_allowed'],
    ['evil.example:PORT', 'host_not_allowed'],
    ['127.0.0.1.evil.example', 'host_not_allowed'],
    ['localhost.evil.example', 'host_not_allowed'],
    ['127.0.0.1@evil.example', 'invalid_request'],
    ['evil.example#localhost', 'invalid_request'],
    ['localhost/evil.example', 'invalid_request'],
    ['localhost, evil.example', 'invalid_request'],
    ['0.0.0.0:PORT', 'host_not_allowed'],
    ['192.168.1.1', 'host_not_allowed'],
    ['[::1', 'invalid_request'],
    ['', 'host_not_allowed'],
  ])('Host %j is %s', async (host, expected) => {
    expect(await statusFor([`Host: ${host}`])).toBe(expected);
  });

  test.each([
    ['http://localhost:3000', 'ok'],
    ['https://127.0.0.1', 'ok'],
    ['http://[::1]:8080', 'ok'],
    ['http://app.localhost', 'ok'],
    ['https://evil.example', 'origin_not_allowed'],
    ['http://localhost.evil.example', 'origin_not_allowed'],
    ['http://localhost:3000@evil.example', 'origin_not_allowed'],
    ['null', 'origin_not_allowed'],
    ['file://', 'origin_not_allowed'],
    ['', 'origin_not_allowed'],
    ['http://localhost, https://evil.example', 'origin_not_allowed'],
    ['chrome-extension://localhost', 'origin_not_allowed'],
  ])('Origin %j is %s', async (origin, expected) => {
    expect(await statusFor(['Host: localhost', `Origin: ${origin}`])).toBe(expected);
  });

  test('names and origins of the configuration are allowed, and nothing else by them', async () => {
    const options = {
      allowedHosts: ['Agents.Example'],
      cors: { origins: ['https://ui.example'], credentials: false },
    };
    expect(await statusFor(['Host: agents.example:8080'], options)).toBe('ok');
    expect(await statusFor(['Host: sub.agents.example'], options)).toBe('host_not_allowed');
    expect(await statusFor(['Host: localhost', 'Origin: https://ui.example'], options)).toBe('ok');
    expect(await statusFor(['Host: localhost', 'Origin: https://agents.example'], options)).toBe(
      'origin_not_allowed',
    );
    // A page of the server itself, under an allowed name.
    expect(await statusFor(['Host: agents.example:81', 'Origin: http://agents.example:81'], options)).toBe(
      'ok',
    );
    expect(await statusFor(['Host: agents.example:81', 'Origin: http://agents.example:82'], options)).toBe(
      'origin_not_allowed',
    );
  });

  test('bound to every address, the literal address of the connection is fine, 0.0.0.0 is not', async () => {
    expect(await statusFor(['Host: 127.0.0.1'], { host: '0.0.0.0' })).toBe('ok');
    expect(await statusFor(['Host: 0.0.0.0'], { host: '0.0.0.0' })).toBe('host_not_allowed');
    expect(await statusFor(['Host: 10.0.0.1'], { host: '0.0.0.0' })).toBe('host_not_allowed');
  });

  test('every host name may be allowed; a page under such a name is still foreign (DNS rebinding)', async () => {
    const options = { allowedHosts: ['*'] };
    expect(await statusFor(['Host: any.example'], options)).toBe('ok');
    expect(await statusFor(['Host: evil.example', 'Origin: http://evil.example'], options)).toBe(
      'origin_not_allowed',
    );
  });

  test('a preflight of a foreign page is refused as well', async () => {
    await using proxy = await startProxy({ sessions: [] });
    for (const path of [`/${ID}/x`, '/start']) {
      const answer = await send(
        proxy.port,
        `OPTIONS ${path} HTTP/1.1\r\nHost: localhost\r\nOrigin: https://evil.example\r\nAccess-Control-Request-Method: POST\r\nConnection: close\r\n\r\n`,
      );
      expect([answer.status, answer.body.code]).toEqual([403, 'origin_not_allowed']);
    }
  });

  test('with authentication neither is looked at', async () => {
    expect(await statusFor(['Host: evil.example', 'Origin: https://evil.example'], { guarded: false })).toBe(
      'ok',
    );
  });
});

describe('CORS of the control plane', () => {
  test('PX-067, PX-070: its answers carry the headers and the request id', async () => {
    await using proxy = await startProxy({ sessions: [], guarded: false });
    const answer = await send(
      proxy.port,
      get('/search', ['Host: a.example', 'Origin: https://ui.example', 'X-Request-Id: from.the-client_1']),
    );
    expect(answer.status).toBe(404);
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': '*',
      'access-control-expose-headers': 'X-Request-Id, Retry-After',
      vary: 'Origin',
      'x-request-id': 'from.the-client_1',
    });
  });

  test.each(['/start', '/search', '/sessions/x', '/profiles', '/profiles/x/y', '/unknown'])(
    'PX-068, PX-069, PX-073: OPTIONS %s with Origin is 204',
    async (path) => {
      await using proxy = await startProxy({
        sessions: [],
        keys: {},
        control: () => {
          throw new Error('a preflight must not arrive here');
        },
      });
      const answer = await send(
        proxy.port,
        `OPTIONS ${path} HTTP/1.1\r\nHost: a.example\r\nOrigin: https://ui.example\r\nConnection: close\r\n\r\n`,
      );
      expect(answer.status).toBe(204);
      expect(answer.headers).toMatchObject({
        'access-control-allow-origin': '*',
        'access-control-allow-methods': 'GET,HEAD,PUT,PATCH,POST,DELETE,OPTIONS',
        'access-control-max-age': '86400',
        vary: 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers',
      });
      expect(answer.headers['access-control-allow-headers']).toContain('X-API-Key');
      expect(answer.headers['content-length']).toBeUndefined();
    },
  );

  test('PX-074: a configured list is honoured on both planes, with credentials', async () => {
    await using backend = await startBackend((_req, res) => res.end('ok'));
    await using proxy = await startProxy({
      sessions: [new TestSession(ID, { port: backend.port, token: null })],
      guarded: false,
      cors: { origins: ['https://ui.example'], credentials: true },
    });
    for (const path of [`/${ID}/x`, '/search', '/no-such/x']) {
      const named = await send(proxy.port, get(path, ['Host: a', 'Origin: https://ui.example']));
      expect(named.headers['access-control-allow-origin']).toBe('https://ui.example');
      expect(named.headers['access-control-allow-credentials']).toBe('true');
      expect(named.headers['vary']).toBe('Origin');
      const other = await send(proxy.port, get(path, ['Host: a', 'Origin: https://other.example']));
      expect(Object.keys(other.headers).filter((name) => name.startsWith('access-control-'))).toEqual([]);
      expect(other.headers['vary']).toBe('Origin');
    }
  });
});

describe('request ids', () => {
  test.each(['short', '0f8fad5b-d9cb-469f-a165-70867728950e', 'A.b_c~d'])('%s is taken over', async (id) => {
    await using proxy = await startProxy({ sessions: [] });
    const answer = await send(proxy.port, get('/no-such/x', ['Host: localhost', `X-Request-Id: ${id}`]));
    expect(answer.headers['x-request-id']).toBe(id);
    expect(answer.body.request_id).toBe(id);
  });

  test.each(['', 'a b', 'x'.repeat(129), '"quoted"', 'new\tline'])(
    '%j is replaced by a new one',
    async (id) => {
      await using proxy = await startProxy({ sessions: [] });
      const answer = await send(proxy.port, get('/no-such/x', ['Host: localhost', `X-Request-Id: ${id}`]));
      expect(answer.headers['x-request-id']).toMatch(
        /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
      );
      expect(answer.body.request_id).toBe(answer.headers['x-request-id']);
    },
  );
});

describe('requests that are refused for their form', () => {
  const session = `/${ID}/x`;
  test.each([
    [
      'a header of 20 KB',
      get(session, ['Host: localhost', `X: ${'x'.repeat(20_000)}`]),
      431,
      'headers_too_large',
    ],
    [
      '1,000 headers',
      get(session, ['Host: localhost', ...Array.from({ length: 1000 }, () => 'A: 1')]),
      431,
      'headers_too_large',
    ],
    [
      '201 headers',
      get(session, ['Host: localhost', ...Array.from({ length: 199 }, () => 'A: 1')]),
      431,
      'headers_too_large',
    ],
    ['two Host headers', get(session, ['Host: localhost', 'Host: localhost']), 400, 'invalid_request'],
    ['no Host header', get(session, []), 400, 'invalid_request'],
    ['an absolute target', get(`http://localhost${session}`, ['Host: localhost']), 400, 'invalid_request'],
    [
      'the target *',
      'OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
      400,
      'invalid_request',
    ],
    ['CONNECT', 'CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n', 405, 'method_not_allowed'],
    ['no HTTP', 'hello\r\n\r\n', 400, 'invalid_request'],
    ['an unknown method', `BREW ${session} HTTP/1.1\r\nHost: localhost\r\n\r\n`, 400, 'invalid_request'],
    [
      'length and chunks',
      `POST ${session} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      400,
      'invalid_request',
    ],
    [
      'two lengths',
      `POST ${session} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello`,
      400,
      'invalid_request',
    ],
    [
      'another transfer coding',
      `POST ${session} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip, chunked\r\nConnection: close\r\n\r\n0\r\n\r\n`,
      400,
      'invalid_request',
    ],
    [
      'a space before the colon',
      `GET ${session} HTTP/1.1\r\nHost: localhost\r\nX-A : b\r\n\r\n`,
      400,
      'invalid_request',
    ],
    [
      'a folded line',
      `GET ${session} HTTP/1.1\r\nHost: localhost\r\nX-A: b\r\n c\r\n\r\n`,
      400,
      'invalid_request',
    ],
    ['a NUL', `GET ${session} HTTP/1.1\r\nHost: localhost\r\nX-A: b\u0000c\r\n\r\n`, 400, 'invalid_request'],
  ])('%s', async (_name, bytes, status, code) => {
    let arrived = 0;
    await using backend = await startBackend((_req, res) => {
      arrived += 1;
      res.end();
    });
    await using proxy = await startProxy({
      sessions: [new TestSession(ID, { port: backend.port, token: null })],
    });
    const answer = await send(proxy.port, bytes);
    expect(answer.status).toBe(status);
    expect(answer.body.code).toBe(code);
    expect(answer.body.request_id).toBe(answer.headers['x-request-id']);
    expect(answer.headers['content-type']).toBe('application/json');
    expect(answer.headers['vary']).toBe('Origin');
    expect(arrived).toBe(0);
  });

  test('exactly the allowed number of headers passes', async () => {
    await using backend = await startBackend((req, res) =>
      res.end(String(req.rawHeaders.filter((name) => name === 'A').length)),
    );
    await using proxy = await startProxy({
      sessions: [new TestSession(ID, { port: backend.port, token: null })],
    });
    const bytes = get(session, ['Host: localhost', ...Array.from({ length: 198 }, () => 'A: 1')]);
    expect(await exchange(proxy.port, bytes)).toMatch(/^HTTP\/1\.1 200 [^]*198/);
  });

  test('a bad chunk within a request ends it at the agent too', async () => {
    let closed = false;
    let begun = false;
    await using backend = await startBackend((req, res) => {
      begun = true;
      req.on('error', () => {});
      res.on('close', () => {
        closed = true;
      });
      req.resume();
    });
    await using proxy = await startProxy({
      sessions: [new TestSession(ID, { port: backend.port, token: null })],
    });
    const socket = connect(proxy.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.resume();
    socket.write(
      `POST ${session} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`,
    );
    await until(() => begun, 'the request at the agent');
    socket.write('zz\r\n');
    await until(() => closed, 'its end');
    expect(closed).toBe(true);
  });

  test('PX-066: a failure nobody foresaw is 500 with the request id, and the server lives on', async () => {
    await using proxy = await startProxy({
      sessions: [],
      control: () => {
        throw new Error('private words');
      },
    });
    const answer = await send(proxy.port, get('/search', ['Host: localhost', 'X-Request-Id: find-me']));
    expect(answer.status).toBe(500);
    expect(answer.body).toEqual({
      message: 'Internal server error',
      code: 'internal',
      request_id: 'find-me',
    });
    expect((await send(proxy.port, get('/no-such/x', ['Host: localhost']))).status).toBe(404);
    expect(proxy.logged()).toContain('private words');
  });
});

describe('closing', () => {
  test('unused connections and streams end at once, a running request finishes, nothing is left', async () => {
    let finish: (() => void) | undefined;
    await using backend = await startBackend((req, res) => {
      if (req.url === '/events') {
        res.writeHead(200, { 'content-type': 'text/event-stream' });
        res.write('data: x\n\n');
      } else if (req.url === '/slow') {
        finish = () => res.end('finished');
      } else {
        res.end('ok');
      }
    });
    const proxy = await startProxy({ sessions: [new TestSession(ID, { port: backend.port, token: null })] });
    const idle = connect(proxy.port, '127.0.0.1');
    const idleClosed = new Promise((resolve) => {
      idle.on('close', resolve).resume();
    });
    idle.write(`GET /${ID}/ HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    const stream = await new Promise<IncomingMessage>((resolve) => {
      request(`${proxy.url}/${ID}/events`, { agent: false }, resolve).end();
    });
    const streamEnded = new Promise((resolve) => {
      stream.on('end', resolve).resume();
    });
    const slow = fetch(`${proxy.url}/${ID}/slow`);
    await until(() => finish !== undefined, 'the slow request at the agent');
    const closed = proxy.close(10_000);
    await streamEnded;
    await idleClosed;
    await expect(fetch(`${proxy.url}/${ID}/`)).rejects.toThrow();
    finish?.();
    expect(await (await slow).text()).toBe('finished');
    await closed;
    expect(stream.complete).toBe(true);
    await until(() => backend.sockets.size === 0, 'no connection to the agent');
  });

  test('what does not finish in time is cut off', async () => {
    let arrived = 0;
    await using backend = await startBackend((req, res) => {
      arrived += 1;
      if (req.url === '/begun') res.write('begun');
    });
    const proxy = await startProxy({ sessions: [new TestSession(ID, { port: backend.port, token: null })] });
    const silent = fetch(`${proxy.url}/${ID}/silent`);
    const begun = await fetch(`${proxy.url}/${ID}/begun`);
    const upload = connect(proxy.port, '127.0.0.1');
    const uploadClosed = new Promise((resolve) => {
      upload
        .on('close', resolve)
        .on('error', () => {})
        .resume();
    });
    upload.write(`POST /${ID}/upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhalf`);
    await until(() => arrived === 3, 'the requests at the agent');
    await proxy.close(50);
    await uploadClosed;
    const refused = await silent.catch(() => null);
    if (refused !== null) expect(refused.status).toBe(503);
    await expect(begun.text()).rejects.toThrow();
    await until(() => backend.sockets.size === 0, 'no connection to the agent');
  });
});
