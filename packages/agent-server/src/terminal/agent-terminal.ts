import { type Pty, type PtyExit, type PtyOptions, spawnPty } from './pty.ts';
import { QuietGap } from './quiet-gap.ts';
import { Screen, type ScreenImage } from './screen.ts';

export interface AgentTerminalOptions extends Omit<PtyOptions, 'onData'> {
  /** See {@link QuietGap}. */
  readonly gapMs: number;
  readonly tries: number;
  readonly intervalMs: number;
}

/** What a caller may do with the terminal of an agent without owning it. */
export interface TerminalView {
  /** The screen as it is at this moment, possibly in the middle of a redraw. Free while nothing changed. */
  read(): ScreenImage;
  /** Queues keys for the agent; never blocks. @returns `false` when nothing was taken, see {@link Pty.write}. */
  write(keys: string): boolean;
  readonly bracketedPaste: boolean;
  /** Calls `listener` after each piece of output has been applied to the screen. */
  onOutput(listener: () => void): () => void;
}

/** What has happened to a terminal's screen. */
export type ScreenChange = { readonly kind: 'output'; readonly data: string } | { readonly kind: 'resized' };

/** A screen for viewers that are emulators themselves. */
export interface LiveScreen {
  /** The size, and output that makes an emulator of this size, newly reset, show the same. */
  repaint(): { readonly columns: number; readonly rows: number; readonly data: string };
  /** Calls `listener` with what has changed since the last {@link repaint}; returns how to end that. */
  onScreenChange(listener: (change: ScreenChange) => void): () => void;
}

/**
 * Reading stops when so many characters wait for the emulator, and goes on when few are left. Small,
 * because what still waits in the kernel when the program ends is given up 200 ms later.
 */
const PAUSE_AT = 262_144;
const RESUME_AT = 65_536;

/** Enough to see what kind of output it is. */
const LAST_OUTPUT_CHARACTERS = 4_096;

/** Applying what an agent has printed takes milliseconds, unless it is meant to take long. */
const LAST_OUTPUT_MS = 2_000;

/** SIGKILL cannot be refused; a process that is still there afterwards hangs in the kernel. */
const KILL_WAIT_MS = 2_000;

/** An agent's program together with the emulator that shows its output. */
export class AgentTerminal implements TerminalView, LiveScreen {
  readonly #pty: Pty;
  readonly #screen: Screen;
  readonly #gap: QuietGap;
  readonly #outputListeners = new Set<() => void>();
  readonly #viewers = new Set<(change: ScreenChange) => void>();
  #settledListener: () => void = () => {};
  #lastOutput = '';
  #waiting = 0;
  #paused = false;
  #alive = true;
  #forgoLastOutput: () => void = () => {};
  readonly #stopping = new Promise<void>((resolve) => (this.#forgoLastOutput = resolve));
  /** Resolves when the agent has ended and its last output is on the screen, or 2 s later. Never rejects. */
  readonly exited: Promise<PtyExit>;

  /** @throws {SpawnError} when the program cannot be started. */
  constructor(options: AgentTerminalOptions) {
    this.#screen = new Screen({
      columns: options.columns,
      rows: options.rows,
      onReply: (data) => void this.#pty.write(data),
      onChange: () => this.#changed(),
      onApplied: (data) => this.#show({ kind: 'output', data }),
    });
    this.#gap = new QuietGap({
      gapMs: options.gapMs,
      tries: options.tries,
      intervalMs: options.intervalMs,
      midRedraw: () => this.#screen.midRedraw,
      read: () => this.#settledListener(),
    });
    this.#pty = spawnPty({ ...options, onData: (data) => this.#receive(data) });
    this.exited = this.#end();
  }

  get pid(): number {
    return this.#pty.pid;
  }

  /** False once the agent has ended. */
  get alive(): boolean {
    return this.#alive;
  }

  get bracketedPaste(): boolean {
    return this.#screen.bracketedPaste;
  }

  /** The agent draws on the alternate buffer, as programs do that fill the whole screen. */
  get alternate(): boolean {
    return this.#screen.alternate;
  }

  get title(): string {
    return this.#screen.title;
  }

  /** Grows whenever the screen may look different. */
  get changes(): number {
    return this.#screen.changes;
  }

  /** The end of the latest piece of output, as the program sent it. */
  get lastOutput(): string {
    return this.#lastOutput.slice(-LAST_OUTPUT_CHARACTERS);
  }

  read(): ScreenImage {
    return this.#screen.read();
  }

  /** Tells that the caller has just read the screen and acts on it, so that no read is pending. */
  settled(): void {
    this.#gap.settled();
  }

  write(keys: string): boolean {
    return this.#pty.write(keys);
  }

  onOutput(listener: () => void): () => void {
    this.#outputListeners.add(listener);
    return () => this.#outputListeners.delete(listener);
  }

  repaint(): { readonly columns: number; readonly rows: number; readonly data: string } {
    const { columns, rows } = this.#screen;
    return { columns, rows, data: this.#screen.repaint() };
  }

  onScreenChange(listener: (change: ScreenChange) => void): () => void {
    this.#viewers.add(listener);
    return () => this.#viewers.delete(listener);
  }

  /** Sets who is called when the screen has changed and may be read (agentapi section 4.2). */
  onSettled(listener: () => void): void {
    this.#settledListener = listener;
  }

  /** Changes the size of both the emulator and the agent's terminal; the agent gets SIGWINCH. */
  resize(columns: number, rows: number): void {
    this.#screen.resize(columns, rows);
    this.#pty.resize(columns, rows);
    this.#changed();
    this.#show({ kind: 'resized' });
  }

  /** Signals the agent's process group, waits, kills what is left of it. Idempotent. */
  async stop(signal: NodeJS.Signals, graceMs: number): Promise<void> {
    this.#forgoLastOutput();
    if (this.#alive) {
      this.#pty.forgoLastOutput();
      this.#pty.signal(signal);
      if (!(await endsWithin(this.exited, graceMs))) {
        this.#pty.signal('SIGKILL');
        await endsWithin(this.exited, KILL_WAIT_MS);
      }
      // Members of the group that outlived their leader.
      this.#pty.signal('SIGKILL');
    }
    this.#gap.dispose();
    this.#outputListeners.clear();
    this.#viewers.clear();
    this.#screen.dispose();
  }

  #receive(data: string): void {
    this.#lastOutput = data;
    this.#waiting += data.length;
    if (this.#waiting > PAUSE_AT && !this.#paused) {
      this.#paused = true;
      this.#pty.pause();
    }
    this.#screen.write(data, () => {
      this.#waiting -= data.length;
      if (this.#waiting < RESUME_AT && this.#paused) {
        this.#paused = false;
        this.#pty.resume();
      }
    });
  }

  #changed(): void {
    this.#gap.changed();
    for (const listener of this.#outputListeners) listener();
  }

  #show(change: ScreenChange): void {
    for (const viewer of this.#viewers) viewer(change);
  }

  async #end(): Promise<PtyExit> {
    const exit = await this.#pty.exited;
    const applied = new Promise<void>((resolve) => {
      this.#screen.write('', resolve);
    });
    await endsWithin(Promise.race([applied, this.#stopping]), LAST_OUTPUT_MS);
    this.#alive = false;
    return exit;
  }
}

async function endsWithin(exited: Promise<unknown>, limitMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), limitMs);
  });
  try {
    return await Promise.race([exited.then(() => true), limit]);
  } finally {
    clearTimeout(timer);
  }
}
