import type { Page, Request } from 'playwright-core';
import { describe, expect, test, vi } from 'vitest';
import { ANSWER, CHROMIUM, OTHER_HOST, setHidden, sharedBrowser } from '../../support/console.ts';
import { startServer } from '../../support/server-process.ts';
import type { ServerProcess } from '../../support/server-process.ts';

/** Each has a browser, servers and agents to start, on a machine that does so for other tests, too. */
vi.setConfig({ testTimeout: 120_000, hookTimeout: 90_000 });

/** A page that nobody sees waits for some seconds before it closes its streams. */
const PAUSED = { timeout: 20_000, interval: 250 };

const browser = sharedBrowser();

const log = (page: Page) => page.getByRole('log', { name: 'Conversation' });

/** Event streams that the server has open. */
async function streamsOpen(server: ServerProcess): Promise<number> {
  const metrics = await (await server.request('/metrics')).text();
  return Number(/streams_open\{kind="event_stream"\} (\d+)/.exec(metrics)?.[1]);
}

describe.skipIf(CHROMIUM === null)('many tabs [needs chromium]', () => {
  test('a conversation that nobody sees streams nothing, and catches up without a word when somebody looks', async () => {
    await using server = await startServer();
    const session = await server.client.start({ message: 'before' });
    await session.waitUntilReady({ timeoutMs: 60_000 });
    await browser.visit({ server, path: `sessions/${session.id}` }, async ({ page }) => {
      await log(page).getByText('You said: before').waitFor(ANSWER);
      await expect.poll(() => streamsOpen(server)).toBe(2);
      await page.evaluate(() => {
        new MutationObserver(() => {
          if (document.body.innerText.includes('Reconnecting')) document.body.dataset['flash'] = 'yes';
        }).observe(document.body, { subtree: true, childList: true, characterData: true });
      });
      await setHidden(page, true);
      // The list of sessions stays, for notifications.
      await expect.poll(() => streamsOpen(server), PAUSED).toBe(1);
      await session.conversation.queue('meanwhile');
      await expect
        .poll(async () => JSON.stringify(await session.conversation.messages()), ANSWER)
        .toContain('You said: meanwhile');
      await setHidden(page, false);
      await log(page).getByText('You said: meanwhile').waitFor();
      await expect.poll(() => streamsOpen(server)).toBe(2);
      expect(await log(page).getByText('You said: before').count()).toBe(1);
      expect(await log(page).getByText('You said: meanwhile').count()).toBe(1);
      expect(await page.locator('body').getAttribute('data-flash')).toBeNull();
    });
  });

  test('seven conversations side by side are all there, can be written in, and hear what is said', async () => {
    await using server = await startServer();
    const session = await server.client.start({ message: 'before' });
    await session.waitUntilReady({ timeoutMs: 60_000 });
    const page = { server, path: 'licenses.txt', expectStatuses: [404] };
    await browser.visit(page, async ({ context }) => {
      const tabs: Page[] = [];
      for (let count = 0; count < 7; count += 1) {
        const tab = await context.newPage();
        tabs.push(tab);
        await tab.goto(`${server.url}/console/sessions/${session.id}`);
        await log(tab).getByText('You said: before').waitFor(ANSWER);
      }
      for (const tab of [tabs.at(0), tabs.at(-1)]) {
        await tab?.getByLabel('Message to the agent').fill(`from tab ${tabs.length}`);
        await tab?.getByRole('button', { name: /^(?:Send|Queue)$/ }).click();
      }
      await Promise.all(
        tabs.map(async (tab) => await log(tab).getByText('You said: from tab').nth(1).waitFor(ANSWER)),
      );
      // A connection is left for requests.
      await expect.poll(() => streamsOpen(server)).toBeLessThanOrEqual(5);
    });
  });

  test.each([
    ['of this machine', '127.0.0.1'],
    ['of another machine, without HTTPS', OTHER_HOST],
  ])(
    '%s: eight conversations at once are live over one stream, and another tab takes over',
    async (_of, host) => {
      await using server = await startServer({ config: { allowed_hosts: [host] } });
      const url = `http://${host}:${server.port}`;
      const session = await server.client.start({ message: 'before' });
      await session.waitUntilReady({ timeoutMs: 60_000 });
      // A page without the console keeps the window open; it has no icon.
      const page = { server: { url }, path: 'licenses.txt', expectStatuses: [404] };
      await browser.visit(page, async ({ context }) => {
        // On a busy machine two tabs may have one for a moment.
        const overviews = new Set<Request>();
        const errors: string[] = [];
        context.on('request', (request) => {
          if (new URL(request.url()).pathname === '/events') overviews.add(request);
        });
        context.on('requestfinished', (request) => overviews.delete(request));
        context.on('requestfailed', (request) => overviews.delete(request));
        context.on('weberror', (error) => errors.push(error.error().message));
        const tabs: Page[] = [];
        for (let count = 0; count < 8; count += 1) {
          const last = tabs.at(-1);
          if (last !== undefined) await setHidden(last, true);
          const tab = await context.newPage();
          tabs.push(tab);
          await tab.goto(`${url}/console/sessions/${session.id}`);
        }
        for (const tab of tabs) await log(tab).getByText('You said: before').waitFor(ANSWER);
        await expect.poll(() => streamsOpen(server), PAUSED).toBe(2);
        await expect.poll(() => overviews.size).toBe(1);
        for (const tab of tabs.slice(-1)) await setHidden(tab, true);
        for (const [index, tab] of tabs.entries()) {
          await setHidden(tab, false);
          await tab.getByLabel('Message to the agent').fill(`from tab ${index}`);
          await tab.getByRole('button', { name: /^(?:Send|Queue)$/ }).click();
          await log(tab).getByText(`You said: from tab ${index}`).waitFor(ANSWER);
          await setHidden(tab, true);
        }
        await expect.poll(() => overviews.size).toBe(1);
        const [before] = overviews;
        const first = before?.frame().page();
        await first?.close();
        // Nobody says how requests of a closed page end.
        if (before !== undefined) overviews.delete(before);
        await expect.poll(() => overviews.size, PAUSED).toBe(1);
        await expect.poll(() => streamsOpen(server), PAUSED).toBe(1);
        const rest = tabs.filter((tab) => tab !== first);
        await session.conversation.queue('/stream 200');
        // Their conversations rest: the overview tells them.
        await Promise.all(
          rest.map(async (tab) => await tab.getByText('Working', { exact: true }).first().waitFor()),
        );
        await expect.poll(() => overviews.size).toBe(1);
        expect(errors).toEqual([]);
      });
    },
  );
});
