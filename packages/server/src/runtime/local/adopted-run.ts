import { setTimeout as delay } from 'node:timers/promises';
import type { ControlReport } from '@agentapi-proxy/agent-server/control';
import type { AdoptSpec, RunExit, RunRef } from '../runtime.ts';
import type { AliveWatch } from './alive-watch.ts';
import { readTail } from './bounded-log.ts';
import { readExitReport } from './exit-report.ts';
import type { WatchedRun } from './local-run.ts';
import { followReports } from './report-stream.ts';

/** As many lines as a report of the agent server holds. */
const MAX_OUTPUT_LINES = 40;
/** Pause before a stream of reports that broke is opened again, although its process lives. */
const RECONNECT_MS = 250;

/**
 * An agent server that an earlier server has started. It is not our child: the end of its stream of reports
 * tells at once that it has ended, or a look at the process table twice a second if it has none.
 */
export class AdoptedRun implements WatchedRun {
  readonly sessionId: string;
  readonly ref: RunRef;
  readonly logPath: string;
  readonly exited: Promise<RunExit>;
  readonly agentReady: Promise<void>;
  /** Aborted when the run has ended or is no longer watched. */
  readonly ended = new AbortController();
  readonly #exitReportPath: string | null;
  readonly #token: string | null;
  readonly #alive: AliveWatch;
  #wasReady = false;
  #resolveExited: (exit: RunExit) => void = () => undefined;
  #resolveReady: () => void = () => undefined;

  constructor(spec: AdoptSpec, token: string | null, alive: AliveWatch) {
    this.sessionId = spec.sessionId;
    this.ref = spec.ref;
    this.logPath = spec.logPath;
    this.#exitReportPath = spec.exitReportPath;
    this.#token = token;
    this.#alive = alive;
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
    void this.#watch();
  }

  get port(): number {
    return this.ref.port;
  }

  /** Notes that the agent takes input. */
  markReady(): void {
    this.#wasReady = true;
    this.#resolveReady();
  }

  async collected(): Promise<void> {
    return Promise.resolve();
  }

  close(): void {
    this.ended.abort();
  }

  detach(): void {
    this.ended.abort();
  }

  async #watch(): Promise<void> {
    const { signal } = this.ended;
    const token = this.#token;
    let hasStream = token !== null;
    while (!signal.aborted && (await this.#alive.lives(this.ref))) {
      if (token === null || !hasStream) {
        await this.#alive.untilGone(this.ref, signal);
      } else {
        hasStream = await followReports(this.port, token, (report) => this.#onReport(report), signal);
        if (!signal.aborted && (await this.#alive.lives(this.ref)))
          await delay(RECONNECT_MS, undefined, { signal }).catch(() => undefined);
      }
    }
    if (signal.aborted) return;
    const lastOutput = await readTail(this.logPath, MAX_OUTPUT_LINES).catch(() => []);
    const unseen: RunExit = {
      kind: 'server',
      code: null,
      signal: null,
      lastOutput,
      wasReady: this.#wasReady,
    };
    this.#resolveExited((await readExitReport(this.#exitReportPath)) ?? unseen);
  }

  #onReport(report: ControlReport): void {
    if (report.kind === 'agent-ready') this.markReady();
    if (report.kind !== 'agent-exited') return;
    const { code, signal, lastOutput } = report;
    this.#resolveExited({ kind: 'agent', code, signal, lastOutput, wasReady: this.#wasReady });
  }
}
