import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ApiError, createClient, InvalidArgumentError, SessionEndedError } from '@agentapi-proxy/client';
import type { AgentEvent, Session } from '@agentapi-proxy/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually, startServer } from '../support/server-process.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { startTcpRelay } from '../support/tcp-relay.ts';

// An agent takes seconds for each turn, nearly all of them waiting: the tests wait side by side.
describe.concurrent('the TypeScript client with a real server', () => {
  let server: ServerProcess;
  beforeAll(async () => {
    server = await startServer({ config: { agents: { absent: { command: 'no-such-agent-program' } } } });
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
  });

  /** A session whose agent waits for input. */
  async function readySession(): Promise<Session> {
    const session = await server.client.start();
    await session.waitUntilReady();
    return session;
  }

  /** Text without white space: a terminal wraps long lines, and a screen has no trailing blanks. */
  function letters(text: string): string {
    return text.replaceAll(/\s/gu, '');
  }

  test('PX-213: start, get, search with tags and pages, delete', async () => {
    const session = await server.client.start({
      agent: 'demo',
      user_id: 'alice',
      tags: { team: 'docs & tools', role: 'third' },
      environment: { COLOUR: 'red' },
    });
    expect(await server.client.get(session.id)).toMatchObject({
      session_id: session.id,
      user_id: 'alice',
      agent: 'demo',
      agent_server: 'embedded',
      environment_names: ['COLOUR'],
      tags: { team: 'docs & tools' },
    });
    const byTag = await server.client.search({ tags: { team: 'docs & tools' }, user_id: 'alice' });
    expect(byTag.sessions.map(({ session_id }) => session_id)).toEqual([session.id]);
    expect((await server.client.search({ tags: { team: 'docs' } })).sessions).toEqual([]);
    const older = [session.id];
    for (const team of ['pages', 'pages', 'pages']) {
      older.unshift((await server.client.start({ tags: { team }, user_id: 'alice' })).id);
    }
    const pages: string[] = [];
    for await (const row of server.client.searchAll({ user_id: 'alice', limit: 1 }))
      pages.push(row.session_id);
    expect(pages).toEqual(older);

    expect(await session.delete()).toEqual({
      message: 'Session terminated successfully',
      session_id: session.id,
      status: 'terminated',
    });
    expect(await server.sessionProcesses(session.id)).toEqual([]);
  });

  test('PX-213, PX-214: send, status and messages; ids are numbers, times are times', async () => {
    const talker = await readySession();
    expect(await talker.status()).toMatchObject({ status: 'stable', agent_type: 'custom' });
    await talker.send('a first message');
    await eventually('the agent rests', async () => (await talker.status()).status === 'stable');
    const messages = await talker.messages();
    expect(messages.map(({ id, role }) => [id, role])).toEqual([
      [0, 'agent'],
      [1, 'user'],
      [2, 'agent'],
    ]);
    expect(messages[1]?.content).toBe('a first message');
    expect(messages[2]?.content).toContain('You said: a first message');
    for (const { time } of messages) expect(Date.now() - Date.parse(time)).toBeLessThan(60_000);
  });

  test('sendAndWait gives this turn’s answer, also when it equals the one before', async () => {
    const talker = await readySession();
    const first = await talker.sendAndWait('the same');
    const second = await talker.sendAndWait('the same');
    for (const turn of [first, second]) {
      expect(turn.sent.content).toBe('the same');
      expect(turn.text.trim()).toBe('You said: the same');
    }
    expect(second.sent.id).toBeGreaterThan(first.sent.id);
    expect(second.replies[0]?.id).toBeGreaterThan(second.sent.id);
  });

  test.each([
    ['several lines', 'one\n  two, indented\n\nfour after a gap\n- and a dash'],
    ['Unicode', 'Grüße, 世界! Ωμέγα — “quotes” 👩‍💻🎉 e\u0301 العربية'],
    ['what a shell or a terminal could take for its own', '$HOME `id` $(id) "a" \'b\' \\n %s !! ~ && | > #'],
    ['2 kB', Array.from({ length: 250 }, (_, i) => `word${i}`).join(' ')],
  ])('the exact text reaches the agent: %s', async (_name, text) => {
    const talker = await readySession();
    const turn = await talker.sendAndWait(text);
    expect(turn.sent.content).toBe(text);
    expect(letters(turn.text)).toBe(letters(`You said: ${text}`));
  });

  test('the exact text reaches the agent, byte for byte, where no screen is in between', async () => {
    const talker = await readySession();
    const text = `tab\there, ${'long line '.repeat(100)}end\n  ünï 世界 👩‍💻\n\n   last`;
    await talker.sendAndWait(`/run cat > got.txt <<'END-OF-TEXT'\n${text}\nEND-OF-TEXT`);
    const got = await readFile(join(server.dataDir, 'sessions', talker.id, 'workspace', 'got.txt'), 'utf8');
    // A terminal program shows a tab as blanks; everything else stays as it is.
    expect(got.replace(/tab\s+here/, 'tab\there')).toBe(`${text}\n`);
  });

  test('raw keys answer a dialog, and an upload can be read by the agent', async () => {
    const talker = await readySession();
    const asking = talker.sendAndWait('/ask');
    await eventually('the question is on the screen', async () => {
      const messages = await talker.messages();
      return messages.at(-1)?.content.includes('Do you want to proceed?') === true;
    });
    await talker.sendRaw('1');
    await asking;
    await eventually('the choice is shown', async () => {
      const messages = await talker.messages();
      return messages.at(-1)?.content.includes('You chose: Yes') === true;
    });
    const { filePath } = await talker.upload('näme with blanks.txt', 'content of the file');
    expect((await talker.sendAndWait(`/run cat '${filePath}'`)).text).toContain('content of the file');
  });

  test('the log is the output of the session’s processes', async () => {
    const talker = await readySession();
    await expect(server.client.log(talker.id)).resolves.toEqual(expect.any(String));
    expect((await talker.log({ lines: 1 })).split('\n').length).toBeLessThanOrEqual(2);
  });

  test('PX-215: events replay the conversation, tell every change, and go on after the connection was lost', async () => {
    const watched = await readySession();
    await using relay = await startTcpRelay(server.port);
    const throughRelay = createClient({ baseUrl: relay.url }).session(watched.id);
    const stop = new AbortController();
    const events: AgentEvent[] = [];
    const causes: string[] = [];
    const reading = (async () => {
      const options = {
        signal: stop.signal,
        reconnect: { initialDelayMs: 20 },
        onReconnect: ({ cause }: { cause: Error }) => causes.push(cause.name),
      };
      for await (const event of throughRelay.events(options)) events.push(event);
    })();
    reading.catch(() => undefined);
    const seen = (text: string): boolean =>
      events.some((event) => event.kind === 'message_update' && event.message.content.includes(text));
    const statuses = (): string[] =>
      events.flatMap((event) => (event.kind === 'status_change' ? [event.status] : []));

    await eventually('the replay has come', () => seen('demo agent') && statuses().at(-1) === 'stable');
    await watched.sendAndWait('before the loss');
    await eventually('the turn has come', () => seen('You said: before the loss'));
    await eventually('its end has come', () => statuses().at(-1) === 'stable');
    expect(statuses()).toContain('running');

    const countBefore = events.length;
    relay.refuse = true;
    relay.breakAll();
    await watched.sendAndWait('during the loss');
    await eventually('attempts have failed', () => causes.length >= 3);
    relay.refuse = false;
    await eventually('what was missed has come', () => seen('You said: during the loss'));
    await watched.sendAndWait('after the loss');
    await eventually('news come again', () => seen('You said: after the loss'));
    // What was delivered before the loss is not delivered again.
    const later = events.slice(countBefore);
    expect(JSON.stringify(later)).not.toContain('before the loss');
    expect(causes.every((name) => name === 'ConnectionError')).toBe(true);

    const endedBefore = relay.ended;
    stop.abort(new Error('enough'));
    await expect(reading).rejects.toThrow('enough');
    // Node's fetch opens another connection then, as a spare.
    await eventually('the connection of the stream is closed', () => relay.ended > endedBefore);
  });

  test('PX-215: a turn survives a lost connection', async () => {
    const watched = await readySession();
    await using relay = await startTcpRelay(server.port);
    let sent = false;
    const client = createClient({
      baseUrl: relay.url,
      fetch: async (url, init) => {
        const response = await fetch(url, init);
        if (init.method === 'POST') sent = true;
        return response;
      },
    });
    const waiting = client.session(watched.id).sendAndWait('/think 4');
    await eventually('the message is delivered', () => sent);
    relay.breakAll();
    expect((await waiting).text).toContain('I thought for 4 s.');
    expect(relay.accepted).toBeGreaterThan(1);
  });

  test('PX-216: a busy agent, an unknown session and a refused start are told apart', async () => {
    const watched = await readySession();
    const working = watched.sendAndWait('/think 3');
    await eventually('the agent works', async () => (await watched.status()).status === 'running');
    await expect(watched.send('too early')).rejects.toMatchObject({ kind: 'agent_busy' });
    await working;

    const unknown = server.client.session('00000000-0000-4000-8000-000000000000');
    const error: unknown = await unknown.status().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({
      kind: 'not_found',
      status: 404,
      code: 'session_not_found',
      message: 'Session not found',
      requestId: expect.stringMatching(/./),
    });
    await expect(server.client.start({ agent: 'nobody' })).rejects.toMatchObject({
      kind: 'invalid_request',
      status: 400,
      code: 'unknown_agent',
    });
  });

  test('PX-217: deleting an unknown session is "not found"; an empty id fails before any request', async () => {
    await expect(server.client.delete('no-such-session')).rejects.toMatchObject({ kind: 'not_found' });
    await expect(server.client.delete('')).rejects.toBeInstanceOf(InvalidArgumentError);
    expect(() => server.client.session('')).toThrow(InvalidArgumentError);
  });

  test('PX-216: strange ids stay one path segment', async () => {
    for (const id of ['a/b', '../search', 'a b', 'ä?x=1#y', '%2e%2e']) {
      const error: unknown = await server.client.get(id).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ status: 404 });
    }
  });

  test('PX-216: without a server it is a connection error', async () => {
    await using relay = await startTcpRelay(server.port);
    relay.refuse = true;
    await expect(createClient({ baseUrl: relay.url }).start()).rejects.toMatchObject({ kind: 'connection' });
  });

  test('an AbortSignal ends waiting and calls with its reason; the session lives on', async () => {
    const watched = await readySession();
    const stop = new AbortController();
    const waiting = watched.sendAndWait('/think 2', { signal: stop.signal });
    await eventually('the agent works', async () => (await watched.status()).status === 'running');
    const reason = new Error('no longer wanted');
    stop.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    await expect(watched.status({ signal: stop.signal })).rejects.toBe(reason);
    await watched.waitUntilReady();
  });

  test('waitUntilReady waits for the first message and its answer', async () => {
    const session = await server.client.start({ message: 'at the start' });
    await session.waitUntilReady();
    const messages = await session.messages();
    expect(messages.map(({ role }) => role)).toEqual(['agent', 'user', 'agent']);
    expect(messages.at(-1)?.content).toContain('You said: at the start');
    expect(await session.details()).toMatchObject({ initial_message: { state: 'delivered' } });
    await session.delete();
  });

  test('a session that fails, or ends while it is watched, is a typed error with its record', async () => {
    const absent = await server.client.start({ agent: 'absent' });
    const failure: unknown = await absent.waitUntilReady().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(SessionEndedError);
    expect(failure).toMatchObject({
      message: expect.stringContaining('no-such-agent-program'),
      session: { state: 'failed' },
    });

    const leaving = await server.client.start();
    await leaving.waitUntilReady();
    await expect(leaving.sendAndWait('/exit 3')).rejects.toMatchObject({
      kind: 'session_ended',
      session: { state: 'stopped', exit_code: 3 },
    });
    const seen: string[] = [];
    for await (const event of leaving.events({ onSessionEnd: 'return' })) seen.push(event.kind);
    expect(seen).toEqual([]);
  });
});
