import { spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { endProcesses, identityOf } from '../process-tree.ts';
import type { AgentExit } from './acp-model.ts';

export interface AgentProcessOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** Where the agent's stderr is passed on to, as far as it is taken; errors are its owner's. */
  readonly stderr: Writable;
}

/** An agent program with piped stdio in a process group of its own. */
export interface AgentProcess {
  /** `undefined` when the program could not be started. */
  readonly pid: number | undefined;
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** Resolves once the process has ended and its output has been read; never rejects. */
  readonly exited: Promise<AgentExit>;
  /** Why the program could not be started; `null` while it runs or ran. */
  startFailure(): Error | null;
  /** Adds a line to the diagnostics, as if the agent had written it to stderr. */
  note(line: string): void;
  /** The last non-blank diagnostic lines, oldest first. */
  lastLines(max: number): readonly string[];
  /** SIGTERM to the process and its descendants, SIGKILL to what is left after `graceMs`. */
  end(graceMs: number): Promise<void>;
}

/** Lines of diagnostics kept; the control channel reports 40. */
const MAX_TAIL_LINES = 200;
/** A longer diagnostic line is cut: one line must not fill the memory. */
const MAX_TAIL_LINE_CHARS = 2_000;
/** What may wait for a reader of the agent's stderr; more is dropped, because an agent whose stderr is full stands still. */
const MAX_WAITING_BYTES = 1_048_576;
/** A grandchild may keep the pipes open after the agent's end; what it writes is not waited for longer. */
const DRAIN_MS = 500;

/** Starts the program; failures show in `startFailure` and in `exited` (code 127). */
export function startAgentProcess(options: AgentProcessOptions): AgentProcess {
  const child = spawn(options.command, [...options.args], {
    cwd: options.cwd,
    env: options.env,
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  });
  const tail = new LineTail();
  let failure: Error | null = null;

  const decoder = new StringDecoder('utf8');
  child.stderr.on('data', (chunk: Buffer) => {
    tail.append(decoder.write(chunk));
    const { stderr } = options;
    if (stderr.writable && stderr.writableLength < MAX_WAITING_BYTES) stderr.write(chunk);
  });
  child.stderr.on('error', () => child.stderr.destroy());
  // The agent may die with a request in its pipe; the write reports that to its own caller.
  child.stdin.on('error', () => child.stdin.destroy());

  const exited = new Promise<AgentExit>((resolve) => {
    let drain: NodeJS.Timeout | undefined;
    const finish = (exit: AgentExit) => {
      clearTimeout(drain);
      child.stdin.destroy();
      child.stdout.destroy();
      child.stderr.destroy();
      resolve(exit);
    };
    child.once('error', (error) => {
      failure ??= error;
      if (child.pid === undefined) finish({ code: 127, signal: null });
    });
    child.once('exit', (code, signal) => {
      drain = setTimeout(finish, DRAIN_MS, { code, signal });
    });
    child.once('close', (code, signal) => {
      if (child.pid !== undefined) finish({ code, signal });
    });
  });

  const identity = child.pid === undefined ? Promise.resolve(null) : identityOf(child.pid).catch(() => null);

  async function end(graceMs: number): Promise<void> {
    const leader = await identity;
    if (leader !== null) await endProcesses({ find: { roots: [leader] }, graceMs });
    await exited;
  }

  return {
    pid: child.pid,
    stdin: child.stdin,
    stdout: child.stdout,
    exited,
    startFailure: () => failure,
    note: (line) => tail.append(`${line}\n`),
    lastLines: (max) => tail.last(max),
    end,
  };
}

/** The last lines of a text that arrives in pieces. */
class LineTail {
  #lines: string[] = [];
  #open = '';

  append(text: string): void {
    const lines = `${this.#open}${text}`.split('\n');
    this.#open = (lines.pop() ?? '').slice(-MAX_TAIL_LINE_CHARS);
    for (const line of lines) {
      const shown = line.trimEnd().slice(0, MAX_TAIL_LINE_CHARS);
      if (shown !== '') this.#lines.push(shown);
    }
    if (this.#lines.length > MAX_TAIL_LINES) this.#lines = this.#lines.slice(-MAX_TAIL_LINES);
  }

  last(max: number): readonly string[] {
    const open = this.#open.trimEnd();
    const lines = open === '' ? this.#lines : [...this.#lines, open];
    return max <= 0 ? [] : lines.slice(-max);
  }
}
