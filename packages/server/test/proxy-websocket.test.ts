import { once } from 'node:events';
import { connect, Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exchange, ID, startBackend, startProxy, TestSession, until } from './proxy-harness.ts';
import type { TestBackend, TestProxy } from './proxy-harness.ts';

/** One frame of RFC 6455, right or wrong: what passes through must not depend on it. */
interface Frame {
  readonly opcode: number;
  readonly payload?: Buffer;
  readonly fin?: boolean;
  readonly reserved?: number;
}

const CONTINUATION = 0x0;
const TEXT = 0x1;
const BINARY = 0x2;
const CLOSE = 0x8;
const PING = 0x9;
const PONG = 0xa;

/** The bytes of a frame; what a client sends is masked. */
function frame(
  { opcode, payload = Buffer.alloc(0), fin = true, reserved = 0 }: Frame,
  masked: boolean,
): Buffer {
  const head = [(fin ? 0x80 : 0) | (reserved << 4) | opcode];
  const mask = masked ? 0x80 : 0;
  const { length } = payload;
  if (length < 126) head.push(mask | length);
  else if (length < 65_536) head.push(mask | 126, length >> 8, length & 0xff);
  else
    head.push(
      mask | 127,
      0,
      0,
      0,
      0,
      length >>> 24,
      (length >> 16) & 0xff,
      (length >> 8) & 0xff,
      length & 0xff,
    );
  if (!masked) return Buffer.concat([Buffer.from(head), payload]);
  const key = Buffer.from([0x12, 0x34, 0x56, 0x78]);
  const hidden = payload.map((byte, i) => byte ^ (key[i % 4] ?? 0));
  return Buffer.concat([Buffer.from(head), key, hidden]);
}

function content(length: number): Buffer {
  return Buffer.from(Array.from({ length }, (_, i) => (i * 31 + 7) & 0xff));
}

function closing(code: number | null, reason = ''): Frame {
  if (code === null) return { opcode: CLOSE };
  return {
    opcode: CLOSE,
    payload: Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from(reason)]),
  };
}

/** A message in so many fragments, with what comes between them. */
function fragments(count: number, between: readonly Frame[] = []): Frame[] {
  return Array.from({ length: count }, (_, i): Frame[] => [
    { opcode: i === 0 ? TEXT : CONTINUATION, payload: content(50 + i), fin: i === count - 1 },
    ...(i < count - 1 ? between : []),
  ]).flat();
}

/** How the bytes are cut into the pieces that are written one by one. */
type Cut = 'whole' | 'bytes' | 'odd';

interface Case {
  readonly name: string;
  readonly frames: readonly Frame[];
  readonly cut: Cut;
}

const one = (name: string, frames: readonly Frame[], cut: Cut = 'whole'): Case => ({ name, frames, cut });

const CASES: readonly Case[] = [
  ...[0, 1, 125, 126, 127, 65_535, 65_536, 300_000].flatMap((size) => [
    one(`a text of ${size} bytes`, [{ opcode: TEXT, payload: content(size) }]),
    one(`a binary message of ${size} bytes in pieces`, [{ opcode: BINARY, payload: content(size) }], 'odd'),
  ]),
  ...[0, 1, 125, 126].map((size) =>
    one(`a message of ${size} bytes, byte by byte`, [{ opcode: BINARY, payload: content(size) }], 'bytes'),
  ),
  ...[2, 3, 20].flatMap((count) => [
    one(`a message in ${count} fragments`, fragments(count)),
    one(`a message in ${count} fragments, with pings between`, fragments(count, [{ opcode: PING }])),
    one(`a message in ${count} fragments, in pieces`, fragments(count), 'odd'),
  ]),
  one('empty fragments', [
    { opcode: TEXT, fin: false },
    { opcode: CONTINUATION, fin: false },
    { opcode: CONTINUATION },
  ]),
  ...[PING, PONG].flatMap((opcode) =>
    [0, 1, 125].map((size) =>
      one(`${opcode === PING ? 'ping' : 'pong'} of ${size} bytes`, [{ opcode, payload: content(size) }]),
    ),
  ),
  one('pings and pongs among messages', [
    { opcode: PING },
    { opcode: TEXT, payload: content(10) },
    { opcode: PONG, payload: content(3) },
    { opcode: BINARY, payload: content(2_000) },
  ]),
  ...[1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4000, 4999].map((code) =>
    one(`close ${code}`, [closing(code, `because of ${code}`)]),
  ),
  one('close without a code', [closing(null)]),
  one('close with the longest reason', [closing(1000, 'r'.repeat(123))]),
  one('close, byte by byte', [closing(1001, 'bye')], 'bytes'),
  one('a message and its close', [{ opcode: TEXT, payload: content(5) }, closing(1000)]),
  // Wrong frames are for the two ends to judge.
  ...[1, 2, 4, 7].map((reserved) =>
    one(`reserved bits ${reserved}`, [{ opcode: TEXT, reserved, payload: content(9) }]),
  ),
  ...[0x3, 0x7, 0xb, 0xf].map((opcode) =>
    one(`reserved opcode ${opcode}`, [{ opcode, payload: content(9) }]),
  ),
  one('a control frame that is too long', [{ opcode: PING, payload: content(200) }]),
  one('a control frame in fragments', [{ opcode: PING, fin: false }, { opcode: CONTINUATION }]),
  one('close with half a code', [{ opcode: CLOSE, payload: Buffer.from([3]) }]),
  one('close with a forbidden code', [closing(1005)]),
  one('a continuation of nothing', [{ opcode: CONTINUATION, payload: content(4) }]),
  one('a message that is not UTF-8', [{ opcode: TEXT, payload: Buffer.from([0xff, 0xfe, 0xc0]) }]),
  one('what looks like a request', [
    { opcode: TEXT, payload: Buffer.from(`GET /${ID}/x HTTP/1.1\r\nHost: localhost\r\n\r\n`) },
  ]),
  one(
    'a thousand small messages',
    Array.from({ length: 1_000 }, (_, i) => ({ opcode: TEXT, payload: content(i % 50) })),
  ),
];

const HANDSHAKE =
  'Host: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';
const SWITCH =
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
  'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n';

let backend: TestBackend;
let proxy: TestProxy;
/** What the agent does with the next connection. */
let onUpgrade: (socket: Socket, head: Buffer) => void = (socket) => socket.destroy();

beforeAll(async () => {
  backend = await startBackend((_req, res) => res.end('plain'));
  backend.server.on('upgrade', (_req, socket, head) => {
    socket.on('error', () => {});
    if (socket instanceof Socket) onUpgrade(socket, head);
  });
  proxy = await startProxy({ sessions: [new TestSession(ID, { port: backend.port, token: null })] });
});

afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await backend[Symbol.asyncDispose]();
});

/** Collects what a socket receives. */
function collect(
  socket: Socket,
  first: Buffer = Buffer.alloc(0),
): { bytes: () => Buffer; ended: Promise<unknown> } {
  const pieces = [first];
  socket.on('data', (piece: Buffer) => pieces.push(piece));
  return { bytes: () => Buffer.concat(pieces), ended: once(socket, 'end') };
}

/** Opens both ends of a tunnel. */
async function open(): Promise<{
  client: Socket;
  agent: Socket;
  fromAgent: () => Buffer;
  atAgent: () => Buffer;
  clientEnd: Promise<unknown>;
  agentEnd: Promise<unknown>;
}> {
  const upgraded = new Promise<[Socket, Buffer]>((resolve) => {
    onUpgrade = (socket, head) => resolve([socket, head]);
  });
  const client = connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  client.on('error', () => {});
  const received = collect(client);
  client.write(`GET /${ID}/ws HTTP/1.1\r\n${HANDSHAKE}`);
  const [agent, head] = await upgraded;
  agent.allowHalfOpen = true;
  const arrived = collect(agent, head);
  agent.write(SWITCH);
  await until(() => received.bytes().includes('\r\n\r\n'), 'the switch');
  const start = received.bytes().indexOf('\r\n\r\n') + 4;
  expect(received.bytes().toString('latin1', 0, start)).toMatch(
    /^HTTP\/1\.1 101 [^]*s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=/,
  );
  return {
    client,
    agent,
    fromAgent: () => received.bytes().subarray(start),
    atAgent: arrived.bytes,
    clientEnd: received.ended,
    agentEnd: arrived.ended,
  };
}

/** Writes bytes in pieces, each when the one before has left. */
async function write(socket: Socket, bytes: Buffer, cut: Cut): Promise<void> {
  let step = cut === 'bytes' ? 1 : cut === 'odd' ? 977 : Math.max(1, bytes.length);
  if (bytes.length / step > 400) step = Math.ceil(bytes.length / 400);
  for (let at = 0; at < bytes.length; at += step) {
    await new Promise((resolve) => socket.write(bytes.subarray(at, at + step), resolve));
  }
}

describe.each(['from the client', 'from the agent'])('%s', (direction) => {
  test.each(CASES)('PX-159: $name passes byte by byte', async ({ frames, cut }) => {
    const up = direction === 'from the client';
    const { client, agent, fromAgent, atAgent, clientEnd, agentEnd } = await open();
    const bytes = Buffer.concat(frames.map((each) => frame(each, up)));
    await write(up ? client : agent, bytes, cut);
    const received = up ? atAgent : fromAgent;
    await until(() => received().length >= bytes.length, 'the bytes');
    expect(received().equals(bytes)).toBe(true);
    expect((up ? fromAgent : atAgent)()).toHaveLength(0);
    // The end of one direction leaves the other one open.
    (up ? client : agent).end();
    await (up ? agentEnd : clientEnd);
    const answer = frame(closing(1000), !up);
    (up ? agent : client).end(answer);
    await (up ? clientEnd : agentEnd);
    expect((up ? fromAgent : atAgent)().equals(answer)).toBe(true);
  });
});

describe('both ways', () => {
  test('PX-159: a megabyte each way at once', async () => {
    const { client, agent, fromAgent, atAgent } = await open();
    const bytes = content(1_000_000);
    await Promise.all([write(client, bytes, 'odd'), write(agent, bytes, 'odd')]);
    await until(() => atAgent().length === bytes.length && fromAgent().length === bytes.length, 'all bytes');
    expect(atAgent().equals(bytes) && fromAgent().equals(bytes)).toBe(true);
    client.destroy();
    await until(() => agent.destroyed || agent.readableEnded, 'the end at the agent');
    agent.destroy();
  });

  test.each(['client', 'agent'] as const)('PX-159: a reset by the %s reaches the other side', async (who) => {
    const { client, agent } = await open();
    const [first, second] = who === 'client' ? [client, agent] : [agent, client];
    const closed = new Promise((resolve) => {
      second.on('close', resolve).on('end', resolve);
    });
    first.resetAndDestroy();
    await closed;
    second.destroy();
    await until(() => backend.sockets.size === 0, 'no connection left');
    expect(first.destroyed).toBe(true);
  });
});

describe('refusals of the agent', () => {
  const bodies = [
    ['with a length', 'Content-Length: 4\r\n\r\nnope'],
    ['in chunks', 'Transfer-Encoding: chunked\r\n\r\n4\r\nnope\r\n0\r\n\r\n'],
    ['until the end', 'Connection: close\r\n\r\nnope'],
  ] as const;
  test.each(
    [400, 401, 403, 404, 426, 429, 500, 503].flatMap((status) =>
      bodies.map(([how, rest]) => [status, how, rest] as const),
    ),
  )('PX-159: %i %s is passed on, and bytes sent ahead are no request', async (status, _how, rest) => {
    onUpgrade = (socket) => socket.end(`HTTP/1.1 ${status} No\r\nX-Agent: yes\r\n${rest}`);
    const answer = await exchange(
      proxy.port,
      `GET /${ID}/ws HTTP/1.1\r\n${HANDSHAKE}GET /${ID}/smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n`,
    );
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} No\r\n[^]*X-Agent: yes\r\n`));
    expect(answer).toContain('nope');
    expect(answer.split('HTTP/1.1 ')).toHaveLength(2);
  });
});
