import type { IncomingHttpHeaders } from 'node:http';
import type { Log } from '../log.ts';
import type { RefusedRequest, RequestRecord } from '../request-observer.ts';
import { shownRouteOf } from './route-class.ts';

export interface AccessLogOptions {
  /** Of requests that went well, this part is logged; 1 = all. */
  readonly sampleRate: number;
  readonly log: Log;
  /** Between 0 and 1; for tests. */
  readonly random?: () => number;
}

/** One line for a request, when it is over: who, what, how it came out. Never a path, a query, a header or a body. */
export class AccessLog {
  readonly #sampleRate: number;
  readonly #log: Log;
  readonly #random: () => number;

  constructor({ sampleRate, log, random = Math.random }: AccessLogOptions) {
    this.#sampleRate = sampleRate;
    this.#log = log;
    this.#random = random;
  }

  /** Takes note of the trace that the client has begun. */
  requestBegan(record: RequestRecord, { traceparent }: IncomingHttpHeaders): void {
    if (typeof traceparent === 'string') record.traceId ??= TRACEPARENT.exec(traceparent)?.[1] ?? null;
  }

  /** Failures are logged always: refused ones, failed ones, and those whose answer did not come to its end. */
  requestEnded(record: RequestRecord): void {
    const { status, kind, complete } = record;
    // That a stream ends by its client's leaving is the ordinary end.
    const wentWell = status > 0 && status < 400 && (complete || kind !== 'request');
    if (wentWell && this.#random() >= this.#sampleRate) return;
    this.#log.info(
      {
        method: shownMethod(record.method),
        route: shownRouteOf(record),
        status: status === 0 ? null : status,
        durationMs: Math.round((performance.now() - record.startedAt) * 10) / 10,
        ...(record.bytes < 0 ? {} : { bytes: record.bytes }),
        ...(kind === 'request' ? {} : { kind }),
        ...(wentWell || status >= 400 ? {} : { aborted: true }),
        user: record.userId,
        ...(record.keyId === null ? {} : { keyId: record.keyId }),
        ...(record.sessionId === null ? {} : { sessionId: record.sessionId }),
        address: record.address,
        requestId: record.requestId,
        ...(record.traceId === null ? {} : { traceId: record.traceId }),
      },
      'request',
    );
  }

  requestRefused({ method, status, code, address, requestId }: RefusedRequest): void {
    const shown = method === null ? null : shownMethod(method);
    this.#log.info({ method: shown, route: null, status, code, address, requestId }, 'request');
  }
}

/** W3C Trace Context, section 3.2; an id of zeros only is none. */
const TRACEPARENT = /^[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(?:-|$)/;

const METHODS: ReadonlySet<string> = new Set([
  ...['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'CONNECT', 'TRACE', 'QUERY'],
]);

/** What is sent as a method may be anything of letters. */
function shownMethod(method: string): string {
  return METHODS.has(method) ? method : 'other';
}
