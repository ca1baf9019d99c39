import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { ConversationEvent } from '../src/conversation/conversation-model.ts';
import { eventually, serveApi, type ServedApi } from './support/http-harness.ts';

const agentMessage = (id: number, content: string): ConversationEvent => ({
  kind: 'message',
  message: { id, role: 'agent', content, time: new Date(id) },
});

test('AA-058: both streams have the seven headers that keep proxies from buffering', async () => {
  await using served = await serveApi();
  for (const path of ['/events', '/internal/screen']) {
    await using stream = await served.stream(path, { Connection: 'keep-alive' });
    expect(stream.status).toBe(200);
    expect(stream.headers).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache, no-store, must-revalidate',
      pragma: 'no-cache',
      expires: '0',
      'x-accel-buffering': 'no',
      'x-proxy-buffering': 'no',
      connection: 'keep-alive',
    });
    expect(stream.headers['link']).toBeUndefined();
  }
});

test('AA-059: a frame is an event line and one line of JSON, without id or retry; markup is escaped', async () => {
  await using served = await serveApi();
  served.conversation.messageList = [{ id: 0, role: 'agent', content: '<a>\n& \u2028 é', time: new Date(0) }];
  await using stream = await served.stream('/events');
  await stream.until((events) => events.length === 2);
  expect(stream.raw()).toBe(
    'event: message_update\n' +
      'data: {"id":0,"role":"agent","message":"\\u003ca\\u003e\\n\\u0026 \\u2028 é","time":"1970-01-01T00:00:00.000Z"}\n\n' +
      'event: status_change\ndata: {"status":"stable","agent_type":"custom"}\n\n',
  );
  expect(stream.events()[0]?.data['message']).toBe('<a>\n& \u2028 é');
});

test('AA-060 AA-066: `/events` begins with the messages, the status and the retained errors, oldest first', async () => {
  await using served = await serveApi();
  const { conversation } = served;
  conversation.messageList.push({ id: 1, role: 'user', content: 'hi', time: new Date(1) });
  conversation.errorList.push(
    { message: 'first', level: 'warning', time: new Date(2) },
    { message: 'second', level: 'error', time: new Date(3) },
  );
  await using stream = await served.stream('/events');
  expect(await stream.until((events) => events.length === 5)).toEqual([
    {
      event: 'message_update',
      data: { id: 0, role: 'agent', message: 'hello\n> ', time: '1970-01-01T00:00:00.000Z' },
    },
    {
      event: 'message_update',
      data: { id: 1, role: 'user', message: 'hi', time: '1970-01-01T00:00:00.001Z' },
    },
    { event: 'status_change', data: { status: 'stable', agent_type: 'custom' } },
    { event: 'agent_error', data: { message: 'first', level: 'warning', time: '1970-01-01T00:00:00.002Z' } },
    { event: 'agent_error', data: { message: 'second', level: 'error', time: '1970-01-01T00:00:00.003Z' } },
  ]);
});

test('AA-061 AA-063 AA-065 AA-070: every subscriber gets every event in order, and screens never', async () => {
  await using served = await serveApi();
  const { conversation } = served;
  await using first = await served.stream('/events');
  await using second = await served.stream('/events');
  await eventually(() => conversation.subscribers === 2);
  for (let index = 0; index < 50; index++) {
    conversation.emit(agentMessage(2, `text ${index}`));
    conversation.emit({ kind: 'screen', screen: `screen ${index}` });
    conversation.emit({ kind: 'status', status: index % 2 === 0 ? 'running' : 'stable' });
  }
  conversation.emit({ kind: 'error', error: { message: 'late', level: 'error', time: new Date(0) } });
  const expected = await first.until((events) => events.length === 2 + 101);
  expect(await second.until((events) => events.length === 2 + 101)).toEqual(expected);
  const updates = expected.slice(2).filter(({ event }) => event === 'message_update');
  expect(updates.map(({ data }) => data['message'])).toEqual(
    Array.from({ length: 50 }, (_, index) => `text ${index}`),
  );
  expect(updates.every(({ data }) => data['id'] === 2)).toBe(true);
  expect(new Set(expected.map(({ event }) => event))).toEqual(
    new Set(['message_update', 'status_change', 'agent_error']),
  );
});

test('AA-062: a status event names the agent type', async () => {
  await using served = await serveApi();
  await using stream = await served.stream('/events');
  await eventually(() => served.conversation.subscribers === 1);
  served.conversation.emit({ kind: 'status', status: 'running' });
  const events = await stream.until((list) => list.length === 3);
  expect(events[2]).toEqual({ event: 'status_change', data: { status: 'running', agent_type: 'custom' } });
});

test('AA-064: `/internal/screen` sends the screen at once and then its changes, right-trimmed', async () => {
  await using served = await serveApi();
  await using stream = await served.stream('/internal/screen');
  await eventually(() => served.conversation.subscribers === 1);
  served.conversation.emit(agentMessage(0, 'not shown'));
  served.conversation.emit({ kind: 'screen', screen: '  row \u00a0 \t\r\n\f\v' });
  served.conversation.emit({ kind: 'screen', screen: ' \n' });
  expect(await stream.until((events) => events.length === 3)).toEqual([
    { event: 'screen', data: { screen: 'hello   \n>' } },
    { event: 'screen', data: { screen: '  row \u00a0' } },
    { event: 'screen', data: { screen: '' } },
  ]);
});

test('AA-067: what happens while a slow client still reads the snapshot comes once, after it', async () => {
  await using served = await serveApi();
  const { conversation } = served;
  // More than the socket buffers take, so that the snapshot is under way when the events happen.
  const text = 'x'.repeat(100_000);
  conversation.messageList = Array.from({ length: 100 }, (_, id) => ({
    id,
    role: 'agent',
    content: text,
    time: new Date(0),
  }));
  await using client = slowClient(served, '/events');
  await eventually(() => conversation.subscribers === 1);
  conversation.emit(agentMessage(100, 'one'));
  conversation.emit(agentMessage(101, 'two'));
  client.resume();
  await eventually(() => client.received().includes('"two"'));
  const ids = [...client.received().matchAll(/data: \{"id":(\d+)/g)].map((match) => Number(match[1]));
  expect(ids).toEqual(Array.from({ length: 102 }, (_, index) => index));
});

test('AA-068: a subscriber that falls 1024 events behind gets those and a clean end; others go on', async () => {
  await using served = await serveApi();
  const { conversation } = served;
  // More than the socket buffers take: every event from now on has to wait.
  const huge = { id: 0, role: 'agent', content: 'x'.repeat(16_000_000), time: new Date(0) } as const;
  conversation.messageList = [huge];
  await using slow = slowClient(served, '/events');
  await eventually(() => conversation.subscribers === 1);
  conversation.messageList = [];
  await using healthy = await served.stream('/events');
  await eventually(() => conversation.subscribers === 2);
  let count = 0;
  while (conversation.subscribers === 2 && count < 2000) {
    conversation.emit(agentMessage(++count, 'text'));
    // The healthy one must get its turn to read.
    if (count % 512 === 0) await healthy.until((events) => events.length > count);
  }
  expect(conversation.subscribers).toBe(1);
  conversation.emit(agentMessage(++count, 'after the cut'));
  slow.resume();
  await slow.closed;
  // The end of a chunked body: the stream was ended, not torn.
  expect(slow.received().endsWith('\r\n0\r\n\r\n')).toBe(true);
  const got = [...slow.received().matchAll(/data: \{"(?:id":(\d+)|status)/g)].map((match) => match[1]);
  // After the snapshot of message and status: exactly what fitted into the queue.
  expect(got.slice(2).map(Number)).toEqual(Array.from({ length: 1024 }, (_, index) => index + 1));
  await healthy.until((events) => events.at(-1)?.data['message'] === 'after the cut');
});

test('AA-069: an idle stream gets comments, which are no events', async () => {
  await using served = await serveApi({ keepAliveMs: 20 });
  await using stream = await served.stream('/internal/screen');
  await eventually(() => stream.raw().includes(': keep-alive\n\n: keep-alive\n\n'));
  expect(stream.events()).toHaveLength(1);
});

describe('the end of streams', () => {
  test('AA-071: streams end cleanly at shutdown, after what is queued', async () => {
    await using served = await serveApi();
    await using events = await served.stream('/events');
    await using screens = await served.stream('/internal/screen');
    await eventually(() => served.conversation.subscribers === 2);
    served.conversation.emit(agentMessage(1, 'last words'));
    served.api.endStreams();
    expect(await events.ended).toBe(true);
    expect(await screens.ended).toBe(true);
    expect(events.events().at(-1)?.data['message']).toBe('last words');
    expect(served.conversation.subscribers).toBe(0);
  });

  test('AA-071: a stream that is opened while the server closes ends, too', async () => {
    await using served = await serveApi();
    served.api.endStreams();
    for (const path of ['/events', '/internal/screen']) {
      await using late = await served.stream(path);
      expect([late.status, await late.ended]).toEqual([200, true]);
    }
    expect(served.conversation.subscribers).toBe(0);
  });

  test('AA-071: a client that leaves is released', async () => {
    await using served = await serveApi();
    for (let round = 0; round < 3; round++) {
      const stream = await served.stream('/events');
      await eventually(() => served.conversation.subscribers === 1);
      await stream[Symbol.asyncDispose]();
      await eventually(() => served.conversation.subscribers === 0);
    }
    expect(served.logLines).toEqual([]);
  });
});

interface SlowClient extends AsyncDisposable {
  resume(): void;
  received(): string;
  readonly closed: Promise<void>;
}

/** A client that asks for a stream and reads nothing until `resume`. */
function slowClient(served: ServedApi, path: string): SlowClient {
  const socket = connect(served.port, '127.0.0.1');
  const chunks: string[] = [];
  socket.setEncoding('utf8').on('error', () => {});
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
  socket.pause();
  return {
    closed,
    resume: () => void socket.on('data', (chunk: string) => chunks.push(chunk)).resume(),
    received: () => chunks.join(''),
    [Symbol.asyncDispose]: async () => {
      socket.destroy();
      await closed;
    },
  };
}
