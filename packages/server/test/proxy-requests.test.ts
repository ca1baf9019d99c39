import { createHash, randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { exchange, ID, startBackend, startProxy, TestSession, until } from './proxy-harness.ts';
import { echoed, readEcho, startEcho, values } from './support/echo-backend.ts';

const TOKEN = 'token-of-the-session-0123456789';

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
