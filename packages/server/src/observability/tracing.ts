import type { IncomingHttpHeaders } from 'node:http';
import {
  context,
  propagation,
  ProxyTracerProvider,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import type { Attributes, Context, Span, Tracer } from '@opentelemetry/api';
import type { RequestRecord, RequestTrace, TraceHeaders } from '../request-observer.ts';
import type { StartStep } from '../sessions/observer.ts';
import type { SessionFacts } from '../sessions/session.ts';
import { shownRouteOf } from './route-class.ts';

/** What the spans say that they come from. */
const SCOPE = 'agentapi-proxy';

/**
 * Spans, if the operator has loaded an SDK before the server (`node --import`); else `null`, and no request is the
 * slower for it.
 */
export function openTracing(version: string): Tracing | null {
  const provider = trace.getTracerProvider();
  // What stands there as long as no SDK has registered itself.
  const isIdle = provider instanceof ProxyTracerProvider && provider.getDelegateTracer(SCOPE) === undefined;
  return isIdle ? null : new Tracing(provider.getTracer(SCOPE, version));
}

/** Makes spans of requests and of the steps of starts. */
export class Tracing {
  readonly #tracer: Tracer;

  constructor(tracer: Tracer) {
    this.#tracer = tracer;
  }

  /** Begins the span of a request, in the trace that its client has begun, if it has. */
  begin(record: RequestRecord, headers: IncomingHttpHeaders): void {
    const parent = propagation.extract(context.active(), headers, { get: headerOf, keys: Object.keys });
    const route = shownRouteOf(record);
    const span = this.#tracer.startSpan(
      `${record.method} ${route}`,
      {
        kind: SpanKind.SERVER,
        attributes: {
          'http.request.method': record.method,
          'http.route': route,
          'agentapi_proxy.request_id': record.requestId,
        },
      },
      parent,
    );
    record.traceId = span.spanContext().traceId;
    record.trace = new SpanTrace(this.#tracer, span, trace.setSpan(parent, span), record);
  }

  /** Does work with the span of a request as the current one. */
  within({ trace: active }: RequestRecord, work: () => void): void {
    if (active instanceof SpanTrace) context.with(active.context, work);
    else work();
  }

  end(record: RequestRecord): void {
    if (record.trace instanceof SpanTrace) record.trace.end();
  }

  /** Does a step of a start in a span of its own. */
  step<Result>(step: StartStep, facts: SessionFacts, work: () => Promise<Result>): Promise<Result> {
    const attributes = { ...sessionAttributes(facts.id), 'agentapi_proxy.agent': facts.agent };
    return this.#tracer.startActiveSpan(step, { attributes }, async (span) => {
      try {
        return await work();
      } catch (error) {
        // The message may tell of the user's things; the log has it.
        span.setStatus({ code: SpanStatusCode.ERROR });
        if (error instanceof Error) span.setAttribute('error.type', error.name);
        throw error;
      } finally {
        span.end();
      }
    });
  }
}

/** The span of a request, and that of what it asks of an agent server. */
class SpanTrace implements RequestTrace {
  readonly context: Context;
  readonly #tracer: Tracer;
  readonly #span: Span;
  readonly #record: RequestRecord;
  #forwarded: Span | null = null;

  constructor(tracer: Tracer, span: Span, active: Context, record: RequestRecord) {
    this.#tracer = tracer;
    this.#span = span;
    this.context = active;
    this.#record = record;
  }

  forward(): TraceHeaders {
    const { method, sessionId } = this.#record;
    this.#forwarded ??= this.#tracer.startSpan(
      method,
      {
        kind: SpanKind.CLIENT,
        attributes: { 'http.request.method': method, ...sessionAttributes(sessionId) },
      },
      this.context,
    );
    const lines: string[] = [];
    propagation.inject(trace.setSpan(this.context, this.#forwarded), lines, {
      set: (carrier, name, value) => void carrier.push(name, value),
    });
    return { replaced: new Set(propagation.fields().map((name) => name.toLowerCase())), lines };
  }

  end(): void {
    const { status, sessionId, userId, kind, complete } = this.#record;
    const outcome = status === 0 ? {} : { 'http.response.status_code': status };
    if (this.#forwarded !== null) endSpan(this.#forwarded, outcome, status, complete || kind !== 'request');
    const more = {
      ...outcome,
      ...sessionAttributes(sessionId),
      ...(userId === null ? {} : { 'user.id': userId }),
    };
    endSpan(this.#span, more, status, complete || kind !== 'request');
  }
}

/** A server's failures are errors of a span, a client's mistakes are not. */
function endSpan(span: Span, attributes: Attributes, status: number, isWhole: boolean): void {
  span.setAttributes(attributes);
  if (status >= 500 || status === 0 || !isWhole) span.setStatus({ code: SpanStatusCode.ERROR });
  span.end();
}

function sessionAttributes(sessionId: string | null): Attributes {
  return sessionId === null ? {} : { 'agentapi_proxy.session_id': sessionId };
}

function headerOf(headers: IncomingHttpHeaders, name: string): string | string[] | undefined {
  return headers[name.toLowerCase()];
}
