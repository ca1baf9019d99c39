import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { endProcesses, findProcesses } from '@agentapi-proxy/agent-server/process-tree';
import { createClient } from '@agentapi-proxy/client';
import type { Client } from '@agentapi-proxy/client';
import { z } from 'zod';
import { answerCheck } from './answer-check.ts';

/** The command as users run it; `npm run build` has made what it runs. */
export const COMMAND = fileURLToPath(new URL('../../bin/agentapi-proxy', import.meta.url));

/** A cold start takes a fraction of a second; this only keeps a broken one from hanging the suite. */
const START_TIMEOUT_MS = 60_000;

const logLineSchema = z.looseObject({ msg: z.string().optional(), url: z.string().optional() });
type LogLine = z.infer<typeof logLineSchema>;

export interface ServerOptions {
  /** Configuration file; port and data folder are added. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly args?: readonly string[];
  /** Added to a small environment; the tests' own is not inherited. */
  readonly env?: Readonly<Record<string, string>>;
  /** Folder to use, and to leave behind, instead of a temporary one. */
  readonly folder?: string;
}

export interface ServerExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A running `agentapi-proxy server`: the built program in a process of its own. */
export interface ServerProcess extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  readonly client: Client;
  /** Holds the configuration and the data folder. */
  readonly folder: string;
  readonly dataDir: string;
  /** Everything printed so far, both streams. */
  output(): string;
  /** The log lines so far. */
  logLines(): readonly LogLine[];
  /** Sends a signal; does not wait. */
  kill(signal: NodeJS.Signals): void;
  readonly exited: Promise<ServerExit>;
  /** Sends SIGTERM and waits for the end. */
  stop(): Promise<ServerExit>;
  /** Descriptions of the processes of all sessions of this data folder, agent servers before their agents. */
  sessionProcesses(sessionId?: string): Promise<readonly string[]>;
  request(path: string, init?: RequestInit): Promise<Response>;
}

/** Starts the built server on a free port with a data folder of its own. */
export async function startServer(options: ServerOptions = {}): Promise<ServerProcess> {
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'agentapi-proxy-test-')));
  const dataDir = join(folder, 'data');
  const configPath = join(folder, 'config.json');
  await writeFile(
    configPath,
    JSON.stringify({
      port: 0,
      data_dir: dataDir,
      default_agent: 'demo',
      ...(options.config?.['agent_server'] === 'external' ? ownPorts() : {}),
      ...options.config,
    }),
  );
  const child = spawn(COMMAND, ['server', '--config', configPath, ...(options.args ?? [])], {
    cwd: folder,
    env: baseEnvironment(options.env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit').then(([code, signal]): ServerExit => ({ code, signal }));
  const captured = capture(child);
  const url = await listeningUrl(captured, exited).catch(async (error: unknown) => {
    // Nobody would own it.
    child.kill('SIGKILL');
    await exited;
    throw error;
  });
  answerCheck.watch(url, options.config?.['agent_server'] !== 'external');

  const dispose = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    const watchdog = setTimeout(() => child.kill('SIGKILL'), 40_000);
    await exited;
    clearTimeout(watchdog);
    // A test that failed after it killed the server must not leave its sessions running.
    await endSessionProcesses(dataDir);
    if (options.folder === undefined) await rm(folder, { recursive: true, force: true });
  };
  return {
    url,
    port: Number(new URL(url).port),
    pid: child.pid ?? 0,
    client: createClient({ baseUrl: url }),
    folder,
    dataDir,
    output: () => captured.lines.join('\n'),
    logLines: () => captured.lines.map(parseLogLine).filter((line) => line !== null),
    kill: (signal) => {
      child.kill(signal);
    },
    exited,
    stop: async () => {
      child.kill('SIGTERM');
      return await exited;
    },
    sessionProcesses: async (sessionId) => await describeProcesses(dataDir, sessionId),
    request: async (path, init) => await fetch(`${url}${path}`, init),
    [Symbol.asyncDispose]: dispose,
  };
}

/**
 * A range that no test running at the same time uses. An external agent server binds its port some time after it was
 * seen free, so with the servers of other tests in the same range it loses one port after the other.
 */
function ownPorts(): { readonly start_port: number; readonly port_count: number } {
  const worker = Number(process.env['VITEST_POOL_ID'] ?? 0);
  return { start_port: 28_000 + (worker % 40) * 100, port_count: 100 };
}

/**
 * A free port that a server can come back to. Those that the system gives away are anybody's as soon as the server is
 * gone; these are not, and no test running at the same time uses them.
 */
export async function lastingPort(): Promise<number> {
  const worker = Number(process.env['VITEST_POOL_ID'] ?? 0);
  const first = 26_000 + (worker % 40) * 20;
  for (let port = first; port < first + 20; port += 1) {
    const probe = createServer().listen(port, '127.0.0.1');
    const isFree = await once(probe, 'listening').then(
      () => true,
      () => false,
    );
    if (!isFree) continue;
    probe.close();
    await once(probe, 'close');
    return port;
  }
  throw new Error(`none of the ports from ${first} on is free`);
}

/** Runs the built command to its end; for commands that end by themselves. */
export async function runCommand(
  args: readonly string[],
  options: { cwd?: string; env?: Readonly<Record<string, string>>; input?: string } = {},
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(COMMAND, args, {
    cwd: options.cwd ?? tmpdir(),
    env: baseEnvironment(options.env),
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: START_TIMEOUT_MS,
  });
  child.stdin.end(options.input ?? '');
  const [stdout, stderr, [code]] = await Promise.all([
    child.stdout.setEncoding('utf8').toArray(),
    child.stderr.setEncoding('utf8').toArray(),
    once(child, 'close'),
  ]);
  return { code, stdout: stdout.join(''), stderr: stderr.join('') };
}

/** Waits until `condition` gives a value; for states that the system tells nobody about. */
export async function eventually<T>(
  what: string,
  condition: () => Promise<T | undefined | false> | T | undefined | false,
  timeoutMs = 15_000,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const value = await condition();
    if (value !== undefined && value !== false) return value;
    if (Date.now() > deadline) throw new Error(`timed out waiting until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function baseEnvironment(extra: Readonly<Record<string, string>> = {}): Record<string, string> {
  const { PATH = '', HOME = '/' } = process.env;
  // Nobody answers there: no test may reach the real GitHub.
  return { PATH, HOME, LANG: 'C.UTF-8', GITHUB_API: 'http://127.0.0.1:1/api/v3', ...extra };
}

interface Captured {
  readonly lines: string[];
  /** Called for every further line. */
  onLine: (line: string) => void;
}

function capture(child: ChildProcess): Captured {
  const captured: Captured = { lines: [], onLine: () => undefined };
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream }).on('line', (line) => {
      captured.lines.push(line);
      captured.onLine(line);
    });
  }
  return captured;
}

function parseLogLine(line: string): LogLine | null {
  if (!line.startsWith('{')) return null;
  return logLineSchema.parse(JSON.parse(line));
}

async function listeningUrl(captured: Captured, exited: Promise<ServerExit>): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<string>((resolve, reject) => {
      const look = (line: string): void => {
        const parsed = parseLogLine(line);
        if (parsed?.msg === 'server listening' && parsed.url !== undefined) resolve(parsed.url);
      };
      captured.onLine = look;
      captured.lines.forEach(look);
      exited.then(
        ({ code }) => reject(new Error(`the server exited with ${code}:\n${captured.lines.join('\n')}`)),
        reject,
      );
      timer = setTimeout(
        () => reject(new Error(`the server did not start:\n${captured.lines.join('\n')}`)),
        START_TIMEOUT_MS,
      );
    });
  } finally {
    clearTimeout(timer);
    captured.onLine = () => undefined;
  }
}

async function markerOf(
  dataDir: string,
  sessionId?: string,
): Promise<{ value: string; match: 'equal' | 'prefix' }> {
  const instance = (await readFile(join(dataDir, 'instance-id'), 'utf8')).trim();
  return sessionId === undefined
    ? { value: `${instance}.`, match: 'prefix' }
    : { value: `${instance}.${sessionId}`, match: 'equal' };
}

/** Ends whatever runs of the sessions of a data folder. */
export async function endSessionProcesses(dataDir: string): Promise<void> {
  const marker = await markerOf(dataDir).catch(() => null);
  if (marker !== null) await endProcesses({ find: { marker }, graceMs: 0 });
}

async function describeProcesses(dataDir: string, sessionId?: string): Promise<readonly string[]> {
  const found = await findProcesses({ marker: await markerOf(dataDir, sessionId) });
  const pids = new Set(found.map(({ pid }) => pid));
  // Numbers say nothing about who was first: they begin anew when the largest is used up.
  const [tops, children] = [
    found.filter(({ parentPid }) => !pids.has(parentPid)),
    found.filter(({ parentPid }) => pids.has(parentPid)),
  ];
  return [...tops, ...children].map(({ pid }) => `pid ${pid}`);
}
