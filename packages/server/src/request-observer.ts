import type { IncomingHttpHeaders } from 'node:http';

/** The two ways through the server: to its own routes, and to the agent server of a session. */
export type Plane = 'control' | 'session';

/** What an answer turned out to be: one with an end, or one that stays open. */
export type RequestKind = 'request' | 'event_stream' | 'upgrade';

/** The trace that a request belongs to, while an operator collects traces. */
export interface RequestTrace {
  /** The request goes on to an agent server, with these headers. */
  forward(): TraceHeaders;
}

/** The headers that carry a trace from one program to the next (W3C Trace Context). */
export interface TraceHeaders {
  /** Lower-case names of those of the client that are not passed on. */
  readonly replaced: ReadonlySet<string>;
  /** Names and values in turn. */
  readonly lines: readonly string[];
}

/** One request and what has become of it, filled in by whoever serves it; times are those of `performance.now()`. */
export class RequestRecord {
  readonly plane: Plane;
  readonly method: string;
  readonly requestId: string;
  /** When its head had been read. */
  readonly startedAt = performance.now();
  /** Pattern of the route, empty when there is none; in the session plane the path in the session, as it was sent. */
  target: string;
  /** Of the client, behind trusted proxies too. */
  address = '';
  userId: string | null = null;
  keyId: string | null = null;
  sessionId: string | null = null;
  kind: RequestKind = 'request';
  /** Of the answer; 0 as long as there is none. */
  status = 0;
  /** Size of the body of the answer; -1 when nobody has counted it. */
  bytes = -1;
  /** When it was handed on to an agent server; 0 when it was not. */
  forwardedAt = 0;
  /** When the agent server began to answer; 0 when it did not. */
  answeredAt = 0;
  /** When the head of the answer was on its way to the client; 0 when there is none. */
  repliedAt = 0;
  /** Whether the answer came to its end. */
  complete = false;
  /** Of the trace that it belongs to, 32 hexadecimal digits; set by the observer, when somebody wants to know. */
  traceId: string | null = null;
  /** Set by the observer, when it traces. */
  trace: RequestTrace | null = null;

  constructor(plane: Plane, method: string, target: string, requestId: string) {
    this.plane = plane;
    this.method = method;
    this.target = target;
    this.requestId = requestId;
  }
}

/** A request that is refused before anybody looks for what it is meant: malformed, too large, from a foreign page. */
export interface RefusedRequest {
  /** `null` when not even that could be read. */
  readonly method: string | null;
  readonly status: number;
  /** Of the error. */
  readonly code: string;
  /** Of the peer. */
  readonly address: string;
  readonly requestId: string;
}

/** Told of every request: metrics, spans and the access log are made of it. Its methods never throw. */
export interface RequestObserver {
  /** Its head has been read, and nobody has looked at it yet. */
  began(record: RequestRecord, headers: IncomingHttpHeaders): void;
  /** Its answer stays open. To be called once at most; `ended` follows. */
  opened(record: RequestRecord, kind: 'event_stream' | 'upgrade'): void;
  /** Nothing more happens to it, whether it was answered or its client left. */
  ended(record: RequestRecord): void;
  refused(request: RefusedRequest): void;
  /** Does work with the span of the request as the current one. */
  within(record: RequestRecord, work: () => void): void;
}

/** For those who are not to be observed. */
export const UNOBSERVED: RequestObserver = {
  began: () => undefined,
  opened: (record, kind) => {
    record.kind = kind;
  },
  ended: () => undefined,
  refused: () => undefined,
  within: (_record, work) => work(),
};
