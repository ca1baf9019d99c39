import { createClient } from '@agentapi-proxy/client';
import type { Page } from 'playwright-core';
import { describe, expect, test, vi } from 'vitest';
import { CHROMIUM, OTHER_HOST, sharedBrowser, typeIntoFocus } from '../../support/console.ts';
import { settled } from '../../support/console-pages.ts';
import { ADMIN, authOf } from '../../support/console-people.ts';
import { startServer } from '../../support/server-process.ts';
import type { ServerProcess } from '../../support/server-process.ts';

/** Each has a browser, a server and agents to start, on a machine that does so for other tests, too. */
vi.setConfig({ testTimeout: 120_000, hookTimeout: 90_000 });

let server: ServerProcess;
const browser = sharedBrowser(async (own) => {
  server = await own(startServer({ config: { auth: authOf() } }));
});

/** What has the focus, and whether one sees that. */
async function focus(page: Page): Promise<{ readonly name: string; readonly isSeen: boolean }> {
  return await page.evaluate(() => {
    const element = document.activeElement;
    if (!(element instanceof HTMLElement) || element === document.body) return { name: '', isSeen: true };
    // Some draw it on what stands around them.
    const looks = [element, element.parentElement, element.closest('.composer, .xterm, label')].map((each) =>
      each === null
        ? ''
        : JSON.stringify([getComputedStyle(each).outlineStyle, getComputedStyle(each).boxShadow]),
    );
    const { width, height } = element.getBoundingClientRect();
    return {
      name: element.getAttribute('aria-label') ?? (element.textContent.trim() || element.tagName),
      isSeen: looks.some((look) => /"(?:solid|auto|dashed)"|rgb/.test(look)) && width > 0 && height > 0,
    };
  });
}

const focusedId = (page: Page): Promise<string | undefined> =>
  page.evaluate(() => document.activeElement?.id);

/** Presses Tab until it is there. */
async function tabTo(page: Page, name: string | RegExp, key = 'Tab'): Promise<void> {
  const passed: string[] = [];
  for (let presses = 0; presses < 60; presses += 1) {
    await page.keyboard.press(key);
    const at = await focus(page);
    expect(at).toEqual({ name: at.name, isSeen: true });
    if (typeof name === 'string' ? at.name === name : name.test(at.name)) return;
    passed.push(at.name);
  }
  throw new Error(`the keyboard does not get to ${String(name)}, but to ${passed.join(' | ')}`);
}

describe.skipIf(CHROMIUM === null)('the console by keyboard alone [needs chromium]', () => {
  test('from signing in to an answer of an agent and back, without a mouse', async () => {
    // Its details may be asked for once more while the session goes.
    const expectStatuses = [401, 404];
    await browser.visit({ server, expectStatuses }, async ({ page, where }) => {
      await page.getByLabel('API key').waitFor();
      await typeIntoFocus(page, ADMIN);
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: 'No sessions yet' }).waitFor();
      expect(await focusedId(page)).toBe('main');

      await page.keyboard.press('n');
      await page.getByLabel('What should the agent do?').waitFor();
      await expect.poll(where).toBe('/sessions/new');
      // It has the focus already.
      await typeIntoFocus(page, 'Hello keyboard');
      await page.keyboard.press('Control+Enter');
      const log = page.getByRole('log', { name: 'Conversation' });
      await log.getByText('You said: Hello keyboard').waitFor({ timeout: 60_000 });

      await tabTo(page, 'Message to the agent');
      await page.keyboard.type('and again');
      await page.keyboard.press('Enter');
      await log.getByText('You said: and again').waitFor();

      await tabTo(page, 'Details', 'Shift+Tab');
      await page.keyboard.press('Enter');
      await expect.poll(where).toMatch(/\/details$/);

      await tabTo(page, 'More actions', 'Shift+Tab');
      await page.keyboard.press('Enter');
      await page.getByRole('menu').waitFor();
      await page.keyboard.press('End');
      expect((await focus(page)).name).toBe('End session …');
      await page.keyboard.press('Enter');
      const dialog = page.getByRole('dialog', { name: 'End and remove this session?' });
      await dialog.waitFor();
      await tabTo(page, /^End session|^End and remove|^End 1 session|^End$/);
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: 'No sessions yet' }).waitFor();
    });
  });

  test('the first Tab offers a way past the navigation', async () => {
    await browser.visit({ server, key: ADMIN }, async ({ page }) => {
      await page.getByRole('heading', { name: 'Sessions', exact: true }).waitFor();
      await page.keyboard.press('Tab');
      expect(await focus(page)).toEqual({ name: 'Skip to content', isSeen: true });
      await page.keyboard.press('Enter');
      expect(await focusedId(page)).toBe('main');
    });
  });

  test('a link of the navigation leads into the page, and a field that a page begins with has the focus', async () => {
    await browser.visit({ server, key: ADMIN }, async ({ page }) => {
      await page.getByRole('heading', { name: 'No sessions yet' }).waitFor();
      for (const name of ['Profiles', 'Sessions', 'Profiles']) {
        await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name, exact: true }).focus();
        await page.keyboard.press('Enter');
        await page.getByRole('heading', { name, exact: true }).waitFor();
        expect(await focusedId(page)).toBe('main');
      }
      // The first time its code is fetched, the second time it is there at once.
      for (const _time of [1, 2]) {
        await page.keyboard.press('n');
        await typeIntoFocus(page, 'Hello');
        expect(await page.getByLabel('What should the agent do?').inputValue()).toBe('Hello');
        await page.goBack();
        await page.getByRole('heading', { name: 'Profiles', exact: true }).waitFor();
      }
    });
  });

  test('copying leaves the focus where it is, also without HTTPS', async () => {
    await using own = await startServer({ config: { allowed_hosts: [OTHER_HOST] } });
    const { id } = await own.client.start();
    const path = `sessions/${id}/details`;
    const elsewhere = { url: `http://${OTHER_HOST}:${own.port}` };
    await browser.visit({ server: elsewhere, path }, async ({ page }) => {
      const copy = page.getByRole('button', { name: 'Copy the id' });
      await copy.focus();
      await page.keyboard.press('Enter');
      await page.getByRole('status').filter({ hasText: 'Copied' }).waitFor({ state: 'attached' });
      expect(await copy.evaluate((button) => button === document.activeElement)).toBe(true);
    });
  });

  test('dialogs keep the focus, Escape closes them, and the focus is back where it was', async () => {
    const client = createClient({ baseUrl: server.url, apiKey: ADMIN });
    const session = await client.start({ tags: { name: 'Kept' } });
    await browser.visit({ server, key: ADMIN, path: `sessions/${session.id}` }, async ({ page, goto }) => {
      const opened = async (opener: string, open: () => Promise<void>): Promise<void> => {
        await open();
        const dialog = page.getByRole('dialog');
        await dialog.waitFor();
        await settled(page);
        for (const key of ['Tab', 'Shift+Tab']) {
          for (let presses = 0; presses < 12; presses += 1) {
            await page.keyboard.press(key);
            // Between the last and the first element browsers visit themselves.
            const isInside = await page.evaluate(
              () =>
                document.activeElement === document.body ||
                document.activeElement?.closest('dialog') !== null,
            );
            expect(isInside).toBe(true);
          }
        }
        await page.keyboard.press('Escape');
        await dialog.waitFor({ state: 'detached' });
        await expect.poll(async () => (await focus(page)).name).toBe(opener);
      };
      const menuItem = (name: string) => async () => {
        await page.getByRole('button', { name: 'More actions' }).focus();
        await page.keyboard.press('Enter');
        await page.getByRole('menuitem', { name }).focus();
        await page.keyboard.press('Enter');
      };
      await page.getByRole('button', { name: 'More actions' }).waitFor();
      await opened('More actions', menuItem('Share …'));
      await opened('More actions', menuItem('End session …'));
      await goto('keys');
      await page.getByRole('button', { name: 'New key' }).first().waitFor();
      await opened('New key', async () => {
        await page.getByRole('button', { name: 'New key' }).first().focus();
        await page.keyboard.press('Enter');
      });
    });
    await session.delete();
  });

  test('menus are walked through with arrows, and closed with Escape', async () => {
    await browser.visit({ server, key: ADMIN }, async ({ page }) => {
      await page.getByRole('heading', { name: 'Sessions', exact: true }).waitFor();
      const button = page.getByRole('button', { name: 'Account and settings' });
      const name = (await button.getAttribute('aria-label')) ?? '';
      await button.focus();
      await page.keyboard.press('Enter');
      await page.getByRole('menu').waitFor();
      const first = (await focus(page)).name;
      await page.keyboard.press('ArrowDown');
      expect((await focus(page)).name).not.toBe(first);
      await page.keyboard.press('ArrowUp');
      expect((await focus(page)).name).toBe(first);
      await page.keyboard.press('Escape');
      await page.getByRole('menu').waitFor({ state: 'detached' });
      expect((await focus(page)).name).toBe(name);
    });
  });
});
