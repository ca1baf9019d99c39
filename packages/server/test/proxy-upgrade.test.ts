import { createHash, randomBytes } from 'node:crypto';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { once } from 'node:events';
import { connect, Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import WebSocket, { WebSocketServer } from 'ws';
import type { RawData } from 'ws';
import { z } from 'zod';
import { exchange, ID, principal, startBackend, startProxy, TestSession, until } from './proxy-harness.ts';
import type { TestBackend } from './proxy-harness.ts';

function bytesOf(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}

/** An agent that speaks WebSocket and sends back what it gets. */
async function startEchoSockets(): Promise<{
  backend: TestBackend;
  heads: IncomingMessage[];
  closes: [number, string][];
}> {
  const heads: IncomingMessage[] = [];
  const closes: [number, string][] = [];
  const backend = await startBackend((_req, res) => res.end('plain'));
  const sockets = new WebSocketServer({ server: backend.server, handleProtocols: () => 'two' });
  sockets.on('connection', (socket, req) => {
    heads.push(req);
    socket.on('message', (data, binary) => {
      if (bytesOf(data).toString() === 'close me') socket.close(4001, 'as you wish');
      else socket.send(data, { binary });
    });
    socket.on('close', (code, reason) => closes.push([code, reason.toString()]));
  });
  return { backend, heads, closes };
}

/** An agent that answers an upgrade with raw bytes of the test's choice. */
function startRawUpgrade(
  onUpgrade: (socket: Socket, head: Buffer, req: IncomingMessage) => void,
): Promise<TestBackend> {
  return startBackend((_req, res) => res.end('plain')).then((backend) => {
    backend.server.on('upgrade', (req, socket, head) => {
      socket.on('error', () => {});
      if (socket instanceof Socket) onUpgrade(socket, head, req);
    });
    return backend;
  });
}

const UPGRADE = 'Connection: Upgrade\r\nUpgrade: test\r\n';
const SWITCH =
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: test\r\nX-Agent: yes\r\n\r\n';

/** The status and JSON error of an upgrade that is refused. */
async function refused(
  port: number,
  path: string,
  headers: Record<string, string> = {},
): Promise<[number, string]> {
  const req = request({
    port,
    path,
    headers: {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'eA==',
      ...headers,
    },
  });
  const res = await new Promise<IncomingMessage>((resolve, reject) => {
    req.on('response', resolve).on('error', reject).end();
  });
  let body = '';
  for await (const chunk of res) body += String(chunk);
  expect(res.headers['content-type']).toBe('application/json');
  expect(res.headers['access-control-allow-origin']).toBe('*');
  return [res.statusCode ?? 0, z.object({ code: z.string() }).parse(JSON.parse(body)).code];
}

describe('WebSocket', () => {
  test('PX-159: messages of every size pass both ways, with protocol, path and token', async () => {
    const { backend, heads } = await startEchoSockets();
    await using _backend = backend;
    await using proxy = await startProxy({
      sessions: [new TestSession(ID, { port: backend.port, token: 't0ken' })],
    });
    const socket = new WebSocket(`ws://127.0.0.1:${proxy.port}/${ID}/attach?x=%20;y`, ['one', 'two'], {
      headers: { 'x-api-key': 'secret' },
    });
    const received: Buffer[] = [];
    socket.on('message', (data) => received.push(bytesOf(data)));
    await new Promise((resolve) => {
      socket.on('open', resolve);
    });
    expect(socket.protocol).toBe('two');
    expect(heads[0]?.url).toBe('/attach?x=%20;y');
    expect(heads[0]?.headers).toMatchObject({
      host: `127.0.0.1:${backend.port}`,
      'x-agentapi-token': 't0ken',
      'x-forwarded-prefix': `/${ID}`,
    });
    expect(heads[0]?.rawHeaders.join()).not.toContain('secret');
    const sent = [0, 1, 125, 126, 65_535, 65_536, 3_000_000].map((size) => randomBytes(size));
    for (const message of sent) socket.send(message);
    await until(() => received.length === sent.length, 'all echoes');
    for (const [i, message] of sent.entries()) expect(received[i]?.equals(message)).toBe(true);
    socket.terminate();
  });

  test('PX-159: close codes and reasons pass both ways, and no connection is left', async () => {
    const { backend, closes } = await startEchoSockets();
    await using _backend = backend;
    await using proxy = await startProxy({
      sessions: [new TestSession(ID, { port: backend.port, token: null })],
    });
    const open = async (): Promise<WebSocket> => {
      const socket = new WebSocket(`ws://127.0.0.1:${proxy.port}/${ID}/`);
      await new Promise((resolve) => {
        socket.on('open', resolve);
      });
      return socket;
    };
    const first = await open();
    const closed = new Promise<[number, string]>((resolve) => {
      first.on('close', (code, reason) => resolve([code, reason.toString()]));
    });
    first.send('close me');
    expect(await closed).toEqual([4001, 'as you wish']);
    const second = await open();
    second.close(4002, 'of my own');
    await until(() => closes.some(([code]) => code === 4002), 'the close at the agent');
    expect(closes).toContainEqual([4002, 'of my own']);
    await until(() => backend.sockets.size === 0, 'no connection left');
  });

  test('PX-159: a client that breaks off breaks off the agent’s side, and the other way round', async () => {
    const { backend, closes } = await startEchoSockets();
    await using _backend = backend;
    await using proxy = await startProxy({
      sessions: [new TestSession(ID, { port: backend.port, token: null })],
    });
    const socket = new WebSocket(`ws://127.0.0.1:${proxy.port}/${ID}/`);
    await new Promise((resolve) => {
      socket.on('open', resolve);
    });
    socket.terminate();
    await until(() => closes.length === 1, 'the end at the agent');
    expect(closes[0]?.[0]).toBe(1006);

    const other = new WebSocket(`ws://127.0.0.1:${proxy.port}/${ID}/`);
    const code = new Promise((resolve) => {
      other.on('close', resolve);
    });
    await new Promise((resolve) => {
      other.on('open', resolve);
    });
    for (const one of backend.sockets) one.resetAndDestroy();
    expect(await code).toBe(1006);
  });

  test('PX-157: it ends with the session', async () => {
    const { backend } = await startEchoSockets();
    await using _backend = backend;
    const session = new TestSession(ID, { port: backend.port, token: null });
    await using proxy = await startProxy({ sessions: [session] });
    const socket = new WebSocket(`ws://127.0.0.1:${proxy.port}/${ID}/`);
    const closed = new Promise((resolve) => {
      socket.on('close', resolve);
    });
    await new Promise((resolve) => {
      socket.on('open', resolve);
    });
    session.become('stopping');
    expect(await closed).toBe(1006);
    await until(() => backend.sockets.size === 0, 'no connection left');
  });

  test('PX-160: unknown session 404, foreign 403, without key 401, without permission 403 – before anything reaches the agent', async () => {
    const { backend, heads } = await startEchoSockets();
    await using _backend = backend;
    await using proxy = await startProxy({
      sessions: [new TestSession(ID, { port: backend.port, token: null })],
      keys: { bob: principal('bob'), alice: principal('alice'), none: principal('alice', ['session:list']) },
    });
    expect(await refused(proxy.port, '/no-such/x', { 'x-api-key': 'bob' })).toEqual([
      404,
      'session_not_found',
    ]);
    expect(await refused(proxy.port, `/${ID}/x`, { 'x-api-key': 'bob' })).toEqual([
      403,
      'foreign_session_access',
    ]);
    expect(await refused(proxy.port, `/${ID}/x`)).toEqual([401, 'api_key_required']);
    expect(await refused(proxy.port, `/${ID}/x`, { 'x-api-key': 'none' })).toEqual([
      403,
      'insufficient_permissions',
    ]);
    expect(await refused(proxy.port, `/${ID}%2Fx/`, { 'x-api-key': 'alice' })).toEqual([
      400,
      'invalid_session_id',
    ]);
    expect(heads).toEqual([]);
    const socket = new WebSocket(`ws://127.0.0.1:${proxy.port}/${ID}/`, {
      headers: { authorization: 'Bearer alice' },
    });
    await new Promise((resolve, reject) => {
      socket.on('open', resolve).on('error', reject);
    });
    expect(heads[0]?.headers.authorization).toBeUndefined();
    socket.terminate();
  });

  test('PX-227: without authentication a foreign Origin gets no WebSocket', async () => {
    const { backend, heads } = await startEchoSockets();
    await using _backend = backend;
    await using proxy = await startProxy({
      sessions: [new TestSession(ID, { port: backend.port, token: null })],
    });
    expect(await refused(proxy.port, `/${ID}/`, { origin: 'https://evil.example' })).toEqual([
      403,
      'origin_not_allowed',
    ]);
    expect(await refused(proxy.port, `/${ID}/`, { host: 'evil.example' })).toEqual([403, 'host_not_allowed']);
    expect(heads).toEqual([]);
  });

  test('PX-143: an agent that does not listen is 502, a session that is starting is waited for', async () => {
    const { backend } = await startEchoSockets();
    const session = new TestSession(ID, null);
    session.state = 'starting';
    await using proxy = await startProxy({ sessions: [session], startTimeoutMs: 10_000 });
    const socket = new WebSocket(`ws://127.0.0.1:${proxy.port}/${ID}/`);
    const opened = new Promise((resolve, reject) => {
      socket.on('open', resolve).on('error', reject);
    });
    // Somebody who gives up meanwhile is forgotten.
    const impatient = connect(proxy.port, '127.0.0.1');
    impatient.write(`GET /${ID}/ HTTP/1.1\r\nHost: localhost\r\n${UPGRADE}\r\n`);
    impatient.end();
    await new Promise((resolve) => {
      impatient.on('close', resolve).resume();
    });
    session.become('running', { port: backend.port, token: null });
    await opened;
    socket.terminate();
    await backend[Symbol.asyncDispose]();
    expect(await refused(proxy.port, `/${ID}/`)).toEqual([502, 'upstream_failed']);
  });
});

describe('any upgrade', () => {
  test('PX-159: bytes sent along with the heads are kept, on both sides', async () => {
    await using backend = await startRawUpgrade((socket) => {
      socket.write(`${SWITCH}early from the agent|`);
      socket.pipe(socket);
    });
    await using proxy = await startProxy({
      sessions: [new TestSession(ID, { port: backend.port, token: null })],
    });
    const socket = connect(proxy.port, '127.0.0.1');
    let received = '';
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
    });
    socket.write(`GET /${ID}/ HTTP/1.1\r\nHost: localhost\r\n${UPGRADE}\r\nearly from the client`);
    await until(() => received.endsWith('early from the agent|early from the client'), 'both early parts');
    expect(received).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n/);
    expect(received).toMatch(/\r\nConnection: Upgrade\r\nUpgrade: test\r\n/);
    expect(received).toContain('X-Agent: yes');
    socket.destroy();
  });

  test('PX-159: each direction ends on its own', async () => {
    let atAgent = '';
    await using backend = await startRawUpgrade((socket) => {
      socket.write(SWITCH);
      socket.on('data', (chunk) => {
        atAgent += chunk.toString('latin1');
      });
      // Only the end of the question brings the answer.
      socket.on('end', () => socket.end(`answer to ${atAgent.length} bytes`));
    });
    await using proxy = await startProxy({
      sessions: [new TestSession(ID, { port: backend.port, token: null })],
    });
    const socket = connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true });
    let received = '';
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
    });
    socket.write(`GET /${ID}/ HTTP/1.1\r\nHost: localhost\r\n${UPGRADE}\r\n`);
    await until(() => received.includes('\r\n\r\n'), '101');
    socket.end('x'.repeat(300_000));
    await new Promise((resolve) => {
      socket.on('close', resolve);
    });
    expect(received.endsWith('answer to 300000 bytes')).toBe(true);
    await until(() => backend.sockets.size === 0, 'no connection left');
  });

  test('PX-146: 30 MB pass a slow reader unchanged, and the sender is held up', async () => {
    const block = randomBytes(64 * 1024);
    const blocks = 480;
    let written = 0;
    const hash = createHash('sha256');
    for (let i = 0; i < blocks; i += 1) hash.update(block);
    await using backend = await startRawUpgrade((socket) => {
      socket.write(SWITCH);
      const more = (): void => {
        while (written < blocks) {
          written += 1;
          if (!socket.write(block)) {
            socket.once('drain', more);
            return;
          }
        }
        socket.end();
      };
      more();
    });
    await using proxy = await startProxy({
      sessions: [new TestSession(ID, { port: backend.port, token: null })],
    });
    const req = request({
      port: proxy.port,
      path: `/${ID}/`,
      headers: { connection: 'Upgrade', upgrade: 'test' },
    });
    const [socket, head] = await new Promise<[Socket, Buffer]>((resolve) => {
      req.on('upgrade', (_res, upgraded, first) => resolve([upgraded, first])).end();
    });
    let before = 0;
    let unchanged = 0;
    await until(() => {
      unchanged = written > 0 && written === before ? unchanged + 1 : 0;
      before = written;
      return unchanged > 20;
    }, 'the agent being held up');
    expect(written).toBeLessThan(blocks);
    const seen = createHash('sha256').update(head);
    socket.on('data', (chunk: Buffer) => seen.update(chunk));
    await once(socket, 'end');
    expect(seen.digest('hex')).toBe(hash.digest('hex'));
  });

  test('an agent that refuses is passed on as an ordinary answer', async () => {
    await using backend = await startRawUpgrade((socket) => {
      socket.end(
        'HTTP/1.1 426 Upgrade Required\r\nLocation: /other\r\nContent-Length: 4\r\nConnection: close\r\n\r\nnope',
      );
    });
    await using proxy = await startProxy({
      sessions: [new TestSession(ID, { port: backend.port, token: null })],
    });
    const answer = await exchange(proxy.port, `GET /${ID}/ HTTP/1.1\r\nHost: localhost\r\n${UPGRADE}\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 426 Upgrade Required\r\n/);
    expect(answer).toContain(`Location: /${ID}/other\r\n`);
    expect(answer).toMatch(/\r\n\r\nnope$/);
    expect(answer).toMatch(/access-control-allow-origin: \*/i);
  });

  test('an agent that ignores the offer answers as ever', async () => {
    await using backend = await startBackend((_req, res) => res.end('plain'));
    await using proxy = await startProxy({
      sessions: [new TestSession(ID, { port: backend.port, token: null })],
    });
    const answer = await exchange(proxy.port, `GET /${ID}/ HTTP/1.1\r\nHost: localhost\r\n${UPGRADE}\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(answer).toContain('plain');
  });

  test('the offer of HTTP/2 is ignored, not passed on: its requests would pass unchecked', async () => {
    let upgrades = 0;
    await using backend = await startRawUpgrade((socket) => {
      upgrades += 1;
      socket.end(SWITCH);
    });
    await using proxy = await startProxy({
      sessions: [new TestSession(ID, { port: backend.port, token: null })],
    });
    for (const path of [`/${ID}/x`, '/search', '/sessions/x/y']) {
      const answer = await exchange(
        proxy.port,
        `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n`,
      );
      expect(answer).toMatch(path.startsWith(`/${ID}`) ? /^HTTP\/1\.1 200 OK[^]*plain/ : /^HTTP\/1\.1 404 /);
    }
    expect(upgrades).toBe(0);
  });

  test('an upgrade with a body is refused', async () => {
    await using backend = await startRawUpgrade((socket) => socket.end(SWITCH));
    await using proxy = await startProxy({
      sessions: [new TestSession(ID, { port: backend.port, token: null })],
    });
    const answer = await exchange(
      proxy.port,
      `POST /${ID}/ HTTP/1.1\r\nHost: localhost\r\n${UPGRADE}Content-Length: 5\r\n\r\nhello`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 400 [^]*"code":"invalid_request"/);
  });

  test('PX-147: a client that leaves before the agent has answered ends the agent’s request', async () => {
    const sockets: Socket[] = [];
    await using backend = await startRawUpgrade((socket) => {
      sockets.push(socket);
      socket.on('end', () => socket.end()).resume();
    });
    await using proxy = await startProxy({
      sessions: [new TestSession(ID, { port: backend.port, token: null })],
    });
    const client = connect(proxy.port, '127.0.0.1');
    client.write(`GET /${ID}/ HTTP/1.1\r\nHost: localhost\r\n${UPGRADE}\r\n`);
    await until(() => sockets.length === 1, 'the request at the agent');
    client.end();
    await until(() => backend.sockets.size === 0, 'its end');
    expect(sockets[0]?.destroyed).toBe(true);
  });
});
