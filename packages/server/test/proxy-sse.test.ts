import { request } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { ID, startBackend, startProxy, TestSession, until } from './proxy-harness.ts';
import type { TestBackend } from './proxy-harness.ts';

interface Client {
  readonly res: IncomingMessage;
  text: string;
  /** `true` after a proper end, `false` after a broken one. */
  complete: boolean | null;
  readonly destroy: () => void;
}

/** Opens a stream and collects it; each has a connection of its own. */
async function open(url: string, headers: Record<string, string> = {}): Promise<Client> {
  const req = request(url, { headers: { accept: 'text/event-stream', ...headers }, agent: false });
  const res = await new Promise<IncomingMessage>((resolve, reject) => {
    req.on('response', resolve).on('error', reject).end();
  });
  const client: Client = { res, text: '', complete: null, destroy: () => req.destroy() };
  res.setEncoding('latin1');
  res.on('data', (chunk: string) => {
    client.text += chunk;
  });
  res.on('error', () => {});
  res.on('close', () => {
    client.complete = res.complete;
  });
  return client;
}

/** An agent whose streams the test writes to. */
async function startStreams(
  head: Record<string, string> = { 'content-type': 'text/event-stream' },
): Promise<{ backend: TestBackend; streams: ServerResponse[]; requests: IncomingMessage[] }> {
  const streams: ServerResponse[] = [];
  const requests: IncomingMessage[] = [];
  const backend = await startBackend((req, res) => {
    if (req.url === '/status') {
      res.end('{"status":"stable"}');
      return;
    }
    requests.push(req);
    res.writeHead(200, head);
    res.flushHeaders();
    streams.push(res);
  });
  return { backend, streams, requests };
}

describe('event streams', () => {
  test('PX-152, PX-155: the head comes before any event, each event when it is written, every kind of line unchanged', async () => {
    const { backend, streams, requests } = await startStreams();
    await using _backend = backend;
    await using proxy = await startProxy({
      sessions: [new TestSession(ID, { port: backend.port, token: null })],
    });
    const client = await open(`${proxy.url}/${ID}/events`, { 'last-event-id': '41' });
    expect(requests[0]?.headers['last-event-id']).toBe('41');
    const events = [
      'event: message_update\nid: 42\ndata: {"a":1}\n\n',
      ': a comment\n',
      'retry: 1000\r\ndata\r\ndata: x\r\n\r\n',
      'data: Stück f\u00fcr St\u00fcck\n\n',
      'data: cut in',
      ' two\n\n',
    ];
    let sent = '';
    for (const event of events) {
      streams[0]?.write(event, 'latin1');
      sent += event;
      await until(() => client.text === sent, `the event ${JSON.stringify(event)}`);
    }
    client.destroy();
  });

  test.each(['text/event-stream', 'text/event-stream; charset=utf-8', 'Text/Event-Stream ;x=y'])(
    'PX-153, PX-154: %s is not to be held back by anybody',
    async (type) => {
      const { backend } = await startStreams({ 'content-type': type, 'cache-control': 'max-age=60' });
      await using _backend = backend;
      await using proxy = await startProxy({
        sessions: [new TestSession(ID, { port: backend.port, token: null })],
      });
      const { res, destroy } = await open(`${proxy.url}/${ID}/events`);
      expect(res.headers['content-type']).toBe(type);
      expect(res.headers['cache-control']).toBe('no-cache, no-transform');
      expect(res.headers['x-accel-buffering']).toBe('no');
      expect(res.headers['content-length']).toBeUndefined();
      destroy();
    },
  );

  test('PX-153: an announced length does not appear on an event stream', async () => {
    await using backend = await startBackend((_req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream', 'content-length': '9' });
      res.end('data: x\n\n');
    });
    await using proxy = await startProxy({
      sessions: [new TestSession(ID, { port: backend.port, token: null })],
    });
    const client = await open(`${proxy.url}/${ID}/events`);
    await until(() => client.complete === true, 'the end');
    expect(client.res.headers['content-length']).toBeUndefined();
    expect(client.text).toBe('data: x\n\n');
  });

  test('other types are left as they are', async () => {
    const { backend } = await startStreams({
      'content-type': 'text/event-streaming',
      'cache-control': 'max-age=60',
    });
    await using _backend = backend;
    await using proxy = await startProxy({
      sessions: [new TestSession(ID, { port: backend.port, token: null })],
      heartbeatMs: 20,
    });
    const { res, destroy } = await open(`${proxy.url}/${ID}/x`);
    expect(res.headers['cache-control']).toBe('max-age=60');
    expect(res.headers['x-accel-buffering']).toBeUndefined();
    destroy();
  });

  test('PX-156: an idle stream gets comments, between events only and never within one', async () => {
    const { backend, streams } = await startStreams();
    await using _backend = backend;
    await using proxy = await startProxy({
      sessions: [new TestSession(ID, { port: backend.port, token: null })],
      heartbeatMs: 30,
    });
    const idle = await open(`${proxy.url}/${ID}/events`);
    const within = await open(`${proxy.url}/${ID}/events`);
    streams[1]?.write('data: half an');
    await until(() => within.text.endsWith('half an'), 'half an event');
    const before = within.text;
    await until(() => idle.text.split(': keep-alive\n\n').length > 3, 'three heartbeats');
    expect(idle.text.replaceAll(': keep-alive\n\n', '')).toBe('');
    expect(within.text).toBe(before);
    streams[1]?.write(' event\n\n');
    await until(
      () => within.text.endsWith('data: half an event\n\n: keep-alive\n\n'),
      'a heartbeat after the event',
    );
    idle.destroy();
    within.destroy();
  });

  test('PX-156: compressed streams get no comments', async () => {
    const { backend } = await startStreams({
      'content-type': 'text/event-stream',
      'content-encoding': 'gzip',
    });
    await using _backend = backend;
    const plain = await startStreams();
    await using _plain = plain.backend;
    const other = '11111111-2222-4333-8444-555555555555';
    await using proxy = await startProxy({
      sessions: [
        new TestSession(ID, { port: backend.port, token: null }),
        new TestSession(other, { port: plain.backend.port, token: null }),
      ],
      heartbeatMs: 20,
    });
    const packed = await open(`${proxy.url}/${ID}/events`);
    const control = await open(`${proxy.url}/${other}/events`);
    await until(() => control.text.split(': keep-alive').length > 3, 'heartbeats elsewhere');
    expect(packed.text).toBe('');
    packed.destroy();
    control.destroy();
  });

  test('PX-157: the stream ends when the session does', async () => {
    const { backend, streams } = await startStreams();
    await using _backend = backend;
    const session = new TestSession(ID, { port: backend.port, token: null });
    await using proxy = await startProxy({ sessions: [session] });
    const client = await open(`${proxy.url}/${ID}/events`);
    streams[0]?.write('data: last\n\n');
    await until(() => client.text !== '', 'an event');
    session.become('stopping');
    await until(() => client.complete !== null, 'the end');
    expect(client.complete).toBe(true);
    expect(client.text).toBe('data: last\n\n');
    await until(() => backend.sockets.size === 0, 'no connection to the agent');
    expect((await fetch(`${proxy.url}/${ID}/status`)).status).toBe(404);
  });

  test('PX-144: a stream whose agent dies while the session lives breaks', async () => {
    const { backend, streams } = await startStreams();
    await using _backend = backend;
    await using proxy = await startProxy({
      sessions: [new TestSession(ID, { port: backend.port, token: null })],
    });
    const client = await open(`${proxy.url}/${ID}/events`);
    streams[0]?.destroy();
    await until(() => client.complete !== null, 'the end');
    expect(client.complete).toBe(false);
  });

  test('PX-147: a reader that leaves ends the agent’s stream', async () => {
    const { backend, streams } = await startStreams();
    await using _backend = backend;
    await using proxy = await startProxy({
      sessions: [new TestSession(ID, { port: backend.port, token: null })],
    });
    const client = await open(`${proxy.url}/${ID}/events`);
    client.destroy();
    await until(() => streams[0]?.destroyed === true, 'the end at the agent');
    expect(client.complete).toBe(false);
  });

  test('PX-158: 200 streams on one session all get every event, and other requests go on', async () => {
    const { backend, streams } = await startStreams();
    await using _backend = backend;
    await using proxy = await startProxy({
      sessions: [new TestSession(ID, { port: backend.port, token: null })],
    });
    const clients = await Promise.all(Array.from({ length: 200 }, () => open(`${proxy.url}/${ID}/events`)));
    expect(streams).toHaveLength(200);
    let sent = '';
    for (let i = 0; i < 20; i += 1) {
      const event = `id: ${i}\ndata: ${'x'.repeat(100)}\n\n`;
      sent += event;
      for (const stream of streams) stream.write(event);
      expect(await (await fetch(`${proxy.url}/${ID}/status`)).text()).toBe('{"status":"stable"}');
    }
    await until(() => clients.every((client) => client.text === sent), 'all events at all clients');
    for (const client of clients) client.destroy();
    await until(() => backend.sockets.size <= 1, 'the connections of the streams gone');
  });

  test('a reader that stops reading gets no heartbeats piled up, and holds the agent up', async () => {
    const { backend, streams } = await startStreams();
    await using _backend = backend;
    await using proxy = await startProxy({
      sessions: [new TestSession(ID, { port: backend.port, token: null })],
      heartbeatMs: 20,
    });
    const client = await open(`${proxy.url}/${ID}/events`);
    client.res.pause();
    const event = `data: ${'x'.repeat(65_536)}\n\n`;
    const limit = 2_000;
    let written = 0;
    const stream = streams[0];
    if (stream === undefined) throw new Error('no stream');
    const fill = (): void => {
      while (written < limit) {
        written += 1;
        if (!stream.write(event)) {
          stream.once('drain', fill);
          return;
        }
      }
    };
    fill();
    let before = 0;
    let unchanged = 0;
    await until(() => {
      unchanged = written === before ? unchanged + 1 : 0;
      before = written;
      return unchanged > 20;
    }, 'the agent being held up');
    expect(written).toBeLessThan(limit);
    client.destroy();
    await until(() => stream.destroyed, 'the end at the agent');
  });
});
