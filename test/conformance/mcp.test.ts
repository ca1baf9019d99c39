import { createClient } from '@agentapi-proxy/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { ROLE_PERMISSIONS } from '../../packages/server/src/auth/permissions.ts';
import { connectOverHttp, connectOverStdio, startMcpProcess } from '../support/mcp.ts';
import type { McpConnection, McpEra, McpProcess } from '../support/mcp.ts';
import { eventually, startServer } from '../support/server-process.ts';
import type { ServerProcess } from '../support/server-process.ts';

const KEY = 'ap_alice_0123456789abcdef0123456789abcdef';

const messageSchema = z.looseObject({ id: z.int(), role: z.enum(['agent', 'user']), content: z.string() });
const startedSchema = z.object({ session_id: z.string() });
const answerSchema = z.object({
  finished: z.boolean(),
  status: z.string(),
  replies: z.array(messageSchema),
});
const eventsSchema = z.object({
  events: z.array(z.looseObject({ kind: z.string() })),
  cursor: z.string(),
});

/** Ten conversations at a time, each with an agent of its own: a busy machine takes long for them. */
const TIMEOUT_MS = 120_000;

let server: ServerProcess;
/** `agentapi-proxy mcp --port` that was given alice's key. */
let apart: McpProcess;

beforeAll(async () => {
  server = await startServer({
    config: {
      agents: { absent: { command: 'no-such-agent-program' } },
      auth: {
        enabled: true,
        api_keys: [{ key: KEY, user_id: 'alice', role: 'user', permissions: ROLE_PERMISSIONS.user }],
      },
    },
  });
  apart = await startMcpProcess({
    AGENTAPI_PROXY_ENDPOINT: server.url,
    AGENTAPI_PROXY_API_KEY: KEY,
  });
});
afterAll(async () => {
  await apart[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

const WAYS: readonly (readonly [string, (era: McpEra) => Promise<McpConnection>])[] = [
  [
    'standard input and output',
    (era) => connectOverStdio(era, { AGENTAPI_PROXY_ENDPOINT: server.url, AGENTAPI_PROXY_API_KEY: KEY }),
  ],
  ['HTTP', (era) => connectOverHttp(apart.url, era)],
  ['/mcp of the server', (era) => connectOverHttp(`${server.url}/mcp`, era, { 'x-api-key': KEY })],
];

/** Starts a session and answers its id. */
async function started(mcp: McpConnection, args: object = {}): Promise<string> {
  const { data } = await mcp.call('start_session', { user_id: 'somebody', ...args });
  return startedSchema.parse(data).session_id;
}

describe.concurrent.each(WAYS)('MCP over %s', { timeout: TIMEOUT_MS }, (_, connect) => {
  test.each(['2025', '2026'] as const)(
    'PX-219, PX-220, PX-221: a conversation from the start to the end, in the protocol of %s',
    async (era) => {
      await using mcp = await connect(era);
      const begun = await mcp.call('start_session', { user_id: `talker-${era}`, message: 'good morning' });
      const { session_id: id } = startedSchema.parse(begun.data);
      expect(begun).toMatchObject({
        failed: false,
        text: `Session started successfully. Session ID: ${id}`,
      });

      const answer = await mcp.call('wait_for_answer', { session_id: id });
      expect(answerSchema.parse(answer.data)).toMatchObject({ finished: true, status: 'stable' });
      expect(answer.text).toContain('You said: good morning');

      const before = eventsSchema.parse((await mcp.call('get_events', { session_id: id })).data);
      const sent = await mcp.call('send_message', { session_id: id, message: 'and good night' });
      expect(sent).toMatchObject({ failed: false, text: 'Message sent successfully. ID: 3' });
      const second = await mcp.call('wait_for_answer', { session_id: id });
      expect(second.text).toContain('You said: and good night');
      expect(second.text).not.toContain('good morning');

      const since = await mcp.call('get_events', { session_id: id, since: before.cursor });
      expect(eventsSchema.parse(since.data).events).toEqual([
        { kind: 'message_update', message: expect.objectContaining({ id: 3, role: 'user' }) },
        { kind: 'message_update', message: expect.objectContaining({ id: 4, role: 'agent' }) },
      ]);

      const history = await mcp.call('get_messages', { session_id: id });
      expect(history.text).toMatch(/^Conversation History \(5 messages\):\n\[\d\d:\d\d:\d\d\] agent: /);
      expect(history.text).toMatch(/^\[\d\d:\d\d:\d\d\] user: and good night$/m);
      expect(z.array(messageSchema).parse(history.data['messages'])).toHaveLength(5);

      expect(await mcp.call('get_status', { session_id: id })).toEqual({
        failed: false,
        text: 'Agent Status: stable',
        data: { status: 'stable', agent_type: 'custom' },
      });
      const found = await mcp.call('search_sessions', { user_id: `talker-${era}`, status: 'active' });
      expect(found.text).toMatch(
        new RegExp(`- Session ID: ${id}, User: alice, Status: active, Port: \\d+, Started: \\S+Z\n`),
      );
      expect((await mcp.call('get_session', { session_id: id })).data).toMatchObject({ state: 'running' });
      expect((await mcp.call('get_logs', { session_id: id })).text).not.toBe('');

      const deleted = await mcp.call('delete_session', { session_id: id });
      expect(deleted.data).toMatchObject({ session_id: id, status: 'terminated' });
      expect(await mcp.call('get_status', { session_id: id })).toMatchObject({
        failed: true,
        text: 'Failed to get status: Session not found (session_not_found)',
      });
    },
  );

  test('PX-218, PX-219: name, capabilities, and the tools of the reference with their parameters', async () => {
    await using mcp = await connect('2025');
    expect(mcp.client.getServerVersion()?.name).toBe('agentapi-proxy-mcp');
    expect(mcp.client.getServerCapabilities()?.tools).toEqual({ listChanged: false });
    const { tools } = await mcp.client.listTools();
    const parameters = Object.fromEntries(
      tools.map(({ name, inputSchema: { properties = {}, required = [] } }) => [
        name,
        Object.keys(properties).map((each) => (required.includes(each) ? `${each}!` : each)),
      ]),
    );
    expect(parameters).toMatchObject({
      start_session: expect.arrayContaining(['user_id!', 'environment']),
      search_sessions: expect.arrayContaining(['user_id', 'status']),
      send_message: ['session_id!', 'message!', 'type'],
      get_messages: expect.arrayContaining(['session_id!']),
      get_status: ['session_id!'],
    });
    for (const { name, outputSchema, annotations, description } of tools) {
      expect([name, outputSchema?.['type'], typeof annotations?.readOnlyHint, typeof description]).toEqual([
        name,
        'object',
        'boolean',
        'string',
      ]);
    }
  });

  test('PX-222: what is wrong with arguments is a tool error that names them', async () => {
    await using mcp = await connect('2025');
    const wrong: readonly (readonly [string, object, string])[] = [
      ['start_session', {}, 'user_id'],
      ['start_session', { user_id: 'u', environment: { DEPTH: 3 } }, 'environment.DEPTH'],
      ['start_session', { user_id: 'u', wait: true }, 'wait'],
      ['send_message', { session_id: 'x' }, 'message'],
      ['send_message', { session_id: 'x', message: 'y', type: 'system' }, 'type'],
      ['get_messages', {}, 'session_id'],
      ['get_events', { session_id: 'x', since: 'no cursor' }, 'since'],
      ['wait_for_answer', { session_id: 'x', timeout_seconds: 1e9 }, 'timeout_seconds'],
    ];
    for (const [tool, args, named] of wrong) {
      const { failed, text } = await mcp.call(tool, { ...args });
      expect([tool, failed, text]).toEqual([tool, true, expect.stringContaining(named)]);
    }
    await expect(mcp.call('no_such_tool')).rejects.toMatchObject({ code: -32_602 });
    expect((await mcp.call('list_sessions')).failed).toBe(false);
  });

  test('PX-223: a failing call is an answer with the cause, and the next one works', async () => {
    await using mcp = await connect('2025');
    const unknown = { session_id: '00000000-0000-4000-8000-000000000000' };
    const failures = [
      ['get_messages', unknown, 'Failed to get messages: Session not found (session_not_found)'],
      ['send_message', { ...unknown, message: 'x' }, 'Failed to send message: Session not found'],
      ['wait_for_answer', unknown, 'Failed to wait for the answer: Session not found'],
      ['start_session', { user_id: 'u', agent: 'none' }, 'Failed to start session: '],
      ['start_session_with_profile', { profile_id: 'none' }, 'Failed to start session: '],
      ['get_profile', { profile_id: 'none' }, 'Failed to get profile: '],
      ['get_status', { session_id: '../version' }, 'Failed to get status: '],
    ] as const;
    for (const [tool, args, text] of failures) {
      expect([tool, await mcp.call(tool, args)]).toMatchObject([
        tool,
        { failed: true, text: expect.stringContaining(text) },
      ]);
    }
    const id = await started(mcp, { agent: 'absent' });
    const failed = await mcp.call('wait_for_answer', { session_id: id });
    expect(failed).toMatchObject({ failed: true, text: expect.stringContaining('no-such-agent-program') });
    expect((await mcp.call('list_sessions')).failed).toBe(false);
  });

  test('profiles: list, show, and start with one; values of variables stay out', async () => {
    const api = createClient({ baseUrl: server.url, apiKey: KEY });
    const { profile } = await api.profiles.create({
      name: 'reviewer',
      environment: { SECRET: 'never-to-be-seen' },
      message_templates: [{ name: 'review', content: 'Review {{what}}' }],
    });
    await using mcp = await connect('2025');
    const list = await mcp.call('list_profiles');
    const shown = await mcp.call('get_profile', { profile_id: profile.id });
    expect(list.text).toContain(`- Profile ID: ${profile.id}, Name: reviewer`);
    expect(shown.data).toMatchObject({ name: 'reviewer', environment_names: ['SECRET'] });
    expect(JSON.stringify([list, shown])).not.toContain('never-to-be-seen');

    const begun = await mcp.call('start_session_with_profile', {
      profile_id: profile.id,
      template: 'review',
      variables: { what: 'the tests' },
    });
    const { session_id: id } = startedSchema.parse(begun.data);
    expect((await mcp.call('wait_for_answer', { session_id: id })).text).toContain(
      'You said: Review the tests',
    );
    await mcp.call('delete_session', { session_id: id });
    await api.profiles.delete(profile.id);
  });

  test('sessions and conversations are resources', async () => {
    await using mcp = await connect('2025');
    const id = await started(mcp);
    await mcp.call('wait_for_answer', { session_id: id });
    const uri = `agentapi-proxy://sessions/${id}`;
    const { resources } = await mcp.client.listResources();
    expect(resources.map((each) => each.uri)).toEqual(
      expect.arrayContaining(['agentapi-proxy://sessions', uri, `${uri}/messages`]),
    );
    const read = async (name: string) => {
      const [content] = (await mcp.client.readResource({ uri: name })).contents;
      return z.object({ text: z.string() }).parse(content).text;
    };
    expect(await read('agentapi-proxy://sessions')).toContain(id);
    expect(JSON.parse(await read(uri))).toMatchObject({ session_id: id, state: 'running' });
    expect(await read(`${uri}/messages`)).toContain('agentapi-proxy demo agent');
    await mcp.call('delete_session', { session_id: id });
    await expect(read(`${uri}x`)).rejects.toThrow(/not found/i);
  });

  test('who subscribes to a conversation is told when it changes', async () => {
    await using mcp = await connect('2025');
    const id = await started(mcp);
    await mcp.call('wait_for_answer', { session_id: id });
    const uri = `agentapi-proxy://sessions/${id}/messages`;
    const told: string[] = [];
    mcp.client.setNotificationHandler('notifications/resources/updated', ({ params }) => {
      told.push(params.uri);
    });
    await mcp.client.subscribeResource({ uri });
    await mcp.call('send_message', { session_id: id, message: 'something new' });
    expect(await eventually('the change is told', () => told.at(0))).toBe(uri);
    await mcp.client.unsubscribeResource({ uri });
    await expect(mcp.client.subscribeResource({ uri: 'agentapi-proxy://sessions' })).rejects.toThrow(
      'cannot be subscribed to',
    );
    await mcp.call('delete_session', { session_id: id });
  });

  test.each(['2025', '2026'] as const)(
    'a wait reports progress, and a cancelled one ends (%s)',
    async (era) => {
      await using mcp = await connect(era);
      const id = await started(mcp, { message: 'hello' });
      const progress: { progress: number; message?: string | undefined }[] = [];
      const onprogress = (report: (typeof progress)[number]) => void progress.push(report);
      await mcp.call('wait_for_answer', { session_id: id }, { onprogress });
      expect(progress.length).toBeGreaterThan(0);
      expect(progress.map((each) => each.progress)).toEqual(
        progress.map((each) => each.progress).toSorted((a, b) => a - b),
      );

      const { cursor } = eventsSchema.parse((await mcp.call('get_events', { session_id: id })).data);
      const stop = new AbortController();
      const waiting = mcp.call(
        'get_events',
        { session_id: id, since: cursor, timeout_seconds: 600 },
        { signal: stop.signal, onprogress: () => stop.abort(new Error('enough')) },
      );
      await expect(waiting).rejects.toThrow('enough');
      await mcp.call('delete_session', { session_id: id });
    },
  );
});
