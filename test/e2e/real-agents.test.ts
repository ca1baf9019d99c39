import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AgentStatus } from '@agentapi-proxy/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { findPart } from '../../tools/src/outside-parts.ts';
import { pathWithAgents, startRealAgent } from '../support/real-agent.ts';
import type { RealAgent } from '../support/real-agent.ts';
import { eventually, startServer } from '../support/server-process.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { jsonRequest } from '../support/wire.ts';

/** All four start at the same time, and each keeps a processor busy for some seconds. */
const START_TIMEOUT_MS = 120_000;
/** A turn in a terminal takes four seconds on an idle machine. */
const TURN_TIMEOUT_MS = 60_000;
/** A test is at most two turns. */
const TEST_TIMEOUT_MS = 2 * TURN_TIMEOUT_MS;

/** About 2 kB without a repetition that an agent could take for a loop. */
const LONG = Array.from({ length: 290 }, (_, i) => `word${i}`).join(' ');

/** What a user may say; the model repeats it. */
const TEXTS = {
  'a short text': 'hello there',
  'a text of 2 kB': LONG,
  'several lines': 'first line\nsecond line\n\n  indented line\nlast line',
  Unicode: 'größer ≠ kleiner, 漢字かな交じり, 👩‍👩‍👧 🚀, e\u0301 and é, שלום, مرحبا',
  tabs: 'one\ttwo\t\tthree\n\tfour',
  'a backslash at the end': 'look into C:\\temp\\',
  'a text after one with a backslash at the end': 'and now into D:',
  'a backslash at the end of 2 kB': `${LONG} \\`,
  'backslashes at the ends of lines': 'first \\\nsecond \\\\',
};

const AGENTS = ['gemini', 'qwen'] as const;
type AgentName = (typeof AGENTS)[number];
type Transport = 'pty' | 'acp';

const TRANSPORTS = [
  ['in a terminal', 'pty'],
  ['through ACP', 'acp'],
] as const satisfies readonly (readonly [string, Transport])[];

const isMissing = AGENTS.some((agent) => findPart(agent) === null);

/** One test after the other, also where suites run side by side: the tests of an agent are one conversation. */
const IN_ORDER = { concurrent: false, skip: isMissing, timeout: TEST_TIMEOUT_MS };

describe.concurrent.each(TRANSPORTS)('real agents %s', (_, transport) => {
  let server: ServerProcess;
  const agents = new Map<AgentName, RealAgent>();

  function agentOf(name: AgentName): RealAgent {
    const agent = agents.get(name);
    if (agent === undefined) throw new Error(`${name} was not started`);
    return agent;
  }

  beforeAll(async () => {
    if (isMissing) return;
    server = await startServer({
      env: { PATH: pathWithAgents() },
      config: {
        agents: { gemini: { transport }, qwen: { transport } },
        agent_server_args: ['--acp-permissions', 'ask'],
      },
    });
    await Promise.all(AGENTS.map(async (name) => agents.set(name, await startRealAgent(server, name))));
  }, START_TIMEOUT_MS);
  afterAll(async () => {
    if (isMissing) return;
    await server[Symbol.asyncDispose]();
    for (const agent of agents.values()) await agent[Symbol.asyncDispose]();
  });

  test('two work side by side in one server [needs gemini]', IN_ORDER, async () => {
    const asking = AGENTS.map(async (name) => {
      expect(await ask(agentOf(name), `Which one are you? You are ${name}.`)).toContain(`You are ${name}.`);
    });
    await Promise.all(asking);
    for (const name of AGENTS) {
      expect(agentOf(name).heard()).toEqual([`Which one are you? You are ${name}.`]);
      expect((await server.client.get(agentOf(name).session.id)).agent).toBe(name);
    }
  });

  describe.concurrent.each(AGENTS)('%s', (name) => {
    const needs = `[needs ${name}]`;

    for (const [what, text] of Object.entries(TEXTS)) {
      test(
        `AA-080, AA-150: what the user says arrives, and what the model answers: ${what} ${needs}`,
        IN_ORDER,
        async () => {
          const agent = agentOf(name);
          const heardBefore = agent.heard().length;
          const turn = await agent.session.sendAndWait(text, { timeoutMs: TURN_TIMEOUT_MS });
          expect(agent.heard().slice(heardBefore)).toEqual([text]);
          expect(turn.sent.content).toBe(text);
          if (transport === 'acp') expect(turn.text).toBe(text);
          else if (fitsTerminal(text)) expect(withoutPadding(turn.text)).toBe(text);
          else expect(wordsOf(turn.text)).toEqual(wordsOf(text));
        },
      );
    }

    test(
      `AA-074: an agent works as long as its model does, also while that pauses ${needs}`,
      IN_ORDER,
      async () => {
        const parts = [{ text: 'before the pause' }, { pauseMs: 4_500 }, { text: '\nafter the pause' }];
        agentOf(name).answers('pause', { parts });
        const { statuses, answer } = await followTurn(agentOf(name), 'pause');
        expect(statuses).toEqual(['stable', 'running', 'stable']);
        expect(withoutPadding(answer)).toBe('before the pause\nafter the pause');
      },
    );

    test(`AA-153, AA-157: what the user allows is done ${needs}`, IN_ORDER, async () => {
      const agent = agentOf(name);
      const asking = async (): Promise<void> => {
        const question = await untilAsked(server, agent, transport);
        await expect(agent.session.send('Stop!')).rejects.toThrow(
          /message can only be sent when the agent is waiting for user input/,
        );
        await question.allow();
      };
      await Promise.all([askToWrite(agent, 'allowed.txt'), asking()]);
      await untilAnswered(agent, 'That is done.');
      expect(await readFile(join(agent.workspace, 'allowed.txt'), 'utf8')).toBe('hello\n');
    });

    for (const answer of ['reject', 'dismiss'] as const) {
      test(
        `AA-157: what the user does not allow (${answer}) is not done, and the talk goes on ${needs}`,
        IN_ORDER,
        async () => {
          const agent = agentOf(name);
          const file = `${answer}.txt`;
          const asking = async (): Promise<void> => {
            const question = await untilAsked(server, agent, transport);
            await question[answer]();
          };
          await Promise.all([askToWrite(agent, file), asking()]);
          expect(await ask(agent, `after ${answer}`)).toBe(`after ${answer}`);
          await expect(access(join(agent.workspace, file))).rejects.toThrow('ENOENT');
        },
      );
    }

    test(`a turn can be cancelled, and the talk goes on ${needs}`, IN_ORDER, async () => {
      const agent = agentOf(name);
      agent.answers('hang', { parts: [{ text: 'I begin' }, { until: new Promise(() => {}) }] });
      const cancelling = async (): Promise<void> => {
        await untilSaid(agent, 'I begin');
        if (transport === 'pty') await agent.session.sendRaw('\u001b');
        else await server.request(`/${agent.session.id}/acp/cancel`, { method: 'POST' });
      };
      await Promise.all([agent.session.send('hang'), cancelling()]);
      expect(await ask(agent, 'on we go')).toBe('on we go');
    });

    test(`PX-124, PX-126: DELETE leaves nothing of a session ${needs}`, IN_ORDER, async () => {
      const agent = agentOf(name);
      const { session, workspace } = agent;
      expect(await server.sessionProcesses(session.id)).not.toEqual([]);
      await session.delete();
      expect(await server.sessionProcesses(session.id)).toEqual([]);
      await expect(access(workspace)).rejects.toThrow('ENOENT');
      expect(agent.unknownRequests()).toEqual([]);
    });
  });
});

/** Says something and gives the answer. */
async function ask({ session }: RealAgent, text: string): Promise<string> {
  return withoutPadding((await session.sendAndWait(text, { timeoutMs: TURN_TIMEOUT_MS })).text);
}

/** Says something and gives every status from before that on until the agent waits again, and its answer by then. */
async function followTurn(
  { session }: RealAgent,
  text: string,
): Promise<{ statuses: readonly AgentStatus[]; answer: string }> {
  const statuses: AgentStatus[] = [];
  let answer = '';
  let sending: Promise<void> | undefined;
  for await (const event of session.events({ signal: AbortSignal.timeout(TURN_TIMEOUT_MS) })) {
    if (event.kind === 'message_update') answer = event.message.content;
    if (event.kind !== 'status_change') continue;
    statuses.push(event.status);
    sending ??= session.send(text);
    if (event.status === 'stable' && statuses.length > 1) break;
  }
  await sending;
  return { statuses, answer };
}

/** Makes the model write a file; resolves, with ACP, when the turn ends. */
async function askToWrite(agent: RealAgent, file: string): Promise<void> {
  const args = { file_path: join(agent.workspace, file), content: 'hello\n' };
  agent.answers(`write ${file}`, {
    parts: [{ text: 'I will write.' }, { toolCall: { name: 'write_file', args } }],
  });
  await agent.session.send(`write ${file}`);
}

/** A question of the agent to its user. */
interface Question {
  readonly allow: () => Promise<void>;
  readonly reject: () => Promise<void>;
  /** Ends the question without an answer. */
  readonly dismiss: () => Promise<void>;
}

function untilAsked(server: ServerProcess, agent: RealAgent, transport: Transport): Promise<Question> {
  return transport === 'pty' ? untilDialog(server, agent) : untilPermission(server, agent);
}

const dialogReply = z.object({
  dialog: z
    .object({ id: z.string(), text: z.string(), choices: z.array(z.object({ label: z.string() })) })
    .nullable(),
});

async function untilDialog(server: ServerProcess, { session }: RealAgent): Promise<Question> {
  const path = `/${session.id}/internal/dialog`;
  const { id, text, choices } = await eventually(
    'a dialog is up',
    async () => dialogReply.parse(await (await server.request(path)).json()).dialog ?? undefined,
    TURN_TIMEOUT_MS,
  );
  expect(text).toContain('Apply this change?');
  const choose = async (wanted: RegExp): Promise<void> => {
    const choice = choices.findIndex(({ label }) => wanted.test(label));
    const reply = await server.request(`${path}/${id}`, jsonRequest({ choice }));
    expect(await reply.json()).toEqual({ ok: true });
  };
  return {
    allow: () => choose(/allow once/i),
    reject: () => choose(/^No\b/),
    dismiss: () => session.sendRaw('\u001b'),
  };
}

const permissionsReply = z.object({
  permissions: z.array(
    z.object({ id: z.string(), options: z.array(z.object({ option_id: z.string(), kind: z.string() })) }),
  ),
});

async function untilPermission(server: ServerProcess, { session }: RealAgent): Promise<Question> {
  const path = `/${session.id}/acp/permissions`;
  const { id, options } = await eventually(
    'a permission is asked for',
    async () => permissionsReply.parse(await (await server.request(path)).json()).permissions[0],
    TURN_TIMEOUT_MS,
  );
  const answer = async (body: object): Promise<void> => {
    const reply = await server.request(`${path}/${id}`, jsonRequest(body));
    expect(await reply.json()).toEqual({ ok: true });
  };
  const optionId = (wanted: string): string | undefined =>
    options.find(({ kind }) => kind === wanted)?.option_id;
  return {
    allow: () => answer({ option_id: optionId('allow_once') }),
    reject: () => answer({ option_id: optionId('reject_once') }),
    dismiss: () => answer({ outcome: 'cancelled' }),
  };
}

/** Waits until the agent's last message ends in `text` and the agent waits for input. */
async function untilAnswered(agent: RealAgent, text: string): Promise<void> {
  await untilSaid(agent, text);
  await eventually(
    'the agent waits for input',
    async () => (await agent.session.status()).status === 'stable',
    TURN_TIMEOUT_MS,
  );
}

async function untilSaid({ session }: RealAgent, text: string): Promise<void> {
  await eventually(
    `the agent says ${text}`,
    async () => (await session.messages()).at(-1)?.content.trimEnd().endsWith(text),
    TURN_TIMEOUT_MS,
  );
}

/** Whether a terminal of 80 columns shows a text in its own lines; agents indent it and turn tabs into blanks. */
function fitsTerminal(text: string): boolean {
  return !text.includes('\t') && text.split('\n').every((line) => line.length <= 70);
}

/** A message from a terminal is made of rows, which are padded to its width. */
function withoutPadding(text: string): string {
  return text.replaceAll(/ +$/gm, '');
}

function wordsOf(text: string): readonly string[] {
  return text.trim().split(/\s+/);
}
