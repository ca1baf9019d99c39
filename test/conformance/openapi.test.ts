import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { findPart } from '../../tools/src/outside-parts.ts';
import { answerCheck } from '../support/answer-check.ts';
import { startServer } from '../support/server-process.ts';
import type { ServerProcess } from '../support/server-process.ts';

const KEY = 'some-key-0123456789';
const executablePath = findPart('chromium');

const documentSchema = z.looseObject({
  servers: z.array(z.object({ url: z.string(), description: z.string() })),
  paths: z.record(z.string(), z.record(z.string(), z.looseObject({ operationId: z.string() }))),
  components: z.looseObject({ securitySchemes: z.looseObject({ Key: z.looseObject({ name: z.string() }) }) }),
});

let server: ServerProcess;
beforeAll(async () => {
  server = await startServer({
    config: {
      auth: {
        enabled: true,
        header_name: 'X-Our-Key',
        api_keys: [{ key: KEY, user_id: 'root', role: 'admin', permissions: ['*'] }],
      },
    },
  });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

describe('GET /openapi.json', () => {
  test('is open to everybody, and names the header that this server looks for keys in', async () => {
    const response = await server.request('/openapi.json');
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/json']);
    const document = documentSchema.parse(await response.json());
    expect(document.components.securitySchemes.Key.name).toBe('X-Our-Key');
    const committed = new URL('../../openapi/agentapi-proxy.json', import.meta.url);
    expect(document.paths).toEqual(documentSchema.parse(JSON.parse(await readFile(committed, 'utf8'))).paths);
  });

  test('leads to the operations behind any path prefix', async () => {
    const { servers } = documentSchema.parse(await (await server.request('/openapi.json')).json());
    const base = new URL(servers[0]?.url ?? '', 'https://example.test/agents/openapi.json');
    expect(base.href).toBe('https://example.test/agents/');
  });

  test('no operation has the name of another one', async () => {
    const { paths } = documentSchema.parse(await (await server.request('/openapi.json')).json());
    const names = Object.values(paths).flatMap((path) =>
      Object.values(path).map(({ operationId }) => operationId),
    );
    expect(names.length).toBeGreaterThan(30);
    expect(new Set(names).size).toBe(names.length);
  });
});

test('every member and every parameter says what it means', async () => {
  const document: unknown = await (await server.request('/openapi.json')).json();
  expect(unexplained(document, '#')).toEqual([]);
  const page = await (await server.request('/docs')).text();
  for (const text of [
    'Of this step, 0 to 100;',
    'files that git does not know included',
    'not yet, or no more',
  ]) {
    expect(page).toContain(text);
  }
});

test('an answer that is not described is noticed', async () => {
  const answer = { method: 'GET', path: '/health', contentType: 'application/json' };
  answerCheck.check(server.url, { ...answer, status: 200, body: '{"status":"ok"}' });
  expect(await answerCheck.take()).toEqual([]);
  answerCheck.check(server.url, { ...answer, status: 200, body: '{"status":"fine"}' });
  answerCheck.check(server.url, { ...answer, status: 418, body: '{}' });
  answerCheck.check(server.url, { ...answer, status: 200, contentType: 'text/html', body: '' });
  answerCheck.check(server.url, {
    ...answer,
    path: '/start',
    method: 'POST',
    status: 400,
    body: '{"message":"m","code":"session_not_found","request_id":"r"}',
  });
  expect(await answerCheck.take()).toHaveLength(4);
});

test('PX-060: a method that no route takes is 405, whichever it is', async () => {
  const headers = { 'x-our-key': KEY };
  const query = await server.request('/version', { method: 'QUERY', headers });
  expect([query.status, query.headers.get('allow')]).toEqual([405, 'OPTIONS, GET']);
});

describe('GET /docs', () => {
  test('needs no script and nothing from elsewhere', async () => {
    const response = await server.request('/docs');
    expect([response.status, response.headers.get('content-type')]).toEqual([
      200,
      'text/html; charset=utf-8',
    ]);
    const policy = response.headers.get('content-security-policy') ?? '';
    expect(policy).toMatch(/^default-src 'none'; style-src 'sha256-[^']+'; /);
    const page = await response.text();
    expect(page).not.toMatch(/<script|src=|@import|url\(/);
    expect(page).not.toMatch(/(?:href|action)="(?!#|openapi\.json")/);
    expect(page).toContain('id="startSession"');
  });

  test.skipIf(executablePath === null)(
    'shows every operation on a large screen and on a phone, light and dark [needs chromium]',
    async () => {
      const folder = await mkdtemp(join(tmpdir(), 'docs-page-'));
      const browser = await chromium.launch({
        executablePath: executablePath ?? '',
        args: ['--no-sandbox'],
        env: { PATH: process.env['PATH'] ?? '', HOME: folder },
      });
      try {
        for (const [width, colorScheme] of [
          [1280, 'light'],
          [390, 'dark'],
        ] as const) {
          const page = await browser.newPage({ viewport: { width, height: 844 }, colorScheme });
          const asked: string[] = [];
          const said: string[] = [];
          page.on('request', (request) => void asked.push(request.url()));
          page.on('console', (message) => void said.push(message.text()));
          await page.goto(`${server.url}/docs`);
          const isReady = page.locator('#startSession').getByText('Starts a session');
          await isReady.waitFor();
          expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
          const colour = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
          expect(colour).toBe(colorScheme === 'light' ? 'rgb(255, 255, 255)' : 'rgb(20, 23, 26)');
          await page.locator('nav a[href="#getSession"]').click();
          expect(new URL(page.url()).hash).toBe('#getSession');
          expect([asked, said]).toEqual([[`${server.url}/docs`], []]);
          await page.close();
        }
      } finally {
        await browser.close();
        await rm(folder, { recursive: true, force: true });
      }
    },
  );
});

const mapSchema = z.record(z.string(), z.unknown());
const explainedSchema = z.union([
  z.looseObject({ $ref: z.string() }),
  z.looseObject({ description: z.string().min(1) }),
]);

/** Places of members and parameters that neither have a description nor refer to something that has a place of its own. */
function unexplained(value: unknown, place: string): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => unexplained(item, `${place}/${index}`));
  const map = mapSchema.safeParse(value);
  if (!map.success) return [];
  // Beside a reference, members only narrow what is explained where it leads.
  const { parameters, properties } = '$ref' in map.data ? { ...map.data, properties: {} } : map.data;
  const members = [
    ...Object.entries(mapSchema.catch({}).parse(properties)),
    ...z
      .array(z.looseObject({ name: z.string() }))
      .catch([])
      .parse(parameters)
      .map((parameter) => [parameter.name, parameter] as const),
  ];
  return [
    ...members
      .filter(([, member]) => !explainedSchema.safeParse(member).success)
      .map(([name]) => `${place}/${name}`),
    ...Object.entries(map.data).flatMap(([name, inner]) => unexplained(inner, `${place}/${name}`)),
  ];
}
