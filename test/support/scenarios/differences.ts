import { readFile, writeFile } from 'node:fs/promises';
import { expect } from 'vitest';
import { startAgentapi, temporaryFolder, type AgentapiServer } from '../differential/agentapi-program.ts';
import { recordEvents, verbatim, type EventRecorder } from '../differential/event-recorder.ts';
import { normalised, observeReply, post, type Observation } from '../differential/observation.ts';
import {
  agent,
  conversation,
  messagesOf,
  problem,
  takeTurn,
  untilStable,
  withServer,
  type Scenario,
} from '../differential/scenario.ts';
import { scripted } from './conversations.ts';

/** A server that has not answered a plain request after this time is waiting for something. */
const BLOCKED_AFTER_MS = 2_000;
/** A turn that has not ended after this time will not: the agent answers at once. */
const NEVER_AFTER_MS = 8_000;
/** Delivery gives up after 2 s without an echo and 15 s without a reaction; an initial prompt waits before for 2 s. */
const PROMPT_FAILED_AFTER_MS = 40_000;

function refused(reason: string): object {
  return problem(500, 'Internal Server Error', 'unexpected error occurred', [
    { message: `failed to send message: ${reason}` },
  ]);
}

/** Whether a promise settles within a time. */
async function settlesWithin(ms: number, promise: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  const isInTime = await Promise.race([promise.then(() => true), late]);
  clearTimeout(timer);
  return isInTime;
}

/** Whether the status gets stable behind the first `seen` events within a time. */
async function settles(events: EventRecorder, seen: number): Promise<boolean> {
  // A failure would only mean that the time of the recorder was up as well.
  return settlesWithin(
    NEVER_AFTER_MS,
    untilStable(events, seen).catch(() => new Promise(() => {})),
  );
}

const noReaction: Scenario = {
  name: 'no reaction',
  rows: 'AA-050, AA-086, AA-087',
  observe: async (program) =>
    withServer(program, { agent: agent('deaf') }, async (server) => {
      await using events = await recordEvents(server, '/events');
      await untilStable(events);
      const sending = post(server, 'user', 'hello');
      await events
        .until('the delivery begins', (list) => list.at(-1)?.data['status'] === 'running')
        .catch(() => {});
      const during: Record<string, Observation> = {};
      for (const [name, call] of [
        ['status', () => observeReply(server, { path: '/status' })],
        ['messages', () => messagesOf(server)],
        ['raw message', () => post(server, 'raw', '')],
      ] as const) {
        during[name] = (await settlesWithin(BLOCKED_AFTER_MS, call())) ? 'answered' : 'blocked';
      }
      return { during, reply: await sending, messages: await messagesOf(server) };
    }),
  expected: {
    during: { status: 'answered', messages: 'answered', 'raw message': 'answered' },
    reply: refused(
      'failed to send message: failed to wait for processing to start: timeout waiting for condition',
    ),
    messages: expect.objectContaining({
      body: expect.objectContaining({
        messages: [{ id: 0, content: 'Hello.', role: 'agent', time: '<time>' }],
      }),
    }),
  },
};

const failedPrompt: Scenario = {
  name: 'failed initial prompt',
  rows: 'AA-092',
  observe: async (program) =>
    withServer(program, { agent: agent('deaf'), flags: ['--initial-prompt', 'hello'] }, async (server) => {
      await using events = await recordEvents(server, '/events');
      const hasFailed = (): boolean => events.events.some(({ event }) => event === 'agent_error');
      // The reference never says it.
      await events.until('the error', hasFailed, PROMPT_FAILED_AFTER_MS).catch(() => {});
      const errors = events.events.filter(({ event }) => event === 'agent_error');
      return { errors: verbatim(errors, server) };
    }),
  expected: {
    errors: [
      {
        event: 'agent_error',
        data: {
          message: expect.stringContaining('failed to send initial prompt'),
          level: 'error',
          time: '<time>',
        },
      },
    ],
  },
};

const blankPrompt: Scenario = {
  name: 'blank initial prompt',
  rows: 'AA-092',
  observe: async (program) =>
    withServer(program, { agent: agent('echo'), flags: ['--initial-prompt', '   '] }, async (server) => {
      await using events = await recordEvents(server, '/events');
      return { settles: await settles(events, 0), messages: await messagesOf(server) };
    }),
  expected: {
    settles: true,
    messages: expect.objectContaining({
      body: expect.objectContaining({
        messages: [{ id: 0, content: 'Hello.', role: 'agent', time: '<time>' }],
      }),
    }),
  },
};

const sameReply: Scenario = {
  name: 'same reply',
  rows: 'AA-093',
  observe: async (program) =>
    withServer(program, { agent: agent('same') }, async (server) => {
      await using events = await recordEvents(server, '/events');
      await untilStable(events);
      const first = await takeTurn(server, events, 'one');
      const seen = events.events.length;
      await post(server, 'user', 'two');
      return { first, settles: await settles(events, seen), messages: await messagesOf(server) };
    }),
  expected: {
    first: expect.anything(),
    settles: true,
    messages: expect.objectContaining({
      body: expect.objectContaining({
        messages: ['Hello.', 'one', 'Always the same.', 'two', 'Always the same.'].map((content, id) => ({
          id,
          content,
          role: id % 2 === 0 ? 'agent' : 'user',
          time: '<time>',
        })),
      }),
    }),
  },
};

const typedKeys: Scenario = {
  name: 'typed keys',
  rows: 'AA-083',
  observe: async (program) => {
    const [plain, marked] = await Promise.all(
      [[], ['--paste']].map((args) =>
        withServer(program, { agent: agent('keys', ...args) }, async (server) => {
          await using events = await recordEvents(server, '/events');
          await untilStable(events);
          return await takeTurn(server, events, 'hello');
        }),
      ),
    );
    return { plain: plain?.['events'] ?? null, marked: marked?.['events'] ?? null };
  },
  expected: {
    plain: keysSeen('hello\r'),
    marked: keysSeen('\x1b[200~hello\x1b[201~\r'),
  },
};

function keysSeen(keys: string): object {
  return {
    statuses: ['running', 'stable'],
    messages: [
      { id: 1, role: 'user', message: 'hello', time: '<time>' },
      { id: 2, role: 'agent', message: `Bytes: ${Buffer.from(keys).toString('hex')}`, time: '<time>' },
    ],
    others: [],
  };
}

const wideRows: Scenario = {
  name: 'rows of wide characters',
  rows: 'AA-102',
  observe: async (program) =>
    withServer(program, { agent: agent('wide') }, async (server) => {
      await using events = await recordEvents(server, '/events');
      await untilStable(events);
      await takeTurn(server, events, 'go');
      await using screens = await recordEvents(server, '/internal/screen');
      await screens.until('a screen', (list) => list.length > 0);
      const rows = String(screens.events[0]?.data['screen']).split('\n');
      const wide = rows.find((row) => row.startsWith('日本語')) ?? '';
      return { 'code points': Array.from(wide).length };
    }),
  // Six characters of two columns, an emoji of two, and an accent of none.
  expected: { 'code points': 80 - 7 + 1 },
};

const dialog: Scenario = {
  name: 'message into a dialog',
  rows: 'AA-076',
  observe: async (program) =>
    withServer(program, { agent: agent('permission'), flags: ['--type', 'claude'] }, async (server) => {
      await using events = await recordEvents(server, '/events');
      await untilStable(events);
      await takeTurn(server, events, 'clean up');
      const reply = await post(server, 'user', 'and then?');
      return { reply, 'still asks': await asksStill(server) };
    }),
  expected: {
    reply: refused(
      'message can only be sent when the agent is waiting for user input; a dialog is up that takes keys: see GET /internal/dialog, and answer it there or by raw messages',
    ),
    'still asks': true,
  },
};

async function asksStill(server: AgentapiServer): Promise<boolean> {
  await using screens = await recordEvents(server, '/internal/screen');
  await screens.until('a screen', (list) => list.length > 0);
  return String(screens.events.at(-1)?.data['screen']).includes('Do you want to proceed?');
}

const acpSignal: Scenario = {
  name: 'signal in ACP mode',
  rows: 'AA-158',
  observe: async (program) => {
    await using folder = await temporaryFolder();
    await using server = await startAgentapi(program, {
      folder: folder.path,
      agent: scripted('acp-agent', 'acp_basic'),
      flags: ['--experimental-acp'],
    });
    await using events = await recordEvents(server, '/events');
    await untilStable(events);
    server.kill('SIGTERM');
    const { code, signal } = await server.ended();
    return { code, signal };
  },
  expected: { code: 0, signal: null },
};

const earlyStop: Scenario = {
  name: 'stop before the restore',
  rows: 'AA-147',
  observe: async (program) => {
    await using folder = await temporaryFolder();
    const file = `${folder.path}/s.json`;
    const message = { id: 0, message: 'kept', role: 'agent', time: '2025-01-01T00:00:00Z' };
    const saved = { version: 1, messages: [message], initial_prompt: '', initial_prompt_sent: false };
    await writeFile(file, JSON.stringify(saved));
    const options = { folder: folder.path, agent: agent('loading'), flags: ['--state-file', file] };
    await using server = await startAgentapi(program, options);
    await using screens = await recordEvents(server, '/internal/screen');
    await screens.until('the agent runs', (list) => list.some(({ data }) => data['screen'] === 'Loading'));
    server.kill('SIGTERM');
    await server.ended();
    const state: unknown = JSON.parse(await readFile(file, 'utf8'));
    return normalised({ state }, server);
  },
  expected: { state: expect.objectContaining({ messages: [expect.objectContaining({ message: 'kept' })] }) },
};

const oddUpload: Scenario = {
  name: 'upload named by dots',
  rows: 'AA-057',
  observe: async (program) =>
    withServer(program, { agent: agent('echo') }, (server) =>
      observeReply(server, {
        method: 'POST',
        path: '/upload',
        headers: { 'content-type': 'multipart/form-data; boundary=b' },
        body: '--b\r\nContent-Disposition: form-data; name="file"; filename=".."\r\n\r\nx\r\n--b--\r\n',
      }),
    ),
  expected: expect.objectContaining({ status: 400 }),
};

/** What the reference is known to do worse. */
export const DIFFERENCE_SCENARIOS: readonly Scenario[] = [
  noReaction,
  failedPrompt,
  blankPrompt,
  sameReply,
  conversation({
    name: 'signs that look like prompts',
    rows: 'AA-135',
    agent: agent('arrows'),
    turns: ['go'],
    texts: ['Hello.', 'go', 'first a\nthen a -> b\nand b -> c'],
  }),
  typedKeys,
  wideRows,
  dialog,
  acpSignal,
  earlyStop,
  oddUpload,
];
