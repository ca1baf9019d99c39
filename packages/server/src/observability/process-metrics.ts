import { readdirSync } from 'node:fs';
import { constants, monitorEventLoopDelay, performance, PerformanceObserver } from 'node:perf_hooks';
import type { EventLoopUtilization, IntervalHistogram } from 'node:perf_hooks';
import { Counter, Gauge, Histogram } from 'prom-client';
import type { Registry } from 'prom-client';

/** How often the delay of the event loop is looked at. */
const RESOLUTION_MS = 10;
/** Delays are those of the last minute at most, whoever reads them and how often. */
const WINDOW_MS = 60_000;

/** Longer pauses than that are what people notice. */
const GC_SECONDS = [0.001, 0.01, 0.1, 1, 2, 5];

const GC_KINDS: Readonly<Record<number, string>> = {
  [constants.NODE_PERFORMANCE_GC_MAJOR]: 'major',
  [constants.NODE_PERFORMANCE_GC_MINOR]: 'minor',
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL]: 'incremental',
  [constants.NODE_PERFORMANCE_GC_WEAKCB]: 'weakcb',
};

/**
 * The process, under the names that Prometheus clients share. Our own and not the library's `collectDefaultMetrics`,
 * because nothing ends what that begins.
 */
export class ProcessMetrics implements Disposable {
  readonly #delay: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  readonly #collections: PerformanceObserver;
  readonly #user: Counter;
  readonly #system: Counter;
  readonly #total: Counter;
  readonly #resident: Gauge;
  readonly #files: Gauge;
  readonly #heap: Gauge<'state'>;
  readonly #loop: Gauge<'quantile'>;
  readonly #loopMax: Gauge;
  readonly #active: Counter;
  readonly #idle: Counter;
  #usage: NodeJS.CpuUsage = { user: 0, system: 0 };
  #utilization: Pick<EventLoopUtilization, 'active' | 'idle'> = { active: 0, idle: 0 };
  #windowFrom = performance.now();

  constructor(registry: Registry) {
    const own = <Label extends string>(name: string, help: string, labelNames: Label[] = []) => ({
      name,
      help,
      labelNames,
      registers: [registry],
    });
    this.#user = new Counter(
      own('process_cpu_user_seconds_total', 'Processor time of the server in programs'),
    );
    this.#system = new Counter(
      own('process_cpu_system_seconds_total', 'Processor time of the server in the kernel'),
    );
    this.#total = new Counter(own('process_cpu_seconds_total', 'Both together'));
    new Gauge(own('process_start_time_seconds', 'When the server started, since 1970')).set(
      performance.timeOrigin / 1000,
    );
    this.#resident = new Gauge(own('process_resident_memory_bytes', 'Memory of the server'));
    this.#files = new Gauge(own('process_open_fds', 'Open files, pipes and connections of the server'));
    this.#heap = new Gauge(
      own('nodejs_memory_bytes', 'What the memory of the server is used for', ['state']),
    );
    this.#loop = new Gauge(
      own('nodejs_eventloop_delay_seconds', 'How late the event loop was in the last minute', ['quantile']),
    );
    this.#loopMax = new Gauge(own('nodejs_eventloop_delay_max_seconds', 'The longest such delay'));
    this.#active = new Counter(
      own('nodejs_eventloop_active_seconds_total', 'Time in which the event loop worked'),
    );
    this.#idle = new Counter(own('nodejs_eventloop_idle_seconds_total', 'Time in which it waited for work'));
    const pauses = new Histogram({
      ...own('nodejs_gc_duration_seconds', 'Pauses for the collection of garbage', ['kind']),
      buckets: GC_SECONDS,
    });
    this.#collections = new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        const detail: unknown = 'detail' in entry ? entry.detail : undefined;
        pauses.observe({ kind: gcKindOf(detail) }, entry.duration / 1000);
      }
    });
    this.#collections.observe({ entryTypes: ['gc'] });
    this.#delay.enable();
  }

  collect(): void {
    const usage = process.cpuUsage();
    const user = (usage.user - this.#usage.user) / 1e6;
    const system = (usage.system - this.#usage.system) / 1e6;
    this.#user.inc(user);
    this.#system.inc(system);
    this.#total.inc(user + system);
    this.#usage = usage;
    const { rss, heapUsed, heapTotal, external, arrayBuffers } = process.memoryUsage();
    this.#resident.set(rss);
    for (const [state, bytes] of Object.entries({ heapUsed, heapTotal, external, arrayBuffers })) {
      this.#heap.set({ state: state.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`) }, bytes);
    }
    const files = countFiles();
    if (files !== null) this.#files.set(files);
    this.#collectLoop();
  }

  [Symbol.dispose](): void {
    this.#delay.disable();
    this.#collections.disconnect();
  }

  #collectLoop(): void {
    const { active, idle } = performance.eventLoopUtilization();
    this.#active.inc(Math.max(0, active - this.#utilization.active) / 1000);
    this.#idle.inc(Math.max(0, idle - this.#utilization.idle) / 1000);
    this.#utilization = { active, idle };
    for (const quantile of [0.5, 0.9, 0.99]) {
      this.#loop.set({ quantile }, lateness(this.#delay.percentile(quantile * 100)));
    }
    this.#loopMax.set(lateness(this.#delay.max));
    const now = performance.now();
    if (now - this.#windowFrom < WINDOW_MS) return;
    this.#delay.reset();
    this.#windowFrom = now;
  }
}

/** Seconds beyond the time after which a look was due; what Node measures, in nanoseconds, includes it. */
function lateness(nanoseconds: number): number {
  return Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS) / 1000;
}

function gcKindOf(detail: unknown): string {
  const kind = typeof detail === 'object' && detail !== null && 'kind' in detail ? detail.kind : undefined;
  return (typeof kind === 'number' ? GC_KINDS[kind] : undefined) ?? 'other';
}

/** Synchronous: the folder is made in memory. `null` where there is no `/proc`. */
function countFiles(): number | null {
  try {
    // One is the folder itself.
    return readdirSync('/proc/self/fd').length - 1;
  } catch {
    return null;
  }
}
