import { Counter, Gauge, Histogram } from 'prom-client';
import type { Registry } from 'prom-client';
import type { JournalFigures, JournalObserver } from '../journal/observer.ts';
import type { QueueFigures, QueueObserver } from '../queue/observer.ts';

const WRITE_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5];
const BATCH_EVENTS = [1, 2, 5, 10, 25, 50, 100, 250, 1_000];
const QUEUE_SECONDS = [0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3_600];
/** A store that does not answer must not keep anybody from the metrics. */
const STORE_LIMIT_MS = 1_000;

/** What is asked when somebody reads the metrics. */
export interface ConversationSources {
  readonly journal: () => JournalFigures;
  readonly queue: () => Promise<QueueFigures>;
}

/** What the journal and the queue of messages do. */
export class ConversationMetrics {
  readonly journal: JournalObserver;
  readonly queue: QueueObserver;
  readonly #sessions: Gauge;
  readonly #waiting: Gauge;
  readonly #waitingSeconds: Gauge;
  readonly #viewers: Gauge<'source'>;
  readonly #queued: Gauge<'state'>;

  constructor(registry: Registry) {
    const own = <Label extends string>(name: string, help: string, ...labelNames: Label[]) => ({
      name: `agentapi_proxy_${name}`,
      help,
      labelNames,
      registers: [registry],
    });
    const events = new Counter(own('journal_events_total', 'Events of sessions that were written'));
    const batches = new Histogram({
      ...own('journal_batch_events', 'Events that were written at one time'),
      buckets: BATCH_EVENTS,
    });
    const writes = new Histogram({
      ...own('journal_write_seconds', 'What the store took for them'),
      buckets: WRITE_SECONDS,
    });
    const failures = new Counter(
      own('journal_write_failures_total', 'Attempts to write events that failed', 'kind'),
    );
    const abandoned = new Counter(
      own(
        'journal_abandoned_total',
        'Sessions of which nothing is written any more: their journals cannot be',
      ),
    );
    this.#waiting = new Gauge(own('journal_waiting_events', 'Events that are not written yet'));
    this.#waitingSeconds = new Gauge(own('journal_waiting_seconds', 'How long the oldest of them waits'));
    this.#sessions = new Gauge(own('journal_sessions', 'Sessions that are listened to'));
    this.#viewers = new Gauge(
      own(
        'journal_viewers',
        'Streams of a session, from memory and, of those who are behind, from the store',
        'source',
      ),
    );
    const gaps = new Counter(
      own('journal_gaps_total', 'How often a viewer was told that events are not there', 'reason'),
    );
    const pruned = new Counter(
      own('journal_pruned_bytes_total', 'Events that were forgotten, as they were stored'),
    );
    this.#queued = new Gauge(own('queue_messages', 'Messages that wait for sessions that live', 'state'));
    const left = new Counter(own('queue_messages_total', 'Messages that were left'));
    const settled = new Histogram({
      ...own(
        'queue_wait_seconds',
        'From then until they were delivered, failed or were cancelled',
        'outcome',
      ),
      buckets: QUEUE_SECONDS,
    });
    this.journal = {
      written: (count, ms) => {
        events.inc(count);
        batches.observe(count);
        writes.observe(ms / 1000);
      },
      writeFailed: (kind) => failures.inc({ kind }),
      abandoned: () => abandoned.inc(),
      gapShown: (reason) => gaps.inc({ reason }),
      pruned: (bytes) => pruned.inc(bytes),
    };
    this.queue = {
      queued: () => left.inc(),
      settled: (outcome, ms) => settled.observe({ outcome }, Math.max(0, ms) / 1000),
    };
  }

  /** Asks for what is shown. Never rejects. */
  async collect({ journal, queue }: ConversationSources): Promise<void> {
    const { sessions, waitingEvents, waitingMs, viewers, storeReaders } = journal();
    this.#sessions.set(sessions);
    this.#waiting.set(waitingEvents);
    this.#waitingSeconds.set(waitingMs / 1000);
    this.#viewers.set({ source: 'memory' }, viewers - storeReaders);
    this.#viewers.set({ source: 'store' }, storeReaders);
    const queued = await within(queue(), STORE_LIMIT_MS);
    this.#queued.reset();
    if (queued === null) return;
    this.#queued.set({ state: 'pending' }, queued.pending);
    this.#queued.set({ state: 'sending' }, queued.sending);
  }
}

/** `null` when it fails, or takes longer. */
async function within<Result>(work: Promise<Result>, limitMs: number): Promise<Result | null> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(null), limitMs);
    const settle = (result: Result | null): void => {
      clearTimeout(timer);
      resolve(result);
    };
    work.then(settle, () => settle(null));
  });
}
