import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import type { RefusedRequest, RequestObserver, RequestRecord } from '../src/request-observer.ts';
import { eventually } from '../../../test/support/server-process.ts';
import { exchange, ID, principal, startBackend, startProxy, TestSession } from './proxy-harness.ts';

/** What every data plane owes to its observer, written down for any of them. */

interface Recorder extends RequestObserver {
  readonly begun: RequestRecord[];
  readonly over: RequestRecord[];
  readonly streams: string[];
  readonly turnedAway: RefusedRequest[];
}

function recorder(): Recorder {
  const begun: RequestRecord[] = [];
  const over: RequestRecord[] = [];
  const streams: string[] = [];
  const turnedAway: RefusedRequest[] = [];
  return {
    begun,
    over,
    streams,
    turnedAway,
    began: (record) => void begun.push(record),
    opened: (record, kind) => {
      record.kind = kind;
      streams.push(kind);
    },
    ended: (record) => void over.push(record),
    refused: (request) => void turnedAway.push(request),
    within: (_record, work) => work(),
  };
}

async function untilOver(observer: Recorder, count: number): Promise<readonly RequestRecord[]> {
  await eventually(`${count} requests are over`, () => observer.over.length >= count);
  expect(observer.over).toHaveLength(count);
  expect(new Set(observer.over)).toEqual(new Set(observer.begun));
  return observer.over;
}

test('an answered request: who asked whom, how it came out, how much, and its times in their order', async () => {
  const observer = recorder();
  await using backend = await startBackend((_req, res) => res.end('ten bytes.'));
  const session = new TestSession(ID, { port: backend.port, token: null });
  await using proxy = await startProxy({ sessions: [session], observer, keys: { k1: principal('alice') } });
  const headers = { 'x-api-key': 'k1', 'x-request-id': 'r-1' };
  await (await fetch(`${proxy.url}/${ID}/status?q=1`, { headers })).text();
  const [record] = await untilOver(observer, 1);
  expect(record).toMatchObject({
    plane: 'session',
    method: 'GET',
    target: '/status?q=1',
    requestId: 'r-1',
    address: '127.0.0.1',
    userId: 'alice',
    sessionId: ID,
    kind: 'request',
    status: 200,
    bytes: 10,
    complete: true,
  });
  const { startedAt = 0, forwardedAt = 0, answeredAt = 0, repliedAt = 0 } = record ?? {};
  expect([startedAt, forwardedAt, answeredAt, repliedAt].toSorted((a, b) => a - b)).toEqual([
    startedAt,
    forwardedAt,
    answeredAt,
    repliedAt,
  ]);
});

test('refused requests have the status that was answered and were never forwarded', async () => {
  const observer = recorder();
  await using backend = await startBackend((_req, res) => res.end());
  const session = new TestSession(ID, { port: backend.port, token: null });
  await using proxy = await startProxy({
    sessions: [session],
    observer,
    keys: { k1: principal('alice', []) },
  });
  await fetch(`${proxy.url}/${ID}/status`);
  await fetch(`${proxy.url}/${ID}/status`, { headers: { 'x-api-key': 'wrong' } });
  await fetch(`${proxy.url}/${ID}/status`, { headers: { 'x-api-key': 'k1' } });
  const records = await untilOver(observer, 3);
  expect(
    records.map(({ status, forwardedAt, repliedAt, userId }) => [status, forwardedAt, repliedAt, userId]),
  ).toEqual([401, 401, 403].map((status) => [status, 0, 0, null]));
  expect(backend.accepted).toBe(0);
});

test('what neither plane gets to see is told with its reason', async () => {
  const observer = recorder();
  await using proxy = await startProxy({ sessions: [], observer });
  await exchange(proxy.port, 'GET /x/status HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n');
  await exchange(proxy.port, 'nonsense\r\n\r\n');
  expect(observer.turnedAway).toMatchObject([
    { method: 'GET', status: 403, code: 'host_not_allowed', address: '127.0.0.1' },
    { method: null, status: 400, code: 'invalid_request', address: '127.0.0.1' },
  ]);
  expect(observer.begun).toEqual([]);
});

test('an agent server that breaks off, one that does not answer, and a client that leaves', async () => {
  const observer = recorder();
  await using backend = await startBackend((req, res) => {
    if (req.url === '/half') {
      res.writeHead(200, { 'content-length': 100 });
      res.write('half', () => res.destroy());
    } else if (req.url === '/never') {
      req.socket.destroy();
    }
  });
  const session = new TestSession(ID, { port: backend.port, token: null });
  await using proxy = await startProxy({ sessions: [session], observer });
  await expect(fetch(`${proxy.url}/${ID}/half`).then((answer) => answer.text())).rejects.toThrow();
  await (await fetch(`${proxy.url}/${ID}/never`)).text();
  const client = connect(proxy.port, '127.0.0.1');
  client.write(`GET /${ID}/silent HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  await eventually('it has been forwarded', () => observer.begun.at(2)?.forwardedAt);
  client.destroy();
  const records = await untilOver(observer, 3);
  expect(records.map(({ status, complete }) => [status, complete])).toEqual([
    [200, false],
    [502, true],
    [0, false],
  ]);
});

test('an event stream is opened with its first bytes and over with the client', async () => {
  const observer = recorder();
  await using backend = await startBackend((_req, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.write('data: 1\n\n');
  });
  const session = new TestSession(ID, { port: backend.port, token: null });
  await using proxy = await startProxy({ sessions: [session], observer });
  const leaving = new AbortController();
  await fetch(`${proxy.url}/${ID}/events`, { signal: leaving.signal });
  expect([observer.streams, observer.over]).toEqual([['event_stream'], []]);
  leaving.abort();
  const [record] = await untilOver(observer, 1);
  expect(record).toMatchObject({ kind: 'event_stream', status: 200, complete: false });
});

test('an upgraded connection is opened with 101 and over when it closes; a refused one is a request', async () => {
  const observer = recorder();
  await using backend = await startBackend((_req, res) => res.writeHead(404).end());
  backend.server.on('upgrade', (_req, socket) => {
    socket.on('error', () => undefined).on('end', () => socket.end());
    socket.resume();
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n');
  });
  const session = new TestSession(ID, { port: backend.port, token: null });
  await using proxy = await startProxy({ sessions: [session], observer });
  const client = connect(proxy.port, '127.0.0.1');
  const upgrade = 'Host: localhost\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n';
  client.write(`GET /${ID}/socket HTTP/1.1\r\n${upgrade}`);
  await once(client, 'data');
  expect([observer.streams, observer.over]).toEqual([['upgrade'], []]);
  client.destroy();
  const [record] = await untilOver(observer, 1);
  expect(record).toMatchObject({ kind: 'upgrade', status: 101 });
  await exchange(proxy.port, `GET /unknown/socket HTTP/1.1\r\n${upgrade}`);
  expect((await untilOver(observer, 2))[1]).toMatchObject({ kind: 'request', status: 404, complete: true });
});
