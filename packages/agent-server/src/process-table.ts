import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { psProcesses } from './process-table-ps.ts';

/** Environment variable that every process of a session inherits: `<instance id>.<session id>`. */
export const SESSION_MARKER = 'AGENTAPI_PROXY_SESSION';

/** One process for ever: a pid is given to another program sooner or later, the three together never (DF-27). */
export interface ProcessIdentity {
  readonly pid: number;
  /** Start in clock ticks since boot, as the kernel prints it; a date where there is no `/proc`. */
  readonly startTime: string;
  /** The kernel's boot id; empty where there is no `/proc`. */
  readonly bootId: string;
}

/** What the kernel says of one process. */
export interface ProcessStatus extends ProcessIdentity {
  readonly parentPid: number;
  readonly groupId: number;
  readonly sessionId: number;
  /** Name of the program, as short as the kernel keeps it. */
  readonly name: string;
  /** Stopped by a signal or a debugger: it acts on signals only when continued. */
  readonly isStopped: boolean;
  /** Ended, but not yet collected by its parent. */
  readonly isZombie: boolean;
}

/** An entry of the process table. */
export interface ProcessInfo extends ProcessStatus {
  /** Value of {@link SESSION_MARKER}; `null` without one or when it may not be read. */
  readonly marker: string | null;
}

/** Processes read before the event loop gets its turn: about a millisecond. */
const SLICE = 48;
/** New processes may start while the table is read; so often it is looked whether there are any. */
const MAX_PASSES = 3;
const FIRST_ENVIRON_BYTES = 32 * 1024;
/** A longer environment cannot hold our marker in any sensible place; bounds what a hostile process costs. */
const MAX_ENVIRON_BYTES = 4 * 1024 * 1024;
const MARKER_PREFIX = `${SESSION_MARKER}=`;
/** What the kernel says of a process that is gone, or that this user may not look at. */
const ABSENT: ReadonlySet<unknown> = new Set(['ENOENT', 'ESRCH', 'EACCES', 'EPERM']);

/**
 * Reads the process table. Callers at the same time share one reading: ending many sessions at once
 * costs a few readings, not one for each. Without `/proc` it asks `ps`, which on some platforms shows
 * no environment; processes are then found by session, group and parent only.
 */
export class ProcessTable {
  #bootId: string | null = null;
  #buffer = Buffer.allocUnsafe(FIRST_ENVIRON_BYTES);
  #running: Promise<readonly ProcessInfo[]> | null = null;
  #next: Promise<readonly ProcessInfo[]> | null = null;

  /** All processes, as they are after this call. @throws when the kernel cannot tell, such as without a free descriptor. */
  list(): Promise<readonly ProcessInfo[]> {
    if (this.#running === null) return this.#start();
    // The reading under way may have passed by what the caller is interested in.
    const startNext = (): Promise<readonly ProcessInfo[]> => {
      this.#next = null;
      return this.#start();
    };
    this.#next ??= this.#running.then(startNext, startNext);
    return this.#next;
  }

  /**
   * One process as it is now, without its marker; `null` when there is none with this pid.
   * @throws like {@link list}: whoever cannot look must not take a process for gone.
   */
  async read(pid: number): Promise<ProcessStatus | null> {
    if (process.platform !== 'linux') return (await this.list()).find((one) => one.pid === pid) ?? null;
    return this.#readStatus(pid);
  }

  #start(): Promise<readonly ProcessInfo[]> {
    const reading = process.platform === 'linux' ? this.#listProc() : psProcesses();
    const running = reading.finally(() => {
      if (this.#running === running) this.#running = null;
    });
    this.#running = running;
    return running;
  }

  async #listProc(): Promise<readonly ProcessInfo[]> {
    const found = new Map<number, ProcessInfo>();
    const seen = new Set<number>();
    for (let pass = 0; pass < MAX_PASSES; pass += 1) {
      const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
      const unseen = pids.filter((pid) => !seen.has(pid));
      if (unseen.length === 0) break;
      for (const [index, pid] of unseen.entries()) {
        seen.add(pid);
        const status = this.#readStatus(pid);
        if (status !== null) found.set(pid, { ...status, marker: this.#readMarker(status) });
        if (index % SLICE === SLICE - 1) await nextTurn();
      }
    }
    return [...found.values()];
  }

  #readStatus(pid: number): ProcessStatus | null {
    const text = this.#readWhole(`/proc/${pid}/stat`)?.toString('latin1');
    const parsed = text === undefined ? null : parseStat(text);
    if (parsed === null) return null;
    this.#bootId ??= readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
    return { ...parsed, bootId: this.#bootId };
  }

  #readMarker(status: ProcessStatus): string | null {
    const environ = status.isZombie ? null : this.#readWhole(`/proc/${status.pid}/environ`);
    return environ === null ? null : markerIn(environ);
  }

  /**
   * Synchronous on purpose: these files are made in memory, and a thousand trips through the thread
   * pool cost ten times the reading itself.
   * @returns a view that the next call overwrites; `null` when the process is gone or foreign.
   * @throws when there is another reason.
   */
  #readWhole(path: string): Buffer | null {
    let file: number | null = null;
    try {
      file = openSync(path, 'r');
      let length = 0;
      for (;;) {
        if (length === this.#buffer.length) {
          if (length >= MAX_ENVIRON_BYTES) break;
          this.#buffer = Buffer.concat([this.#buffer], length * 2);
        }
        const count = readSync(file, this.#buffer, length, this.#buffer.length - length, null);
        if (count === 0) break;
        length += count;
      }
      return this.#buffer.subarray(0, length);
    } catch (error) {
      if (error instanceof Error && 'code' in error && ABSENT.has(error.code)) return null;
      throw error;
    } finally {
      if (file !== null) closeSync(file);
    }
  }
}

/** The fields of `/proc/<pid>/stat` that matter; `null` when the text is none. */
export function parseStat(text: string): Omit<ProcessStatus, 'bootId'> | null {
  // The name may itself contain blanks and brackets.
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  if (open < 1 || close < open) return null;
  const fields = text.slice(close + 2).split(' ');
  const [state, parent, group, session] = fields;
  const threads = fields[17];
  const startTime = fields[19];
  if (state === undefined || startTime === undefined) return null;
  return {
    pid: Number(text.slice(0, open)),
    startTime,
    parentPid: Number(parent),
    groupId: Number(group),
    sessionId: Number(session),
    name: text.slice(open + 1, close),
    isStopped: state === 'T' || state === 't',
    // A program whose first thread has ended looks like a zombie while its other threads work on.
    isZombie: state === 'X' || (state === 'Z' && Number(threads) <= 1),
  };
}

function markerIn(environ: Buffer): string | null {
  const isFirst = environ.subarray(0, MARKER_PREFIX.length).equals(Buffer.from(MARKER_PREFIX));
  const start = isFirst ? 0 : environ.indexOf(`\0${MARKER_PREFIX}`) + 1;
  if (start === 0 && !isFirst) return null;
  const valueStart = start + MARKER_PREFIX.length;
  const end = environ.indexOf(0, valueStart);
  return environ.toString('utf8', valueStart, end === -1 ? environ.length : end);
}
