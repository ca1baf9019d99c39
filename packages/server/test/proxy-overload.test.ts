import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { ListenerLimits } from '../src/http/listener.ts';
import { exchange, ID, startBackend, startProxy, TestSession, until } from './proxy-harness.ts';
import type { TestBackend } from './proxy-harness.ts';

const LIVE = 'GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';
const STATUS = `GET /${ID}/status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`;

const GENEROUS: ListenerLimits = {
  total: 1_000,
  perAddress: 1_000,
  exempt: () => false,
  times: { head: 20_000, body: 600_000, idle: 65_000, stall: 120_000 },
  sweepMs: 20,
  loopDelayMs: Number.POSITIVE_INFINITY,
};

/** An agent server with a path for each kind of trouble. */
function startAgent(): Promise<TestBackend> {
  return startBackend((req, res) => {
    req.on('error', () => {});
    if (req.url === '/silent') return;
    if (req.url === '/endless') {
      res.write('first ');
      return;
    }
    if (req.url === '/gigabyte') {
      const block = Buffer.alloc(1024 * 1024);
      let left = 1_024;
      const more = (): void => {
        while (left > 0) {
          left -= 1;
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
    res.end('ok');
  });
}

async function open(
  port: number,
  text = '',
): Promise<{ socket: Socket; received: () => string; closed: Promise<unknown> }> {
  const socket = connect(port, '127.0.0.1');
  let received = '';
  socket.on('error', () => {});
  socket.setEncoding('latin1').on('data', (piece: string) => {
    received += piece;
  });
  const closed = once(socket, 'close');
  await once(socket, 'connect');
  if (text !== '') socket.write(text);
  return { socket, received: () => received, closed };
}

describe('room', () => {
  test('DF-21: one address gets its share of connections, further ones 503 with Retry-After, until some have gone', async () => {
    await using agent = await startAgent();
    await using proxy = await startProxy({
      sessions: [new TestSession(ID, { port: agent.port, token: null })],
      limits: { ...GENEROUS, perAddress: 3 },
    });
    const held = await Promise.all([1, 2, 3].map(() => open(proxy.port)));
    const refused = await open(proxy.port);
    await refused.closed;
    expect(refused.received()).toMatch(
      /^HTTP\/1\.1 503 [^]*\r\nRetry-After: 1\r\n[^]*"code":"too_many_connections"/,
    );
    for (const { socket } of held) socket.destroy();
    await until(() => agent.sockets.size === 0, 'nothing left');
    let answer = '';
    // The proxy learns of their end in its own time.
    while (!answer.startsWith('HTTP/1.1 200')) answer = await exchange(proxy.port, STATUS);
    expect(answer).toContain('ok');
  });

  test('DF-21: connections that one address has too many of take no room of the others', async () => {
    await using agent = await startAgent();
    await using proxy = await startProxy({
      sessions: [new TestSession(ID, { port: agent.port, token: null })],
      limits: { ...GENEROUS, total: 20, perAddress: 4 },
    });
    // They do not go when they are told to.
    const from = { port: proxy.port, host: '127.0.0.1', localAddress: '127.0.0.2', allowHalfOpen: true };
    let refused = 0;
    const flood = Array.from({ length: 100 }, () =>
      connect(from)
        .on('error', () => {})
        .on('data', () => (refused += 1)),
    );
    await Promise.all(flood.map((socket) => once(socket, 'connect')));
    expect(await exchange(proxy.port, STATUS)).toMatch(/^HTTP\/1\.1 200 [^]*ok/);
    await until(() => refused > 0, 'an answer to those that are too many');
    for (const socket of flood) socket.destroy();
  });

  test('DF-21: beyond the total only the control plane is served', async () => {
    await using agent = await startAgent();
    await using proxy = await startProxy({
      sessions: [new TestSession(ID, { port: agent.port, token: null })],
      limits: { ...GENEROUS, total: 2 },
      control: (_req, res) => res.end('control'),
    });
    const held = await Promise.all([1, 2].map(() => open(proxy.port)));
    expect(await exchange(proxy.port, STATUS)).toMatch(
      /^HTTP\/1\.1 503 [^]*Retry-After: 1[^]*"code":"overloaded"/,
    );
    expect(await exchange(proxy.port, LIVE)).toMatch(/^HTTP\/1\.1 200 [^]*control/);
    held[0]?.socket.write(STATUS);
    await until(() => held[0]?.received().includes('ok') === true, 'those who came first are served');
    for (const { socket } of held) socket.destroy();
  });

  test('DF-21: a session takes so many requests at a time, others are not touched', async () => {
    await using agent = await startAgent();
    const other = '11111111-2222-4333-8444-555555555555';
    await using proxy = await startProxy({
      sessions: [ID, other].map((id) => new TestSession(id, { port: agent.port, token: null })),
      maxPerSession: 2,
    });
    const held = await Promise.all(
      [1, 2].map(() => open(proxy.port, `GET /${ID}/endless HTTP/1.1\r\nHost: localhost\r\n\r\n`)),
    );
    await until(
      () => held.every(({ received }) => received().includes('first')),
      'two answers that do not end',
    );
    const answer = await exchange(proxy.port, STATUS);
    expect(answer).toMatch(/^HTTP\/1\.1 503 [^]*Retry-After: 1[^]*"code":"session_overloaded"/);
    expect(await exchange(proxy.port, STATUS.replace(ID, other))).toMatch(/^HTTP\/1\.1 200 /);
    for (const { socket } of held) socket.destroy();
    let again = '';
    while (!again.startsWith('HTTP/1.1 200')) again = await exchange(proxy.port, STATUS);
    expect(again).toContain('ok');
  });

  test('while the event loop is late, requests for sessions are 503 and the control plane answers', async () => {
    await using agent = await startAgent();
    await using proxy = await startProxy({
      sessions: [new TestSession(ID, { port: agent.port, token: null })],
      limits: { ...GENEROUS, loopDelayMs: 50 },
      control: (_req, res) => res.end('control'),
    });
    // Blocks the loop again and again, as too much work does.
    const blocking = setInterval(() => {
      const end = performance.now() + 200;
      while (performance.now() < end);
    }, 1);
    let answer = '';
    while (!answer.startsWith('HTTP/1.1 503')) answer = await exchange(proxy.port, STATUS);
    expect(answer).toMatch(/Retry-After: 1[^]*"code":"overloaded"/);
    expect(await exchange(proxy.port, LIVE)).toMatch(/^HTTP\/1\.1 200 [^]*control/);
    clearInterval(blocking);
    while (!answer.startsWith('HTTP/1.1 200')) answer = await exchange(proxy.port, STATUS);
    expect(answer).toContain('ok');
  });
});

describe('slow clients', () => {
  const hasty = { ...GENEROUS, times: { head: 100, body: 100, idle: 65_000, stall: 100 } };

  test.each([
    ['a head that never ends', 'GET /x HTTP/1.1\r\nHost: localhost\r\nX-A: '],
    ['half a first line', 'GE'],
    [
      'a body that never comes',
      `POST /${ID}/status HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf`,
    ],
    [
      'chunks that never end',
      `POST /${ID}/silent HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello`,
    ],
    [
      'a body for the control plane that never comes',
      'POST /start HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n',
    ],
  ])('%s is 408, and nothing is left', async (_name, text) => {
    await using agent = await startBackend((req) => {
      req.on('error', () => {}).resume();
    });
    await using proxy = await startProxy({
      sessions: [new TestSession(ID, { port: agent.port, token: null })],
      limits: hasty,
      control: (req) => {
        req.on('error', () => {}).resume();
      },
    });
    const client = await open(proxy.port, text);
    await client.closed;
    expect(client.received()).toMatch(/^HTTP\/1\.1 408 [^]*Connection: close[^]*"code":"request_timeout"/);
    await until(() => agent.sockets.size === 0, 'no connection to the agent');
  });

  test('a short body that does not come after the request was refused ends the connection', async () => {
    await using proxy = await startProxy({ sessions: [], limits: hasty });
    const request = 'POST /unknown/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n';
    const client = await open(proxy.port, request);
    await client.closed;
    expect(client.received().split('HTTP/1.1 ').slice(1)).toEqual([
      expect.stringMatching(/^404 [^]*\r\nConnection: keep-alive\r\n/),
    ]);
  });

  test('a head that trickles in byte by byte does not last longer', async () => {
    await using proxy = await startProxy({ sessions: [], limits: hasty });
    const client = await open(proxy.port);
    const trickle = setInterval(() => client.socket.write('x'), 10);
    client.socket.write('GET /x HTTP/1.1\r\nX-A: ');
    await client.closed;
    clearInterval(trickle);
    expect(client.received()).toMatch(/^HTTP\/1\.1 408 /);
  });

  test('a line end too many behind a request is no request that has begun', async () => {
    await using proxy = await startProxy({
      sessions: [],
      limits: hasty,
      control: (_req, res) => res.end('control'),
    });
    const request = 'GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n';
    const client = await open(proxy.port, `${request}\r\n`);
    await until(() => client.received().endsWith('control'), 'an answer');
    const late = await open(proxy.port, 'GET');
    await late.closed;
    expect(late.received()).toMatch(/^HTTP\/1\.1 408 /);
    client.socket.write(request.replace('Host:', 'Connection: close\r\nHost:'));
    await client.closed;
    expect(client.received()).toMatch(/controlHTTP\/1\.1 200 [^]*control$/);
    expect(client.received()).not.toContain(' 408 ');
  });

  test('a connection without a request stays as long as it was told, and a little longer', async () => {
    await using agent = await startAgent();
    await using proxy = await startProxy({
      sessions: [new TestSession(ID, { port: agent.port, token: null })],
      limits: { ...GENEROUS, times: { ...GENEROUS.times, idle: 1_000 } },
      control: (_req, res) => res.end('control'),
    });
    const keptAlive = STATUS.replace('Connection: close\r\n', '');
    const used = await open(proxy.port, keptAlive);
    const unused = await open(proxy.port);
    const streaming = await open(proxy.port, keptAlive.replace('/status', '/endless'));
    await until(() => streaming.received().includes('first'), 'an answer that does not end');
    await until(() => used.received().endsWith('ok'), 'an answer');
    expect(used.received()).toContain('\r\nKeep-Alive: timeout=1\r\n');
    await Promise.all([used.closed, unused.closed]);
    expect(streaming.socket.destroyed).toBe(false);
    const refusal = await open(proxy.port, 'GET /unknown/x HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await until(() => refusal.received().includes('session_not_found'), 'a refusal');
    expect(refusal.received()).toContain('\r\nKeep-Alive: timeout=1\r\n');
    const control = await open(proxy.port, 'GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await until(() => control.received().includes('control'), 'an answer of the control plane');
    expect(control.received()).toContain('\r\nKeep-Alive: timeout=1\r\n');
    for (const { socket } of [streaming, refusal, control]) socket.destroy();
  });

  test('a client that never reads a gigabyte is cut off, and holds the agent up until then', async () => {
    await using agent = await startAgent();
    await using proxy = await startProxy({
      sessions: [new TestSession(ID, { port: agent.port, token: null })],
      limits: hasty,
    });
    const socket = connect(proxy.port, '127.0.0.1');
    socket.on('error', () => {}).pause();
    const before = process.memoryUsage().rss;
    socket.write(`GET /${ID}/gigabyte HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    await until(() => agent.sockets.size === 1, 'the request at the agent');
    await until(() => agent.sockets.size === 0, 'its end');
    expect(process.memoryUsage().rss - before).toBeLessThan(300 * 1024 * 1024);
    expect(await exchange(proxy.port, STATUS)).toMatch(/^HTTP\/1\.1 200 /);
    socket.destroy();
  });

  test('who reads slowly, but reads, is left alone; so is who waits for an answer', async () => {
    await using agent = await startAgent();
    await using proxy = await startProxy({
      sessions: [new TestSession(ID, { port: agent.port, token: null })],
      limits: { ...GENEROUS, times: { head: 100, body: 100, idle: 65_000, stall: 1_000 } },
    });
    const waiting = await open(proxy.port, `GET /${ID}/silent HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    const reader = connect(proxy.port, '127.0.0.1');
    let bytes = 0;
    let pauses = 0;
    reader.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (pauses > 10) return;
      pauses += 1;
      reader.pause();
      setTimeout(() => reader.resume(), 50);
    });
    reader.write(`GET /${ID}/gigabyte HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    await until(() => bytes > 100 * 1024 * 1024, 'much more than fits into any buffer', 30_000);
    expect(waiting.received()).toBe('');
    expect(waiting.socket.destroyed).toBe(false);
    reader.destroy();
    waiting.socket.destroy();
  });
});

test('an agent that never answers, idle connections and half requests keep nobody else waiting', async () => {
  await using agent = await startAgent();
  await using proxy = await startProxy({
    sessions: [new TestSession(ID, { port: agent.port, token: null })],
    control: (_req, res) => res.end('control'),
  });
  const silent = `GET /${ID}/silent HTTP/1.1\r\nHost: localhost\r\n\r\n`;
  const held = await Promise.all(
    Array.from({ length: 600 }, (_, i) => open(proxy.port, ['', 'GET / HT', silent][i % 3])),
  );
  await until(() => agent.sockets.size === 200, 'the silent requests at the agent');
  expect(await exchange(proxy.port, LIVE)).toMatch(/^HTTP\/1\.1 200 [^]*control/);
  expect(await exchange(proxy.port, STATUS)).toMatch(/^HTTP\/1\.1 200 [^]*ok/);
  for (const { socket } of held) socket.destroy();
  await until(() => agent.sockets.size === 0, 'nothing left');
});

test('requests to both planes follow each other on one connection', async () => {
  await using agent = await startAgent();
  await using proxy = await startProxy({
    sessions: [new TestSession(ID, { port: agent.port, token: null })],
    control: (req, res) => {
      let body = '';
      req.on('data', (chunk) => {
        body += String(chunk);
      });
      req.on('end', () => res.end(`control ${req.method} ${body};`));
    },
  });
  const client = await open(
    proxy.port,
    `GET /search HTTP/1.1\r\nHost: localhost\r\n\r\n` +
      `GET /${ID}/a HTTP/1.1\r\nHost: localhost\r\n\r\n` +
      `POST /start HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nbody` +
      `POST /${ID}/b HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n` +
      `POST /start HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nin\r\n3\r\none\r\n0\r\n\r\n` +
      `HEAD /search HTTP/1.1\r\nHost: localhost\r\n\r\n` +
      `GET /search HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
  );
  await client.closed;
  const answers = client.received().split('HTTP/1.1 200 OK\r\n').slice(1);
  expect(answers.map((answer) => /(?:control [A-Z]+ \w*;|ok)/.exec(answer)?.[0])).toEqual([
    'control GET ;',
    'ok',
    'control POST body;',
    'ok',
    'control POST inone;',
    undefined,
    'control GET ;',
  ]);
});

test.each([
  ['with a length', 'Content-Length: 30000\r\n', 'x'.repeat(10_000), 'x'.repeat(20_000)],
  ['in chunks', 'Transfer-Encoding: chunked\r\n', '2710\r\n', `${'x'.repeat(10_000)}\r\n0\r\n\r\n`],
])(
  'a body %s that the control plane has not waited for is no part of the next request',
  async (_name, lines, begin, rest) => {
    await using proxy = await startProxy({
      sessions: [],
      control: (req, res) => res.end(`control ${req.url};`),
    });
    const client = await open(proxy.port, `POST /start HTTP/1.1\r\nHost: localhost\r\n${lines}\r\n${begin}`);
    await until(() => client.received().includes('control /start;'), 'the early answer');
    client.socket.write(`${rest}GET /search HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    await client.closed;
    expect(client.received()).toMatch(/control \/start;HTTP\/1\.1 200 [^]*control \/search;$/);
  },
);

test('a large body that nobody has waited for ends the connection', async () => {
  await using proxy = await startProxy({ sessions: [], control: (_req, res) => res.end('early') });
  const client = await open(
    proxy.port,
    `POST /start HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\n${'x'.repeat(200_000)}`,
  );
  await client.closed;
  expect(client.received()).toMatch(/^HTTP\/1\.1 200 [^]*early$/);
});

test('who sends much more than a head still reads why it was refused', async () => {
  await using proxy = await startProxy({ sessions: [] });
  const client = await open(proxy.port, `nonsense\r\n\r\n${'x'.repeat(3_000_000)}`);
  await client.closed;
  expect(client.received()).toMatch(/^HTTP\/1\.1 400 [^]*Connection: close[^]*"code":"invalid_request"/);
});
