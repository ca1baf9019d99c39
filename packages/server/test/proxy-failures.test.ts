import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { connect, createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { exchange, ID, startBackend, startProxy, TestSession, until } from './proxy-harness.ts';

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
      answerTimeoutMs: 2_000,
    });
    const socket = connect(proxy.port, '127.0.0.1').setEncoding('latin1');
    let received = '';
    socket.on('data', (text: string) => {
      received += text;
    });
    socket.write(`POST /${ID}/upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 8\r\n\r\n`);
    // Each pause is within what a client may take; all together are more than what the agent server may.
    for (let left = 8; left > 0; left -= 1) {
      await new Promise((resolve) => setTimeout(resolve, 300));
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
      await until(() => closed === i + 1, 'its end at the agent');
    }
    // An upload that is broken off.
    const upload = connect(proxy.port, '127.0.0.1');
    upload.write(`POST /${ID}/upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nhalf`);
    await until(() => seen.length === 3, 'the upload at the agent');
    upload.destroy();
    await until(() => closed === 3, 'the end of the upload');
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
    await until(() => closed === 1, 'its end');
    await until(() => backend.sockets.size === 0, 'no connection to the agent');
    // Requests on one connection are served one after another: the second one was never passed on.
    expect(seen).toBe(1);
  });
});
