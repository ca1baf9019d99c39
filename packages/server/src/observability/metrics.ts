import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { AuthFailure } from '../auth/authenticate.ts';
import type { RefusedRequest, RequestRecord } from '../request-observer.ts';
import type { SessionUsage } from '../runtime/runtime.ts';
import type { StartOutcome } from '../sessions/observer.ts';
import type { Recovery } from '../sessions/recover.ts';
import type { Session } from '../sessions/session.ts';
import type { StoreOperation } from '../store/observer.ts';
import type { StoreErrorKind } from '../store/store-error.ts';
import { ConversationMetrics } from './conversation-metrics.ts';
import type { ConversationSources } from './conversation-metrics.ts';
import { DurationHistogram } from './duration-histogram.ts';
import type { DurationSeries } from './duration-histogram.ts';
import { ProcessMetrics } from './process-metrics.ts';
import { RequestTally } from './request-tally.ts';
import { UsageMetrics } from './usage-metrics.ts';

/** What is asked when somebody reads the metrics; everything else is counted when it happens. */
export interface MetricSources {
  /** The sessions that live. */
  readonly sessions: () => readonly Pick<Session, 'id' | 'state' | 'facts'>[];
  readonly usage: () => Promise<ReadonlyMap<string, SessionUsage>>;
  /** Addresses that must wait because they sent wrong keys. */
  readonly countLimited: () => number;
  readonly conversations: ConversationSources;
}

export interface MetricsOptions {
  readonly version: string;
  /** Show memory and processor time of each session, with its id. */
  readonly sessionLabels: boolean;
}

const REQUEST_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const ADDED_SECONDS = [0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 1, 10];
const START_SECONDS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120];
const MESSAGE_SECONDS = [0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120];
const STATEMENT_SECONDS = [0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5];

/** What one metric is, for the documentation. */
export interface MetricDescription {
  readonly name: string;
  readonly type: string;
  readonly labels: readonly string[];
  readonly help: string;
}

/** Everything that is measured, with one method for each event; Prometheus reads it with {@link render}. */
export class Metrics implements Disposable {
  readonly contentType = Registry.PROMETHEUS_CONTENT_TYPE;
  /** Told of what the journal and the queue do. */
  readonly conversations: ConversationMetrics;
  readonly #registry = new Registry();
  readonly #process: ProcessMetrics;
  readonly #requests: RequestTally;
  readonly #usage: UsageMetrics;
  #sources: MetricSources | null = null;

  readonly #refused: Counter<'reason'>;
  readonly #firstByte: DurationSeries;
  readonly #added: DurationSeries;
  readonly #open: Gauge<'kind'>;
  readonly #authFailures: Counter<'reason'>;
  readonly #limited: Gauge;
  readonly #sessions: Gauge<'state' | 'agent'>;
  readonly #starts: Histogram<'agent' | 'outcome'>;
  readonly #ends: Counter<'agent' | 'state'>;
  readonly #exits: Counter<'agent' | 'process' | 'outcome'>;
  readonly #firstMessages: Histogram<'agent' | 'outcome'>;
  readonly #recovered: Gauge<'result'>;
  readonly #orphans: Gauge;
  readonly #statements: DurationHistogram;
  readonly #statementSeries = new Map<StoreOperation, DurationSeries>();
  readonly #storeErrors: Counter<'operation' | 'kind'>;

  constructor({ version, sessionLabels }: MetricsOptions) {
    const registers = [this.#registry];
    const own = <Labels extends string>(name: string, help: string, ...labelNames: Labels[]) => ({
      name: `agentapi_proxy_${name}`,
      help,
      labelNames,
      registers,
    });
    new Gauge(own('build_info', 'Always 1; the labels tell the version', 'version', 'node')).set(
      { version, node: process.version },
      1,
    );
    this.#requests = new RequestTally(this.#registry, REQUEST_SECONDS);
    this.#refused = new Counter(
      own('refused_requests_total', 'Requests refused before it was known what they ask for', 'reason'),
    );
    this.#firstByte = new DurationHistogram({
      ...own('session_first_byte_seconds', 'From a request for a session to the head of its answer'),
      buckets: REQUEST_SECONDS,
    }).series({});
    this.#added = new DurationHistogram({
      ...own('session_added_seconds', 'The part of it that the proxy took, a wait for the start included'),
      buckets: ADDED_SECONDS,
    }).series({});
    this.#open = new Gauge(own('streams_open', 'Answers that stay open', 'kind'));
    for (const kind of ['event_stream', 'upgrade']) this.#open.set({ kind }, 0);
    this.#authFailures = new Counter(own('auth_failures_total', 'Requests without a good key', 'reason'));
    this.#limited = new Gauge(
      own('auth_limited_addresses', 'Addresses that sent too many wrong keys and must wait'),
    );
    this.#sessions = new Gauge(own('sessions', 'Sessions that live', 'state', 'agent'));
    this.#starts = new Histogram({
      ...own('session_start_seconds', 'From the request for a session to its outcome', 'agent', 'outcome'),
      buckets: START_SECONDS,
    });
    this.#ends = new Counter(own('session_ends_total', 'Sessions that have ended', 'agent', 'state'));
    this.#exits = new Counter(
      own(
        'agent_exits_total',
        'Agents and agent servers that ended by themselves',
        'agent',
        'process',
        'outcome',
      ),
    );
    this.#firstMessages = new Histogram({
      ...own('first_message_seconds', 'From a running agent server to the first message', 'agent', 'outcome'),
      buckets: MESSAGE_SECONDS,
    });
    this.#recovered = new Gauge(
      own('recovered_sessions', 'Sessions of an earlier server that were found at the start', 'result'),
    );
    this.#orphans = new Gauge(
      own('recovered_orphan_processes', 'Processes of no session that were found at the start, and ended'),
    );
    this.#statements = new DurationHistogram({
      ...own('store_operation_seconds', 'Statements of the store', 'operation'),
      buckets: STATEMENT_SECONDS,
    });
    this.#storeErrors = new Counter(own('store_errors_total', 'Statements that failed', 'operation', 'kind'));
    this.conversations = new ConversationMetrics(this.#registry);
    this.#usage = new UsageMetrics(this.#registry, sessionLabels);
    this.#process = new ProcessMetrics(this.#registry);
  }

  /** What is asked from now on. */
  connect(sources: MetricSources): void {
    this.#sources = sources;
  }

  /** Everything in the text format of Prometheus. */
  async render(): Promise<string> {
    await this.#collect();
    return this.#registry.metrics();
  }

  /** What there is to be seen, in the order in which it is shown. */
  async describe(): Promise<readonly MetricDescription[]> {
    const types = new Map(
      (await this.#registry.getMetricsAsJSON()).map(({ name, type }) => [name, String(type)]),
    );
    return this.#registry.getMetricsAsArray().map((metric) => ({
      name: metric.name,
      type: types.get(metric.name) ?? '',
      labels: 'labelNames' in metric && Array.isArray(metric.labelNames) ? metric.labelNames.map(String) : [],
      help: metric.help,
    }));
  }

  requestEnded(record: RequestRecord): void {
    const { kind, startedAt, forwardedAt, answeredAt, repliedAt } = record;
    if (kind !== 'request') this.#open.dec({ kind });
    this.#requests.add(record, (performance.now() - startedAt) / 1000);
    if (repliedAt === 0) return;
    this.#firstByte.observe((repliedAt - startedAt) / 1000);
    this.#added.observe((forwardedAt - startedAt + repliedAt - answeredAt) / 1000);
  }

  streamOpened(kind: 'event_stream' | 'upgrade'): void {
    this.#open.inc({ kind });
  }

  requestRefused({ code }: RefusedRequest): void {
    this.#refused.inc({ reason: code });
  }

  authFailed(reason: AuthFailure): void {
    this.#authFailures.inc({ reason });
  }

  sessionStarted(agent: string, outcome: StartOutcome, ms: number): void {
    this.#starts.observe({ agent, outcome }, ms / 1000);
  }

  sessionEnded(agent: string, state: 'stopped' | 'failed'): void {
    this.#ends.inc({ agent, state });
  }

  agentExited(agent: string, which: 'agent' | 'server', outcome: 'stopped' | 'failed'): void {
    this.#exits.inc({ agent, process: which, outcome });
  }

  firstMessageSettled(agent: string, outcome: 'delivered' | 'failed', ms: number): void {
    this.#firstMessages.observe({ agent, outcome }, ms / 1000);
  }

  recovered({ revived, ended, interrupted, orphans }: Recovery): void {
    this.#recovered.set({ result: 'revived' }, revived);
    this.#recovered.set({ result: 'ended' }, ended.length - interrupted.length);
    this.#recovered.set({ result: 'restarted' }, interrupted.length);
    this.#orphans.set(orphans.found);
  }

  statementDone(operation: StoreOperation, ms: number, error: StoreErrorKind | null): void {
    let series = this.#statementSeries.get(operation);
    if (series === undefined) {
      series = this.#statements.series({ operation });
      this.#statementSeries.set(operation, series);
    }
    series.observe(ms / 1000);
    if (error !== null) this.#storeErrors.inc({ operation, kind: error });
  }

  async #collect(): Promise<void> {
    this.#requests.collect();
    this.#process.collect();
    if (this.#sources === null) return;
    const { sessions, usage, countLimited, conversations } = this.#sources;
    this.#limited.set(countLimited());
    const live = sessions();
    this.#sessions.reset();
    for (const { state, facts } of live) this.#sessions.inc({ state, agent: facts.agent });
    this.#usage.show(new Map(live.map(({ id, facts }) => [id, facts.agent])), await usage());
    await this.conversations.collect(conversations);
  }

  [Symbol.dispose](): void {
    this.#process[Symbol.dispose]();
    this.#registry.clear();
  }
}
