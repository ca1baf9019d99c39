import { propagation, trace } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { afterEach, expect, test } from 'vitest';
import { openObservers } from '../src/observability/observers.ts';
import type { Observers } from '../src/observability/observers.ts';
import { pino } from 'pino';
import { ID, startBackend, startProxy, TestSession } from './proxy-harness.ts';

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const TRACEPARENT = `00-${TRACE_ID}-b7ad6b7169203331-01`;

afterEach(() => {
  trace.disable();
  propagation.disable();
});

async function observers(): Promise<Observers> {
  return openObservers({
    metrics: { enabled: false, session_labels: false },
    access_log: 'off',
    access_log_sample_rate: 0,
    version: '0',
    log: pino({ level: 'silent' }),
  });
}

/** The trace headers that reach an agent server, for each of these requests. */
async function seenByAgent(
  requests: readonly Readonly<Record<string, string>>[],
): Promise<readonly (readonly string[])[]> {
  using observed = await observers();
  const seen: string[][] = [];
  await using backend = await startBackend((req, res) => {
    const lines: string[] = [];
    for (let i = 0; i + 1 < req.rawHeaders.length; i += 2) {
      const name = req.rawHeaders[i] ?? '';
      if (/^trace|^baggage/i.test(name)) lines.push(`${name}: ${req.rawHeaders[i + 1]}`);
    }
    seen.push(lines);
    res.end('ok');
  });
  const session = new TestSession(ID, { port: backend.port, token: null });
  await using proxy = await startProxy({ sessions: [session], observer: observed.requests });
  for (const headers of requests) await (await fetch(`${proxy.url}/${ID}/status`, { headers })).text();
  return seen;
}

test('without an SDK the trace of a client reaches the agent as it was sent, and a request without one gets none', async () => {
  const seen = await seenByAgent([{ traceparent: TRACEPARENT, tracestate: 'vendor=1', baggage: 'a=b' }, {}]);
  expect(seen).toEqual([[`traceparent: ${TRACEPARENT}`, 'tracestate: vendor=1', 'baggage: a=b'], []]);
});

test('with an SDK the agent gets the context of the forwarding, once, in the trace of the client', async () => {
  const exporter = new InMemorySpanExporter();
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  trace.setGlobalTracerProvider(
    new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }),
  );
  const [first = [], second = []] = await seenByAgent([
    { traceparent: TRACEPARENT, tracestate: 'vendor=1', baggage: 'a=b' },
    {},
  ]);
  await expect.poll(() => exporter.getFinishedSpans().length).toBe(4);
  const forwarded = exporter.getFinishedSpans().filter(({ name }) => name === 'GET');
  const contexts = forwarded.map((span) => span.spanContext());
  expect(first.toSorted()).toEqual([
    'baggage: a=b',
    `traceparent: 00-${TRACE_ID}-${contexts[0]?.spanId}-01`,
    'tracestate: vendor=1',
  ]);
  expect(second).toEqual([`traceparent: 00-${contexts[1]?.traceId}-${contexts[1]?.spanId}-01`]);
});
