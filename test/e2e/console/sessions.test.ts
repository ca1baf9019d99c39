import { describe, expect, test, vi } from 'vitest';
import type { Page } from 'playwright-core';
import { createClient } from '@agentapi-proxy/client';
import type { Client } from '@agentapi-proxy/client';
import {
  ANSWER,
  CHROMIUM,
  WINDOW_NAMES,
  holdRequest,
  sharedBrowser,
  typeIntoFocus,
} from '../../support/console.ts';
import { ADMIN, ALICE, BOB, authOf } from '../../support/console-people.ts';
import { eventually, lastingPort, startServer } from '../../support/server-process.ts';
import type { ServerProcess } from '../../support/server-process.ts';
import { ServerSeries } from '../../support/server-series.ts';

/** Each has a browser, a server and agents to start, on a machine that does so for other tests, too. */
vi.setConfig({ testTimeout: 120_000 });

let server: ServerProcess;
let alice: Client;
const browser = sharedBrowser(async (own) => {
  server = await own(startServer({ config: { auth: authOf() } }));
  alice = createClient({ baseUrl: server.url, apiKey: ALICE });
});

/** The row of a session in the list. */
const rowOf = (page: Page, title: string) => page.getByRole('listitem').filter({ hasText: title });
const titles = (page: Page): Promise<string[]> => page.locator('.session-link').allInnerTexts();

describe.skipIf(CHROMIUM === null)('the list of sessions [needs chromium]', () => {
  test.each(WINDOW_NAMES)('on a %s: what happens to sessions is seen without asking', async (window) => {
    await using own = await startServer();
    await browser.visit({ server: own, window }, async ({ page, check }) => {
      await page.getByRole('heading', { name: 'No sessions yet' }).waitFor();
      await check();
      const session = await own.client.start({ tags: { team: 'docs' }, message: 'Mend the login test' });
      const row = rowOf(page, 'Mend the login test');
      await row.getByText('Waiting for you').waitFor(ANSWER);
      await row.getByText('demo').waitFor();
      expect(await row.getByRole('button', { name: 'team: docs' }).count()).toBe(1);
      await session.conversation.queue('/think 2');
      await row.getByText('Working').waitFor();
      await row.getByText('Waiting for you').waitFor();
      await session.conversation.queue('/exit');
      await page.getByRole('heading', { name: 'No agent is at work' }).waitFor();
      await check();
      await page.getByRole('button', { name: 'Show ended sessions' }).click();
      await row.getByText('Stopped').waitFor();
      await session.delete();
      await page.getByRole('heading', { name: 'No sessions yet' }).waitFor();
    });
  });

  test.each(WINDOW_NAMES)(
    'on a %s: search and filters are in the address, and come back with it',
    async (window) => {
      const started = await Promise.all([
        alice.start({ tags: { name: 'Upgrade the parser', team: 'core' } }),
        alice.start({ tags: { name: 'Translate the manual', team: 'docs' } }),
        alice.start({ tags: { name: 'Prune the changelog', team: 'docs' } }),
      ]);
      await browser.visit({ server, key: ALICE, window }, async ({ page, where, check }) => {
        await rowOf(page, 'Upgrade the parser').waitFor();
        await page.getByLabel('Sort by').selectOption('title');
        await expect
          .poll(() => titles(page))
          .toEqual(['Prune the changelog', 'Translate the manual', 'Upgrade the parser']);
        await rowOf(page, 'Translate the manual').getByRole('button', { name: 'team: docs' }).click();
        await expect.poll(() => titles(page)).toEqual(['Prune the changelog', 'Translate the manual']);
        await page.getByLabel('Search sessions').fill('MANUAL tran');
        await expect.poll(() => titles(page)).toEqual(['Translate the manual']);
        expect(where()).toBe('/sessions?q=MANUAL+tran&tag=team%3Adocs&sort=title');
        await check();
        await page.reload();
        await rowOf(page, 'Translate the manual').waitFor();
        expect(await titles(page)).toEqual(['Translate the manual']);
        await page.getByRole('button', { name: 'Failed' }).click();
        await page.getByRole('heading', { name: 'No session matches' }).waitFor();
        await page.getByRole('button', { name: 'Clear search and filters' }).click();
        await rowOf(page, 'Upgrade the parser').waitFor();
        await rowOf(page, 'Translate the manual').getByRole('link').click();
        await page.getByRole('heading', { name: 'Translate the manual' }).waitFor();
        await page.goBack();
        await rowOf(page, 'Upgrade the parser').waitFor();
        expect(where()).toBe('/sessions?view=all&sort=title');
      });
      await Promise.all(started.map((session) => session.delete()));
    },
  );

  test('everything can be done with keys', async () => {
    const started = [];
    for (const name of ['first', 'second', 'third']) started.push(await alice.start({ tags: { name } }));
    await browser.visit({ server, key: ALICE, path: 'sessions?sort=created' }, async ({ page, where }) => {
      await rowOf(page, 'third').waitFor();
      expect(await titles(page)).toEqual(['third', 'second', 'first']);
      const focused = (): Promise<string> => page.evaluate(() => document.activeElement?.textContent ?? '');
      await page.keyboard.press('j');
      await expect.poll(focused).toBe('third');
      await page.keyboard.press('j');
      await page.keyboard.press('ArrowDown');
      await expect.poll(focused).toBe('first');
      await page.keyboard.press('k');
      await expect.poll(focused).toBe('second');
      await page.keyboard.press('x');
      await page.getByText('1 session selected').waitFor();
      await page.keyboard.press('Escape');
      await page.getByText('1 session selected').waitFor({ state: 'detached' });
      await page.keyboard.press('?');
      const help = page.getByRole('dialog', { name: 'Keyboard shortcuts' });
      await help.waitFor();
      await page.keyboard.press('j');
      await page.keyboard.press('Escape');
      await help.waitFor({ state: 'detached' });
      await page.keyboard.press('/');
      await typeIntoFocus(page, 'jjj');
      await page.getByRole('heading', { name: 'No session matches' }).waitFor();
      await page.keyboard.press('Escape');
      await page.keyboard.press('Escape');
      await rowOf(page, 'third').waitFor();
      await page.keyboard.press('k');
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { level: 1 }).waitFor();
      await expect.poll(where).toMatch(/^\/sessions\/[0-9a-f-]{36}$/);
    });
    await Promise.all(started.map((session) => session.delete()));
  });

  test.each(WINDOW_NAMES)(
    'on a %s: several sessions are ended at once, and those that could not be are named',
    async (window) => {
      const started = await Promise.all(
        ['Alpha', 'Beta', 'Gamma'].map((name) => alice.start({ tags: { name, run: window } })),
      );
      const [, beta] = started;
      await browser.visit(
        { server, key: ALICE, window, path: `sessions?tag=run:${window}`, expectBrokenConnections: true },
        async ({ page, check }) => {
          await rowOf(page, 'Gamma').waitFor();
          // The way to the server breaks for one of them.
          await page.route(`**/sessions/${beta?.id}`, async (route) =>
            route.request().method() === 'DELETE' ? await route.abort() : await route.continue(),
          );
          await page.getByLabel('Select all of yours that are shown').check();
          await page.getByText('3 sessions selected').waitFor();
          await page.getByRole('button', { name: 'End …' }).click();
          const dialog = page.getByRole('dialog', { name: 'End and remove 3 sessions?' });
          await dialog.getByText('Beta').waitFor();
          await check();
          await dialog.getByRole('button', { name: 'End 3 sessions' }).click();
          await page.getByText('1 of 3 sessions could not be removed.').waitFor();
          const rest = page.getByRole('dialog', { name: 'End and remove this session?' });
          await rest.getByText('The server cannot be reached.').waitFor();
          expect(await rest.getByRole('listitem').allInnerTexts()).toEqual([expect.stringContaining('Beta')]);
          await check();
          await page.unroute(`**/sessions/${beta?.id}`);
          await rest.getByRole('button', { name: 'Try again' }).click();
          await rest.waitFor({ state: 'detached' });
          await page.getByRole('heading', { name: /No session matches|No sessions yet/ }).waitFor();
        },
      );
      const left = await alice.search({ state: 'all', tags: { run: window } });
      expect(left.sessions).toEqual([]);
    },
  );

  test('whoever does not wait for the end of a session is not called back by it', async () => {
    const { id } = await alice.start({ tags: { name: 'Ends slowly' } });
    const path = `sessions/${id}`;
    await browser.visit({ server, key: ALICE, path, expectStatuses: [404] }, async ({ page, where }) => {
      const held = await holdRequest(page, 'DELETE', /^\/sessions\//);
      await page.getByRole('button', { name: 'More actions' }).click();
      await page.getByRole('menuitem', { name: 'End session …' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByRole('button', { name: 'End session' }).click();
      await held.asked;
      await page.keyboard.press('Escape');
      await dialog.waitFor({ state: 'detached' });
      await page.getByRole('link', { name: 'New session' }).click();
      await page.getByLabel('What should the agent do?').fill('a long thought');
      held.release();
      await page.getByText('1 session removed.').waitFor();
      expect(where()).toBe('/sessions/new');
      expect(await page.getByLabel('What should the agent do?').inputValue()).toBe('a long thought');
    });
  });

  test('people see their own sessions, admins those of everybody', async () => {
    const bob = createClient({ baseUrl: server.url, apiKey: BOB });
    const session = await bob.start({ tags: { name: 'Bob’s experiment' } });
    const own = await createClient({ baseUrl: server.url, apiKey: ADMIN }).start({
      tags: { name: 'Upkeep' },
    });
    await browser.visit({ server, key: ALICE, path: 'sessions?view=all' }, async ({ page }) => {
      await page.getByRole('heading', { name: 'Sessions', exact: true }).waitFor();
      await page.getByRole('heading', { name: 'No sessions yet' }).waitFor();
      expect(await rowOf(page, 'Bob’s experiment').count()).toBe(0);
    });
    await browser.visit({ server, key: ADMIN }, async ({ page }) => {
      await rowOf(page, 'Bob’s experiment').getByText('bob', { exact: true }).waitFor();
      await page.getByLabel('Owner').selectOption('bob');
      await rowOf(page, 'Upkeep').waitFor({ state: 'detached' });
      await rowOf(page, 'Bob’s experiment').getByRole('checkbox').check();
      await page.getByText('1 session selected').waitFor();
    });
    await Promise.all([session.delete(), own.delete()]);
  });

  test.each(WINDOW_NAMES)('on a %s: hostile texts are texts', async (window) => {
    const hostile = '"><img src=x onerror=document.title=1><script>alert(1)</script>';
    const session = await alice.start({
      tags: {
        name: `${hostile} \u202e evil ${'W'.repeat(3_000)}`,
        repository: '',
        [`<b>${'k'.repeat(80)}`]: `${hostile}${'y'.repeat(2_000)}`,
        '{{constructor}}': '\u0000\u0007\u2028'.replaceAll('\u0000', ''),
      },
    });
    await browser.visit({ server, key: ALICE, window }, async ({ page, check, goto }) => {
      await rowOf(page, '<script>alert(1)</script>').waitFor();
      await check();
      await goto(`sessions/${session.id}`);
      await page.getByRole('heading', { level: 1 }).getByText('<script>alert(1)</script>').waitFor();
      await check();
      expect(await page.title()).toContain('<script>alert(1)</script>');
    });
    await session.delete();
  });

  test('the server goes away and comes back: the page says so, and recovers by itself', async () => {
    await using series = await ServerSeries.start({ config: { port: await lastingPort() } });
    const first = series.server;
    await first.client.start({ tags: { name: 'Before' } });
    await browser.visit({ server: first, expectBrokenConnections: true }, async ({ page }) => {
      await rowOf(page, 'Before').getByText('Waiting for you').waitFor(ANSWER);
      await series.crash();
      await page.getByText('Reconnecting …').waitFor();
      await rowOf(page, 'Before').waitFor();
      const second = await series.next();
      await page.getByText('Reconnecting …').waitFor({ state: 'detached', timeout: 30_000 });
      await second.client.start({ tags: { name: 'After' } });
      await rowOf(page, 'After').getByText('Waiting for you').waitFor(ANSWER);
      await rowOf(page, 'Before').getByText('Waiting for you').waitFor();
      expect(await page.locator('.session-row').count()).toBe(2);
    });
  });

  test('500 sessions: few rows exist at a time, and every one can be reached', async () => {
    const agents = { broken: { type: 'custom', command: '/nonexistent/program' } };
    await using own = await startServer({
      config: { agents, limits: { starts_per_minute: 0, sessions_per_user: 0 } },
    });
    for (let at = 0; at < 500; at += 20) {
      const names = Array.from({ length: 20 }, (_none, index) => `Session number ${at + index}.`);
      await Promise.all(names.map((name) => own.client.start({ agent: 'broken', tags: { name } })));
    }
    await eventually(
      'all have failed',
      async () => {
        const { sessions } = await own.client.search({ state: 'failed', limit: 1_000 });
        return sessions.length === 500;
      },
      60_000,
    );
    await browser.visit(
      { server: own, path: 'sessions?view=failed&sort=created' },
      async ({ page, check }) => {
        await page.getByText('500 sessions').waitFor();
        await rowOf(page, 'Session number 49').first().waitFor();
        expect(await page.locator('.session-row').count()).toBeLessThan(80);
        await page.keyboard.press('j');
        await page
          .locator('.layout-main')
          .evaluate((scroller) => scroller.scrollTo(0, scroller.scrollHeight));
        await rowOf(page, /Session number 0$/.source.slice(0, 16))
          .first()
          .waitFor();
        expect(await page.locator('.session-row').last().getAttribute('aria-posinset')).toBe('500');
        // With the dot, as ids are found by how they begin, and some begin with 123.
        await page.getByLabel('Search sessions').fill('number 123.');
        await expect.poll(() => titles(page)).toEqual(['Session number 123.']);
        await check();
      },
    );
  }, 120_000);
});
