import { fileURLToPath } from 'node:url';
import xterm from '@xterm/headless';
import { spawnPty, type PtyExit } from '../../src/terminal/pty.ts';

/** The built command. */
export const COMMAND = fileURLToPath(new URL('../../dist/program/bin.js', import.meta.url));
const WAIT_MS = 15_000;

export interface TerminalUserOptions {
  readonly columns?: number;
  readonly rows?: number;
  readonly command?: string;
  /** Instead of the environment of the tests. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** Somebody who runs the command in a real terminal, types, looks, and changes the size of the window. */
export interface TerminalUser extends AsyncDisposable {
  readonly pid: number;
  readonly exited: Promise<PtyExit>;
  /** Everything that was written to the terminal. */
  output(): string;
  /** The rows of the window, without trailing blanks. */
  rows(): readonly string[];
  type(keys: string): void;
  resize(columns: number, rows: number): void;
  /** Waits until the window looks as wanted. */
  sees(condition: (rows: readonly string[]) => boolean, what: string): Promise<void>;
}

/** Starts the command with `args` in a terminal. */
export function runInTerminal(args: readonly string[], options: TerminalUserOptions = {}): TerminalUser {
  const { columns = 60, rows = 12, command = COMMAND } = options;
  const environment = Object.entries(options.env ?? process.env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  let output = '';
  const listeners = new Set<() => void>();
  const window = new xterm.Terminal({ cols: columns, rows, scrollback: 0, allowProposedApi: true });
  window.onWriteParsed(() => notify(listeners));
  const pty = spawnPty({
    command: process.execPath,
    args: [command, ...args],
    cwd: options.cwd ?? process.cwd(),
    env: Object.fromEntries(environment),
    columns,
    rows,
    terminalName: options.env?.['TERM'] ?? 'xterm-256color',
    onData: (data) => {
      output += data;
      window.write(data);
    },
  });
  const visible = () => {
    const { active } = window.buffer;
    return Array.from({ length: window.rows }, (_, row) =>
      (active.getLine(active.baseY + row)?.translateToString(true) ?? '').trimEnd(),
    );
  };
  return {
    pid: pty.pid,
    exited: pty.exited,
    output: () => output,
    rows: visible,
    type: (keys) => pty.write(keys),
    resize: (newColumns, newRows) => {
      window.resize(newColumns, newRows);
      pty.resize(newColumns, newRows);
    },
    sees: (condition, what) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (!condition(visible())) return;
          done();
          resolve();
        };
        const timer = setTimeout(() => {
          done();
          reject(new Error(`never seen: ${what}; instead:\n${visible().join('\n')}`));
        }, WAIT_MS);
        const done = () => {
          clearTimeout(timer);
          listeners.delete(look);
        };
        listeners.add(look);
        look();
      }),
    async [Symbol.asyncDispose]() {
      pty.signal('SIGKILL');
      await pty.exited;
      window.dispose();
    },
  };
}

function notify(listeners: ReadonlySet<() => void>): void {
  for (const listener of [...listeners]) listener();
}
