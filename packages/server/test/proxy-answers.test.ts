import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { exchange, ID, startBackend, startProxy, TestSession } from './proxy-harness.ts';

describe('what reaches the client', () => {
  test('PX-137: status, headers, Set-Cookie and body come back unchanged, 404 and 500 too', async () => {
    await using backend = await startBackend((req, res) => {
      const status = Number(req.url?.slice(1));
      res.writeHead(
        status,
        `Own Words ${status}`,
        [
          ['Set-Cookie', 'a=1; Path=/'],
          ['set-cookie', 'b=2'],
          ['Set-Cookie', 'agentapi_proxy_session=evil'],
          ['X-Latin', 'caf\u00e9'],
          ['ETag', 'W/"x"'],
          ['X-Twice', '1'],
          ['X-Twice', '2'],
        ].flat(),
      );
      res.end(status === 204 || status === 304 ? undefined : `body of ${status}`);
    });
    await using proxy = await startProxy({
      sessions: [new TestSession(ID, { port: backend.port, token: null })],
    });
    for (const status of [200, 201, 204, 206, 302, 304, 404, 418, 500, 503]) {
      const answer = await exchange(
        proxy.port,
        `GET /${ID}/${status} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
      );
      expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} Own Words ${status}\r\n`));
      expect(answer).toContain('Set-Cookie: a=1; Path=/\r\nset-cookie: b=2\r\n');
      expect(answer).toContain('X-Latin: caf\u00e9\r\n');
      expect(answer).toContain('X-Twice: 1\r\nX-Twice: 2\r\n');
      expect(answer).not.toContain('evil');
      if (status !== 204 && status !== 304) expect(answer).toContain(`body of ${status}`);
    }
  });

  test('PX-075: the CORS headers of the proxy replace the agent’s, each appears once, others stay', async () => {
    await using backend = await startBackend((_req, res) => {
      res.writeHead(200, {
        'access-control-allow-origin': 'https://agent.example',
        'access-control-allow-credentials': 'true',
        'access-control-allow-methods': 'BREW',
        'access-control-allow-headers': 'X-Agent',
        'access-control-max-age': '1',
        'access-control-expose-headers': 'X-Agent-Header',
        'access-control-allow-private-network': 'true',
        vary: 'Accept-Encoding',
        'x-request-id': 'of-the-agent',
      });
      res.end();
    });
    await using proxy = await startProxy({
      sessions: [new TestSession(ID, { port: backend.port, token: null })],
    });
    const answer = await exchange(
      proxy.port,
      `GET /${ID}/ HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost:3000\r\nX-Request-Id: mine\r\nConnection: close\r\n\r\n`,
    );
    const lines = answer.toLowerCase().split('\r\n');
    const line = (name: string): string[] => lines.filter((text) => text.startsWith(`${name}:`));
    expect(line('access-control-allow-origin')).toEqual(['access-control-allow-origin: *']);
    expect(line('access-control-allow-credentials')).toEqual([]);
    expect(line('access-control-allow-methods')).toEqual([
      'access-control-allow-methods: get,head,put,patch,post,delete,options',
    ]);
    expect(line('access-control-allow-headers')).toHaveLength(1);
    expect(line('access-control-max-age')).toEqual(['access-control-max-age: 86400']);
    expect(line('access-control-expose-headers')).toEqual([
      'access-control-expose-headers: x-agent-header, x-request-id, retry-after',
    ]);
    expect(line('access-control-allow-private-network')).toHaveLength(1);
    expect(line('vary')).toEqual(['vary: accept-encoding, origin']);
    expect(line('x-request-id')).toEqual(['x-request-id: mine']);
  });

  test('PX-145: Location comes back below the session', async () => {
    await using backend = await startBackend((req, res) => {
      res.writeHead(302, { location: decodeURIComponent(req.url?.slice(2) ?? '') });
      res.end();
    });
    await using proxy = await startProxy({
      sessions: [new TestSession(ID, { port: backend.port, token: null })],
    });
    const location = async (sent: string): Promise<string | null> => {
      const response = await fetch(`${proxy.url}/${ID}/?${encodeURIComponent(sent)}`, { redirect: 'manual' });
      return response.headers.get('location');
    };
    expect(await location('/chat')).toBe(`/${ID}/chat`);
    expect(await location(`http://127.0.0.1:${backend.port}/chat`)).toBe(`/${ID}/chat`);
    expect(await location('https://example.com/')).toBe('https://example.com/');
  });

  test('PX-149: a compressed answer reaches the client decodable, and Accept-Encoding is the client’s own', async () => {
    const seen: (string | undefined)[] = [];
    await using backend = await startBackend((req, res) => {
      seen.push(req.headers['accept-encoding']?.toString());
      res.writeHead(200, { 'content-encoding': 'gzip' });
      res.end(gzipSync('packed text'));
    });
    await using proxy = await startProxy({
      sessions: [new TestSession(ID, { port: backend.port, token: null })],
    });
    expect(await (await fetch(`${proxy.url}/${ID}/`)).text()).toBe('packed text');
    await exchange(proxy.port, `GET /${ID}/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    expect(seen).toEqual(['gzip, deflate', undefined]);
  });

  test('PX-148: 103 Early Hints and trailers reach a client that wants them', async () => {
    await using backend = await startBackend((_req, res) => {
      res.writeEarlyHints({ link: '</style.css>; rel=preload' });
      res.writeHead(200, { trailer: 'X-Sum' });
      res.write('body');
      res.addTrailers({ 'X-Sum': '42' });
      res.end();
    });
    await using proxy = await startProxy({
      sessions: [new TestSession(ID, { port: backend.port, token: null })],
    });
    const answer = await exchange(
      proxy.port,
      `GET /${ID}/ HTTP/1.1\r\nHost: localhost\r\nTE: trailers\r\nConnection: close\r\n\r\n`,
    );
    expect(answer).toMatch(
      /^HTTP\/1\.1 103 Early Hints\r\nLink: <\/style\.css>; rel=preload\r\n\r\nHTTP\/1\.1 200 /i,
    );
    expect(answer).toMatch(/\r\n0\r\nX-Sum: 42\r\n\r\n$/);
    const without = await exchange(proxy.port, `GET /${ID}/ HTTP/1.0\r\nHost: localhost\r\n\r\n`);
    expect(without).toMatch(/^HTTP\/1\.1 200 /);
    expect(without).toMatch(/\r\n\r\nbody$/);
  });
});
