import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { parseExposition, valueOf } from '../../packages/server/test/support/exposition.ts';
import type { Family } from '../../packages/server/test/support/exposition.ts';
import { rawRequest } from '../support/raw-request.ts';
import { eventually, startServer } from '../support/server-process.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { ServerSeries } from '../support/server-series.ts';
import { remove, start, untilStable, untilState } from '../support/wire.ts';

vi.setConfig({ testTimeout: 120_000 });

async function scrape(server: ServerProcess): Promise<ReadonlyMap<string, Family>> {
  return parseExposition(await (await server.request('/metrics')).text());
}

describe('metrics', () => {
  test('sessions by state and agent, starts, exits, first messages, what they take, and what was found again', async () => {
    await using servers = await ServerSeries.start({
      config: { metrics: { session_labels: true }, agents: { broken: { command: 'false' } } },
    });
    const { server } = servers;
    const id = await start(server, { message: 'first' });
    const failed = await start(server, { agent: 'broken' });
    await untilState(server, failed, 'failed');
    await untilStable(server, id);
    const metrics = await eventually('the first message has been counted', async () => {
      const now = await scrape(server);
      return (
        valueOf(now, 'agentapi_proxy_first_message_seconds_count', { outcome: 'delivered' }) === 1 && now
      );
    });
    const count = (name: string, labels = {}): number => valueOf(metrics, `agentapi_proxy_${name}`, labels);
    expect(count('sessions', { state: 'running', agent: 'demo' })).toBe(1);
    expect(count('sessions')).toBe(1);
    expect(count('session_start_seconds_count', { agent: 'demo', outcome: 'running' })).toBe(1);
    expect(
      count('session_start_seconds_count', { agent: 'broken', outcome: 'failed' }) +
        count('agent_exits_total', { agent: 'broken', outcome: 'failed' }),
    ).toBe(1);
    expect(count('session_ends_total', { agent: 'broken', state: 'failed' })).toBe(1);
    expect(count('sessions_processes', { agent: 'demo' })).toBeGreaterThanOrEqual(2);
    expect(count('session_memory_bytes', { session_id: id })).toBeGreaterThan(10_000_000);
    expect(count('sessions_memory_bytes')).toBe(count('session_memory_bytes'));
    expect(count('sessions_cpu_seconds_total')).toBeGreaterThan(0);

    const next = await servers.crashAndRestart();
    expect(valueOf(await scrape(next), 'agentapi_proxy_recovered_sessions', { result: 'revived' })).toBe(1);
    await servers.killSession(id);
    await untilState(next, id, 'failed');
    const last = await scrape(next);
    expect(valueOf(last, 'agentapi_proxy_agent_exits_total', { outcome: 'failed' })).toBe(1);
    expect(valueOf(last, 'agentapi_proxy_session_ends_total', { agent: 'demo', state: 'failed' })).toBe(1);
    expect(valueOf(last, 'agentapi_proxy_sessions')).toBe(0);
  });

  test('proxied requests have the time that was added, event streams are counted while they are open', async () => {
    await using server = await startServer();
    const id = await start(server);
    await untilStable(server, id);
    const open = async (): Promise<number> =>
      valueOf(await scrape(server), 'agentapi_proxy_streams_open', { kind: 'event_stream' });
    expect(await open()).toBe(0);
    for (const path of [`/${id}/events`, `/sessions/${id}/events`, '/events']) {
      const leaving = new AbortController();
      const stream = await server.request(path, { signal: leaving.signal });
      expect([path, stream.status, await open()]).toEqual([path, 200, 1]);
      leaving.abort();
      await eventually('nothing is open any more', async () => (await open()) === 0);
    }
    const metrics = await scrape(server);
    const requests = valueOf(metrics, 'agentapi_proxy_requests_total', { plane: 'session' });
    const routed = (route: string): number =>
      valueOf(metrics, 'agentapi_proxy_requests_total', { plane: 'session', route, status: '2xx' });
    expect([routed('events'), routed('status') > 0]).toEqual([1, true]);
    expect(valueOf(metrics, 'agentapi_proxy_session_first_byte_seconds_count')).toBe(requests);
    expect(valueOf(metrics, 'agentapi_proxy_session_added_seconds_sum')).toBeLessThanOrEqual(
      valueOf(metrics, 'agentapi_proxy_session_first_byte_seconds_sum'),
    );
    const durations = 'agentapi_proxy_request_duration_seconds_count';
    expect(valueOf(metrics, durations, { plane: 'session' })).toBe(requests - 1);
    expect(valueOf(metrics, 'agentapi_proxy_response_bytes_total', { plane: 'session' })).toBeGreaterThan(
      100,
    );
  });
});

const lineSchema = z.looseObject({
  msg: z.string().optional(),
  module: z.string().optional(),
  route: z.string().nullish(),
  status: z.number().nullish(),
});

function accessLines(server: ServerProcess): readonly z.infer<typeof lineSchema>[] {
  return z
    .array(lineSchema)
    .parse(server.logLines())
    .filter(({ module }) => module === 'access');
}

describe('access log', () => {
  test('all: one line for a request with who, what and how it came out, and nothing that was sent', async () => {
    await using server = await startServer({ config: { access_log: 'all' } });
    const id = await start(server, { environment: { TOKEN: 'secret-value' } });
    await untilStable(server, id);
    const requestId = 'given-by-the-client';
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    await server.request(`/${id}/status?secret-query`, {
      headers: { 'x-request-id': requestId, traceparent: `00-${traceId}-b7ad6b7169203331-01` },
    });
    await server.request(`/${id}/secret-path`, { headers: { traceparent: 'secret-trace' } });
    await server.request('/secret-path?secret-query');
    await server.request(`/sessions/secret-id?secret-query`);
    await rawRequest(server.port, { path: '/livez', headers: { host: 'evil.example' } });
    await remove(server, id);
    const lines = await eventually('the last request is logged', () => {
      const now = accessLines(server);
      return now.some(({ method }) => method === 'DELETE') && now;
    });
    expect(lines.find((line) => line['requestId'] === requestId)).toMatchObject({
      method: 'GET',
      route: '/:sessionId/status',
      status: 200,
      durationMs: expect.any(Number),
      bytes: expect.toSatisfy((bytes: number) => bytes > 20),
      user: 'anonymous',
      sessionId: id,
      address: '127.0.0.1',
      traceId,
    });
    const routes = lines.map(({ route, status }) => `${route} ${status}`);
    expect(routes).toContain('/start 200');
    expect(routes).toContain('/:sessionId/* 404');
    expect(routes).toContain('(unknown) 404');
    expect(routes).toContain('/sessions/:sessionId 404');
    expect(routes).toContain('/sessions/:sessionId 200');
    expect(lines.find(({ code }) => code === 'host_not_allowed')).toMatchObject({ route: null, status: 403 });
    expect(JSON.stringify(lines)).not.toContain('secret');
  });

  test('sampled: all that failed, and of the others as many as wanted; off: none', async () => {
    await using server = await startServer({ config: { access_log: 'sampled', access_log_sample_rate: 0 } });
    for (const path of ['/search', '/nothing', '/livez']) await server.request(path);
    await eventually('the failed one is logged', () => accessLines(server).length > 0);
    expect(accessLines(server).map(({ route, status }) => [route, status])).toEqual([['(unknown)', 404]]);
    await using silent = await startServer();
    await silent.request('/nothing');
    await silent.stop();
    expect(accessLines(silent)).toEqual([]);
  });
});

const spanSchema = z.object({
  name: z.string(),
  kind: z.number(),
  traceId: z.string(),
  spanId: z.string(),
  parentId: z.string().nullable(),
  attributes: z.record(z.string(), z.unknown()),
  isError: z.boolean(),
});
type Span = z.infer<typeof spanSchema>;

const SERVER_SPAN = 1;
const CLIENT_SPAN = 2;

test('spans: an SDK that was loaded gets requests, forwarding and steps of a start, in the trace of the client', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'spans-'));
  const file = join(folder, 'spans');
  const recorder = fileURLToPath(new URL('../support/span-recorder.mjs', import.meta.url));
  try {
    await using server = await startServer({
      config: { access_log: 'all' },
      env: { NODE_OPTIONS: `--import ${recorder}`, SPAN_FILE: file },
    });
    const spans = async (): Promise<readonly Span[]> => {
      const text = await readFile(file, 'utf8').catch(() => '');
      return text.split('\n').flatMap((line) => (line === '' ? [] : [spanSchema.parse(JSON.parse(line))]));
    };
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    const parentId = 'b7ad6b7169203331';
    const traceparent = `00-${traceId}-${parentId}-01`;
    const id = await start(server, { message: 'hello' }, { traceparent });
    await eventually('the first message has its span', async () =>
      (await spans()).some(({ name }) => name === 'first message'),
    );
    const made = (await spans()).filter((span) => span.traceId === traceId);
    const named = (name: string): Span => {
      const found = made.find((span) => span.name === name);
      if (found === undefined)
        throw new Error(`no span ${name} among ${made.map((span) => span.name).join()}`);
      return found;
    };
    const request = named('POST /start');
    expect(request).toMatchObject({ kind: SERVER_SPAN, parentId, isError: false });
    expect(request.attributes).toMatchObject({ 'http.route': '/start', 'http.response.status_code': 200 });
    expect(named('session start')).toMatchObject({
      parentId: request.spanId,
      attributes: { 'agentapi_proxy.session_id': id, 'agentapi_proxy.agent': 'demo' },
    });
    for (const step of ['prepare workspace', 'start agent server']) {
      expect(named(step).parentId).toBe(named('session start').spanId);
    }

    const mark = 'a-request-of-its-own';
    await server.request(`/${id}/status?secret-query`, { headers: { 'x-request-id': mark } });
    const own = await eventually('the proxied request has its spans', async () => {
      const now = await spans();
      const outer = now.find(({ attributes }) => attributes['agentapi_proxy.request_id'] === mark);
      const inner = now.find((span) => span.parentId === outer?.spanId);
      return outer !== undefined && inner !== undefined && { outer, inner };
    });
    expect(own.outer).toMatchObject({ name: 'GET /:sessionId/status', kind: SERVER_SPAN, parentId: null });
    expect(own.inner).toMatchObject({ name: 'GET', kind: CLIENT_SPAN, traceId: own.outer.traceId });
    expect(own.inner.attributes).toMatchObject({ 'agentapi_proxy.session_id': id });
    expect(JSON.stringify(await spans())).not.toContain('secret');
    const logged = accessLines(server).find((line) => line['requestId'] === mark);
    expect(logged).toMatchObject({ traceId: own.outer.traceId });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
