import { bucketsBetween, MetricsText, quantileOf, type Buckets } from './prometheus-text.ts';

/** The figures of one moment, as the page shows them; times in seconds, sizes in bytes, rates per second. */
export interface Figures {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly sessions: number;
  readonly sessionsByState: ReadonlyMap<string, number>;
  /** Rates and latencies need two readings; `null` before, and when nothing was counted. */
  readonly requests: number | null;
  readonly serverErrors: number | null;
  readonly latencyHalf: number | null;
  readonly latencyMost: number | null;
  readonly serverMemory: number;
  readonly heapUsed: number;
  readonly sessionMemory: number;
  readonly sessionProcesses: number;
  /** Cores that are busy; 1 = one of them all the time. */
  readonly serverCpu: number | null;
  readonly sessionCpu: number | null;
  readonly loopDelay: number;
  readonly statements: number | null;
  readonly statementMost: number | null;
  readonly storeErrors: number;
  readonly openStreams: number;
  readonly starts: number;
  readonly failedStarts: number;
  readonly wrongKeys: number;
  readonly limitedAddresses: number;
  readonly startedAt: number | null;
  readonly version: string | null;
}

/** What is kept of a reading to compare later ones with. */
interface Reading {
  readonly at: number;
  readonly requests: number;
  readonly serverErrors: number;
  readonly latency: Buckets;
  readonly serverCpu: number;
  readonly sessionCpu: number;
  readonly statements: Buckets;
  readonly startedAt: number | null;
}

/** Rates are those of the last few seconds; quantiles of so few requests would jump about. */
const QUANTILE_WINDOW_MS = 60_000;
/** Half an hour of readings every five seconds. */
const MAX_FIGURES = 360;

const PREFIX = 'agentapi_proxy_';

/** Readings of the metrics over time, in the memory of the page. */
export class MetricsHistory {
  #figures: readonly Figures[] = [];
  #readings: readonly Reading[] = [];

  /** Oldest first. */
  get figures(): readonly Figures[] {
    return this.#figures;
  }

  /**
   * Takes a reading over.
   *
   * @param text - in the format of Prometheus
   * @param at - milliseconds since 1970
   */
  add(text: string, at: number): Figures {
    const metrics = new MetricsText(text);
    const reading = readingOf(metrics, at);
    // Another process counts from 0 again.
    if (this.#readings.at(-1)?.startedAt !== reading.startedAt) this.#readings = [];
    const last = this.#readings.at(-1);
    const first = this.#readings.find((each) => each.at >= at - QUANTILE_WINDOW_MS) ?? last;
    const figures = figuresOf(metrics, reading, last, first);
    this.#figures = [...this.#figures, figures].slice(-MAX_FIGURES);
    this.#readings = [...this.#readings.filter((each) => each.at >= at - QUANTILE_WINDOW_MS), reading];
    return figures;
  }
}

function readingOf(metrics: MetricsText, at: number): Reading {
  return {
    at,
    requests: metrics.sum(`${PREFIX}requests_total`),
    serverErrors: metrics.sum(`${PREFIX}requests_total`, { status: /^5/ }),
    latency: metrics.buckets(`${PREFIX}request_duration_seconds`),
    serverCpu: metrics.sum('process_cpu_seconds_total'),
    sessionCpu: metrics.sum(`${PREFIX}sessions_cpu_seconds_total`),
    statements: metrics.buckets(`${PREFIX}store_operation_seconds`),
    startedAt: metrics.all('process_start_time_seconds')[0]?.value ?? null,
  };
}

function figuresOf(
  metrics: MetricsText,
  now: Reading,
  last: Reading | undefined,
  first: Reading | undefined,
): Figures {
  const rate = (value: (reading: Reading) => number): number | null => {
    if (last === undefined || now.at <= last.at) return null;
    return Math.max(0, value(now) - value(last)) / ((now.at - last.at) / 1000);
  };
  const quantile = (value: (reading: Reading) => Buckets, share: number): number | null =>
    first === undefined ? null : quantileOf(bucketsBetween(value(first), value(now)), share);
  const statementCount = ({ statements }: Reading): number => statements.at(-1)?.count ?? 0;
  return {
    at: now.at,
    sessions: metrics.sum(`${PREFIX}sessions`),
    sessionsByState: metrics.by(`${PREFIX}sessions`, 'state'),
    requests: rate(({ requests }) => requests),
    serverErrors: rate(({ serverErrors }) => serverErrors),
    latencyHalf: quantile(({ latency }) => latency, 0.5),
    latencyMost: quantile(({ latency }) => latency, 0.99),
    serverMemory: metrics.sum('process_resident_memory_bytes'),
    heapUsed: metrics.sum('nodejs_memory_bytes', { state: 'heap_used' }),
    sessionMemory: metrics.sum(`${PREFIX}sessions_memory_bytes`),
    sessionProcesses: metrics.sum(`${PREFIX}sessions_processes`),
    serverCpu: rate(({ serverCpu }) => serverCpu),
    sessionCpu: rate(({ sessionCpu }) => sessionCpu),
    loopDelay: metrics.sum('nodejs_eventloop_delay_seconds', { quantile: '0.99' }),
    statements: rate(statementCount),
    statementMost: quantile(({ statements }) => statements, 0.99),
    storeErrors: metrics.sum(`${PREFIX}store_errors_total`),
    openStreams: metrics.sum(`${PREFIX}streams_open`),
    starts: metrics.sum(`${PREFIX}session_start_seconds_count`),
    failedStarts: metrics.sum(`${PREFIX}session_start_seconds_count`, { outcome: 'failed' }),
    wrongKeys: metrics.sum(`${PREFIX}auth_failures_total`),
    limitedAddresses: metrics.sum(`${PREFIX}auth_limited_addresses`),
    startedAt: now.startedAt,
    version: metrics.all(`${PREFIX}build_info`)[0]?.labels['version'] ?? null,
  };
}
