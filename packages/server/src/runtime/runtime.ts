import type { SessionFailure } from '../sessions/session.ts';

/** What a runtime needs to start one agent server. */
export interface LaunchSpec {
  readonly sessionId: string;
  /** Program: a path, or a name looked up in the `PATH` of `env`. */
  readonly command: string;
  /** Arguments, given the port that the agent server is to use. Secrets do not belong here. */
  readonly args: (port: number) => readonly string[];
  /** Name of the script that `command` runs to start the agent server, for messages; `null` when it is started directly. */
  readonly script: string | null;
  /** Working directory; must exist. */
  readonly cwd: string;
  /** The whole environment; the runtime adds only its marker variable. */
  readonly env: Readonly<Record<string, string>>;
  /** Receives everything that the agent server prints; created with mode 0600, appended to, kept bounded. */
  readonly logPath: string;
  /**
   * Whether the program takes port and token over the control channel and reports on it. A program
   * that does not is asked for `/status` until it answers, and gets no token.
   */
  readonly control: boolean;
  /** Secret that requests to the agent server must carry; `null` exactly when `control` is false. */
  readonly token: string | null;
  /** From {@link Runtime.reservePort}; a lost race moves it to another number. Stays the caller's to release. */
  readonly reservation: PortReservation;
  /** The agent server must answer within this time. */
  readonly timeoutMs: number;
}

/** A TCP port on 127.0.0.1 that no other reservation of this runtime has. */
export interface PortReservation {
  /** The number now; another one after `launch` met a foreign program on the first. */
  readonly port: number;
  /**
   * Takes the next free number instead; the runtime does it when a foreign program was faster.
   * @throws AppError `no_free_port`; the number is unchanged then.
   */
  moveOn(): Promise<void>;
  /** Frees the number for others; a second call does nothing. */
  release(): void;
}

/** What identifies a run after a restart of the server: a pid alone may belong to another program by then (DF-27). */
export interface RunRef {
  readonly pid: number;
  /** Start of the process in clock ticks since boot, as the kernel prints it. */
  readonly startTime: string;
  readonly bootId: string;
  readonly port: number;
}

/** One started agent server with its agent. */
export interface Run {
  readonly sessionId: string;
  readonly ref: RunRef;
  /** Where the agent server answers on 127.0.0.1. */
  readonly port: number;
  /** Resolves when the agent has been ready for input for the first time, or when the run has ended. */
  readonly agentReady: Promise<void>;
  /** Resolves at once when the agent or its server ends, asked to or not; never rejects. Call `stop` then, too. */
  readonly exited: Promise<RunExit>;
}

/** How a run ended. */
export interface RunExit {
  /**
   * Whether the agent ended, or the agent server under it. An external agent server ends with its
   * agent and does not tell which; an exit of its own that it explains by the agent counts as the agent's.
   */
  readonly kind: 'agent' | 'server';
  /** Exit code; `null` when a signal ended the process, or nobody saw its end. */
  readonly code: number | null;
  readonly signal: string | null;
  /** Last lines of the agent's screen, or of the log when the agent server ended; oldest first, at most 40. */
  readonly lastOutput: readonly string[];
  /** Whether the agent had been ready for input. */
  readonly wasReady: boolean;
  /** Why the agent server gave up, in its own words, for the session's owner. */
  readonly reason?: string;
}

/** What `stop` could not end. */
export interface StopReport {
  /** One description a process, e.g. `pid 4711 (node)`; empty when nothing is left. */
  readonly left: readonly string[];
}

/** What is needed to take over a run of an earlier server. */
export interface AdoptSpec {
  readonly sessionId: string;
  readonly ref: RunRef;
  /** As given to `launch`; `null` for an agent server without a control channel. Asked for when it is needed. */
  readonly token: () => Promise<string | null>;
  readonly logPath: string;
  /** Where the agent server leaves its last report; `null` when it leaves none. */
  readonly exitReportPath: string | null;
}

/** What became of a run while there was no server. */
export type Adoption =
  | {
      readonly kind: 'adopted';
      readonly run: Run;
      /** The run's port; stays the caller's to release. */
      readonly reservation: PortReservation;
    }
  /** Its process is gone; `exit` is how it ended, if it has left word. */
  | { readonly kind: 'gone'; readonly exit: RunExit | null }
  /** Its process is there, but does not prove that it serves this session: nothing may be sent to it (DF-22). */
  | { readonly kind: 'unproven'; readonly reason: string };

/** Processes of an earlier server on the same data folder that belong to nobody. */
export interface Orphans {
  /** Sessions that they carry, in no order. */
  readonly sessionIds: readonly string[];
  /** How many there are. */
  readonly found: number;
  /** Ends them, and what they start meanwhile. */
  end(graceMs: number): Promise<StopReport>;
  /** Ends those of one session, if they have not ended; the session must not live meanwhile. */
  endOf(sessionId: string, graceMs: number): Promise<StopReport>;
}

/** What the processes of a session take of the machine. */
export interface SessionUsage {
  readonly processes: number;
  /** Memory in use; pages that processes share are counted for each of them. */
  readonly residentBytes: number;
  /** Processor time since the session was first measured, and what its processes had used before; never falls. */
  readonly cpuSeconds: number;
}

/** A run that could not be brought to answer; `message` says why, for the session's owner. */
export class LaunchError extends Error {
  override readonly name = 'LaunchError';
  /** Last lines of output, oldest first. */
  readonly lastOutput: readonly string[];
  /** How the process ended, when it did by itself. */
  readonly exit: RunExit | null;
  /** Absent for what has no name. */
  readonly failure: SessionFailure | undefined;

  constructor(
    message: string,
    options: {
      failure?: SessionFailure;
      lastOutput?: readonly string[];
      exit?: RunExit;
      cause?: unknown;
    } = {},
  ) {
    super(message, { cause: options.cause });
    this.lastOutput = options.lastOutput ?? options.exit?.lastOutput ?? [];
    this.exit = options.exit ?? null;
    this.failure = options.failure;
  }
}

/** Where agent servers run. */
export interface Runtime extends AsyncDisposable {
  /**
   * Reserves the lowest free port from the configured first one upwards.
   * @throws AppError `no_free_port`.
   */
  reservePort(): Promise<PortReservation>;
  /**
   * Starts an agent server; resolves once it answers requests. After a failure or an abort nothing of it is left running.
   * @throws LaunchError with a reason for the owner; AppError `no_free_port`; the abort reason of `signal`.
   */
  launch(spec: LaunchSpec, signal: AbortSignal): Promise<Run>;
  /**
   * SIGTERM to every process of the run (the agent before its server), SIGKILL after `graceMs`; resolves
   * when nothing is left, or reports what is (DF-24, DF-25). Callers at the same time share one stop;
   * a run that has ended already is swept in the same way.
   */
  stop(run: Run, graceMs: number): Promise<StopReport>;
  /**
   * Takes over a run that an earlier server has left running: the very process, the port held by it, and an
   * answer to a request with the token (DF-22, DF-27).
   */
  adopt(spec: AdoptSpec, signal: AbortSignal): Promise<Adoption>;
  /**
   * Finds whatever an earlier server on the same data folder has left running, however it ended (DF-26, DF-28).
   * @param keep - sessions whose processes are nobody's orphans. Call it before the first launch.
   */
  findOrphans(keep: ReadonlySet<string>): Promise<Orphans>;
  /** What each session takes of the machine; a sample of the last seconds, empty where that cannot be measured. */
  usage(): Promise<ReadonlyMap<string, SessionUsage>>;
  /** Lets every run go on without this server, and ends the watch over them; nothing can be launched afterwards. */
  detach(): Promise<void>;
}
