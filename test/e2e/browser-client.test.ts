import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type * as client from '@agentapi-proxy/client';
import { chromium } from 'playwright-core';
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { findPart } from '../../tools/src/outside-parts.ts';
import { startServer } from '../support/server-process.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { serveWebPage } from '../support/web-page.ts';
import type { WebPage } from '../support/web-page.ts';
import { start, untilStable } from '../support/wire.ts';

declare global {
  interface Window {
    /** The built client, as the page has loaded it. */
    readonly agentapi: typeof client;
  }
}

const KEY = 'key-of-the-page';
const executablePath = findPart('chromium');
const skip = executablePath === null;

/** Names that the browser resolves to this machine: pages under them are of foreign origins. */
const FOREIGN_HOSTS = ['app.test', 'evil.test'] as const;

/** Servers of all three kinds, a page server and a browser, shared by all tests. */
let folder: string;
let webPage: WebPage;
let open: ServerProcess;
let keyed: ServerProcess;
let listed: ServerProcess;
let browser: BrowserContext;

beforeAll(async () => {
  if (skip) return;
  folder = await mkdtemp(join(tmpdir(), 'agentapi-proxy-browser-'));
  webPage = await serveWebPage();
  const auth = { enabled: true, api_keys: [{ key: KEY, user_id: 'alice', permissions: ['*'] }] };
  const cors = { allowed_origins: [`http://app.test:${webPage.port}`], allow_credentials: true };
  [open, keyed, listed, browser] = await Promise.all([
    startServer(),
    startServer({ config: { auth } }),
    startServer({ config: { auth, cors } }),
    chromium.launchPersistentContext(join(folder, 'profile'), {
      executablePath,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        `--host-resolver-rules=${FOREIGN_HOSTS.map((host) => `MAP ${host} 127.0.0.1`).join(',')}`,
      ],
      env: { ...process.env, HOME: folder },
    }),
  ]);
});
afterAll(async () => {
  if (skip) return;
  await browser.close();
  await Promise.all([open, keyed, listed, webPage].map((each) => each[Symbol.asyncDispose]()));
  await rm(folder, { recursive: true, maxRetries: 3 });
});

/** A page of this host that has loaded the client. */
async function pageOn(host: string): Promise<Page> {
  const page = await browser.newPage();
  await page.goto(`http://${host}:${webPage.port}/`);
  await page.waitForSelector('body[data-state=loaded]');
  return page;
}

/** The members of a search that the web client reads. */
const listSchema = z.object({
  sessions: z.array(
    z.looseObject({ session_id: z.string(), created_at: z.string(), updated_at: z.string() }),
  ),
});

interface Outcome {
  readonly replied: string;
  readonly kinds: readonly string[];
  readonly status: string;
  readonly left: number;
}

/** Start, events, a turn and the end, all of it in the page. */
async function converse(page: Page, baseUrl: string, apiKey?: string): Promise<Outcome> {
  return page.evaluate(
    async ({ baseUrl, apiKey }) => {
      const client = window.agentapi.createClient({ baseUrl, apiKey });
      const session = await client.start({ tags: { from: 'a page' } });
      const kinds: string[] = [];
      const watching = (async () => {
        for await (const event of session.events({ onSessionEnd: 'return' })) kinds.push(event.kind);
      })();
      const turn = await session.sendAndWait('Hello from a page, 世界');
      const { status } = await session.delete();
      await watching;
      const page = await client.search({ tags: { from: 'a page' } });
      return { replied: turn.text.trim(), kinds, status, left: page.sessions.length };
    },
    { baseUrl, apiKey },
  );
}

/** What became of one call of the client in a page: `ok`, or the members of its error. */
async function outcomeOf(
  page: Page,
  call: { readonly baseUrl: string; readonly apiKey?: string; readonly what: 'start' | 'search' | 'status' },
): Promise<Record<string, unknown>> {
  return page.evaluate(async ({ baseUrl, apiKey, what }) => {
    const { createClient, ApiError, ClientError } = window.agentapi;
    const client = createClient({ baseUrl, apiKey });
    try {
      if (what === 'start') await client.start();
      else if (what === 'search') await client.search();
      else await client.session('00000000-0000-4000-8000-000000000000').status();
      return { kind: 'ok' };
    } catch (error) {
      if (error instanceof ApiError) {
        const { kind, status, code, message, requestId } = error;
        return { kind, status, code, message, requestId };
      }
      return { kind: error instanceof ClientError ? error.kind : String(error) };
    }
  }, call);
}

describe.skipIf(skip).concurrent('the client in a page of another origin [needs chromium]', () => {
  test('PX-068, PX-069, PX-071, PX-075: with a key, every preflight passes and a whole conversation works', async () => {
    const page = await pageOn('app.test');
    expect(await converse(page, keyed.url, KEY)).toEqual({
      replied: 'You said: Hello from a page, 世界',
      kinds: expect.arrayContaining(['message_update', 'status_change']),
      status: 'terminated',
      left: 0,
    });
    await page.close();
  });

  test('PX-227: without authentication a page of this machine may do it', async () => {
    const page = await pageOn('localhost');
    expect(await converse(page, open.url)).toMatchObject({
      replied: 'You said: Hello from a page, 世界',
      status: 'terminated',
    });
    await page.close();
  });

  test('PX-227, DF-18: without authentication a foreign page can neither start, nor read, nor send blindly', async () => {
    const page = await pageOn('evil.test');
    await using guarded = await startServer();
    for (const baseUrl of [guarded.url, guarded.url.replace('127.0.0.1', 'localhost')]) {
      for (const what of ['start', 'search', 'status'] as const) {
        const outcome = await outcomeOf(page, { baseUrl, what });
        expect(outcome).not.toMatchObject({ kind: 'ok' });
        expect(['connection', 'forbidden']).toContain(outcome['kind']);
      }
      // What needs no preflight reaches the server, and must be refused there.
      await page.evaluate(async (url) => {
        await fetch(url, { method: 'POST', mode: 'no-cors', body: '{}' });
      }, `${baseUrl}/start`);
    }
    expect((await guarded.client.search()).sessions).toEqual([]);
    await page.close();
  });

  test('PX-227: nor can a page that has pointed its name at the server (DNS rebinding)', async () => {
    const page = await browser.newPage();
    const answer = await page.goto(`http://evil.test:${open.port}/search`);
    expect(answer?.status()).toBe(403);
    expect(await answer?.text()).toContain('host_not_allowed');
    const statuses = await page.evaluate(async () => {
      const answers = await Promise.all([fetch('/search'), fetch('/start', { method: 'POST' })]);
      return answers.map(({ status }) => status);
    });
    expect(statuses).toEqual([403, 403]);
    await page.close();
  });

  test('PX-067, PX-072: a page can read why it is refused: 401 and 404, with the request id', async () => {
    const page = await pageOn('app.test');
    const unauthorized = { kind: 'unauthorized', status: 401, requestId: expect.stringMatching(/./) };
    for (const what of ['search', 'start', 'status'] as const) {
      expect(await outcomeOf(page, { baseUrl: keyed.url, what })).toMatchObject({
        ...unauthorized,
        message: 'API key required',
      });
      expect(await outcomeOf(page, { baseUrl: keyed.url, apiKey: 'wrong', what })).toMatchObject({
        ...unauthorized,
        message: 'Invalid API key',
      });
    }
    expect(await outcomeOf(page, { baseUrl: keyed.url, apiKey: KEY, what: 'status' })).toMatchObject({
      kind: 'not_found',
      status: 404,
      message: 'Session not found',
    });
    await page.close();
  });

  test('PX-073: routes below /profiles can be asked by a page', async () => {
    const page = await pageOn('app.test');
    const status = await page.evaluate(
      async ({ url, key }) => {
        const headers = { 'x-api-key': key, 'content-type': 'application/json' };
        return (await fetch(url, { method: 'PUT', headers, body: '{}' })).status;
      },
      { url: `${keyed.url}/profiles/x`, key: KEY },
    );
    expect(status).toBe(404);
    await page.close();
  });

  test('PX-231, PX-232: the calls of the web client of June 2025 work as they are', async () => {
    const page = await pageOn('app.test');
    const seen = await page.evaluate(
      async ({ url, key }) => {
        // Every request carries all of these, so each is preceded by a preflight.
        const headers = {
          'Content-Type': 'application/json',
          Accept: 'application/json, application/problem+json',
          'X-API-Key': key,
        };
        const call = async (method: string, path: string, body?: unknown) => {
          const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
          const response = await fetch(`${url}${path}`, init);
          const answer: unknown = await response.json();
          return { status: response.status, body: answer };
        };
        const until = async (path: string, accept: (body: string) => boolean) => {
          for (let tries = 0; tries < 200; tries += 1) {
            const { body } = await call('GET', path);
            if (accept(JSON.stringify(body))) return;
            await new Promise((resolve) => setTimeout(resolve, 100));
          }
          throw new Error(`${path} never became what was expected`);
        };
        const started = await call('POST', '/start', {
          environment: { REPOSITORY: 'owner/repo' },
          metadata: { description: 'a session of the web client' },
        });
        const [, id = ''] = /"session_id":"([^"]+)"/.exec(JSON.stringify(started.body)) ?? [];
        const list = await call('GET', '/search?limit=1000');
        await until(`/${id}/status`, (body) => body.includes('"stable"'));
        const sent = await call('POST', `/${id}/message`, { content: '/ask', type: 'user' });
        await until(`/${id}/messages?limit=100`, (body) => body.includes('Do you want to proceed?'));
        const keys = [];
        for (const content of ['\u001b[B', '\r']) {
          keys.push((await call('POST', `/${id}/message`, { content, type: 'raw' })).status);
        }
        await until(`/${id}/messages?limit=100`, (body) => body.includes('You chose: Yes, and'));
        const optional = [(await call('GET', '/agents')).status, (await call('GET', '/health')).status];
        const deleted = await call('DELETE', `/sessions/${id}`);
        return { id, list, sent, keys, optional, deleted };
      },
      { url: keyed.url, key: KEY },
    );
    const row = listSchema.parse(seen.list.body).sessions.find(({ session_id }) => session_id === seen.id);
    expect(row).toMatchObject({ user_id: 'alice', status: 'active', tags: {} });
    for (const time of [row?.created_at, row?.updated_at]) expect(Date.parse(time ?? '')).not.toBeNaN();
    expect(seen.sent).toEqual({ status: 200, body: expect.objectContaining({ ok: true }) });
    expect(seen).toMatchObject({ keys: [200, 200], optional: [404, 200] });
    expect(seen.deleted).toMatchObject({ status: 200, body: { status: 'terminated' } });
    await page.close();
  });

  test('PX-074: a list of origins is honoured, with credentials', async () => {
    const [app, evil] = [await pageOn('app.test'), await pageOn('evil.test')];
    const call = { baseUrl: listed.url, apiKey: KEY };
    expect(await outcomeOf(app, { ...call, what: 'search' })).toEqual({ kind: 'ok' });
    for (const what of ['search', 'start'] as const) {
      expect(await outcomeOf(evil, { ...call, what })).toEqual({ kind: 'connection' });
    }
    const withCredentials = async (page: Page): Promise<number | string> =>
      page.evaluate(
        async ({ url, key }) => {
          const init: RequestInit = { credentials: 'include', headers: { 'x-api-key': key } };
          return fetch(url, init).then(
            ({ status }) => status,
            () => 'refused by the browser',
          );
        },
        { url: `${listed.url}/search`, key: KEY },
      );
    expect(await withCredentials(app)).toBe(200);
    expect(await withCredentials(evil)).toBe('refused by the browser');
    const admin = await listed.request('/search', { headers: { 'x-api-key': KEY } });
    expect(await admin.json()).toEqual({ sessions: [] });
    await Promise.all([app.close(), evil.close()]);
  });
});

describe.skipIf(skip).concurrent('the chat page of a session, behind the proxy [needs chromium]', () => {
  test.each([
    ['desktop', { width: 1280, height: 800 }],
    ['telephone', { width: 360, height: 740 }],
  ])('AA-036: on a %s it shows the conversation and sends messages', async (_name, viewport) => {
    const id = await start(open);
    await untilStable(open, id);
    const page = await browser.newPage();
    const complaints: string[] = [];
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    await page.setViewportSize(viewport);
    await page.goto(`${open.url}/${id}/chat/`);
    expect(new URL(page.url()).pathname).toBe(`/${id}/chat/embed/`);
    await page.getByText('waits for input').waitFor();
    await page.getByText('agentapi-proxy demo agent').waitFor();
    await page.getByLabel('Message', { exact: true }).fill('Hello from the chat page');
    await page.getByRole('button', { name: 'Send' }).click();
    await page.getByText('You said: Hello from the chat page').waitFor();
    await page.getByText('waits for input').waitFor();
    expect(await page.getByLabel('Message', { exact: true }).inputValue()).toBe('');
    // Everything fits: nobody has to scroll sideways.
    const { scrollWidth, innerWidth } = await page.evaluate(() => ({
      scrollWidth: document.documentElement.scrollWidth,
      innerWidth: window.innerWidth,
    }));
    expect(innerWidth).toBe(viewport.width);
    expect(scrollWidth).toBeLessThanOrEqual(innerWidth);
    await page.close();
    // The favicon that browsers ask for by themselves is not there.
    expect(complaints.filter((text) => !text.includes('404'))).toEqual([]);
  });
});
