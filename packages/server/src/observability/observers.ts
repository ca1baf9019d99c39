import type { JournalObserver } from '../journal/observer.ts';
import type { Log } from '../log.ts';
import type { QueueObserver } from '../queue/observer.ts';
import type { RequestObserver } from '../request-observer.ts';
import type { SessionObserver } from '../sessions/observer.ts';
import type { StoreObserver } from '../store/observer.ts';
import { AccessLog } from './access-log.ts';
import type { Metrics } from './metrics.ts';
import { openTracing } from './tracing.ts';
import type { Tracing } from './tracing.ts';

export interface ObserverOptions {
  readonly metrics: { readonly enabled: boolean; readonly session_labels: boolean };
  readonly access_log: 'off' | 'sampled' | 'all';
  readonly access_log_sample_rate: number;
  readonly version: string;
  readonly log: Log;
}

/** What is told of everything that happens, and makes metrics, spans and the access log of it. */
export interface Observers extends Disposable {
  /** `null` when they are turned off. */
  readonly metrics: Metrics | null;
  readonly requests: RequestObserver;
  readonly sessions: SessionObserver;
  /** The following are absent when nobody wants to know. */
  readonly journal: JournalObserver | undefined;
  readonly queue: QueueObserver | undefined;
  readonly store: StoreObserver | undefined;
}

/** Opens what the configuration wants; the library of the metrics is not loaded where nobody uses it. */
export async function openObservers(options: ObserverOptions): Promise<Observers> {
  const { version, log } = options;
  const metrics = options.metrics.enabled
    ? new (await import('./metrics.ts')).Metrics({ version, sessionLabels: options.metrics.session_labels })
    : null;
  const tracing = openTracing(version);
  if (tracing !== null) log.info('spans are recorded by the OpenTelemetry SDK that was loaded');
  const accessLog = accessLogOf(options);
  return {
    metrics,
    requests: requestObserver(metrics, tracing, accessLog),
    sessions: sessionObserver(metrics, tracing),
    journal: metrics?.conversations.journal,
    queue: metrics?.conversations.queue,
    store:
      metrics === null ? undefined : (operation, ms, error) => metrics.statementDone(operation, ms, error),
    [Symbol.dispose]: () => metrics?.[Symbol.dispose](),
  };
}

function accessLogOf(options: ObserverOptions): AccessLog | null {
  const { access_log: mode, access_log_sample_rate: rate, log } = options;
  if (mode === 'off') return null;
  return new AccessLog({ sampleRate: mode === 'all' ? 1 : rate, log: log.child({ module: 'access' }) });
}

function requestObserver(
  metrics: Metrics | null,
  tracing: Tracing | null,
  accessLog: AccessLog | null,
): RequestObserver {
  return {
    began: (record, headers) => {
      tracing?.begin(record, headers);
      accessLog?.requestBegan(record, headers);
    },
    opened: (record, kind) => {
      record.kind = kind;
      metrics?.streamOpened(kind);
    },
    ended: (record) => {
      metrics?.requestEnded(record);
      tracing?.end(record);
      accessLog?.requestEnded(record);
    },
    refused: (request) => {
      metrics?.requestRefused(request);
      accessLog?.requestRefused(request);
    },
    within: tracing === null ? (_record, work) => work() : (record, work) => tracing.within(record, work),
  };
}

function sessionObserver(metrics: Metrics | null, tracing: Tracing | null): SessionObserver {
  return {
    step:
      tracing === null ? async (_step, _session, work) => work() : async (...step) => tracing.step(...step),
    started: ({ agent }, outcome, ms) => metrics?.sessionStarted(agent, outcome, ms),
    exited: ({ agent }, which, outcome) => metrics?.agentExited(agent, which, outcome),
    ended: ({ agent }, state) => metrics?.sessionEnded(agent, state),
    messageSettled: ({ agent }, outcome, ms) => metrics?.firstMessageSettled(agent, outcome, ms),
  };
}
