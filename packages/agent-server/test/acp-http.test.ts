import { createServer } from 'node:http';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { AcpConversationOptions } from '../src/acp/acp-conversation.ts';
import { acpRoutes } from '../src/acp/acp-routes.ts';
import { HttpApi } from '../src/http/router.ts';
import { createLog } from '../src/log.ts';
import { runAcp, until, type AcpRun, type AgentScript } from './support/acp-harness.ts';

const EDIT = {
  toolCall: {
    toolCallId: 'edit-1',
    title: 'Edit a.txt',
    kind: 'edit',
    locations: [{ path: '/w/a.txt', line: 3 }],
    content: [{ type: 'diff', path: '/w/a.txt', oldText: 'a', newText: 'b' }],
    rawInput: { file: 'a.txt' },
  },
  options: [
    { optionId: 'yes-always', name: 'Always', kind: 'allow_always' },
    { optionId: 'yes', name: 'Yes', kind: 'allow_once' },
    { optionId: 'no', name: 'No', kind: 'reject_once' },
  ],
};
const COMPLETED = {
  update: { sessionUpdate: 'tool_call_update', toolCallId: 'edit-1', status: 'completed' },
};

interface Served extends AsyncDisposable {
  readonly run: AcpRun;
  get(path: string): Promise<unknown>;
  post(path: string, body?: unknown): Promise<{ status: number; body: unknown }>;
  url(path: string): string;
}

async function serve(
  script: AgentScript | ((folder: string) => AgentScript),
  options: Partial<AcpConversationOptions> = {},
  extended = false,
): Promise<Served> {
  const run = runAcp(script, { permissionPolicy: 'ask', ...options });
  const conversation = run.conversation.started.then(() => run.conversation);
  const api = new HttpApi({
    conversation,
    agentType: 'custom',
    transport: 'acp',
    allowedHosts: ['127.0.0.1'],
    allowedOrigins: ['http://localhost:3284'],
    chatBasePath: '/chat',
    token: undefined,
    log: createLog(() => {}),
    extended,
    extraRoute: acpRoutes(conversation),
    uploadParent: run.folder,
  });
  const server = createServer((request, response) => api.handle(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP address');
  const url = (path: string) => `http://127.0.0.1:${address.port}${path}`;
  return {
    run,
    url,
    get: async (path) => (await fetch(url(path))).json(),
    post: async (path, body) => {
      const headers = { 'content-type': 'application/json' };
      const init = { method: 'POST', headers, body: body === undefined ? '' : JSON.stringify(body) };
      const response = await fetch(url(path), init);
      return { status: response.status, body: await response.json() };
    },
    async [Symbol.asyncDispose]() {
      await run[Symbol.asyncDispose]();
      await api.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Reads an event stream until aborted; the events so far. */
function follow(
  url: string,
  signal: AbortSignal,
): { readonly events: readonly { name: string; data: unknown }[] } {
  const events: { name: string; data: unknown }[] = [];
  const read = async () => {
    const response = await fetch(url, { signal });
    let text = '';
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk, { stream: true });
      const frames = text.split('\n\n');
      text = frames.pop() ?? '';
      for (const frame of frames) {
        const match = /^event: (\w+)\ndata: (.*)$/u.exec(frame);
        if (match?.[1] !== undefined) events.push({ name: match[1], data: JSON.parse(match[2] ?? '') });
      }
    }
  };
  read().catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
  return { events };
}

test('AA-149, AA-150, AA-165: status, message and messages of an ACP agent over HTTP', async () => {
  await using served = await serve({ steps: [{ expectMessage: 'Hi', responseMessage: 'Echo: Hi' }] });
  await served.run.conversation.started;
  expect(await served.get('/status')).toMatchObject({
    status: 'stable',
    transport: 'acp',
    agent_type: 'custom',
  });
  expect(await served.get('/messages')).toMatchObject({ messages: [] });
  expect(await served.post('/message', { type: 'user', content: ' Hi\n' })).toMatchObject({
    status: 200,
    body: { ok: true },
  });
  expect(await served.get('/messages')).toMatchObject({
    messages: [
      { id: 0, role: 'user', content: 'Hi' },
      { id: 1, role: 'agent', content: 'Echo: Hi' },
    ],
  });
});

test('AA-050: while a turn runs, status, messages and raw messages answer at once', async () => {
  await using served = await serve((folder) => ({
    steps: [{ actions: [{ chunk: 'wait' }, { waitForFile: join(folder, 'go') }] }],
  }));
  await served.run.conversation.started;
  const sent = served.post('/message', { type: 'user', content: 'a' });
  await until(() => served.run.conversation.screen() === 'wait', 'chunk');
  expect(await served.get('/status')).toMatchObject({ status: 'running' });
  expect(await served.get('/messages')).toMatchObject({ messages: [{ id: 0 }, { id: 1, content: 'wait' }] });
  expect(await served.post('/message', { type: 'raw', content: '' })).toMatchObject({ status: 200 });
  expect(await served.post('/message', { type: 'user', content: 'b' })).toMatchObject({
    status: 500,
    body: {
      errors: [
        {
          message:
            'failed to send message: message can only be sent when the agent is waiting for user input',
        },
      ],
    },
  });
  served.run.release('go');
  expect(await sent).toMatchObject({ status: 200 });
});

test('AA-173: with the extended interface the status says that a permission request waits', async () => {
  await using served = await serve({ steps: [{ actions: [{ permission: EDIT }] }] }, {}, true);
  await served.run.conversation.started;
  expect(await served.get('/status')).toMatchObject({ status: 'stable', waiting_for: 'message' });
  const sent = served.post('/message', { type: 'user', content: 'edit' });
  await until(() => served.run.conversation.permissionRequests().length === 1, 'request');
  expect(await served.get('/status')).toMatchObject({ status: 'running', waiting_for: 'permission' });
  expect(await served.post('/message', { type: 'user', content: 'more' })).toMatchObject({
    status: 409,
    body: { detail: 'the agent is busy' },
  });
  await served.post('/acp/permissions/1', { option_id: 'yes' });
  expect(await sent).toMatchObject({ status: 200 });
});

test('AA-173: a stream that asks for it tells that a permission request waits, and that it does not any more', async () => {
  await using served = await serve({ steps: [{ actions: [{ permission: EDIT }] }] });
  await served.run.conversation.started;
  const closing = new AbortController();
  const early = follow(served.url('/events?waiting_for=true'), closing.signal);
  const plain = follow(served.url('/events'), closing.signal);
  await until(() => early.events.length === 1 && plain.events.length === 1, 'snapshots');
  const sent = served.post('/message', { type: 'user', content: 'edit' });
  await until(() => served.run.conversation.permissionRequests().length === 1, 'request');
  const asks = { status: 'running', agent_type: 'custom', waiting_for: 'permission' };
  await until(() => early.events.some(({ data }) => 'waiting_for' in Object(data)), 'question');
  const late = follow(served.url('/events?waiting_for=true'), closing.signal);
  await until(() => late.events.some(({ name }) => name === 'status_change'), 'snapshot');
  const statuses = ({ events }: { readonly events: readonly { name: string; data: unknown }[] }): unknown[] =>
    events.filter(({ name }) => name === 'status_change').map(({ data }) => data);
  expect(statuses(late)).toEqual([asks]);
  await served.post('/acp/permissions/1', { option_id: 'yes' });
  expect(await sent).toMatchObject({ status: 200 });
  await until(() => statuses(plain).length === 3 && statuses(early).length === 5, 'end');
  const running = { status: 'running', agent_type: 'custom' };
  const stable = { status: 'stable', agent_type: 'custom' };
  expect(statuses(early)).toEqual([stable, running, asks, running, stable]);
  expect(statuses(plain)).toEqual([stable, running, stable]);
  closing.abort();
});

test('a permission request waits, is listed, and is approved over HTTP with an offered option', async () => {
  await using served = await serve({ steps: [{ actions: [{ permission: EDIT }, COMPLETED] }] });
  await served.run.conversation.started;
  const closing = new AbortController();
  const early = follow(served.url('/acp/events'), closing.signal);
  const plain = follow(served.url('/events'), closing.signal);
  const sent = served.post('/message', { type: 'user', content: 'edit' });
  await until(() => served.run.conversation.permissionRequests().length === 1, 'request');
  const toolCall = {
    id: 'edit-1',
    title: 'Edit a.txt',
    kind: 'edit',
    status: 'pending',
    locations: [{ path: '/w/a.txt', line: 3 }],
    content: [{ type: 'diff', path: '/w/a.txt', oldText: 'a', newText: 'b' }],
    raw_input: { file: 'a.txt' },
  };
  expect(await served.get('/acp/permissions')).toMatchObject({
    permissions: [
      {
        id: '1',
        tool_call: toolCall,
        options: [
          { option_id: 'yes-always', name: 'Always', kind: 'allow_always' },
          { option_id: 'yes', name: 'Yes', kind: 'allow_once' },
          { option_id: 'no', name: 'No', kind: 'reject_once' },
        ],
      },
    ],
  });
  expect(await served.get('/status')).toMatchObject({ status: 'running' });
  // Whoever comes late sees what waits.
  const late = follow(served.url('/acp/events'), closing.signal);
  await until(() => late.events.length === 2, 'snapshot');
  expect(late.events.map(({ name }) => name)).toEqual(['tool_call', 'permission_request']);

  expect(await served.post('/acp/permissions/1', { option_id: 'maybe' })).toMatchObject({
    status: 422,
    body: {
      errors: [{ message: 'option maybe is not offered; the options are yes-always, yes, no' }],
    },
  });
  for (const body of [{}, { outcome: 'selected' }, { option_id: 7 }, { option_id: 'yes', more: 1 }, []]) {
    expect(await served.post('/acp/permissions/1', body)).toMatchObject({ status: 422 });
  }
  expect(await served.post('/acp/permissions/1')).toMatchObject({ status: 400 });
  expect(await served.post('/acp/permissions/2', { option_id: 'yes' })).toMatchObject({ status: 404 });
  expect(await served.post('/acp/permissions/1', { option_id: 'yes' })).toEqual({
    status: 200,
    body: { ok: true },
  });
  expect(await sent).toMatchObject({ status: 200 });
  expect(await served.post('/acp/permissions/1', { option_id: 'yes' })).toMatchObject({ status: 404 });
  expect(await served.get('/acp/permissions')).toEqual({ permissions: [] });
  expect(await served.get('/acp/tool-calls')).toMatchObject({
    tool_calls: [{ ...toolCall, status: 'completed' }],
  });
  expect(served.run.recorded()).toContainEqual({ permission: { outcome: 'selected', optionId: 'yes' } });

  await until(() => early.events.at(-1)?.name === 'turn_ended', 'events');
  expect(early.events).toMatchObject([
    { name: 'turn_started', data: {} },
    { name: 'tool_call', data: { id: 'edit-1', status: 'pending' } },
    { name: 'permission_request', data: { id: '1' } },
    {
      name: 'permission_resolved',
      data: { id: '1', tool_call_id: 'edit-1', outcome: 'selected', option_id: 'yes', resolved_by: 'caller' },
    },
    { name: 'tool_call', data: { id: 'edit-1', status: 'completed' } },
    { name: 'turn_ended', data: { stop_reason: 'end_turn' } },
  ]);
  // AA-070: nothing of it on the stream that agentapi's clients read.
  await until(
    () => plain.events.filter(({ name }) => name === 'status_change').length === 3,
    'end on /events',
  );
  expect(new Set(plain.events.map(({ name }) => name))).toEqual(new Set(['message_update', 'status_change']));
  closing.abort();
});

test('a permission request can be refused, and answered with no option at all', async () => {
  await using served = await serve({
    steps: [{ actions: [{ permission: EDIT }] }, { actions: [{ permission: EDIT }] }],
  });
  await served.run.conversation.started;
  const answers = [{ option_id: 'no' }, { outcome: 'cancelled' }];
  for (const [index, answer] of answers.entries()) {
    const sent = served.post('/message', { type: 'user', content: 'edit' });
    await until(() => served.run.conversation.permissionRequests().length === 1, 'request');
    await served.post(`/acp/permissions/${index + 1}`, answer);
    await sent;
  }
  const texts = served.run.conversation.messages().map(({ content }) => content);
  expect(texts).toEqual(['edit', '[no]', 'edit', '[cancelled]']);
});

test('POST /acp/cancel ends the turn and answers its permission request', async () => {
  await using served = await serve({ steps: [{ actions: [{ permission: EDIT }, { waitForCancel: null }] }] });
  await served.run.conversation.started;
  expect(await served.post('/acp/cancel')).toEqual({ status: 200, body: { ok: true, cancelled: false } });
  const sent = served.post('/message', { type: 'user', content: 'edit' });
  await until(() => served.run.conversation.permissionRequests().length === 1, 'request');
  expect(await served.post('/acp/cancel')).toEqual({ status: 200, body: { ok: true, cancelled: true } });
  expect(await sent).toMatchObject({ status: 200 });
  expect(served.run.recorded()).toContainEqual({ permission: { outcome: 'cancelled' } });
  expect(served.run.acpEvents).toContainEqual(
    expect.objectContaining({ kind: 'permission-resolved', resolvedBy: 'turn' }),
  );
});

test('AA-154: what a call of a cancelled turn still reports does not enter the next answer', async () => {
  const late = (state: string) => ({
    update: { sessionUpdate: 'tool_call_update', toolCallId: 'slow-1', status: state },
  });
  await using served = await serve({
    steps: [
      {
        actions: [
          { update: { sessionUpdate: 'tool_call', toolCallId: 'slow-1', title: 'Slow', kind: 'execute' } },
          { waitForCancel: null },
        ],
      },
      { actions: [late('in_progress'), late('in_progress'), late('completed'), { chunk: 'second answer' }] },
    ],
  });
  await served.run.conversation.started;
  const first = served.post('/message', { type: 'user', content: 'first' });
  await until(() => served.run.conversation.toolCalls().length === 1, 'the call');
  await served.post('/acp/cancel');
  await first;
  expect(await served.post('/message', { type: 'user', content: 'second' })).toMatchObject({ status: 200 });
  const contents = served.run.conversation.messages().map(({ content }) => content);
  expect(contents).toEqual(['first', '\n[Tool: execute] Slow\n', 'second', 'second answer']);
  expect(await served.get('/acp/tool-calls')).toMatchObject({ tool_calls: [{ status: 'completed' }] });
});

test('of tool calls with large contents the latest are kept whole', async () => {
  const call = (id: string, state: string, characters: number) => ({
    update: {
      sessionUpdate: 'tool_call',
      toolCallId: id,
      title: id,
      status: state,
      content: [{ type: 'diff', path: '/w/a.txt', newText: 'x'.repeat(characters) }],
      rawInput: { id },
    },
  });
  const calls = Array.from({ length: 9 }, (_, index) => call(`call-${index}`, 'completed', 1_000_000));
  await using served = await serve({
    steps: [
      { actions: [call('runs', 'in_progress', 1_000_000), ...calls, call('huge', 'pending', 3_000_000)] },
    ],
  });
  await served.run.conversation.started;
  expect(await served.post('/message', { type: 'user', content: 'go' })).toMatchObject({ status: 200 });
  const kept = served.run.conversation.toolCalls();
  const isWhole = (id: string) => {
    const found = kept.find((candidate) => candidate.id === id);
    return JSON.stringify(found).includes('xxx') && found?.rawInput !== undefined;
  };
  expect(kept.map(({ id }) => id).filter((id) => !isWhole(id))).toEqual(['call-0', 'call-1', 'huge']);
  expect(await served.get('/acp/tool-calls')).toMatchObject({
    tool_calls: expect.arrayContaining([
      expect.objectContaining({
        id: 'call-0',
        content: [{ type: 'content', content: { type: 'text', text: '[left out: too much to be kept]' } }],
      }),
    ]),
  });
});

test('AA-157: policies answer with an offered option of their kind, or none', async () => {
  const ask = (...kinds: readonly string[]) => ({
    permission: { ...EDIT, options: kinds.map((kind) => ({ optionId: `id-${kind}`, name: kind, kind })) },
  });
  const steps = [
    {
      actions: [
        ask('reject_once', 'allow_always', 'allow_once'),
        ask('reject_always', 'allow_always'),
        ask('reject_once'),
        ask(),
      ],
    },
  ];
  await using allowing = runAcp({ steps });
  await using rejecting = runAcp({ steps }, { permissionPolicy: 'reject' });
  for (const { conversation } of [allowing, rejecting]) {
    await conversation.started;
    await conversation.send('user', 'go');
  }
  const answerOf = (run: AcpRun) => run.conversation.messages()[1]?.content;
  expect(answerOf(allowing)).toBe('[id-allow_once][id-allow_always][cancelled][cancelled]');
  expect(answerOf(rejecting)).toBe('[id-reject_once][id-reject_always][id-reject_once][cancelled]');
});

test('an unanswered permission request is cancelled at its deadline', async () => {
  await using run = runAcp(
    { steps: [{ actions: [{ permission: EDIT }] }] },
    { permissionPolicy: 'ask', permissionTimeoutMs: 100 },
  );
  await run.conversation.started;
  await run.conversation.send('user', 'go');
  expect(run.conversation.messages()[1]?.content).toBe('[cancelled]');
  expect(run.acpEvents).toContainEqual(
    expect.objectContaining({ kind: 'permission-resolved', resolvedBy: 'deadline' }),
  );
});

test('the plan of the agent is an event, and known to late readers', async () => {
  const entries = [{ content: 'Look', priority: 'high', status: 'in_progress' }];
  await using served = await serve({
    steps: [{ actions: [{ update: { sessionUpdate: 'plan', entries } }] }],
  });
  await served.run.conversation.started;
  await served.post('/message', { type: 'user', content: 'plan' });
  const closing = new AbortController();
  const { events } = follow(served.url('/acp/events'), closing.signal);
  await until(() => events.length > 0, 'plan');
  expect(events).toEqual([{ name: 'plan', data: { entries } }]);
  closing.abort();
});

test('an agent that cannot be started is an error of every request that needs it', async () => {
  await using served = await serve({ start: { exit: 3 }, steps: [] });
  await served.run.conversation.exited;
  expect(await served.get('/status')).toMatchObject({ status: 'running' });
  for (const path of ['/acp/tool-calls', '/acp/permissions']) {
    expect(await served.get(path)).toMatchObject({
      status: 500,
      errors: [
        {
          message: 'the agent could not be started: ACP initialize failed: ACP process exited: exit status 3',
        },
      ],
    });
  }
});
