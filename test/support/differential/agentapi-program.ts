import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../../tools/src/free-port.ts';
import { findPart } from '../../../tools/src/outside-parts.ts';
import { ROOT } from '../documents.ts';
import { rawRequest } from '../raw-request.ts';
import { startFalsifyingRelay, type Falsification } from './falsifying-relay.ts';

/** A program with the command line of agentapi. */
export interface AgentapiProgram {
  readonly command: readonly string[];
  /** Puts a relay in front of every server, which changes its answers. */
  readonly falsification?: Falsification;
}

/** Our own agent server, as it is built. */
export const EMBEDDED: AgentapiProgram = {
  command: [process.execPath, join(ROOT, 'packages/agent-server/dist/program/bin.js')],
};

/** The real agentapi; `null` where it is not installed. */
export function realAgentapi(): AgentapiProgram | null {
  const path = findPart('agentapi');
  return path === null ? null : { command: [path] };
}

/** Neither program needs long to start or to end; this only keeps a broken one from hanging the suite. */
const PATIENCE_MS = 25_000;
const RETRY_MS = 25;
const START_ATTEMPTS = 5;

/** How a process ended, with what it printed. */
export interface End {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** Its working directory, HOME and TMPDIR. */
  readonly folder: string;
  /** Text for standard input, which is closed without it. */
  readonly stdin?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** Runs one command line to its end. */
export async function runToEnd(
  program: AgentapiProgram,
  args: readonly string[],
  options: RunOptions,
): Promise<End> {
  const run = new Running(program, args, options);
  return run.endWithin(PATIENCE_MS);
}

export interface ServerOptions extends RunOptions {
  readonly flags?: readonly string[];
  /** The agent's command line. */
  readonly agent: readonly string[];
}

/** A running `agentapi server`. */
export interface AgentapiServer extends AsyncDisposable {
  readonly port: number;
  readonly folder: string;
  kill(signal: NodeJS.Signals): void;
  /** Resolves with its end; rejects when it does not come. */
  ended(): Promise<End>;
}

/** Starts a server on a free port and waits until it answers. */
export async function startAgentapi(
  program: AgentapiProgram,
  options: ServerOptions,
): Promise<AgentapiServer> {
  const { run, port } = await startRunning(program, options);
  const { falsification } = program;
  const relay = falsification === undefined ? null : await startFalsifyingRelay(port, falsification);
  return {
    port: relay?.port ?? port,
    folder: options.folder,
    kill: (signal) => run.kill(signal),
    ended: () => run.endWithin(PATIENCE_MS),
    [Symbol.asyncDispose]: async () => {
      await relay?.[Symbol.asyncDispose]();
      run.kill('SIGTERM');
      await run.endWithin(PATIENCE_MS);
    },
  };
}

/** Tries another port when somebody else has taken the one that was free. */
async function startRunning(
  program: AgentapiProgram,
  options: ServerOptions,
): Promise<{ readonly run: Running; readonly port: number }> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    const flags = ['--port', String(port), ...(options.flags ?? [])];
    const run = new Running(program, ['server', ...flags, '--', ...options.agent], options);
    if (await answers(run, port)) return { run, port };
    const { stdout, stderr } = await run.endWithin(PATIENCE_MS);
    if (attempt === START_ATTEMPTS || !stderr.includes('failed to start server')) {
      throw new Error(`the server has ended:\n${stdout}${stderr}`);
    }
  }
}

/** A folder that is removed at the end of the block. */
export async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'agentapi-differential-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** Polls until `look` gives something else than `undefined`; rejects after `limitMs`. */
export async function eventually<T>(
  what: string,
  look: () => Promise<T | undefined>,
  limitMs = PATIENCE_MS,
): Promise<T> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > deadline) throw new Error(`${what}: not after ${limitMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

class Running {
  readonly #child: ChildProcess;
  readonly #ended: Promise<End>;
  #hasEnded = false;

  constructor(program: AgentapiProgram, args: readonly string[], options: RunOptions) {
    const { folder, stdin, environment = {} } = options;
    const [command = '', ...first] = program.command;
    this.#child = spawn(command, [...first, ...args], {
      cwd: folder,
      env: { PATH: process.env['PATH'] ?? '', HOME: folder, TMPDIR: folder, LANG: 'C.UTF-8', ...environment },
      stdio: [stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    });
    const output = { stdout: '', stderr: '' };
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
    this.#child.stdin?.end(stdin);
    this.#ended = new Promise((resolve, reject) => {
      this.#child.once('error', reject).once('close', (code, signal) => {
        this.#hasEnded = true;
        resolve({ code, signal, ...output });
      });
    });
    // Whoever waits for the end gets the failure.
    this.#ended.catch(() => {});
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async endWithin(limitMs: number): Promise<End> {
    let isOver = false;
    const watchdog = setTimeout(() => {
      isOver = true;
      this.#child.kill('SIGKILL');
    }, limitMs);
    const end = await this.#ended;
    clearTimeout(watchdog);
    if (isOver) throw new Error(`did not end within ${limitMs} ms:\n${end.stdout}${end.stderr}`);
    return end;
  }
}

/** Resolves with `true` once the server answers, with `false` when it has ended before. */
async function answers(run: Running, port: number): Promise<boolean> {
  try {
    return await eventually('the server answers', async () => {
      if (run.hasEnded) return false;
      const call = { path: '/status', headers: { host: `localhost:${port}` } };
      return rawRequest(port, call).then(
        () => true,
        () => undefined,
      );
    });
  } catch (error) {
    run.kill('SIGKILL');
    throw error;
  }
}
