import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { Metrics } from '../src/observability/metrics.ts';
import { parseExposition, valueOf } from './support/exposition.ts';
import type { Family } from './support/exposition.ts';
import { startApp } from './support/app.ts';
import type { TestApp } from './support/app.ts';

const ROOT_KEY = 'ap_root_0123456789abcdef0123456789abcdef';
const USER_KEY = 'ap_user_0123456789abcdef0123456789abcdef';
const SCRAPER_KEY = 'ap_prom_0123456789abcdef0123456789abcdef';

const KEYS = [
  { key: ROOT_KEY, user_id: 'root', role: 'admin', permissions: ['*'] },
  { key: USER_KEY, user_id: 'alice', role: 'user', permissions: ['*'] },
  { key: SCRAPER_KEY, user_id: 'prometheus', role: 'admin', permissions: ['metrics:read'] },
];

async function scrape(app: TestApp, key?: string): Promise<ReadonlyMap<string, Family>> {
  const answer = await app.request('/metrics', key === undefined ? {} : { headers: { 'x-api-key': key } });
  expect([answer.status, answer.headers.get('content-type')]).toEqual([
    200,
    'text/plain; version=0.0.4; charset=utf-8',
  ]);
  return parseExposition(await answer.text());
}

test('DF-57: GET /metrics counts requests by route and status, and nothing that was sent becomes a label', async () => {
  await using app = await startApp();
  await app.request('/search?x=secret-query');
  await app.request('/search', { method: 'PUT' });
  await app.request('/secret-path');
  await app.request('/sessions/secret-id');
  await app.request('/secret-session/secret-path');
  await app.request('/secret-session/message', { method: 'POST', body: '{}' });
  await app.request('/livez', { headers: { host: 'evil.example', origin: 'https://evil.example' } });
  const metrics = await scrape(app);
  const count = (plane: string, route: string, status: string): number =>
    valueOf(metrics, 'agentapi_proxy_requests_total', { plane, route, status });
  expect(count('control', 'search', '2xx')).toBe(1);
  expect(count('control', 'sessions', '4xx')).toBe(1);
  expect(count('control', 'unknown', '4xx')).toBe(2);
  expect(count('session', 'other', '4xx')).toBe(1);
  expect(count('session', 'message', '4xx')).toBe(1);
  expect(valueOf(metrics, 'agentapi_proxy_refused_requests_total', { reason: 'origin_not_allowed' })).toBe(1);
  expect(valueOf(metrics, 'agentapi_proxy_request_duration_seconds_count', { plane: 'control' })).toBe(4);
  expect(valueOf(metrics, 'agentapi_proxy_store_operation_seconds_count')).toBeGreaterThan(5);
  expect(valueOf(metrics, 'agentapi_proxy_build_info')).toBe(1);
  expect(valueOf(metrics, 'process_resident_memory_bytes')).toBeGreaterThan(10_000_000);
  expect(JSON.stringify([...metrics.values()])).not.toContain('secret');
  const again = await scrape(app);
  expect(valueOf(again, 'agentapi_proxy_requests_total', { route: 'metrics', status: '2xx' })).toBe(1);
  expect(valueOf(again, 'process_cpu_seconds_total')).toBeGreaterThanOrEqual(
    valueOf(metrics, 'process_cpu_seconds_total'),
  );
});

test('metrics are for admins with metrics:read; such a key can do nothing else', async () => {
  await using app = await startApp({ auth: { enabled: true, api_keys: KEYS } });
  const statusOf = async (path: string, key?: string): Promise<number> =>
    (await app.request(path, key === undefined ? {} : { headers: { 'x-api-key': key } })).status;
  expect(await statusOf('/metrics')).toBe(401);
  expect(await statusOf('/metrics', USER_KEY)).toBe(403);
  expect(await statusOf('/metrics', SCRAPER_KEY)).toBe(200);
  for (const path of ['/search', '/audit', '/api-keys', '/x/status']) {
    expect([path, await statusOf(path, SCRAPER_KEY)]).toEqual([path, 403]);
  }
  const metrics = await scrape(app, ROOT_KEY);
  expect(valueOf(metrics, 'agentapi_proxy_auth_failures_total', { reason: 'api_key_required' })).toBe(1);
});

test('wrong keys are counted, and so are the addresses that must wait', async () => {
  await using app = await startApp({
    auth: { enabled: true, api_keys: KEYS },
    limits: { failed_keys_per_minute: 2 },
  });
  for (const path of ['/search', '/x/status', '/search']) {
    await app.request(path, { headers: { 'x-api-key': 'wrong' } });
  }
  const metrics = await scrape(app, ROOT_KEY);
  const failures = 'agentapi_proxy_auth_failures_total';
  expect(valueOf(metrics, failures, { reason: 'invalid_api_key' })).toBe(2);
  expect(valueOf(metrics, failures, { reason: 'too_many_failures' })).toBe(1);
  expect(valueOf(metrics, 'agentapi_proxy_auth_limited_addresses')).toBe(1);
});

test('metrics.enabled: false measures nothing, and /metrics is 404', async () => {
  await using app = await startApp({ metrics: { enabled: false } });
  const answer = await app.request('/metrics');
  expect([answer.status, await answer.json()]).toEqual([404, expect.objectContaining({ code: 'not_found' })]);
});

test('metrics.listen answers without a key, but neither pages of other origins nor anything else', async () => {
  await using app = await startApp({
    auth: { enabled: true, api_keys: KEYS },
    metrics: { listen: '127.0.0.1:0' },
  });
  const port = /"port":(\d+),"msg":"metrics are shown/.exec(app.log())?.[1];
  const ask = async (path: string, init?: RequestInit): Promise<number> =>
    (await fetch(`http://127.0.0.1:${port}${path}`, init)).status;
  const answer = await fetch(`http://127.0.0.1:${port}/metrics`);
  expect(valueOf(parseExposition(await answer.text()), 'agentapi_proxy_build_info')).toBe(1);
  expect(await ask('/metrics', { headers: { origin: 'https://evil.example' } })).toBe(403);
  expect(await ask('/metrics', { method: 'POST' })).toBe(405);
  expect(await ask('/metrics', { method: 'HEAD' })).toBe(200);
  expect(await ask('/search')).toBe(404);
});

test('an address of metrics.listen that is taken ends the start, and is named', async () => {
  await using first = await startApp({ metrics: { listen: '127.0.0.1:0' } });
  const port = /"port":(\d+),"msg":"metrics are shown/.exec(first.log())?.[1];
  await expect(startApp({ metrics: { listen: `127.0.0.1:${port}` } })).rejects.toThrow(
    /metrics\.listen: cannot listen there \(.*EADDRINUSE/,
  );
});

test('docs/operations.md lists every metric, with its labels and what it tells', async () => {
  // With everything that is optional.
  using metrics = new Metrics({ version: '0', sessionLabels: true });
  const page = await readFile(fileURLToPath(new URL('../../../docs/operations.md', import.meta.url)), 'utf8');
  const [, table = ''] = page.split('<!-- tested: metrics -->\n');
  const rows = table.slice(0, table.indexOf('\n\n')).split('\n').slice(2);
  const described = (await metrics.describe()).map(({ name, type, labels, help }) => {
    const shown = labels.map((label) => `\`${label}\``).join(', ');
    return `| \`${name}\` | ${type} | ${shown} | ${help} |`;
  });
  expect(rows.map((row) => row.replaceAll(/ +/g, ' '))).toEqual(
    described.map((row) => row.replaceAll(/ +/g, ' ')),
  );
});
