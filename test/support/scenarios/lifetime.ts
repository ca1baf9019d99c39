import { once } from 'node:events';
import { readdir, readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { expect } from 'vitest';
import {
  eventually,
  runToEnd,
  startAgentapi,
  temporaryFolder,
  type AgentapiProgram,
  type End,
} from '../differential/agentapi-program.ts';
import { recordEvents } from '../differential/event-recorder.ts';
import { normalised, post, type Observation } from '../differential/observation.ts';
import { agent, takeTurn, untilStable, type Scenario } from '../differential/scenario.ts';
import { rawRequest } from '../raw-request.ts';

/** Command lines that end by themselves, and a text that they must print on stderr. */
const COMMAND_LINES: readonly {
  readonly args: readonly string[];
  readonly code: number;
  readonly says?: string;
}[] = [
  { args: [], code: 0 },
  { args: ['--help'], code: 0 },
  { args: ['nonsense'], code: 1 },
  { args: ['server'], code: 1 },
  { args: ['server', '--nonsense', '--', 'cat'], code: 1 },
  { args: ['server', '--port', 'abc', '--', 'cat'], code: 1 },
  { args: ['server', '--exit', '--', 'cat'], code: 0 },
  { args: ['server', '--type', 'nonsense', '--', 'cat'], code: 1, says: 'invalid agent type: nonsense' },
  { args: ['server', '--term-width', '9', '--', 'cat'], code: 1, says: 'term width must be at least 10' },
  { args: ['server', '--term-height', '9', '--', 'cat'], code: 1, says: 'term height must be at least 10' },
  {
    args: ['server', '--load-state', '--', 'cat'],
    code: 1,
    says: '--load-state requires --state-file to be set',
  },
  {
    args: ['server', '--experimental-acp', '--state-file', 'x', '--', 'cat'],
    code: 1,
    says: "ACP mode doesn't support state persistence",
  },
  {
    args: ['server', '--experimental-acp', '--print-openapi', '--', 'cat'],
    code: 1,
    says: 'mutually exclusive',
  },
  {
    args: ['server', '--port', '0', '--allowed-hosts', 'http://a', '--', 'cat'],
    code: 1,
    says: "'http://a' must not include http:// or https://",
  },
  {
    args: ['server', '--port', '0', '--allowed-origins', 'a b', '--', 'cat'],
    code: 1,
    says: "'a b' contains whitespace characters, which are not allowed",
  },
];

const commandLines: Scenario = {
  name: 'command lines',
  rows: 'AA-001, AA-002, AA-006, AA-007, AA-011, AA-012, AA-013, AA-027, AA-031',
  observe: async (program) => {
    await using folder = await temporaryFolder();
    const options = { folder: folder.path };
    const seen: Record<string, Observation> = {};
    for (const { args, says } of COMMAND_LINES) {
      const end = await runToEnd(program, args, options);
      seen[args.join(' ')] = { code: end.code, says: says === undefined || end.stderr.includes(says) };
    }
    const version = await runToEnd(program, ['--version'], options);
    const print = await runToEnd(program, ['server', '--print-openapi', '--', 'cat'], options);
    const document: unknown = JSON.parse(print.stdout);
    return normalised(
      {
        ...seen,
        'port taken': await observeTakenPort(program, folder.path),
        '--version': { code: version.code, stdout: version.stdout },
        '--print-openapi': { code: print.code, stderr: print.stderr, document },
      },
      { port: 0, folder: folder.path },
    );
  },
  expected: {
    ...Object.fromEntries(COMMAND_LINES.map(({ args, code }) => [args.join(' '), { code, says: true }])),
    'port taken': { code: 1, says: true },
    '--version': { code: 0, stdout: 'agentapi version 0.12.1\n' },
    '--print-openapi': { code: 0, stderr: '', document: expect.objectContaining({ openapi: '3.0.3' }) },
  },
};

async function observeTakenPort(program: AgentapiProgram, folder: string): Promise<Observation> {
  // Everywhere, because the reference binds everywhere.
  const taken = createServer().listen(0);
  await once(taken, 'listening');
  const address = taken.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP address');
  const args = ['server', '--port', String(address.port), '--', 'cat'];
  const end = await runToEnd(program, args, { folder });
  taken.close();
  await once(taken, 'close');
  return { code: end.code, says: end.stderr.includes('failed to start server') };
}

/** The part of stderr that reports how the agent ended. */
function reportOf({ stderr }: End): string {
  const start = stderr.indexOf('agent exited with error:');
  return start === -1 ? '' : stderr.slice(start).trimEnd();
}

const RULE = '='.repeat(80);

/** How the server ends when its agent is told to do something by raw keys. */
async function observeAgentEnd(program: AgentapiProgram, keys: string): Promise<Observation> {
  await using folder = await temporaryFolder();
  await using server = await startAgentapi(program, { folder: folder.path, agent: agent('confirm') });
  await using events = await recordEvents(server, '/events');
  await untilStable(events);
  await post(server, 'raw', keys);
  const end = await server.ended();
  // Broken off or not: that ours ends cleanly has tests of its own.
  await events.ended;
  // How long the rules of the report are is of no interest.
  return normalised(
    { code: end.code, signal: end.signal, report: reportOf(end).replaceAll(/={10,}/gu, RULE) },
    server,
  );
}

const agentEnds: Scenario = {
  name: 'ends of the agent',
  rows: 'AA-015, AA-071',
  observe: async (program) => {
    const [good, bad, killed] = await Promise.all(
      ['leave 0\r', 'leave 3\r', 'die\r'].map((keys) => observeAgentEnd(program, keys)),
    );
    return { good: good ?? null, bad: bad ?? null, killed: killed ?? null };
  },
  expected: {
    good: { code: 0, signal: null, report: '' },
    bad: {
      code: 1,
      signal: null,
      report: `agent exited with error:\n${RULE}\nHello.\n> leave 3\n${RULE}\nnon-zero exit code`,
    },
    killed: {
      code: 1,
      signal: null,
      report: `agent exited with error:\n${RULE}\nHello.\n> die\n${RULE}\nended by SIGKILL`,
    },
  },
};

/** Everything that a signal must clean up, and what it must leave. */
async function observeSignal(program: AgentapiProgram, signal: NodeJS.Signals): Promise<Observation> {
  await using folder = await temporaryFolder();
  const { path } = folder;
  const flags = ['--state-file', `${path}/state/s.json`, '--pid-file', `${path}/run/agentapi.pid`];
  await using server = await startAgentapi(program, { folder: path, flags, agent: agent('echo') });
  await using events = await recordEvents(server, '/events');
  await untilStable(events);
  await takeTurn(server, events, 'hello');
  await rawRequest(server.port, {
    method: 'POST',
    path: '/upload',
    headers: { 'content-type': 'multipart/form-data; boundary=b' },
    body: '--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\nx\r\n--b--\r\n',
  });
  const pidFile = await readFile(`${path}/run/agentapi.pid`, 'utf8');
  const { mode } = await stat(`${path}/run/agentapi.pid`);
  server.kill(signal);
  const end = await server.ended();
  await events.ended;
  const left = await readdir(path);
  const state: unknown = JSON.parse(await readFile(`${path}/state/s.json`, 'utf8'));
  return normalised(
    {
      code: end.code,
      signal: end.signal,
      report: reportOf(end),
      pidFile: /^\d+\n$/u.test(pidFile) ? 'a number' : pidFile,
      pidFileMode: (mode & 0o777).toString(8),
      pidFilesLeft: await readdir(`${path}/run`),
      uploadsLeft: left.filter((name) => name.startsWith('agentapi-uploads-')),
      state,
      stateMode: ((await stat(`${path}/state/s.json`)).mode & 0o777).toString(8),
      stateFiles: await readdir(`${path}/state`),
    },
    server,
  );
}

const SAVED = {
  version: 1,
  messages: [
    { id: 0, message: 'Hello.', role: 'agent', time: '<time>' },
    { id: 1, message: 'hello', role: 'user', time: '<time>' },
    { id: 2, message: 'You said: hello', role: 'agent', time: '<time>' },
  ],
  initial_prompt: '',
  initial_prompt_sent: false,
};

const STOPPED = {
  code: 0,
  signal: null,
  report: '',
  pidFile: 'a number',
  pidFileMode: '600',
  pidFilesLeft: [],
  uploadsLeft: [],
  state: SAVED,
  stateMode: '600',
  stateFiles: ['s.json'],
};

const signals: Scenario = {
  name: 'signals',
  rows: 'AA-014, AA-016, AA-056, AA-071, AA-137, AA-138, AA-139',
  observe: async (program) => {
    const [int, term, hup] = await Promise.all(
      (['SIGINT', 'SIGTERM', 'SIGHUP'] as const).map((signal) => observeSignal(program, signal)),
    );
    return { int: int ?? null, term: term ?? null, hup: hup ?? null };
  },
  expected: { int: STOPPED, term: STOPPED, hup: STOPPED },
};

const saveSignal: Scenario = {
  name: 'SIGUSR1',
  rows: 'AA-018, AA-139',
  observe: async (program) => {
    await using folder = await temporaryFolder();
    const file = `${folder.path}/s.json`;
    const options = { folder: folder.path, flags: ['--state-file', file], agent: agent('echo') };
    await using server = await startAgentapi(program, options);
    await using events = await recordEvents(server, '/events');
    await untilStable(events);
    const turn = await takeTurn(server, events, 'hello');
    server.kill('SIGUSR1');
    // Ours may have saved before by itself, but not with the last message.
    const saved = await eventually('the file has every message', async () => {
      const text = await readFile(file, 'utf8').catch(() => '');
      return text.includes('You said: hello') ? text : undefined;
    });
    const state: unknown = JSON.parse(saved);
    return normalised({ state, turn, after: await takeTurn(server, events, 'still there?') }, server);
  },
  expected: { state: SAVED, turn: expect.anything(), after: expect.anything() },
};

/** How agentapi programs start and end. */
export const LIFETIME_SCENARIOS: readonly Scenario[] = [commandLines, agentEnds, signals, saveSignal];
