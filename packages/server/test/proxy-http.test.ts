import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { connect, createServer } from 'node:net';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { exchange, ID, startBackend, startProxy, TestSession, until } from './proxy-harness.ts';

const TOKEN = 'token-of-the-session-0123456789';

const echoSchema = z.object({
  method: z.string(),
  url: z.string(),
  headers: z.array(z.string()),
  bytes: z.number(),
  sha256: z.string(),
});
type Echo = z.infer<typeof echoSchema>;

function readEcho(answer: string): Echo {
  return echoSchema.parse(JSON.parse(answer.slice(answer.indexOf('{'), answer.lastIndexOf('}') + 1)));
}

/** Answers with what arrived, as JSON. */
function startEcho() {
  return startBackend((req, res) => {
    const hash = createHash('sha256');
    let bytes = 0;
    req.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      hash.update(chunk);
    });
    req.on('end', () => {
      const echo: Echo = {
        method: req.method ?? '',
        url: req.url ?? '',
        headers: req.rawHeaders,
        bytes,
        sha256: hash.digest('hex'),
      };
      res.setHeader('x-method', echo.method);
      res.end(JSON.stringify(echo));
    });
  });
}

function values(headers: readonly string[], name: string): string[] {
  return headers.filter((_value, i) => i % 2 === 1 && headers[i - 1]?.toLowerCase() === name);
}

async function echoed(port: number, head: string, body = ''): Promise<Echo> {
  const answer = await exchange(port, `${head}Connection: close\r\n\r\n${body}`);
  expect(answer).toMatch(/^HTTP\/1\.1 200 /);
  return readEcho(answer);
}

describe('what reaches the agent', () => {
  test('PX-133: methods arrive with body and content type intact', async () => {
    await using backend = await startEcho();
    const session = new TestSession(ID, { port: backend.port, token: TOKEN });
    await using proxy = await startProxy({ sessions: [session] });
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'REPORT']) {
      const body = method === 'GET' || method === 'OPTIONS' ? '' : 'früh\u0000x';
      const response = await fetch(`${proxy.url}/${ID}/a`, {
        method,
        ...(body === '' ? {} : { body, headers: { 'content-type': 'text/x-odd; a="b"' } }),
      });
      const echo = readEcho(await response.text());
      expect(echo.method).toBe(method);
      expect(echo.bytes).toBe(Buffer.byteLength(body));
      expect(echo.sha256).toBe(createHash('sha256').update(body).digest('hex'));
      if (body !== '') expect(values(echo.headers, 'content-type')).toEqual(['text/x-odd; a="b"']);
    }
    expect(session.touched).toBe(8);
  });

  test('PX-064: HEAD is proxied as HEAD and has no body', async () => {
    await using backend = await startBackend((req, res) => {
      res.writeHead(200, { 'content-length': '1234', 'x-method': req.method });
      res.end();
    });
    await using proxy = await startProxy({
      sessions: [new TestSession(ID, { port: backend.port, token: null })],
    });
    const answer = await exchange(
      proxy.port,
      `HEAD /${ID}/x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
    );
    expect(answer).toMatch(/x-method: HEAD/i);
    expect(answer).toMatch(/content-length: 1234/i);
    expect(answer.endsWith('\r\n\r\n')).toBe(true);
  });

  test.each([
    ['PX-134', '/?a=1&b=%20x;y=1&c', '/?a=1&b=%20x;y=1&c'],
    ['PX-135', '/e/a%2Fb/c%20d', '/e/a%2Fb/c%20d'],
    ['PX-135', '/id%c3%a9/%zz?x=%20;y', '/id%c3%a9/%zz?x=%20;y'],
    ['PX-136', '/a/', '/a/'],
    ['PX-136', '//a//b/', '//a//b/'],
    ['PX-060', '/', '/'],
    ['DF-23', '/a/../../b/./c', '/a/../../b/./c'],
    ['DF-23', '/..%2f..%2fstart', '/..%2f..%2fstart'],
  ])('%s: %s arrives as %s, byte for byte', async (_id, sent, arrived) => {
    await using backend = await startEcho();
    await using proxy = await startProxy({
      sessions: [new TestSession(ID, { port: backend.port, token: null })],
    });
    const echo = await echoed(proxy.port, `GET /${ID}${sent} HTTP/1.1\r\nHost: localhost\r\n`);
    expect(echo.url).toBe(arrived);
  });

  test('PX-138, PX-139, PX-140: the agent is told the truth about host, client, protocol and prefix', async () => {
    await using backend = await startEcho();
    await using proxy = await startProxy({
      sessions: [new TestSession(ID, { port: backend.port, token: TOKEN })],
    });
    const { headers } = await echoed(
      proxy.port,
      `GET /${ID}/ HTTP/1.1\r\nHost: localhost:81\r\nX-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\n` +
        'X-Forwarded-Host: evil.example\r\nX-Forwarded-Prefix: /evil\r\nX-Forwarded-Port: 1\r\n' +
        'Forwarded: for=6.6.6.6\r\nX-Real-IP: 6.6.6.6\r\nX-AgentAPI-Token: guess\r\nX-Request-Id: my-id.1\r\n',
    );
    expect(values(headers, 'host')).toEqual([`127.0.0.1:${backend.port}`]);
    expect(values(headers, 'x-forwarded-for')).toEqual(['127.0.0.1']);
    expect(values(headers, 'x-forwarded-proto')).toEqual(['http']);
    expect(values(headers, 'x-forwarded-host')).toEqual(['localhost:81']);
    expect(values(headers, 'x-forwarded-prefix')).toEqual([`/${ID}`]);
    expect(values(headers, 'x-agentapi-token')).toEqual([TOKEN]);
    expect(values(headers, 'x-request-id')).toEqual(['my-id.1']);
    expect(headers.join('\n')).not.toMatch(/evil|6\.6\.6\.6|guess|x-forwarded-port/i);
  });

  test('PX-138, PX-139: a trusted proxy is believed and continued', async () => {
    await using backend = await startEcho();
    await using proxy = await startProxy({
      sessions: [new TestSession(ID, { port: backend.port, token: null })],
      trustedProxies: ['127.0.0.0/8'],
    });
    const { headers } = await echoed(
      proxy.port,
      `GET /${ID}/ HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 10.1.1.1\r\nX-Forwarded-Proto: https\r\n` +
        'X-Forwarded-Host: agents.example\r\nX-Forwarded-Prefix: /outer/\r\n',
    );
    expect(values(headers, 'x-forwarded-for')).toEqual(['10.1.1.1, 127.0.0.1']);
    expect(values(headers, 'x-forwarded-proto')).toEqual(['https']);
    expect(values(headers, 'x-forwarded-host')).toEqual(['agents.example']);
    expect(values(headers, 'x-forwarded-prefix')).toEqual([`/outer/${ID}`]);
  });

  test('PX-141: keys and the cookies of the proxy stay out; other cookies and origins pass', async () => {
    await using backend = await startEcho();
    await using proxy = await startProxy({
      sessions: [new TestSession(ID, { port: backend.port, token: null })],
      keys: { secret: { userId: 'alice', role: 'user', permissions: new Set(['*']) } },
    });
    const { headers } = await echoed(
      proxy.port,
      `GET /${ID}/ HTTP/1.1\r\nHost: any.example\r\nx-api-KEY: secret\r\nAuthorization: Bearer secret\r\n` +
        'Proxy-Authorization: Basic secret\r\nOrigin: https://ui.example\r\n' +
        'Cookie: a=1; agentapi_proxy_session=secret; b=2\r\nCookie: agentapi_proxy=secret\r\n',
    );
    expect(headers.join('\n')).not.toContain('secret');
    expect(values(headers, 'cookie')).toEqual(['a=1; b=2']);
    expect(values(headers, 'origin')).toEqual(['https://ui.example']);
  });

  test('DF-05: without authentication Authorization belongs to the agent, the key header does not', async () => {
    await using backend = await startEcho();
    await using proxy = await startProxy({
      sessions: [new TestSession(ID, { port: backend.port, token: null })],
    });
    const { headers } = await echoed(
      proxy.port,
      `GET /${ID}/ HTTP/1.1\r\nHost: localhost\r\nX-API-Key: secret\r\nAuthorization: Basic eA==\r\n`,
    );
    expect(values(headers, 'authorization')).toEqual(['Basic eA==']);
    expect(headers.join('\n')).not.toContain('secret');
  });

  test('PX-142: hop-by-hop headers and those named in Connection are not forwarded; repeated ones stay apart', async () => {
    await using backend = await startEcho();
    await using proxy = await startProxy({
      sessions: [new TestSession(ID, { port: backend.port, token: TOKEN })],
    });
    const answer = await exchange(
      proxy.port,
      `GET /${ID}/ HTTP/1.1\r\nHost: localhost\r\nConnection: close, X-Drop, x-agentapi-token, x-forwarded-for\r\n` +
        'X-Drop: 1\r\nKeep-Alive: timeout=9\r\nProxy-Connection: keep-alive\r\nTE: gzip, trailers\r\nTrailer: X-T\r\n' +
        'X-Twice: a\r\nX-TWICE: b\r\nAccept-Encoding: br;q=0.1\r\n\r\n',
    );
    const { headers } = readEcho(answer);
    expect(headers.join('\n')).not.toMatch(/x-drop|keep-alive: |proxy-connection|trailer\n|timeout=9/i);
    expect(values(headers, 'te')).toEqual(['trailers']);
    expect(values(headers, 'connection')).toEqual(['keep-alive']);
    expect(values(headers, 'x-twice')).toEqual(['a', 'b']);
    expect(values(headers, 'accept-encoding')).toEqual(['br;q=0.1']);
    expect(values(headers, 'x-agentapi-token')).toEqual([TOKEN]);
    expect(values(headers, 'x-forwarded-for')).toEqual(['127.0.0.1']);
  });

  test('PX-148: a body sent after 100 Continue, chunked and with trailers, arrives whole', async () => {
    await using backend = await startEcho();
    await using proxy = await startProxy({
      sessions: [new TestSession(ID, { port: backend.port, token: null })],
    });
    const socket = connect(proxy.port, '127.0.0.1');
    let received = '';
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
    });
    socket.write(
      `POST /${ID}/ HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n`,
    );
    await until(() => received.includes('HTTP/1.1 100 Continue\r\n\r\n'), '100 Continue');
    socket.write('5\r\nhello\r\n6;ext=1\r\n world\r\n0\r\nX-Trailer: 1\r\n\r\n');
    await until(() => received.includes('"sha256"'), 'the answer');
    expect(received).toContain('"bytes":11');
    expect(received).toContain(createHash('sha256').update('hello world').digest('hex'));
    socket.destroy();
  });

  test('PX-065: a body over the limit is 413, announced or not, and nothing is asked for first', async () => {
    await using backend = await startEcho();
    await using proxy = await startProxy({
      sessions: [new TestSession(ID, { port: backend.port, token: null })],
      maxBodyBytes: 100_000,
    });
    const announced = await exchange(
      proxy.port,
      `POST /${ID}/ HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 100001\r\nConnection: close\r\n\r\n`,
    );
    expect(announced).toMatch(/^HTTP\/1\.1 413 /);
    expect(announced).toContain('"code":"body_too_large"');

    const response = await fetch(`${proxy.url}/${ID}/`, {
      method: 'POST',
      body: new Blob([randomBytes(60_000), randomBytes(60_000)]).stream(),
      duplex: 'half',
    } as RequestInit);
    expect(response.status).toBe(413);
    expect(await response.json()).toMatchObject({ code: 'body_too_large' });

    const whole = await fetch(`${proxy.url}/${ID}/`, { method: 'POST', body: randomBytes(100_000) });
    expect(readEcho(await whole.text()).bytes).toBe(100_000);
  });

  test('PX-065: the client that sends far too much still reads its 413', async () => {
    await using backend = await startEcho();
    await using proxy = await startProxy({
      sessions: [new TestSession(ID, { port: backend.port, token: null })],
      maxBodyBytes: 1000,
    });
    const size = 20 * 1024 * 1024;
    const answer = await exchange(
      proxy.port,
      Buffer.concat([
        Buffer.from(`POST /${ID}/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${size}\r\n\r\n`),
        Buffer.alloc(size),
      ]),
    );
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer).toContain('"code":"body_too_large"');
  });
});

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

describe('failures', () => {
  test('PX-143: an agent that does not listen is 502 in the JSON shape', async () => {
    const backend = await startBackend(() => {});
    const { port } = backend;
    await backend[Symbol.asyncDispose]();
    await using proxy = await startProxy({ sessions: [new TestSession(ID, { port, token: null })] });
    const response = await fetch(`${proxy.url}/${ID}/`, { headers: { 'x-request-id': 'abc' } });
    expect(response.status).toBe(502);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    expect(await response.json()).toEqual({
      message: 'Bad Gateway',
      code: 'upstream_failed',
      request_id: 'abc',
    });
    await until(() => proxy.logged().includes('agent server did not answer'), 'the log line');
    expect(proxy.logged()).toContain('ECONNREFUSED');
    expect(proxy.logged()).not.toContain('"stack"');
  });

  test('PX-144: an agent that resets or closes before an answer is 502', async () => {
    await using backend = await startBackend((req) => {
      if (req.url === '/reset') req.socket.resetAndDestroy();
      else req.socket.destroy();
    });
    await using proxy = await startProxy({
      sessions: [new TestSession(ID, { port: backend.port, token: null })],
    });
    for (const path of ['reset', 'close']) {
      expect((await fetch(`${proxy.url}/${ID}/${path}`)).status).toBe(502);
      expect((await fetch(`${proxy.url}/${ID}/${path}`, { method: 'POST', body: 'x' })).status).toBe(502);
    }
  });

  test.each(['length', 'chunked'])(
    'PX-144: an agent that dies in mid-body breaks the transfer (%s)',
    async (kind) => {
      await using backend = await startBackend((_req, res) => {
        if (kind === 'length') res.setHeader('content-length', '1000');
        res.write('half');
        setTimeout(() => res.destroy(), 20);
      });
      await using proxy = await startProxy({
        sessions: [new TestSession(ID, { port: backend.port, token: null })],
      });
      const response = await fetch(`${proxy.url}/${ID}/`);
      expect(response.status).toBe(200);
      await expect(response.text()).rejects.toThrow();
      const raw = await exchange(
        proxy.port,
        `GET /${ID}/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
      );
      expect(raw).toContain('half');
      expect(raw.endsWith('0\r\n\r\n')).toBe(false);
    },
  );

  test('PX-144: without a length and without chunks (HTTP/1.0) the connection is reset', async () => {
    await using backend = await startBackend((_req, res) => {
      res.write('half');
      setTimeout(() => res.destroy(), 20);
    });
    await using proxy = await startProxy({
      sessions: [new TestSession(ID, { port: backend.port, token: null })],
    });
    const socket = connect(proxy.port, '127.0.0.1');
    socket.resume();
    socket.write(`GET /${ID}/ HTTP/1.0\r\nHost: localhost\r\n\r\n`);
    const error = await new Promise<Error>((resolve) => {
      socket.on('error', resolve);
    });
    expect(error).toMatchObject({ code: 'ECONNRESET' });
  });

  test('PX-143: an answer that is not HTTP is 502', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.end('SSH-2.0-OpenSSH\r\n');
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const { port } = address;
    await using proxy = await startProxy({ sessions: [new TestSession(ID, { port, token: null })] });
    expect((await fetch(`${proxy.url}/${ID}/`)).status).toBe(502);
    server.close();
  });

  test('504 when an answer timeout is configured', async () => {
    await using backend = await startBackend(() => {});
    await using proxy = await startProxy({
      sessions: [new TestSession(ID, { port: backend.port, token: null })],
      answerTimeoutMs: 1100,
    });
    const response = await fetch(`${proxy.url}/${ID}/`);
    expect(response.status).toBe(504);
    expect(await response.json()).toMatchObject({ code: 'upstream_timeout' });
  });

  test('the time for an answer begins with the end of the request: an upload may take longer', async () => {
    await using backend = await startBackend((req, res) => {
      req.resume().on('end', () => res.end('ok'));
    });
    await using proxy = await startProxy({
      sessions: [new TestSession(ID, { port: backend.port, token: null })],
      answerTimeoutMs: 100,
    });
    const socket = connect(proxy.port, '127.0.0.1').setEncoding('latin1');
    let received = '';
    socket.on('data', (text: string) => {
      received += text;
    });
    socket.write(`POST /${ID}/upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 8\r\n\r\n`);
    // Each pause is within what a client may take; all together are more than what the agent server may.
    for (let left = 8; left > 0; left -= 1) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      socket.write('x');
    }
    await until(() => received.endsWith('ok'), 'the answer');
    expect(received).toMatch(/^HTTP\/1\.1 200 /);
    socket.destroy();
  });

  test('PX-147: a client that leaves closes the agent’s request, before and within the answer', async () => {
    let closed = 0;
    const seen: IncomingMessage[] = [];
    await using backend = await startBackend((req, res) => {
      seen.push(req);
      res.on('close', () => {
        closed += 1;
      });
      if (req.url === '/begun') res.write('begun');
    });
    await using proxy = await startProxy({
      sessions: [new TestSession(ID, { port: backend.port, token: null })],
    });
    for (const [i, path] of ['silent', 'begun'].entries()) {
      const client = request(`${proxy.url}/${ID}/${path}`);
      client.on('error', () => {});
      if (path === 'begun') client.on('response', () => client.destroy());
      client.end();
      await until(() => seen.length === i + 1, 'the request at the agent');
      if (path === 'silent') client.destroy();
      await until(() => closed === i + 1, 'its end at the agent', 1_000);
    }
    // An upload that is broken off.
    const upload = connect(proxy.port, '127.0.0.1');
    upload.write(`POST /${ID}/upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nhalf`);
    await until(() => seen.length === 3, 'the upload at the agent');
    upload.destroy();
    await until(() => closed === 3, 'the end of the upload', 1_000);
    await until(() => backend.sockets.size === 0, 'no connection left');
    expect(seen).toHaveLength(3);
  });

  test('PX-147: a client that leaves while its request waits behind another one on the same connection', async () => {
    let closed = 0;
    let seen = 0;
    await using backend = await startBackend((_req, res) => {
      seen += 1;
      res.on('close', () => {
        closed += 1;
      });
    });
    await using proxy = await startProxy({
      sessions: [new TestSession(ID, { port: backend.port, token: null })],
    });
    const head = `GET /${ID}/ HTTP/1.1\r\nHost: localhost\r\n\r\n`;
    const client = connect(proxy.port, '127.0.0.1');
    client.write(head + head);
    await until(() => seen === 1, 'the first request at the agent');
    client.destroy();
    await until(() => closed === 1, 'its end', 1_000);
    await until(() => backend.sockets.size === 0, 'no connection to the agent');
    // Requests on one connection are served one after another: the second one was never passed on.
    expect(seen).toBe(1);
  });
});

describe('connections', () => {
  test('PX-234: connections to the agent are kept between requests', async () => {
    await using backend = await startEcho();
    await using proxy = await startProxy({
      sessions: [new TestSession(ID, { port: backend.port, token: null })],
    });
    for (let i = 0; i < 20; i += 1) await (await fetch(`${proxy.url}/${ID}/`)).text();
    for (let i = 0; i < 20; i += 1)
      await (await fetch(`${proxy.url}/${ID}/`, { method: 'POST', body: 'x' })).text();
    expect(backend.accepted).toBe(1);
  });

  test('PX-143: a kept connection that the agent has closed meanwhile costs no request', async () => {
    await using backend = await startBackend((req, res) => {
      res.end('ok');
      // The end of the connection and the next request cross on the way.
      setImmediate(() => req.socket.destroy());
    });
    await using proxy = await startProxy({
      sessions: [new TestSession(ID, { port: backend.port, token: null })],
    });
    for (let i = 0; i < 50; i += 1) {
      const response = await fetch(`${proxy.url}/${ID}/${i}`);
      expect([response.status, await response.text()]).toEqual([200, 'ok']);
    }
  });

  test('PX-150: a slow answer delays nobody else', async () => {
    const waiting: (() => void)[] = [];
    await using slow = await startBackend((_req, res) => {
      waiting.push(() => res.end('slow'));
    });
    await using quick = await startBackend((_req, res) => res.end('quick'));
    const other = '11111111-2222-4333-8444-555555555555';
    await using proxy = await startProxy({
      sessions: [
        new TestSession(ID, { port: slow.port, token: null }),
        new TestSession(other, { port: quick.port, token: null }),
      ],
    });
    const slowAnswers = Array.from({ length: 300 }, async () => (await fetch(`${proxy.url}/${ID}/`)).text());
    await until(() => waiting.length === 300, 'all requests at the slow agent');
    expect(await (await fetch(`${proxy.url}/${other}/`)).text()).toBe('quick');
    for (const answer of waiting) answer();
    expect(new Set(await Promise.all(slowAnswers))).toEqual(new Set(['slow']));
  });

  test('PX-146, PX-234: 50 MB each way pass unchanged, and a reader that stops holds the agent up', async () => {
    const size = 50 * 1024 * 1024;
    const block = randomBytes(64 * 1024);
    let written = 0;
    await using backend = await startBackend((req, res) => {
      if (req.url === '/down') {
        const more = (): void => {
          while (written < size) {
            written += block.length;
            if (!res.write(block)) {
              res.once('drain', more);
              return;
            }
          }
          res.end();
        };
        more();
        return;
      }
      const hash = createHash('sha256');
      req.on('data', (chunk: Buffer) => hash.update(chunk));
      req.on('end', () => res.end(hash.digest('hex')));
    });
    await using proxy = await startProxy({
      sessions: [new TestSession(ID, { port: backend.port, token: null })],
    });

    const upload = Buffer.concat(Array.from({ length: size / block.length }, () => block));
    const response = await fetch(`${proxy.url}/${ID}/up`, { method: 'POST', body: upload });
    const sent = createHash('sha256').update(upload).digest('hex');
    expect(await response.text()).toBe(sent);

    const download = await new Promise<IncomingMessage>((resolve) => {
      request(`${proxy.url}/${ID}/down`, resolve).end();
    });
    download.pause();
    let before = 0;
    let unchanged = 0;
    await until(() => {
      unchanged = written > 0 && written === before ? unchanged + 1 : 0;
      before = written;
      return unchanged > 20;
    }, 'the agent being held up');
    // Buffers of four sockets and of the streams between them, but not the whole.
    expect(written).toBeLessThan(size / 2);
    const hash = createHash('sha256');
    download.on('data', (chunk: Buffer) => hash.update(chunk)).resume();
    await once(download, 'end');
    expect(hash.digest('hex')).toBe(sent);
  });
});

test('PX-147, PX-234: of 600 requests broken off at any moment nothing is left, and the next ones work', async () => {
  const kinds = ['/echo', '/stream', '/silent', '/reset', '/early'];
  let open = 0;
  await using backend = await startBackend((req, res) => {
    open += 1;
    res.on('close', () => {
      open -= 1;
    });
    req.on('error', () => {});
    if (req.url === '/echo') req.pipe(res);
    else req.resume();
    if (req.url === '/stream') for (let i = 0; i < 50; i += 1) res.write(randomBytes(10_000));
    if (req.url === '/reset') setImmediate(() => req.socket.resetAndDestroy());
    if (req.url === '/early') res.end('answered before the body was read');
  });
  const session = new TestSession(ID, { port: backend.port, token: null });
  await using proxy = await startProxy({ sessions: [session] });
  const one = async (i: number): Promise<void> => {
    const body = i % 2 === 0 ? randomBytes((i * 7919) % 300_000) : null;
    const socket = connect(proxy.port, '127.0.0.1');
    socket.on('error', () => {});
    if (i % 3 !== 0) socket.resume();
    const head = `${body === null ? 'GET' : 'POST'} /${ID}${kinds[i % kinds.length]} HTTP/1.1\r\nHost: localhost\r\n`;
    socket.write(body === null ? `${head}\r\n` : `${head}Content-Length: ${body.length + (i % 4)}\r\n\r\n`);
    if (body !== null) socket.write(body);
    // Some leave at once, some after the first bytes of the answer, some a little later.
    if (i % 5 < 2) {
      await Promise.race([
        once(socket, i % 3 === 0 ? 'connect' : 'data').catch(() => null),
        once(socket, 'close'),
        new Promise((resolve) => {
          setTimeout(resolve, i % 50);
        }),
      ]);
    }
    if (i % 7 === 0) socket.resetAndDestroy();
    else socket.destroy();
  };
  for (let batch = 0; batch < 6; batch += 1) {
    await Promise.all(Array.from({ length: 100 }, (_value, i) => one(batch * 100 + i)));
  }
  await until(() => open === 0, 'the end of every request at the agent');
  const response = await fetch(`${proxy.url}/${ID}/echo`, { method: 'POST', body: 'still here' });
  expect(await response.text()).toBe('still here');
  session.become('stopped');
  await until(() => backend.sockets.size === 0, 'no connection to the agent');
  expect(proxy.logged()).not.toContain('"level":50');
});
