import type { ControlReport } from '@agentapi-proxy/agent-server/control';
import type { LaunchSpec, Run, RunExit, RunRef } from '../runtime.ts';
import { readTail } from './bounded-log.ts';
import { ControlChannel } from './control-channel.ts';
import type { ProcessExit, SpawnedProcess } from './spawn.ts';

/** As many lines as a report of the agent server holds. */
const MAX_OUTPUT_LINES = 40;
/**
 * The agent's exit and its server's come together; what the dead server has written to the channel is
 * read first. A process that inherited the channel's end must not hold this up for longer.
 */
const LAST_REPORTS_MS = 250;

/** What an agent server answers to `serve`. */
export type ServeAnswer = Extract<ControlReport, { kind: 'listening' | 'port-taken' }>;

/** A run as the local runtime needs it. */
export interface WatchedRun extends Run {
  readonly logPath: string;
  /** Resolves when the process itself is gone. */
  collected(): Promise<void>;
  /** Ends the watch over a run that has ended. */
  close(): void;
  /** Ends the watch over a run that is to go on. */
  detach(): void;
}

/** One process of an agent server that was started by this server, from its start to its end. */
export class LocalRun implements WatchedRun {
  readonly sessionId: string;
  readonly exited: Promise<RunExit>;
  readonly agentReady: Promise<void>;
  /** Aborted when the run has ended. */
  readonly ended = new AbortController();
  readonly #spec: LaunchSpec;
  readonly #spawned: SpawnedProcess;
  readonly #control: ControlChannel | null;
  #port: number;
  #wasReady = false;
  #failure: string | null = null;
  #resolveExited: (exit: RunExit) => void = () => undefined;
  #resolveReady: () => void = () => undefined;
  #resolveAnswer: (answer: ServeAnswer) => void = () => undefined;

  constructor(spec: LaunchSpec, spawned: SpawnedProcess) {
    this.sessionId = spec.sessionId;
    this.#spec = spec;
    this.#spawned = spawned;
    this.#port = spec.reservation.port;
    this.exited = new Promise((resolve) => {
      this.#resolveExited = (exit) => {
        resolve(exit);
        this.#resolveReady();
        this.ended.abort();
      };
    });
    this.agentReady = new Promise((resolve) => {
      this.#resolveReady = resolve;
    });
    this.#control =
      spawned.control === null
        ? null
        : new ControlChannel(spawned.control, (report) => this.#onReport(report));
    void this.#watchExit();
  }

  get ref(): RunRef {
    const { pid, startTime, bootId } = this.#spawned.identity;
    return { pid, startTime, bootId, port: this.#port };
  }

  get port(): number {
    return this.#port;
  }

  get logPath(): string {
    return this.#spec.logPath;
  }

  /** Name of the script that it was started through. */
  get script(): string | null {
    return this.#spec.script;
  }

  /** Tells the agent server where to listen; resolves with its answer, never if it ends instead. */
  async serve(port: number, token: string): Promise<ServeAnswer> {
    const answer = new Promise<ServeAnswer>((resolve) => {
      this.#resolveAnswer = resolve;
    });
    this.#control?.send({ kind: 'serve', port, token });
    const { kind, port: actual } = await answer;
    if (kind === 'listening') this.#port = actual;
    return { kind, port: actual };
  }

  /** Notes that the agent takes input. */
  markReady(): void {
    this.#wasReady = true;
    this.#resolveReady();
  }

  /** The last lines that this run has printed. */
  async output(): Promise<readonly string[]> {
    return readTail(this.#spec.logPath, MAX_OUTPUT_LINES, this.#spawned.logStart);
  }

  async collected(): Promise<void> {
    await this.#spawned.exited;
  }

  close(): void {
    this.#control?.close();
  }

  detach(): void {
    this.close();
    this.#spawned.unref();
  }

  #onReport(report: ControlReport): void {
    switch (report.kind) {
      case 'listening':
      case 'port-taken':
        this.#resolveAnswer(report);
        break;
      case 'agent-ready':
        this.markReady();
        break;
      case 'agent-exited': {
        const { code, signal, lastOutput } = report;
        this.#resolveExited({ kind: 'agent', code, signal, lastOutput, wasReady: this.#wasReady });
        break;
      }
      case 'failed':
        this.#failure = report.reason;
        break;
    }
  }

  async #watchExit(): Promise<void> {
    const exit = await this.#spawned.exited;
    if (this.#control !== null) {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, LAST_REPORTS_MS);
      });
      await Promise.race([this.#control.ended, late]);
      clearTimeout(timer);
      this.#control.close();
    }
    const lastOutput = await this.output().catch(() => []);
    const kind = this.#control === null ? kindOfExternalExit(exit, lastOutput) : 'server';
    const reason = this.#failure === null ? {} : { reason: this.#failure };
    this.#resolveExited({ kind, ...exit, lastOutput, wasReady: this.#wasReady, ...reason });
  }
}

/** `agentapi` ends with its agent: with code 0 after a code 0, else with this line on stderr (agentapi section 1.5). */
function kindOfExternalExit(exit: ProcessExit, lastOutput: readonly string[]): RunExit['kind'] {
  if (exit.code === 0) return 'agent';
  const blamesAgent =
    exit.code !== null && lastOutput.some((line) => line.includes('agent exited with error'));
  return blamesAgent ? 'agent' : 'server';
}
