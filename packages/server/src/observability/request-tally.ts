import { Counter } from 'prom-client';
import type { Registry } from 'prom-client';
import type { RequestRecord } from '../request-observer.ts';
import { DurationHistogram } from './duration-histogram.ts';
import type { DurationSeries } from './duration-histogram.ts';
import { routeClassOf } from './route-class.ts';

/** By the first digit of the status; `none` when the client left before there was an answer. */
const STATUS_CLASSES = ['none', '1xx', '2xx', '3xx', '4xx', '5xx'] as const;

interface Tally {
  readonly plane: string;
  readonly route: string;
  /** By the place in {@link STATUS_CLASSES}. */
  readonly requests: Float64Array;
  readonly durations: DurationSeries;
  bytes: number;
}

/** Counts requests without a look-up by texts made for each of them; the counters are written when they are read. */
export class RequestTally {
  readonly #tallies = { control: new Map<string, Tally>(), session: new Map<string, Tally>() };
  readonly #requests: Counter<'plane' | 'route' | 'status'>;
  readonly #bytes: Counter<'plane' | 'route'>;
  readonly #durations: DurationHistogram;

  constructor(registry: Registry, buckets: number[]) {
    const registers = [registry];
    this.#requests = new Counter({
      name: 'agentapi_proxy_requests_total',
      help: 'Requests that have been answered, or left by their clients (status none)',
      labelNames: ['plane', 'route', 'status'],
      registers,
    });
    this.#durations = new DurationHistogram({
      name: 'agentapi_proxy_request_duration_seconds',
      help: 'From the head of a request to the end of its answer; without answers that stay open',
      labelNames: ['plane', 'route'],
      buckets,
      registers,
    });
    this.#bytes = new Counter({
      name: 'agentapi_proxy_response_bytes_total',
      help: 'Bodies of answers',
      labelNames: ['plane', 'route'],
      registers,
    });
  }

  add(record: RequestRecord, seconds: number): void {
    const tally = this.#tallyOf(record);
    const status = record.status === 0 ? 0 : Math.floor(record.status / 100);
    tally.requests[status] = (tally.requests[status] ?? 0) + 1;
    if (record.bytes > 0) tally.bytes += record.bytes;
    if (record.kind === 'request') tally.durations.observe(seconds);
  }

  collect(): void {
    this.#requests.reset();
    this.#bytes.reset();
    for (const tallies of Object.values(this.#tallies)) {
      for (const { plane, route, requests, bytes } of tallies.values()) {
        this.#bytes.inc({ plane, route }, bytes);
        for (const [at, status] of STATUS_CLASSES.entries()) {
          const count = requests[at] ?? 0;
          if (count > 0) this.#requests.inc({ plane, route, status }, count);
        }
      }
    }
  }

  #tallyOf(record: RequestRecord): Tally {
    const { plane } = record;
    const route = routeClassOf(record);
    const known = this.#tallies[plane].get(route);
    if (known !== undefined) return known;
    const tally: Tally = {
      plane,
      route,
      requests: new Float64Array(STATUS_CLASSES.length),
      durations: this.#durations.series({ plane, route }),
      bytes: 0,
    };
    this.#tallies[plane].set(route, tally);
    return tally;
  }
}
