import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runInTerminal } from '../../packages/agent-server/test/support/terminal-user.ts';
import type { TerminalUser } from '../../packages/agent-server/test/support/terminal-user.ts';
import { COMMAND, runCommand } from './server-process.ts';

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandLineOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
}

/** A command that is still running. */
export interface RunningCommand extends AsyncDisposable {
  readonly child: ChildProcess;
  readonly done: Promise<Finished>;
  /** Resolves when standard output holds the text. */
  printed(text: string): Promise<void>;
}

/** Somebody with an own, empty home folder who runs the built command. */
export interface CommandLine extends AsyncDisposable {
  readonly home: string;
  run(args: readonly string[], options?: CommandLineOptions): Promise<Finished>;
  start(args: readonly string[], options?: CommandLineOptions): RunningCommand;
  inTerminal(
    args: readonly string[],
    options?: {
      readonly env?: Readonly<Record<string, string>>;
      readonly columns?: number;
      readonly rows?: number;
    },
  ): TerminalUser;
}

const BIN = new URL('../../packages/server/dist/program/bin.js', import.meta.url).pathname;

/** @param common - of every command, such as `AGENTAPI_PROXY_ENDPOINT` */
export async function commandLine(common: Readonly<Record<string, string>> = {}): Promise<CommandLine> {
  const home = await mkdtemp(join(tmpdir(), 'agentapi-proxy-user-'));
  const own = { HOME: home, ...common };
  return {
    home,
    run: (args, { env, input } = {}) =>
      runCommand(args, { cwd: home, env: { ...own, ...env }, ...(input === undefined ? {} : { input }) }),
    start: (args, { env, input } = {}) => started(args, home, { ...own, ...env }, input),
    inTerminal: (args, { env, ...size } = {}) => {
      const { PATH = '' } = process.env;
      return runInTerminal(args, {
        command: BIN,
        cwd: home,
        env: { PATH, LANG: 'C.UTF-8', TERM: 'xterm-256color', ...own, ...env },
        ...size,
      });
    },
    [Symbol.asyncDispose]: async () => rm(home, { recursive: true, force: true }),
  };
}

function started(
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>>,
  input = '',
): RunningCommand {
  const { PATH = '' } = process.env;
  const child = spawn(COMMAND, args, {
    cwd,
    env: { PATH, LANG: 'C.UTF-8', ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.end(input);
  let stdout = '';
  let stderr = '';
  const listeners = new Set<() => void>();
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    for (const listener of [...listeners]) listener();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const done = once(child, 'close').then(() => ({ code: child.exitCode, stdout, stderr }));
  return {
    child,
    done,
    printed: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (!stdout.includes(text)) return;
          listeners.delete(look);
          resolve();
        };
        listeners.add(look);
        look();
        void done.then(() => reject(new Error(`ended without printing ${text}:\n${stdout}\n${stderr}`)));
      }),
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      await done;
    },
  };
}
