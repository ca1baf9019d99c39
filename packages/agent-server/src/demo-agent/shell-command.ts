import { spawn } from 'node:child_process';
import { StringDecoder } from 'node:string_decoder';
import { endProcesses, identityOf } from '../process-tree.ts';
import { plainText } from './text-width.ts';

export interface ShellCommandOptions {
  /** Program that takes `-c COMMAND`. */
  readonly shell: string;
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

/** Lines of output shown; the rest is read and dropped. */
const MAX_LINES = 2_000;
/** A line without end is shown in pieces of this length. */
const MAX_LINE_CHARS = 4_000;
/** A command of a demonstration that runs longer has been forgotten. */
const MAX_DURATION_MS = 10 * 60_000;
/** Between SIGTERM and SIGKILL, as at the end of a session but shorter: the agent itself may be ending. */
const GRACE_MS = 1_000;
/** Output that descendants of the command still hold open after its end is not waited for longer. */
const DRAIN_MS = 200;

/**
 * Runs a command in the user's shell and shows its output line by line. On abort, and after ten
 * minutes, everything that it has started is ended.
 * @returns how it ended, as a sentence.
 */
export async function runShellCommand(
  command: string,
  options: ShellCommandOptions,
  show: (line: string) => void,
  signal: AbortSignal,
): Promise<string> {
  const child = spawn(options.shell, ['-c', command], {
    cwd: options.cwd,
    env: options.env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines = new LineCollector(show);
  for (const stream of [child.stdout, child.stderr]) {
    const decoder = new StringDecoder('utf8');
    stream.on('data', (chunk: Buffer) => lines.append(decoder.write(chunk)));
  }
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(`${options.shell} cannot be executed: ${error.message}`));
    child.once('close', (code, signal) =>
      resolve(signal === null ? `exit code ${code}` : `ended by ${signal}`),
    );
    child.once('exit', () => {
      setTimeout(() => {
        child.stdout.destroy();
        child.stderr.destroy();
      }, DRAIN_MS).unref();
    });
  });
  const root = child.pid === undefined ? null : await identityOf(child.pid).catch(() => null);
  const stopped = new AbortController();
  const timer = setTimeout(() => stopped.abort(), MAX_DURATION_MS);
  const either = AbortSignal.any([signal, stopped.signal]);
  const endings: Promise<unknown>[] = [];
  const onAbort = (): void => {
    if (root !== null) endings.push(endProcesses({ find: { roots: [root] }, graceMs: GRACE_MS }));
  };
  either.addEventListener('abort', onAbort, { once: true });
  if (either.aborted) onAbort();
  try {
    const verdict = await ended;
    await Promise.all(endings);
    lines.finish();
    return stopped.signal.aborted ? `ended after ${MAX_DURATION_MS / 60_000} minutes` : verdict;
  } finally {
    clearTimeout(timer);
    either.removeEventListener('abort', onAbort);
  }
}

/** Cuts output into lines and shows a bounded number of them. */
class LineCollector {
  readonly #show: (line: string) => void;
  #rest = '';
  #count = 0;

  constructor(show: (line: string) => void) {
    this.#show = show;
  }

  append(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#take(line);
    while (this.#rest.length > MAX_LINE_CHARS) {
      this.#take(this.#rest.slice(0, MAX_LINE_CHARS));
      this.#rest = this.#rest.slice(MAX_LINE_CHARS);
    }
  }

  finish(): void {
    if (this.#rest !== '') this.#take(this.#rest);
    this.#rest = '';
    if (this.#count > MAX_LINES) this.#show(`… ${this.#count - MAX_LINES} more lines are not shown`);
  }

  #take(line: string): void {
    this.#count += 1;
    if (this.#count <= MAX_LINES) this.#show(plainText(line));
  }
}
