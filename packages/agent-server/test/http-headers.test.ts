import { describe, expect, test } from 'vitest';
import { callServer, exchangeRaw, serveApi } from './support/http-harness.ts';

const ROUTES = [
  '/status',
  '/messages',
  '/events',
  '/internal/screen',
  '/',
  '/chat/embed/',
  '/docs',
  '/nowhere',
];

describe('host check', () => {
  test('AA-024: a host that is not allowed gets 400 with the list, and no CORS header, on every route', async () => {
    await using served = await serveApi();
    for (const path of ROUTES) {
      const reply = await served.call({
        path,
        headers: { Host: 'evil.test', Origin: 'http://localhost:3284' },
      });
      expect(reply.status).toBe(400);
      expect(reply.text).toBe('Invalid host header. Allowed hosts: localhost, 127.0.0.1, ::1\n');
      expect(reply.headers['content-type']).toBe('text/plain; charset=utf-8');
      expect(reply.headers['x-content-type-options']).toBe('nosniff');
      expect(reply.headers.vary).toBeUndefined();
      expect(reply.headers['access-control-allow-origin']).toBeUndefined();
    }
    const preflight = await served.call({
      method: 'OPTIONS',
      path: '/message',
      headers: {
        Host: 'evil.test',
        Origin: 'http://localhost:3284',
        'Access-Control-Request-Method': 'POST',
      },
    });
    expect(preflight.status).toBe(400);
    expect(served.logLines.filter((line) => line.includes('Host header'))).toHaveLength(1);
  });

  test('AA-024: a missing Host header is refused like a foreign one', async () => {
    await using served = await serveApi();
    const answer = await exchangeRaw(served.port, 'GET /status HTTP/1.1\r\nConnection: close\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain('Invalid host header.');
  });

  test('AA-025: the match ignores port and case, knows IPv6 brackets, and takes a trailing dot seriously', async () => {
    await using served = await serveApi();
    const status = async (Host: string) => (await served.call({ path: '/status', headers: { Host } })).status;
    for (const host of ['localhost', 'LOCALHOST:9999', '127.0.0.1:1', '[::1]', '[::1]:3284', 'localhost:']) {
      expect([host, await status(host)]).toEqual([host, 200]);
    }
    for (const host of [
      'localhost.',
      '::1',
      'localhost:x',
      'localhost@evil.test',
      '127.0.0.2',
      'evil.test:80',
    ]) {
      expect([host, await status(host)]).toEqual([host, 400]);
    }
  });

  test('AA-025: the host of an absolute request target counts', async () => {
    await using served = await serveApi();
    const get = (target: string, host: string) =>
      exchangeRaw(served.port, `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    expect(await get('http://localhost/status', 'evil.test')).toMatch(/^HTTP\/1\.1 200 /);
    expect(await get('http://evil.test/status', 'localhost')).toMatch(/^HTTP\/1\.1 400 /);
  });

  test('AA-026: `*` allows every host, even beside invalid entries', async () => {
    await using served = await serveApi({ allowedHosts: ['http://x', '*', 'a b'] });
    expect((await served.call({ path: '/status', headers: { Host: 'evil.test' } })).status).toBe(200);
  });

  test.each([
    [[], 'the list must not be empty'],
    [['a b'], "'a b' contains whitespace characters, which are not allowed"],
    [['a\u0085b'], 'contains whitespace characters, which are not allowed'],
    [['a,b'], "'a,b' contains comma characters, which are not allowed"],
    [['http://a'], "'http://a' must not include http:// or https://"],
    [['a/b'], "'a/b' is not a valid host: "],
    [['[::1'], "'[::1' is not a valid host: "],
    [['a:b'], "'a:b' is not a valid host: "],
    [['a:80'], "'a:80' must not include a port"],
    [['[::1]:80'], "'[::1]:80' must not include a port"],
    [['::1'], "'::1' must not include a port"],
    // The kinds of error are looked for one after the other, each in the whole list.
    [['a:80', 'http://a', 'a,b', 'a b'], "'a b' contains whitespace"],
    [['a:80', 'http://a', 'a,b'], "'a,b' contains comma"],
    [['a:80', 'http://a'], "'http://a' must not include http:// or https://"],
  ])('AA-027: the host list %j is refused', async (allowedHosts, text) => {
    await expect(serveApi({ allowedHosts })).rejects.toThrow(
      `failed to create server: failed to parse allowed hosts: `,
    );
    await expect(serveApi({ allowedHosts })).rejects.toThrow(text);
  });
});

describe('CORS', () => {
  const ORIGIN = 'http://localhost:3000';

  test('AA-028: an allowed origin is echoed with credentials and the exposed Link header', async () => {
    await using served = await serveApi();
    for (const origin of [ORIGIN, 'HTTP://LOCALHOST:3000']) {
      const { headers } = await served.call({ path: '/status', headers: { Origin: origin } });
      expect(headers['access-control-allow-origin']).toBe(origin);
      expect(headers['access-control-allow-credentials']).toBe('true');
      expect(headers['access-control-expose-headers']).toBe('Link');
    }
  });

  test('AA-028: a list of `*` answers `*`', async () => {
    await using served = await serveApi({ allowedOrigins: ['*'] });
    const { headers } = await served.call({ path: '/status', headers: { Origin: 'https://any.test' } });
    expect(headers['access-control-allow-origin']).toBe('*');
    expect(headers['access-control-allow-credentials']).toBe('true');
  });

  test('AA-028: a request of a foreign origin is processed, without CORS headers', async () => {
    await using served = await serveApi();
    const reply = await served.call({
      method: 'POST',
      path: '/message',
      headers: { Origin: 'http://evil.test' },
      body: JSON.stringify({ type: 'raw', content: 'x' }),
    });
    expect(reply.status).toBe(200);
    expect(served.conversation.sent).toEqual([{ type: 'raw', content: 'x' }]);
    expect(Object.keys(reply.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  });

  test('AA-029: every response past the host check varies by origin', async () => {
    await using served = await serveApi();
    for (const path of ROUTES.filter(
      (route) => !route.startsWith('/events') && !route.startsWith('/internal'),
    )) {
      for (const method of ['GET', 'PATCH']) {
        expect((await served.call({ method, path })).headers.vary).toBe('Origin');
      }
    }
    await using stream = await served.stream('/events');
    expect(stream.headers.vary).toBe('Origin');
  });

  const preflight = (port: number, headers: Record<string, string>, path = '/message') =>
    callServer(port, { method: 'OPTIONS', path, headers });

  test('AA-030: a preflight that asks for what is allowed gets it', async () => {
    await using served = await serveApi();
    for (const path of ['/message', '/nowhere']) {
      const reply = await preflight(
        served.port,
        {
          Origin: ORIGIN,
          'Access-Control-Request-Method': 'POST',
          'Access-Control-Request-Headers': 'content-type, X-CSRF-Token',
        },
        path,
      );
      expect(reply.status).toBe(200);
      expect(reply.text).toBe('');
      expect(reply.all('Vary')).toEqual([
        'Origin',
        'Access-Control-Request-Method',
        'Access-Control-Request-Headers',
      ]);
      expect(reply.headers).toMatchObject({
        'access-control-allow-origin': ORIGIN,
        'access-control-allow-methods': 'POST',
        'access-control-allow-headers': 'content-type, X-CSRF-Token',
        'access-control-allow-credentials': 'true',
        'access-control-max-age': '300',
      });
    }
  });

  test.each([
    ['a foreign origin', { Origin: 'http://evil.test', 'Access-Control-Request-Method': 'POST' }],
    ['no origin', { 'Access-Control-Request-Method': 'POST' }],
    ['a foreign method', { Origin: ORIGIN, 'Access-Control-Request-Method': 'PATCH' }],
    [
      'one foreign header',
      {
        Origin: ORIGIN,
        'Access-Control-Request-Method': 'POST',
        'Access-Control-Request-Headers': 'content-type, x-api-key',
      },
    ],
  ])('AA-030: a preflight with %s gets 200 without CORS headers', async (_, headers) => {
    await using served = await serveApi();
    const reply = await preflight(served.port, headers);
    expect(reply.status).toBe(200);
    expect(reply.text).toBe('');
    expect(Object.keys(reply.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
    expect(reply.all('Vary')).toHaveLength(3);
  });

  test('AA-030: OPTIONS that asks for nothing is no preflight', async () => {
    await using served = await serveApi();
    const reply = await preflight(served.port, { Origin: ORIGIN });
    expect(reply.status).toBe(405);
    expect(reply.headers['access-control-allow-origin']).toBe(ORIGIN);
  });

  test('AA-031: a wildcard inside an origin works; path, query and trailing slash are ignored', async () => {
    const allowedOrigins = ['https://*.example.com/path?q#f', 'http://[::1]:8080/', 'http://user@plain.test'];
    await using served = await serveApi({ allowedOrigins });
    const allowed = async (Origin: string) =>
      (await served.call({ path: '/status', headers: { Origin } })).headers['access-control-allow-origin'];
    for (const origin of [
      'https://a.example.com',
      'https://a.b.EXAMPLE.com',
      'http://[::1]:8080',
      'http://plain.test',
    ]) {
      expect(await allowed(origin)).toBe(origin);
    }
    for (const origin of [
      'https://example.com',
      'http://a.example.com',
      'https://a.example.com.evil.test',
      'null',
    ]) {
      expect(await allowed(origin)).toBeUndefined();
    }
  });

  test.each([
    [[], 'the list must not be empty'],
    [['http://a b'], 'contains whitespace characters, which are not allowed'],
    [['http://a,http://b'], 'contains comma characters, which are not allowed'],
    [['localhost:3000'], "'localhost:3000' is not a valid origin"],
  ])('AA-031: the origin list %j is refused', async (allowedOrigins, text) => {
    const refused = serveApi({ allowedOrigins });
    await expect(refused).rejects.toThrow('failed to create server: failed to parse allowed origins: ');
    await expect(refused).rejects.toThrow(text);
  });
});

describe('token', () => {
  const TOKEN = 'a-token-of-some-length';

  test('AA-166: without the token every request is 401 before anything else, streams and preflight included', async () => {
    await using served = await serveApi({ token: TOKEN });
    for (const path of ROUTES) {
      for (const headers of [
        {},
        { 'x-agentapi-token': `${TOKEN}x` },
        { Host: 'evil.test' },
        { Origin: 'http://x' },
      ]) {
        const reply = await served.call({ path, headers });
        expect([path, reply.status]).toEqual([path, 401]);
        expect(reply.headers['content-type']).toBe('application/problem+json');
        expect(reply.json()).toMatchObject({ title: 'Unauthorized', status: 401 });
        expect(reply.headers.vary).toBeUndefined();
      }
    }
    const preflight = await served.call({
      method: 'OPTIONS',
      path: '/message',
      headers: { Origin: 'http://localhost:3000', 'Access-Control-Request-Method': 'POST' },
    });
    expect(preflight.status).toBe(401);
    expect(served.conversation.subscribers).toBe(0);
  });

  test('AA-166: the token opens every route, as its own header or as a bearer token', async () => {
    await using served = await serveApi({ token: TOKEN });
    const credentials: Record<string, string>[] = [
      { 'x-agentapi-token': TOKEN },
      { Authorization: `Bearer ${TOKEN}` },
    ];
    for (const headers of credentials) {
      expect((await served.call({ path: '/status', headers })).status).toBe(200);
      await using stream = await served.stream('/events', headers);
      expect(stream.status).toBe(200);
    }
  });
});
