import { describe, expect, test } from 'vitest';
import {
  ConnectionError,
  SessionEndedError,
  TimeoutError,
  createClient,
  type Session,
} from '../src/index.ts';
import { TestProxy, busy, type TestSession } from './test-proxy.ts';

async function setUp() {
  const proxy = await TestProxy.start();
  const agent = proxy.session();
  agent.say('agent', 'Hello, what can I do?');
  return { proxy, agent, session: createClient({ baseUrl: proxy.baseUrl }).session('s1') };
}

const noEvents = (proxy: TestProxy) =>
  proxy.override(
    'GET /s1/events',
    (_request, response) =>
      response.writeHead(404, { 'content-type': 'text/plain' }).end('404 page not found\n'),
    99,
  );

/** An agent that takes a message and answers in one go. */
function answering(agent: TestSession, answer: (content: string) => string): void {
  agent.onMessage = (content) => {
    agent.setStatus('running');
    agent.say('user', content.trim());
    agent.say('agent', answer(content));
    agent.setStatus('stable');
  };
}

/** Longer than any reaction of the client to what the server has written takes. */
async function roundTrips(session: Session): Promise<void> {
  for (let trip = 0; trip < 5; trip += 1) await session.log();
}

describe('waitUntilReady', () => {
  test('resolves when the agent becomes stable, told by an event and not by polling', async () => {
    const { proxy, agent, session } = await setUp();
    await using _ = proxy;
    agent.status = 'running';
    const ready = session.waitUntilReady();
    await agent.untilStreams(1);
    agent.setStatus('stable');
    await ready;
    expect(proxy.count('GET /s1/status')).toBe(0);
    await agent.untilStreams(0);
  });

  test('falls back to polling where the agent server has no events', async () => {
    const { proxy, agent, session } = await setUp();
    await using _ = proxy;
    noEvents(proxy);
    agent.status = 'running';
    proxy.override('GET /s1/status', (_request, response) => {
      agent.status = 'stable';
      response.writeHead(502, { 'content-type': 'text/plain' }).end('Bad Gateway\n');
    });
    await session.waitUntilReady();
    expect(proxy.count('GET /s1/status')).toBe(2);
  });

  test('waits for the message given at the start and for its answer', async () => {
    const { proxy, agent, session } = await setUp();
    await using _ = proxy;
    agent.record = { initial_message: { state: 'pending' } };
    const ready = session.waitUntilReady();
    const state = { done: false };
    void ready.then(() => (state.done = true));
    await agent.untilStreams(1);
    while (proxy.count('GET /sessions/s1') < 2) await new Promise((resolve) => setImmediate(resolve));
    expect(state.done).toBe(false);
    agent.setStatus('running');
    agent.say('user', 'the first message');
    agent.record = { initial_message: { state: 'delivered', at: 't' } };
    while (proxy.count('GET /s1/status') < 1) await new Promise((resolve) => setImmediate(resolve));
    await roundTrips(session);
    expect(state.done).toBe(false);
    agent.say('agent', 'done');
    agent.setStatus('stable');
    await ready;
  });

  test('a message given at the start that failed does not hold it up', async () => {
    const { proxy, agent, session } = await setUp();
    await using _ = proxy;
    agent.record = { initial_message: { state: 'failed', reason: 'refused' } };
    await session.waitUntilReady();
    expect(proxy.count('GET /sessions/s1')).toBe(1);
  });

  test('rejects with the reason when the session fails', async () => {
    const { proxy, agent, session } = await setUp();
    await using _ = proxy;
    agent.status = 'running';
    const ready = session.waitUntilReady();
    await agent.untilStreams(1);
    agent.end('failed', { reason: 'demo: not found in PATH' });
    await expect(ready).rejects.toThrow('demo: not found in PATH');
    await expect(session.waitUntilReady()).rejects.toBeInstanceOf(SessionEndedError);
    noEvents(proxy);
    await expect(session.waitUntilReady()).rejects.toBeInstanceOf(SessionEndedError);
  });

  test('ends at its time limit, at an abort, and when there is no server', async () => {
    const { proxy, agent, session } = await setUp();
    await using _ = proxy;
    agent.status = 'running';
    await expect(session.waitUntilReady({ timeoutMs: 50 })).rejects.toBeInstanceOf(TimeoutError);
    const stop = new AbortController();
    const ready = session.waitUntilReady({ signal: stop.signal });
    await agent.untilStreams(1);
    stop.abort(new Error('enough'));
    await expect(ready).rejects.toThrow('enough');
    await agent.untilStreams(0);
    const nowhere = createClient({ baseUrl: 'http://127.0.0.1:1' }).session('s1');
    await expect(nowhere.waitUntilReady()).rejects.toBeInstanceOf(ConnectionError);
  });
});

describe('sendAndWait', () => {
  test('resolves with the answer of this turn only', async () => {
    const { proxy, agent, session } = await setUp();
    await using _ = proxy;
    answering(agent, (content) => `echo ${content}`);
    expect((await session.sendAndWait('one')).text).toBe('echo one');
    const turn = await session.sendAndWait('  two\r\nlines ');
    expect(turn.sent).toMatchObject({ id: 3, role: 'user' });
    expect(turn.replies.map(({ id }) => id)).toEqual([4]);
    expect(proxy.count('POST /s1/message')).toBe(2);
    await agent.untilStreams(0);
  });

  test('the stable from before the agent begins is not the answer', async () => {
    const { proxy, agent, session } = await setUp();
    await using _ = proxy;
    // The server takes the message and its status lags behind: still stable, then running, then stable.
    agent.onMessage = (content) => {
      agent.say('user', content);
      agent.say('agent', 'Thinking');
    };
    const state = { done: false };
    const turn = session.sendAndWait('Hi').finally(() => (state.done = true));
    while (proxy.count('POST /s1/message') < 1) await new Promise((resolve) => setImmediate(resolve));
    await roundTrips(session);
    agent.setStatus('running');
    agent.say('agent', 'Thinking hard', 2);
    await roundTrips(session);
    expect(state.done).toBe(false);
    agent.say('agent', 'The answer', 2);
    agent.say('agent', 'and a second one');
    agent.setStatus('stable');
    expect((await turn).text).toBe('The answer\n\nand a second one');
  });

  test('the same text sent before does not confuse it', async () => {
    const { proxy, agent, session } = await setUp();
    await using _ = proxy;
    answering(agent, () => `answer ${agent.messages.length}`);
    await session.sendAndWait('again');
    expect((await session.sendAndWait('again')).text).toBe('answer 4');
  });

  test('the answer to the message given at the start is not taken for its own', async () => {
    const { proxy, agent, session } = await setUp();
    await using _ = proxy;
    agent.record = { initial_message: { state: 'pending' } };
    agent.onMessage = (content) => {
      agent.setStatus('running');
      agent.say('user', content);
    };
    const turn = session.sendAndWait('B');
    while (proxy.count('GET /sessions/s1') < 2) await new Promise((resolve) => setImmediate(resolve));
    agent.setStatus('running');
    agent.say('user', 'A');
    agent.say('agent', 'a');
    agent.setStatus('stable');
    agent.record = { initial_message: { state: 'delivered', at: 't' } };
    while (proxy.count('POST /s1/message') < 1) await new Promise((resolve) => setImmediate(resolve));
    await roundTrips(session);
    agent.say('agent', 'b');
    agent.setStatus('stable');
    expect(await turn).toMatchObject({ sent: { content: 'B' }, text: 'b' });
  });

  test('waits for the agent to become ready, and sends again when it was refused as busy', async () => {
    const { proxy, agent, session } = await setUp();
    await using _ = proxy;
    agent.status = 'running';
    answering(agent, () => 'ok');
    const turn = session.sendAndWait('Hi');
    await agent.untilStreams(1);
    proxy.override('POST /s1/message', (_request, response) => {
      busy(response);
      agent.setStatus('running');
      agent.setStatus('stable');
    });
    agent.setStatus('stable');
    expect((await turn).text).toBe('ok');
    expect(agent.messages.filter(({ role }) => role === 'user')).toHaveLength(1);
  });

  test('a connection lost in the middle of the turn loses nothing', async () => {
    const { proxy, agent, session } = await setUp();
    await using _ = proxy;
    agent.onMessage = (content) => {
      agent.setStatus('running');
      agent.say('user', content);
      agent.say('agent', 'par');
    };
    const turn = session.sendAndWait('Hi');
    while (agent.messages.length < 3) await new Promise((resolve) => setImmediate(resolve));
    agent.breakStreams();
    await agent.untilStreams(0);
    agent.say('agent', 'partial no more', 2);
    agent.setStatus('stable');
    expect((await turn).text).toBe('partial no more');
  });

  test('a message that seems lost is not sent twice', async () => {
    const { proxy, session } = await setUp();
    await using _ = proxy;
    proxy.override('POST /s1/message', (_request, response) => response.destroy());
    await expect(session.sendAndWait('Hi')).rejects.toBeInstanceOf(ConnectionError);
    expect(proxy.count('POST /s1/message')).toBe(1);
  });

  test('works by polling where there are no events', async () => {
    const { proxy, agent, session } = await setUp();
    await using _ = proxy;
    noEvents(proxy);
    answering(agent, () => 'polled');
    expect((await session.sendAndWait('Hi')).text).toBe('polled');
  });

  // At the same time: each of them waits some seconds.
  test.concurrent.each([
    ['told by events', false],
    ['found by polling', true],
  ])('an agent that rests without a word, %s, gives an empty answer', async (_how, isPolled) => {
    const { proxy, agent, session } = await setUp();
    await using _ = proxy;
    if (isPolled) noEvents(proxy);
    agent.onMessage = (content) => {
      agent.setStatus('running');
      agent.say('user', content);
      agent.setStatus('stable');
    };
    expect(await session.sendAndWait('/clear', { timeoutMs: 15_000 })).toMatchObject({
      sent: { content: '/clear' },
      replies: [],
      text: '',
    });
  });

  test('a session that ends in the middle of the turn is a typed error', async () => {
    const { proxy, agent, session } = await setUp();
    await using _ = proxy;
    agent.onMessage = (content) => {
      agent.say('user', content);
      agent.end('stopped', { reason: 'The agent exited with code 3', exit_code: 3 });
    };
    await expect(session.sendAndWait('/exit')).rejects.toMatchObject({
      kind: 'session_ended',
      session: { exit_code: 3 },
    });
  });

  test('ends at its time limit', async () => {
    const { proxy, agent, session } = await setUp();
    await using _ = proxy;
    agent.onMessage = (content) => agent.say('user', content);
    await expect(session.sendAndWait('Hi', { timeoutMs: 100 })).rejects.toMatchObject({
      kind: 'timeout',
      timeoutMs: 100,
    });
    await agent.untilStreams(0);
  });
});
