import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { startAgentapi, temporaryFolder, type AgentapiProgram } from '../differential/agentapi-program.ts';
import { recordEvents } from '../differential/event-recorder.ts';
import { normalised, post, type Observation } from '../differential/observation.ts';
import {
  agent,
  conversation,
  described,
  messagesOf,
  takeTurn,
  untilStable,
  withServer,
  type Scenario,
} from '../differential/scenario.ts';

const GREETING = 'Hello.';

/** The scripted agents of the reference's own end-to-end tests. */
export function scripted(program: 'scripted-agent' | 'acp-agent', script: string): readonly string[] {
  const folder = '../../../packages/agent-server/test/';
  const path = (file: string): string => fileURLToPath(new URL(folder + file, import.meta.url));
  return [
    process.execPath,
    path(`support/${program}.mjs`),
    path(`fixtures/agentapi/e2e/testdata/${script}.json`),
  ];
}

const alternateScreen: Scenario = {
  name: 'alternate screen',
  rows: 'AA-064, AA-099',
  observe: async (program) =>
    withServer(program, { agent: agent('alternate') }, async (server) => {
      await using events = await recordEvents(server, '/events');
      await untilStable(events);
      await using screens = await recordEvents(server, '/internal/screen');
      await screens.until('the first screen', (list) => list.length > 0);
      const first = screens.events[0]?.data;
      const turn = await takeTurn(server, events, 'go');
      const other = screens.events.find(({ data }) => String(data['screen']).startsWith('The other screen'));
      return normalised({ first, other: other?.data ?? null, turn }, server);
    }),
  expected: {
    first: { screen: 'Hello.\n>' },
    other: { screen: 'The other screen\n>' },
    turn: {
      reply: described('MessageResponseBody', { ok: true }),
      events: {
        statuses: ['running', 'stable'],
        messages: [
          { id: 1, role: 'user', message: 'go', time: '<time>' },
          { id: 2, role: 'agent', message: 'Back again.', time: '<time>' },
        ],
        others: [],
      },
    },
  },
};

const BOX = [
  '╭─────────────────────╮',
  '│ Delete everything?  │',
  '│ ❯ 1. Yes            │',
  '│   2. No             │',
  '╰─────────────────────╯',
];

const confirmation: Scenario = {
  name: 'confirmation box',
  rows: 'AA-045, AA-080',
  observe: async (program) =>
    withServer(program, { agent: agent('confirm') }, async (server) => {
      await using events = await recordEvents(server, '/events');
      await untilStable(events);
      const asked = await takeTurn(server, events, 'clean up');
      const seen = events.events.length;
      const raw = await post(server, 'raw', '2\r');
      const isAnswer = (text: unknown): boolean => String(text).trimEnd().endsWith('Kept.');
      await events.until('the answer', (list) => list.some(({ data }) => isAnswer(data['message'])));
      await untilStable(events, seen);
      return { asked, raw, messages: await messagesOf(server) };
    }),
  expected: {
    asked: {
      reply: described('MessageResponseBody', { ok: true }),
      events: {
        statuses: ['running', 'stable'],
        messages: [
          { id: 1, role: 'user', message: 'clean up', time: '<time>' },
          { id: 2, role: 'agent', message: BOX.join('\n'), time: '<time>' },
        ],
        others: [],
      },
    },
    raw: described('MessageResponseBody', { ok: true }),
    messages: described('MessagesResponseBody', {
      messages: [
        { id: 0, content: GREETING, role: 'agent', time: '<time>' },
        { id: 1, content: 'clean up', role: 'user', time: '<time>' },
        { id: 2, content: [...BOX, 'Kept.'].join('\n'), role: 'agent', time: '<time>' },
      ],
    }),
  },
};

const STATE_SCRIPT = scripted('scripted-agent', 'state_persistence');

/** Runs a server with a state file until it is stable, lets it do its work, and stops it. */
async function runWithState(
  program: AgentapiProgram,
  folder: string,
  options: { readonly agent?: readonly string[]; readonly flags?: readonly string[]; readonly turn?: string },
): Promise<Observation> {
  const flags = ['--state-file', `${folder}/deep/state.json`, ...(options.flags ?? [])];
  const server = await startAgentapi(program, { folder, flags, agent: options.agent ?? STATE_SCRIPT });
  await using _ = server;
  await using events = await recordEvents(server, '/events');
  await untilStable(events);
  const turn = options.turn === undefined ? null : await takeTurn(server, events, options.turn);
  const messages = await messagesOf(server);
  server.kill('SIGINT');
  const { code, signal } = await server.ended();
  return { turn, messages, code, signal };
}

function stateScenario(options: {
  readonly name: string;
  readonly rows: string;
  readonly runs: readonly Parameters<typeof runWithState>[2][];
  /** The texts that the history has at the end of each run. */
  readonly texts: readonly (readonly string[])[];
}): Scenario {
  return {
    name: options.name,
    rows: options.rows,
    observe: async (program) => {
      await using folder = await temporaryFolder();
      const runs: Observation[] = [];
      for (const run of options.runs) runs.push(await runWithState(program, folder.path, run));
      return { runs };
    },
    expected: {
      runs: options.texts.map((texts, index) => ({
        turn: options.runs[index]?.turn === undefined ? null : expect.anything(),
        messages: described('MessagesResponseBody', {
          messages: texts.map((content, id) => ({
            id,
            content,
            role: id % 2 === 0 ? 'agent' : 'user',
            time: '<time>',
          })),
        }),
        code: 0,
        signal: null,
      })),
    },
  };
}

const STATE_GREETING = "Hello! I'm ready to help you.";
const FIRST = 'First message before state save.';
const THREE = [STATE_GREETING, FIRST, `Echo: ${FIRST}`];
const BASIC_GREETING = "Hello! I'm ready to help you. Please send me a message to echo back.";
const BASIC_MESSAGE = 'This is a test message.';
const BASIC = [BASIC_GREETING, BASIC_MESSAGE, `Echo: ${BASIC_MESSAGE}`];

/** Conversations with terminal programs of every kind, and the scripts of the reference's own tests. */
export const CONVERSATIONS: readonly Scenario[] = [
  conversation({
    name: 'echo',
    rows: 'AA-039, AA-041, AA-060, AA-078, AA-082',
    agent: agent('echo'),
    turns: ['  hello\n', 'first line, <b>&amp; "quotes" \\ and / slashes'],
    texts: [
      GREETING,
      'hello',
      'You said: hello',
      'first line, <b>&amp; "quotes" \\ and / slashes',
      'You said: first line, <b>&amp; "quotes" \\ and / slashes',
    ],
  }),
  conversation({
    name: 'slow output',
    rows: 'AA-062, AA-074, AA-075',
    agent: agent('slow'),
    turns: ['count'],
    texts: [GREETING, 'count', [1, 2, 3, 4, 5, 6].map((i) => `line ${i}`).join('\n')],
  }),
  conversation({
    name: 'redraws',
    rows: 'AA-074, AA-080',
    agent: agent('redraw'),
    turns: ['work'],
    texts: [GREETING, 'work', 'All done.'],
  }),
  alternateScreen,
  conversation({
    name: 'colours',
    rows: 'AA-098',
    agent: agent('colours'),
    turns: ['paint'],
    texts: [GREETING, 'paint', 'bold italic underlined red\n256 colours true colour inverse'],
  }),
  conversation({
    name: 'wide characters',
    rows: 'AA-102, AA-124',
    agent: agent('wide'),
    turns: ['größe 日本 👍'],
    texts: [GREETING, 'größe 日本 👍', '日本語 한국어 e\u0301 👍\nund größer: größe 日本 👍'],
  }),
  conversation({
    name: 'a megabyte of output',
    rows: 'AA-107',
    agent: agent('flood'),
    turns: ['flood'],
    texts: [GREETING, 'flood', 'That was a megabyte.'],
  }),
  confirmation,
  conversation({
    name: 'basic',
    rows: 'AA-159',
    agent: scripted('scripted-agent', 'basic'),
    turns: [BASIC_MESSAGE],
    texts: BASIC,
  }),
  conversation({
    name: 'thinking',
    rows: 'AA-160',
    agent: scripted('scripted-agent', 'thinking'),
    turns: ['What is the answer to life, the universe, and everything?'],
    texts: [
      "Welcome! I'm an AI that enjoys pondering deep questions. Ask me anything!",
      'What is the answer to life, the universe, and everything?',
      "Gosh, I'll need some time to think about that...\n42",
    ],
  }),
  conversation({
    name: 'stdin',
    rows: 'AA-009, AA-161',
    agent: scripted('scripted-agent', 'basic'),
    stdin: `${BASIC_MESSAGE}\n`,
    turns: [],
    turnsBefore: 1,
    texts: BASIC,
  }),
  conversation({
    name: 'acp_basic',
    rows: 'AA-149, AA-150, AA-165',
    agent: scripted('acp-agent', 'acp_basic'),
    flags: ['--experimental-acp'],
    turns: [BASIC_MESSAGE],
    texts: [BASIC_MESSAGE, `Echo: ${BASIC_MESSAGE}`],
  }),
  stateScenario({
    name: 'state_persistence',
    rows: 'AA-140, AA-162',
    runs: [{ turn: FIRST }, {}],
    texts: [THREE, THREE],
  }),
  stateScenario({
    name: 'state_persistence_initial_prompt',
    rows: 'AA-142, AA-163',
    runs: [{ flags: ['--initial-prompt', FIRST] }, { flags: ['--initial-prompt', FIRST] }, {}],
    texts: [THREE, THREE, THREE],
  }),
  stateScenario({
    name: 'state_persistence_different_initial_prompt',
    rows: 'AA-143, AA-164',
    runs: [
      { agent: scripted('scripted-agent', 'basic'), flags: ['--initial-prompt', BASIC_MESSAGE] },
      { flags: ['--initial-prompt', FIRST] },
    ],
    texts: [BASIC, [...BASIC, FIRST, `Echo: ${FIRST}`]],
  }),
];
