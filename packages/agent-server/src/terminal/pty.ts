import { accessSync, closeSync, constants as fsConstants, openSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Socket } from 'node:net';
import { constants as osConstants } from 'node:os';
import { delimiter, resolve } from 'node:path';
import type * as NodePty from '@lydell/node-pty';
import { PtyInput } from './pty-input.ts';

// `require` instead of `import`: importing a CommonJS package starts Node's export scanner, which keeps
// 8 MB resident for the whole life of the process (measured; the budget of the process is 60 MB).
const { spawn }: typeof NodePty = createRequire(import.meta.url)('@lydell/node-pty');

/** How a program in a pseudo-terminal ended; exactly one member is not null. */
export interface PtyExit {
  readonly code: number | null;
  readonly signal: string | null;
}

export interface PtyOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** Working directory of the program; absolute. */
  readonly cwd: string;
  /** The whole environment; `TERM` is replaced by {@link PtyOptions.terminalName}. */
  readonly env: Readonly<Record<string, string>>;
  readonly columns: number;
  readonly rows: number;
  /** Value of `TERM` (AA-020). */
  readonly terminalName: string;
  /** Called for every piece of output, decoded as UTF-8 (U+FFFD for what is not); until `exited` resolves. */
  readonly onData: (data: string) => void;
}

/** A program that runs as leader of its own session on a pseudo-terminal. */
export interface Pty {
  readonly pid: number;
  /**
   * Queues the text as UTF-8, byte for byte and in order; never blocks. Ignored after the exit.
   * @returns `false` when the program does not read and so much waits that nothing of the text was taken.
   */
  write(data: string): boolean;
  /** Stops and resumes reading, so that a fast program waits for a slow reader. */
  pause(): void;
  resume(): void;
  resize(columns: number, rows: number): void;
  /** Signals the program's process group. Does nothing when nobody is left in it. */
  signal(name: NodeJS.Signals): void;
  /** From now on the last output may be lost; in return {@link Pty.exited} comes at the end, not 200 ms later. */
  forgoLastOutput(): void;
  /** Resolves when the program has ended and all its output has been passed on. Never rejects. */
  readonly exited: Promise<PtyExit>;
}

/** The agent's program cannot be started; `message` says what was looked for and where. */
export class SpawnError extends Error {
  override readonly name = 'SpawnError';
}

/** The search path of a program whose environment has no `PATH`. */
const DEFAULT_PATH = '/usr/local/bin:/usr/bin:/bin';

/**
 * Starts a program on a new pseudo-terminal that is its controlling terminal (agentapi section 4.1).
 * @throws {SpawnError} when the working directory or the program does not exist, or the system refuses.
 */
export function spawnPty(options: PtyOptions): Pty {
  checkDirectory(options.cwd);
  checkProgram(options);
  const { TERM: _replaced, ...env } = options.env;
  let pty: NodePty.IPty;
  let master: Master;
  try {
    pty = spawn(options.command, [...options.args], {
      name: options.terminalName,
      cols: options.columns,
      rows: options.rows,
      cwd: options.cwd,
      env,
      encoding: 'utf8',
    });
    master = masterOf(pty);
  } catch (cause) {
    throw new SpawnError(`cannot start ${options.command} in a terminal`, { cause });
  }
  let slave = holdSlaveOpen(pty);
  const releaseSlave = (): void => {
    if (slave !== null) closeSync(slave);
    slave = null;
  };
  let running = true;
  const input = new PtyInput(master.fd, () => !master.socket.destroyed);
  const data = pty.onData(options.onData);
  const exited = new Promise<PtyExit>((resolve) => {
    const exit = pty.onExit(({ exitCode, signal }) => {
      running = false;
      input.clear();
      exit.dispose();
      data.dispose();
      releaseSlave();
      resolve(
        signal !== undefined && signal > 0
          ? { code: null, signal: signalName(signal) }
          : { code: exitCode, signal: null },
      );
    });
  });
  return {
    pid: pty.pid,
    write: (text) => !running || text === '' || input.write(text),
    pause: () => pty.pause(),
    resume: () => pty.resume(),
    resize: (columns, rows) => {
      if (running) pty.resize(columns, rows);
    },
    signal: (name) => {
      // Right after its start the program has no group yet: then there is only itself.
      if (!sendSignal(-pty.pid, name) && running) sendSignal(pty.pid, name);
    },
    forgoLastOutput: releaseSlave,
    exited,
  };
}

/** Our end of the terminal. */
interface Master {
  readonly fd: number;
  /** Reads from `fd` and closes it: once this is destroyed, the number may be that of another file. */
  readonly socket: Socket;
}

function masterOf(pty: object): Master {
  const fd = 'fd' in pty ? pty.fd : undefined;
  const socket = '_socket' in pty ? pty._socket : undefined;
  if (typeof fd === 'number' && socket instanceof Socket) return { fd, socket };
  throw new Error('the terminal has no descriptor');
}

/** @returns whether there was somebody to get it. */
function sendSignal(target: number, name: NodeJS.Signals): boolean {
  try {
    process.kill(target, name);
    return true;
  } catch (error) {
    // Only foreign (set-uid) processes are left in the group.
    if (isErrno(error, 'EPERM')) return true;
    if (isErrno(error, 'ESRCH')) return false;
    throw error;
  }
}

/**
 * Opens the program's end of the terminal. While somebody holds it, the kernel keeps output that has
 * not been read when the program ends; otherwise Node cuts it off (8–53 % of short runs lost some).
 */
function holdSlaveOpen(pty: object): number | null {
  if (!('ptsName' in pty) || typeof pty.ptsName !== 'string') return null;
  try {
    return openSync(pty.ptsName, fsConstants.O_RDWR | fsConstants.O_NOCTTY);
  } catch {
    // A refinement only: without it the last output of a dying program may be short.
    return null;
  }
}

function checkDirectory(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return;
  throw new SpawnError(`working directory ${path} does not exist`);
}

/** node-pty reports a missing program only as exit code 1 of the child, so look before. */
function checkProgram({ command, cwd, env }: PtyOptions): void {
  if (command.includes('/')) {
    if (isExecutable(resolve(cwd, command))) return;
    throw new SpawnError(`program ${resolve(cwd, command)} does not exist or is not executable`);
  }
  const path = env['PATH'] ?? DEFAULT_PATH;
  const found = path.split(delimiter).some((folder) => isExecutable(resolve(cwd, folder, command)));
  if (!found) throw new SpawnError(`program ${command} not found in PATH (${path})`);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, fsConstants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function signalName(number: number): string {
  const entry = Object.entries(osConstants.signals).find(([, value]) => value === number);
  return entry?.[0] ?? `SIG${number}`;
}

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
