import { getEventListeners } from 'node:events';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  ApiError,
  ConnectionError,
  InvalidResponseError,
  SessionEndedError,
  TimeoutError,
  createClient,
  type AgentEvent,
  type EventsOptions,
  type ReconnectNotice,
} from '../src/index.ts';
import { TestProxy, json } from './test-proxy.ts';

const QUICK = { initialDelayMs: 2, maxDelayMs: 4 };

async function setUp(options: EventsOptions = {}, timeoutMs?: number) {
  const proxy = await TestProxy.start();
  const agent = proxy.session();
  const session = createClient({ baseUrl: proxy.baseUrl, timeoutMs }).session('s1');
  const notices: ReconnectNotice[] = [];
  const events = iterate(
    session.events({ reconnect: QUICK, onReconnect: (notice) => notices.push(notice), ...options }),
  );
  return { proxy, agent, session, events, notices };
}

function iterate(events: AsyncIterable<AgentEvent>): AsyncIterator<AgentEvent, void> {
  return events[Symbol.asyncIterator]();
}

async function take(events: AsyncIterator<AgentEvent, void>, count: number): Promise<string[]> {
  const taken: string[] = [];
  while (taken.length < count) {
    const next = await events.next();
    if (next.done === true) break;
    taken.push(brief(next.value));
  }
  return taken;
}

function brief(event: AgentEvent): string {
  switch (event.kind) {
    case 'message_update':
      return `${event.message.id} ${event.message.role}: ${event.message.content}`;
    case 'status_change':
      return event.status;
    case 'agent_error':
      return `${event.level}: ${event.message}`;
    case 'unknown':
      return `? ${event.name} ${event.data}`;
  }
}

describe('events', () => {
  test('PX-213: first the conversation so far, then every change, typed', async () => {
    const { proxy, agent, events } = await setUp();
    await using _ = proxy;
    agent.say('agent', 'Hello');
    agent.fail('disk full');
    expect(await take(events, 3)).toEqual(['0 agent: Hello', 'stable', 'error: disk full']);
    agent.say('user', 'Größe?\n2');
    agent.setStatus('running');
    agent.say('agent', 'A');
    agent.say('agent', 'An answer', 2);
    agent.emit('invented', { a: 1 });
    agent.setStatus('stable');
    expect(await take(events, 6)).toEqual([
      '1 user: Größe?\n2',
      'running',
      '2 agent: A',
      '2 agent: An answer',
      '? invented {"a":1}',
      'stable',
    ]);
    expect(proxy.requests[0]!.headers.accept).toMatch(/^text\/event-stream/);
    await events.return!();
    await agent.untilStreams(0);
  });

  test('PX-215: a stream has no total time limit (DF-60)', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const { proxy, agent, events } = await setUp({ heartbeatTimeoutMs: 600_000 }, 30_000);
    await using _ = proxy;
    await take(events, 1);
    const next = take(events, 1);
    // Longer than the limit of this client.
    await vi.advanceTimersByTimeAsync(120_000);
    agent.setStatus('running');
    expect(await next).toEqual(['running']);
    expect(proxy.count('GET /s1/events')).toBe(1);
    await events.return!();
  });

  test('PX-215: a lost connection is replaced; what was delivered is not repeated, what was missed comes', async () => {
    const { proxy, agent, events, notices } = await setUp();
    await using _ = proxy;
    agent.say('agent', 'Hello');
    agent.fail('e1');
    await take(events, 3);
    agent.breakStreams();
    await agent.untilStreams(0);
    agent.say('user', 'q');
    agent.say('agent', 'Hello!', 0);
    agent.fail('e2');
    expect(await take(events, 4)).toEqual(['0 agent: Hello!', '1 user: q', 'stable', 'error: e2']);
    expect(notices).toHaveLength(1);
    expect(notices[0]).toMatchObject({ attempt: 1, cause: { kind: 'connection' } });
    await events.return!();
  });

  test('PX-215: pauses grow while the server is away, and begin again after news', async () => {
    const { proxy, agent, events, notices } = await setUp();
    await using _ = proxy;
    await take(events, 1);
    proxy.override('GET /s1/events', (_request, response) => response.destroy(), 3);
    agent.breakStreams();
    await agent.untilStreams(0);
    agent.status = 'running';
    expect(await take(events, 1)).toEqual(['running']);
    agent.breakStreams();
    await agent.untilStreams(0);
    agent.status = 'stable';
    expect(await take(events, 1)).toEqual(['stable']);
    expect(notices.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4, 1]);
    for (const { delayMs } of notices) expect(delayMs).toBeLessThanOrEqual(4);
    await events.return!();
  });

  test('PX-215: silence beyond the heartbeat limit replaces the connection, comments are a sign of life', async () => {
    const { proxy, agent, events, notices } = await setUp({ heartbeatTimeoutMs: 1_000 });
    await using _ = proxy;
    await take(events, 1);
    const next = take(events, 1);
    for (let beat = 0; beat < 24; beat += 1) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      agent.comment();
    }
    expect(notices).toEqual([]);
    await agent.untilStreams(0);
    agent.status = 'running';
    expect(await next).toEqual(['running']);
    expect(notices[0]!.cause).toBeInstanceOf(TimeoutError);
    await events.return!();
  });

  test('PX-215: an attempt without an answer is given up after the limit of the client, and its connection closed', async () => {
    const { proxy, events, notices } = await setUp({}, 50);
    await using _ = proxy;
    const closed = new Promise((resolve) =>
      proxy.override('GET /s1/events', (_request, response) => response.on('close', resolve)),
    );
    expect(await take(events, 1)).toEqual(['stable']);
    await closed;
    expect(notices[0]!.cause).toMatchObject({ kind: 'timeout', timeoutMs: 50 });
    await events.return!();
  });

  test('nothing stays attached to the signal of the caller', async () => {
    const { signal } = new AbortController();
    const { proxy, agent, events, session } = await setUp({ signal });
    await using _ = proxy;
    await take(events, 1);
    agent.breakStreams();
    await agent.untilStreams(0);
    agent.status = 'running';
    await take(events, 1);
    await events.return!();
    agent.status = 'stable';
    await session.status({ signal });
    await session.waitUntilReady({ signal });
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  test('a busy server is asked again, not before the time it names', async () => {
    const stop = new AbortController();
    const { proxy, events, notices } = await setUp({
      signal: stop.signal,
      onReconnect: (notice) => {
        notices.push(notice);
        if (notice.cause instanceof ApiError && notice.cause.retryAfterMs === 5000)
          stop.abort(new Error('seen'));
      },
    });
    await using _ = proxy;
    proxy.override('GET /s1/events', (_request, response) =>
      json(
        response,
        503,
        { message: 'Session is still starting', code: 'session_starting' },
        { 'retry-after': '5' },
      ),
    );
    await expect(events.next()).rejects.toThrow('seen');
    expect(notices[0]!.delayMs).toBeGreaterThanOrEqual(5000);
  });

  test('the end of the session is a typed error with its record', async () => {
    const { proxy, agent, events } = await setUp();
    await using _ = proxy;
    await take(events, 1);
    agent.end('failed', { reason: 'The agent was killed', exit_signal: 'SIGKILL', last_output: ['bye'] });
    const error = await events.next().catch((error: unknown) => error);
    expect(error).toBeInstanceOf(SessionEndedError);
    expect(error).toMatchObject({
      kind: 'session_ended',
      sessionId: 's1',
      message: 'Session s1 has failed: The agent was killed',
      session: { exit_signal: 'SIGKILL', last_output: ['bye'] },
    });
    expect(await events.next()).toEqual({ done: true, value: undefined });
  });

  test('the end of the session can be the end of the loop, also when the server keeps no record', async () => {
    const { proxy, agent, session } = await setUp();
    await using _ = proxy;
    const seen: string[] = [];
    for await (const event of session.events({ reconnect: QUICK, onSessionEnd: 'return' })) {
      seen.push(brief(event));
      agent.forgotten = true;
      agent.end();
    }
    expect(seen).toEqual(['stable']);
  });

  test('a session that fails while it starts ends the stream with its reason', async () => {
    const { proxy, agent, events } = await setUp();
    await using _ = proxy;
    agent.state = 'failed';
    agent.record = { reason: 'demo: command not found' };
    proxy.override(
      'GET /s1/events',
      (_request, response) => json(response, 503, { message: 'Session failed' }),
      9,
    );
    await expect(events.next()).rejects.toThrow('demo: command not found');
  });

  test('an unknown session, a refused key and a page instead of a stream are final', async () => {
    const { proxy, events, session, notices } = await setUp();
    await using _ = proxy;
    const unknown = iterate(createClient({ baseUrl: proxy.baseUrl }).session('nobody').events());
    await expect(unknown.next()).rejects.toMatchObject({ kind: 'not_found' });
    proxy.override('GET /s1/events', (_request, response) =>
      json(response, 401, { message: 'Invalid API key' }),
    );
    await expect(events.next()).rejects.toMatchObject({ kind: 'unauthorized' });
    proxy.override('GET /s1/events', (_request, response) =>
      response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
    );
    await expect(iterate(session.events()).next()).rejects.toBeInstanceOf(InvalidResponseError);
    expect(notices).toEqual([]);
  });

  test('a server that was never reached is given up; so is a lost one after the attempts allowed', async () => {
    const nowhere = createClient({ baseUrl: 'http://127.0.0.1:1' }).session('s1');
    await expect(iterate(nowhere.events({ reconnect: QUICK })).next()).rejects.toBeInstanceOf(
      ConnectionError,
    );

    const { proxy, agent, events, notices } = await setUp({ reconnect: { ...QUICK, maxAttempts: 2 } });
    await using _ = proxy;
    await take(events, 1);
    proxy.override('GET /s1/events', (_request, response) => response.destroy(), 9);
    agent.breakStreams();
    await expect(events.next()).rejects.toBeInstanceOf(ConnectionError);
    expect(notices.map(({ attempt }) => attempt)).toEqual([1, 2]);
  });

  test('without reconnecting, the end of the connection is the end of the loop and a break is an error', async () => {
    const { proxy, agent, events, session } = await setUp({ reconnect: false });
    await using _ = proxy;
    await take(events, 1);
    for (const stream of agent.streams) stream.end();
    expect((await events.next()).done).toBe(true);
    const second = iterate(session.events({ reconnect: false }));
    await take(second, 1);
    agent.breakStreams();
    await expect(second.next()).rejects.toBeInstanceOf(ConnectionError);
  });

  test('an abort ends the loop with its reason and closes the connection, also while the consumer is busy', async () => {
    const stop = new AbortController();
    const { proxy, agent, events } = await setUp({ signal: stop.signal });
    await using _ = proxy;
    await take(events, 1);
    stop.abort(new Error('enough'));
    await agent.untilStreams(0);
    await expect(events.next()).rejects.toThrow('enough');
  });

  test('return() while next() waits ends both at once and closes the connection', async () => {
    const { proxy, agent, events } = await setUp();
    await using _ = proxy;
    await take(events, 1);
    const waiting = events.next();
    expect((await events.return!()).done).toBe(true);
    expect((await waiting).done).toBe(true);
    await agent.untilStreams(0);
    expect(proxy.count('GET /s1/events')).toBe(1);
  });

  test('leaving the loop closes the connection; each loop has its own', async () => {
    const { proxy, agent, session } = await setUp();
    await using _ = proxy;
    const events = session.events();
    for (let round = 0; round < 2; round += 1) {
      for await (const event of events) {
        expect(brief(event)).toBe('stable');
        break;
      }
      await agent.untilStreams(0);
    }
    expect(proxy.count('GET /s1/events')).toBe(2);
  });
});

test('a server that takes connections and never answers is given up, however long each attempt waited', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  let attempts = 0;
  const silent = (_url: string | URL | Request, init?: RequestInit): Promise<Response> => {
    attempts += 1;
    return new Promise((_resolve, reject) => {
      init?.signal?.addEventListener('abort', () => reject(init.signal?.reason));
    });
  };
  const client = createClient({ baseUrl: 'http://127.0.0.1:9', fetch: silent, timeoutMs: 60_000 });
  const events = iterate(client.session('s1').events({ reconnect: { ...QUICK, maxAttempts: 2 } }));
  const outcome = events.next().catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(10 * 61_000);
  expect(await outcome).toBeInstanceOf(TimeoutError);
  expect(attempts).toBe(3);
});
