import { createClient } from '@agentapi-proxy/client';
import type { Page } from 'playwright-core';
import { describe, expect, test, vi } from 'vitest';
import { ANSWER, CHROMIUM, WINDOW_NAMES, setHidden, sharedBrowser } from '../../support/console.ts';
import { ADMIN, ALICE, BOB, READER, authOf } from '../../support/console-people.ts';
import { startPrefixProxy } from '../../support/prefix-proxy.ts';
import { lastingPort, startServer } from '../../support/server-process.ts';
import { ServerSeries } from '../../support/server-series.ts';

/** Each has a browser, servers and agents to start, on a machine that does so for other tests, too. */
vi.setConfig({ testTimeout: 120_000, hookTimeout: 90_000 });

const browser = sharedBrowser();

const log = (page: Page) => page.getByRole('log', { name: 'Conversation' });
const box = (page: Page) => page.getByLabel('Message to the agent');
const row = (page: Page, title: string) => page.getByRole('listitem').filter({ hasText: title });

describe.skipIf(CHROMIUM === null)('a server that crashes [needs chromium]', () => {
  test.each(WINDOW_NAMES)(
    'on a %s: while agents answer, list and conversation go on, and nothing is lost or doubled',
    async (window) => {
      await using series = await ServerSeries.start({ config: { port: await lastingPort() } });
      const { client } = series.server;
      const [talking, other] = await Promise.all([
        client.start({ tags: { name: 'Talks on' } }),
        client.start({ tags: { name: 'Ends meanwhile' } }),
      ]);
      await Promise.all([talking, other].map((each) => each.waitUntilReady({ timeoutMs: 60_000 })));
      const options = { server: series.server, window, expectBrokenConnections: true };
      await browser.visit({ ...options, path: 'sessions?view=all' }, async ({ page: list, context }) => {
        await row(list, 'Talks on').getByText('Waiting for you').waitFor();
        const page = await context.newPage();
        await page.goto(`${series.server.url}/console/sessions/${talking.id}`);
        await box(page).fill('/stream 60');
        await page.getByRole('button', { name: /^(?:Send|Queue)$/ }).click();
        await log(page).getByText('Line 3 of 60').waitFor();
        await row(list, 'Talks on').getByText('Working').waitFor();
        await series.crash();
        await list.getByText('Reconnecting …').waitFor();
        await series.next();
        await series.server.client.session(other.id).delete();
        await log(page).getByText('Line 60 of 60').waitFor({ timeout: 45_000 });
        const text = await log(page).innerText();
        const lines = [...text.matchAll(/Line (\d+) of 60/g)].map(([, line]) => Number(line));
        expect(lines).toEqual(Array.from({ length: 60 }, (_none, index) => index + 1));
        await row(list, 'Talks on').getByText('Waiting for you').waitFor({ timeout: 45_000 });
        await row(list, 'Ends meanwhile').waitFor({ state: 'detached' });
        await expect.poll(() => list.getByText('Reconnecting …').count()).toBe(0);
        expect(await list.locator('.session-row').count()).toBe(1);
      });
    },
  );
});

describe.skipIf(CHROMIUM === null)('a server that cannot be reached for a moment [needs chromium]', () => {
  test('what a page could not read of a session comes by itself, and the conversation goes on meanwhile', async () => {
    await using server = await startServer();
    const session = await server.client.start({ tags: { name: 'Patience' } });
    await session.waitUntilReady({ timeoutMs: 60_000 });
    const record = `${server.url}/sessions/${session.id}`;
    // Its questions are asked for until it is known that it has ended.
    const options = { server, expectBrokenConnections: true, expectStatuses: [404] };
    await browser.visit(options, async ({ page, goto }) => {
      await row(page, 'Patience').waitFor();
      await page.route(record, async (route) => await route.abort());
      await goto(`sessions/${session.id}/details`);
      const notice = page.getByRole('alert').filter({ hasText: 'The session could not be loaded.' });
      await notice.waitFor();
      await page.getByRole('link', { name: 'Terminal' }).click();
      await notice.waitFor();
      await page.unroute(record);
      await page.locator('.xterm').first().waitFor();
      await page.getByRole('link', { name: 'Details' }).click();
      await page.getByText('Address of the agent').waitFor();
      await page.getByRole('link', { name: 'Conversation' }).click();
      await page.locator('.status-line').getByText('Waiting for you').waitFor();
      await page.route(record, async (route) => await route.abort());
      await box(page).fill('/exit 3');
      await page.getByRole('button', { name: 'Send' }).click();
      await page.locator('.status-line').getByText('This session has ended').waitFor();
      expect(await page.getByText('The conversation cannot be followed any more.').count()).toBe(0);
      await page.unroute(record);
      await page.locator('.status-line').getByText('exited with code 3').waitFor();
    });
  });

  test('a terminal that somebody comes back to meanwhile says that it may be old', async () => {
    await using server = await startServer();
    const session = await server.client.start();
    await session.waitUntilReady({ timeoutMs: 60_000 });
    const path = `sessions/${session.id}/terminal`;
    await browser.visit({ server, path, expectBrokenConnections: true }, async ({ page }) => {
      const state = page.getByRole('region', { name: 'Terminal', exact: true });
      await page.clock.install();
      await page.reload();
      await state.getByText('Live', { exact: true }).waitFor();
      await setHidden(page, true);
      const closed = page.waitForEvent('requestfailed', (request) => request.url().endsWith('/terminal'));
      // A page that nobody sees keeps its streams for some seconds.
      await page.clock.fastForward('00:10');
      await closed;
      await page.route(`**/${session.id}/**`, async (route) => await route.abort());
      await setHidden(page, false);
      await state.getByText('Reconnecting', { exact: true }).waitFor();
      expect(await state.getByText('Live', { exact: true }).count()).toBe(0);
      await page.unroute(`**/${session.id}/**`);
      await state.getByText('Live', { exact: true }).waitFor();
    });
  });
});

describe.skipIf(CHROMIUM === null)('keys that let people do less [needs chromium]', () => {
  test('a key that is revoked while somebody writes: the page asks for another, and keeps what was written', async () => {
    await using server = await startServer({ config: { auth: authOf() } });
    const root = createClient({ baseUrl: server.url, apiKey: ADMIN });
    const issued = await root.apiKeys.create({ user_id: 'alice', role: 'user', name: 'Laptop' });
    const alice = createClient({ baseUrl: server.url, apiKey: ALICE });
    const session = await alice.start({ message: 'before' });
    const path = `sessions/${session.id}`;
    await browser.visit({ server, key: issued.key, path, expectStatuses: [401] }, async ({ page, where }) => {
      await log(page).getByText('You said: before').waitFor(ANSWER);
      await box(page).fill('a long thought');
      await root.apiKeys.revoke(issued.id);
      // Its streams end at once, so nobody has to find out by trying.
      await page.getByRole('heading', { name: 'Sign in to agentapi-proxy' }).waitFor();
      await page.getByLabel('API key').fill(ALICE);
      await page.keyboard.press('Enter');
      await log(page).getByText('You said: before').waitFor();
      expect(where()).toBe(`/${path}`);
      expect(await box(page).inputValue()).toBe('a long thought');
    });
  });

  test('a key that is revoked while somebody fills in a form: whoever it was finds it as it was, others do not', async () => {
    await using server = await startServer({ config: { auth: authOf() } });
    const root = createClient({ baseUrl: server.url, apiKey: ADMIN });
    const alice = createClient({ baseUrl: server.url, apiKey: ALICE });
    const { profile } = await alice.profiles.create({ name: 'Reviews', system_prompt: 'Be brief.' });
    const fillIn = async (path: string, label: string, next: string, text: string): Promise<void> => {
      const issued = await root.apiKeys.create({ user_id: 'alice', role: 'user', name: 'Laptop' });
      await browser.visit(
        { server, key: issued.key, path, expectStatuses: [401] },
        async ({ page, where }) => {
          await page.getByLabel(label).fill('a long thought');
          await root.apiKeys.revoke(issued.id);
          await page.getByLabel('API key').fill(next);
          await page.keyboard.press('Enter');
          await expect.poll(() => page.getByLabel(label).inputValue()).toBe(text);
          expect(where()).toBe(`/${path}`);
          expect(await page.evaluate(() => JSON.stringify([localStorage, sessionStorage]))).not.toContain(
            'a long thought',
          );
        },
      );
    };
    const message = 'What should the agent do?';
    await fillIn('sessions/new?title=Linked', message, ALICE, 'a long thought');
    await fillIn('sessions/new?title=Linked', message, BOB, '');
    await fillIn(`profiles/${profile.id}`, 'System prompt', ALICE, 'a long thought');
  });

  test.each(WINDOW_NAMES)(
    'on a %s: a readonly key is offered nothing that changes something',
    async (window) => {
      await using server = await startServer({ config: { auth: authOf() } });
      const alice = createClient({ baseUrl: server.url, apiKey: ALICE });
      const session = await alice.start({ tags: { name: 'Shared' }, message: 'Hello' });
      await session.waitUntilReady({ timeoutMs: 60_000 });
      await session.shares.grant({ user_id: 'rita', access: 'read' });
      const options = { server, key: READER, window, expectStatuses: [403, 409] };
      await browser.visit(options, async ({ page, goto, check }) => {
        const methods = new Set<string>();
        page.on('request', (request) => methods.add(request.method()));
        await row(page, 'Shared').waitFor();
        expect(await page.getByRole('link', { name: 'New session' }).count()).toBe(0);
        expect(await page.getByRole('checkbox').count()).toBe(0);
        await check();
        await page.keyboard.press('n');
        await row(page, 'Shared').getByRole('link').click();
        await page.getByRole('heading', { name: 'You may see this session in the list only' }).waitFor();
        for (const name of ['Send', 'Queue', 'Attach files', 'Interrupt', 'Resume']) {
          expect(await page.getByRole('button', { name, exact: true }).count()).toBe(0);
        }
        await page.getByRole('button', { name: 'More actions' }).click();
        await page.getByRole('menu').waitFor();
        expect(await page.getByRole('menuitem', { name: /Share|End|Remove/ }).count()).toBe(0);
        await page.keyboard.press('Escape');
        await check();
        await goto('profiles');
        await page.getByRole('heading', { name: 'There are no profiles yet' }).waitFor();
        expect(await page.getByRole('link', { name: 'New profile' }).count()).toBe(0);
        for (const forbidden of ['sessions/new', 'profiles/new', 'keys', 'admin']) {
          await goto(forbidden);
          await page.getByRole('heading', { name: 'You may not see this page' }).waitFor();
        }
        expect([...methods]).toEqual(['GET']);
      });
    },
  );
});

describe.skipIf(CHROMIUM === null)('a server below a path [needs chromium]', () => {
  test.each(WINDOW_NAMES)(
    'on a %s: signing in, deep links, files, streams and agents work',
    async (window) => {
      await using server = await startServer({
        config: { auth: authOf(), trusted_proxies: ['127.0.0.1'] },
      });
      await using proxy = await startPrefixProxy(server.port, '/team/agents');
      const alice = createClient({ baseUrl: server.url, apiKey: ALICE });
      const session = await alice.start({ tags: { name: 'Far away' }, message: 'Hello' });
      const path = `sessions/${session.id}/details`;
      await browser.visit(
        // What the pages of the session show is gone at the end, with the session.
        { server: proxy, window, path, expectStatuses: [401, 404] },
        async ({ page, context, where }) => {
          const missing: string[] = [];
          context.on('response', (response) => {
            if (response.status() === 404) missing.push(new URL(response.url()).pathname);
          });
          await page.getByLabel('API key').fill(ALICE);
          await page.getByLabel('Remember me on this device').check();
          await page.getByRole('button', { name: 'Sign in' }).click();
          await page.getByText(`${proxy.url}/${session.id}/message`).first().waitFor();
          expect(where()).toBe(`/${path}`);
          await page.getByRole('link', { name: 'Conversation' }).click();
          await log(page).getByText('You said: Hello').waitFor(ANSWER);
          await box(page).fill('through the proxy');
          await page.getByRole('button', { name: /^(?:Send|Queue)$/ }).click();
          await log(page).getByText('You said: through the proxy').waitFor(ANSWER);
          await page.getByRole('link', { name: 'Terminal' }).click();
          await page.locator('.xterm').first().waitFor();
          await page.reload();
          await page.locator('.xterm').first().waitFor();
          expect(where()).toBe(`/sessions/${session.id}/terminal`);
          // A second tab has the cookie, and the list hears of what happens.
          const second = await context.newPage();
          await second.goto(`${proxy.url}/`);
          await row(second, 'Far away').getByText('Waiting for you').waitFor();
          expect(new URL(second.url()).pathname).toBe('/team/agents/console/sessions');
          expect(missing).toEqual([]);
          await session.delete();
          await row(second, 'Far away').waitFor({ state: 'detached' });
        },
      );
      expect(proxy.strays.filter((stray) => stray !== '/favicon.ico')).toEqual([]);
    },
  );
});
