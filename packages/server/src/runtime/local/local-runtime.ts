import {
  endProcesses,
  findProcesses,
  isAlive,
  ProcessTable,
} from '@agentapi-proxy/agent-server/process-tree';
import type { ProcessQuery } from '@agentapi-proxy/agent-server/process-tree';
import { LaunchError } from '../runtime.ts';
import type {
  AdoptSpec,
  Adoption,
  LaunchSpec,
  Orphans,
  PortReservation,
  Run,
  RunExit,
  RunRef,
  Runtime,
  SessionUsage,
  StopReport,
} from '../runtime.ts';
import { AdoptedRun } from './adopted-run.ts';
import { AliveWatch } from './alive-watch.ts';
import { BoundedLogs } from './bounded-log.ts';
import { readExitReport } from './exit-report.ts';
import { pollStatus, TokenRefused } from './external-status.ts';
import { listensOn } from './listener.ts';
import { LocalRun } from './local-run.ts';
import type { WatchedRun } from './local-run.ts';
import { describe, findOrphans, markerOf } from './orphans.ts';
import { PortPool } from './ports.ts';
import { spawnProcess } from './spawn.ts';
import { UsageMeter } from './usage.ts';

export interface LocalRuntimeOptions {
  /** Identity of the data folder; every process that is started carries it. */
  readonly instanceId: string;
  /** Lowest port for agent servers; 0 lets the kernel choose each one. */
  readonly startPort: number;
  readonly portCount: number;
  /** Takes secrets out of lines of output that stand in a reason: unlike output, reasons are not kept sealed. */
  readonly mask: (text: string) => string;
  /** Told when a log cannot be kept bounded. */
  readonly onLogError: (error: unknown, path: string) => void;
}

/** So often an agent server may lose the race for a port before its start is given up. */
const MAX_PORT_ATTEMPTS = 20;
/** Grace of runs that never answered or that nobody stopped: there is no work in them to be saved. */
const ABANDONED_GRACE_MS = 1_000;
/** After its end a process is collected within milliseconds. */
const COLLECT_MS = 1_000;
/** How programs say that a port is taken. */
const ADDRESS_IN_USE = /address already in use|EADDRINUSE/i;

/** Runs agent servers as processes of this machine. */
export class LocalRuntime implements Runtime {
  readonly #instanceId: string;
  readonly #ports: PortPool;
  readonly #mask: (text: string) => string;
  readonly #logs: BoundedLogs;
  readonly #table = new ProcessTable();
  readonly #alive = new AliveWatch();
  readonly #usage: UsageMeter;
  readonly #runs = new Map<Run, WatchedRun>();
  readonly #stops = new Map<Run, Promise<StopReport>>();

  constructor(options: LocalRuntimeOptions) {
    this.#instanceId = options.instanceId;
    this.#usage = new UsageMeter(options.instanceId, this.#table);
    this.#mask = options.mask;
    this.#ports = new PortPool(options.startPort, options.portCount);
    this.#logs = new BoundedLogs(options.onLogError);
  }

  async reservePort(): Promise<PortReservation> {
    return this.#ports.reserve();
  }

  async launch(spec: LaunchSpec, signal: AbortSignal): Promise<Run> {
    signal.throwIfAborted();
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(), spec.timeoutMs);
    const either = AbortSignal.any([signal, deadline.signal]);
    try {
      return spec.control
        ? await this.#launchEmbedded(spec, either)
        : await this.#launchExternal(spec, either);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof LaunchTimeout)) throw error;
      const message = `The agent server did not answer within ${spec.timeoutMs / 1000} s`;
      throw new LaunchError(message, { lastOutput: error.lastOutput });
    } finally {
      clearTimeout(timer);
    }
  }

  async stop(run: Run, graceMs: number): Promise<StopReport> {
    const running = this.#stops.get(run);
    if (running !== undefined) return running;
    const stop = this.#end(run, graceMs).finally(() => this.#stops.delete(run));
    this.#stops.set(run, stop);
    return stop;
  }

  async adopt(spec: AdoptSpec, signal: AbortSignal): Promise<Adoption> {
    const { ref } = spec;
    const gone = async (): Promise<Adoption> => ({
      kind: 'gone',
      exit: await readExitReport(spec.exitReportPath),
    });
    const absent = async (reason: string): Promise<Adoption> =>
      (await isAlive(ref, this.#table)) ? { kind: 'unproven', reason } : gone();
    if (!(await isAlive(ref, this.#table))) return gone();
    // The agent server itself, or a program under the one that was started.
    if (!listensOn(ref.port, [ref.pid]) && !listensOn(ref.port, await this.#pidsOf(spec))) {
      return absent('The agent server no longer listened on its port');
    }
    const token = await spec.token();
    let isReady = false;
    try {
      await pollStatus(
        ref.port,
        (status) => {
          isReady = status === 'stable';
          return true;
        },
        signal,
        token,
      );
    } catch (error) {
      return absent(
        error instanceof TokenRefused
          ? 'The agent server on its port was not that of the session'
          : 'The agent server did not answer any more',
      );
    }
    const run = new AdoptedRun(spec, token, this.#alive);
    this.#watch(run);
    if (isReady) run.markReady();
    else if (token === null) void watchReadiness(run);
    return { kind: 'adopted', run, reservation: this.#ports.claim(ref.port) };
  }

  async findOrphans(keep: ReadonlySet<string>): Promise<Orphans> {
    return findOrphans(this.#instanceId, keep, this.#table);
  }

  usage(): Promise<ReadonlyMap<string, SessionUsage>> {
    return this.#usage.measure([...this.#runs.keys()]);
  }

  async detach(): Promise<void> {
    for (const run of this.#runs.values()) run.detach();
    this.#runs.clear();
    await this[Symbol.asyncDispose]();
  }

  /** Ends the runs that nobody has stopped. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#runs.keys()].map((run) => this.stop(run, ABANDONED_GRACE_MS)));
    this.#logs[Symbol.dispose]();
    this.#alive[Symbol.dispose]();
  }

  async #launchEmbedded(spec: LaunchSpec, signal: AbortSignal): Promise<Run> {
    const { token, reservation } = spec;
    if (token === null) throw new TypeError('An agent server with a control channel needs a token');
    const run = await this.#spawn(spec);
    try {
      for (let attempt = 0; attempt < MAX_PORT_ATTEMPTS; attempt += 1) {
        const answer = await answerOf(run, run.serve(reservation.port, token), signal, this.#mask);
        if (answer.kind === 'listening') return run;
        await reservation.moveOn();
      }
      throw new LaunchError(`Other programs took ${MAX_PORT_ATTEMPTS} ports in turn`);
    } catch (error) {
      await this.stop(run, ABANDONED_GRACE_MS);
      throw error;
    }
  }

  async #launchExternal(spec: LaunchSpec, signal: AbortSignal): Promise<Run> {
    for (let attempt = 0; attempt < MAX_PORT_ATTEMPTS; attempt += 1) {
      const run = await this.#spawn(spec);
      try {
        const answering = pollStatus(
          run.port,
          async () => listensOn(run.port, await this.#pidsOf(run)),
          AbortSignal.any([signal, run.ended.signal]),
        );
        await answerOf(run, answering, signal, this.#mask);
        void watchReadiness(run);
        return run;
      } catch (error) {
        await this.stop(run, ABANDONED_GRACE_MS);
        const lostPort =
          error instanceof LaunchError &&
          error.exit !== null &&
          error.lastOutput.some((line) => ADDRESS_IN_USE.test(line));
        if (!lostPort) throw error;
        await spec.reservation.moveOn();
      }
    }
    throw new LaunchError(`Other programs took ${MAX_PORT_ATTEMPTS} ports in turn`);
  }

  async #spawn(spec: LaunchSpec): Promise<LocalRun> {
    const marker = markerOf(this.#instanceId, spec.sessionId);
    const run = new LocalRun(spec, await spawnProcess(spec, spec.reservation.port, marker));
    this.#watch(run);
    return run;
  }

  #watch(run: WatchedRun): void {
    this.#runs.set(run, run);
    this.#logs.add(run.logPath);
  }

  #queryFor(sessionId: string, ref: RunRef): ProcessQuery {
    return { marker: { value: markerOf(this.#instanceId, sessionId), match: 'equal' }, roots: [ref] };
  }

  async #pidsOf(run: Pick<Run, 'sessionId' | 'ref'>): Promise<readonly number[]> {
    const processes = await findProcesses(this.#queryFor(run.sessionId, run.ref), this.#table);
    return processes.map(({ pid }) => pid);
  }

  async #end(run: Run, graceMs: number): Promise<StopReport> {
    const find = this.#queryFor(run.sessionId, run.ref);
    const { left } = await endProcesses({ find, graceMs, table: this.#table });
    const watched = this.#runs.get(run);
    if (watched !== undefined && left.every(({ pid }) => pid !== run.ref.pid)) {
      await withTimeout(watched.collected(), COLLECT_MS);
      watched.close();
      this.#runs.delete(run);
      this.#logs.remove(watched.logPath);
    }
    return { left: left.map(describe) };
  }
}

/** The launch was aborted before the agent server answered; carries what it had printed. */
class LaunchTimeout extends Error {
  override readonly name = 'LaunchTimeout';
  readonly lastOutput: readonly string[];

  constructor(lastOutput: readonly string[], cause: unknown) {
    super('aborted', { cause });
    this.lastOutput = lastOutput;
  }
}

/**
 * Waits for an answer of a run that is being launched.
 * @throws LaunchError when the run ends instead; LaunchTimeout when `signal` aborts.
 */
async function answerOf<T>(
  run: LocalRun,
  answer: Promise<T>,
  signal: AbortSignal,
  mask: (text: string) => string,
): Promise<T> {
  let onAbort: () => void = () => undefined;
  const aborted = new Promise<'aborted'>((resolve) => {
    onAbort = () => resolve('aborted');
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
  });
  // Settled in any case when the run ends; the losing ones are of no interest.
  const answered = answer.then(
    (value) => ({ value }),
    () => run.exited,
  );
  try {
    const first = await Promise.race([answered, run.exited, aborted]);
    if (first === 'aborted') throw new LaunchTimeout(await run.output(), signal.reason);
    if ('value' in first) return first.value;
    throw new LaunchError(explain(first, run.script, mask), { exit: first });
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function explain(exit: RunExit, script: string | null, mask: (text: string) => string): string {
  // One process: who has not reported that it failed may not have got as far as the agent server.
  const isScript = script !== null && exit.kind === 'server' && exit.reason === undefined;
  const who = exit.kind === 'agent' ? 'The agent' : isScript ? `The script ${script}` : 'The agent server';
  const how = exit.signal === null ? `exited with code ${exit.code}` : `was ended by signal ${exit.signal}`;
  const last = exit.reason ?? exit.lastOutput.at(-1);
  const why = last === undefined ? undefined : mask(last);
  if (isScript && exit.code === 0)
    return `${who} ended without starting the agent server: its last step must be exec "$@"`;
  if (isScript) return why === undefined ? `${who} ${how}` : `${who} ${how}: ${why}`;
  return why === undefined ? `${who} ${how} before it answered` : `${who} ${how} before it answered: ${why}`;
}

/** An external agent server does not report; it is asked until its agent is ready or it ends. */
async function watchReadiness(run: LocalRun | AdoptedRun): Promise<void> {
  try {
    await pollStatus(run.port, (status) => status === 'stable', run.ended.signal);
    run.markReady();
  } catch {
    // Ended before it was ready.
  }
}

async function withTimeout(promise: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([promise, late]);
  clearTimeout(timer);
}
