import { renameSync, rmSync, writeFileSync } from 'node:fs';
import type { ControlReport, ExitReport } from './control.ts';
import { eventFrame, type EventStreams } from './http/sse.ts';
import type { Route } from './http/router.ts';
import { REPORTS_PATH } from './reports-path.ts';

/**
 * Where the reports of a supervised agent server go: to the supervisor that started it, to one that has found it
 * again, and the last one to a file for a supervisor that is away.
 */
export class ReportFeed {
  readonly #send: (report: ControlReport) => void;
  readonly #exitReport: string | undefined;
  readonly #listeners = new Set<(report: ControlReport) => void>();
  #wasReady = false;
  #last: ControlReport | null = null;

  /**
   * @param send - the way to the supervisor that started this server.
   * @param exitReport - file for the last report; a stale one must have been removed.
   */
  constructor(send: (report: ControlReport) => void, exitReport: string | undefined) {
    this.#send = send;
    this.#exitReport = exitReport;
  }

  report(report: ControlReport): void {
    if (report.kind === 'agent-ready') this.#wasReady = true;
    if (report.kind === 'agent-exited' || report.kind === 'failed') {
      this.#last = report;
      // First of all: once somebody has heard of the end they may look for the file.
      this.#write({ ...report, wasReady: this.#wasReady });
    }
    this.#send(report);
    for (const listener of this.#listeners) listener(report);
  }

  /** The route of {@link REPORTS_PATH}; `undefined` for every other path. */
  routeOf(path: string): Route | undefined {
    if (path !== REPORTS_PATH) return undefined;
    return { method: 'GET', handler: ({ response }, streams) => this.#stream(response, streams) };
  }

  #stream(response: Parameters<EventStreams['open']>[0], streams: EventStreams): void {
    const past: ControlReport[] = this.#wasReady ? [{ kind: 'agent-ready' }] : [];
    if (this.#last !== null) past.push(this.#last);
    streams.open<ControlReport>(response, {
      frame: (report) => () => eventFrame('report', report),
      snapshot: past.map((report) => eventFrame('report', report)),
      subscribe: (listener) => {
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
      },
    });
  }

  /** Synchronous: nothing may come between the end of the agent and its record. */
  #write(report: ExitReport): void {
    if (this.#exitReport === undefined) return;
    const draft = `${this.#exitReport}.tmp`;
    try {
      rmSync(draft, { force: true });
      writeFileSync(draft, `${JSON.stringify(report)}\n`, { mode: 0o600, flag: 'wx' });
      renameSync(draft, this.#exitReport);
    } catch {
      // A folder that is gone or full: then the supervisor learns of the end without its details.
    }
  }
}
