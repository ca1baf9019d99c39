import type { Page } from 'playwright-core';
import { describe, expect, test, vi } from 'vitest';
import { CHROMIUM, WINDOW_NAMES, sharedBrowser } from '../../support/console.ts';
import { startServer } from '../../support/server-process.ts';
import type { ServerProcess } from '../../support/server-process.ts';

/** Each has a browser, a server and agents to start, on a machine that does so for other tests, too. */
vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 });

/** For what agents and servers do meanwhile. */
const SOON = { timeout: 20_000 } as const;

let server: ServerProcess;
const browser = sharedBrowser(async (own) => {
  server = await own(startServer());
});

/** Notes what the page shows and plays; a browser without a screen shows nothing. */
async function listen(page: Page, permission: 'granted' | 'denied' = 'granted'): Promise<void> {
  await page.addInitScript((answer) => {
    const notes = { shown: [] as string[], sounds: 0 };
    Object.assign(window, { notes });
    class Shown extends EventTarget {
      static permission = answer;
      static requestPermission = async (): Promise<string> => await Promise.resolve(answer);
      constructor(title: string) {
        super();
        notes.shown.push(title);
      }
      close(): void {
        notes.shown.push('closed');
      }
    }
    class Silent extends AudioContext {
      constructor() {
        super();
        notes.sounds += 1;
      }
    }
    Object.assign(window, { Notification: Shown, AudioContext: Silent });
  }, permission);
  await page.reload();
}

const notes = async (page: Page): Promise<unknown> => await page.evaluate(() => Reflect.get(window, 'notes'));
const choose = async (page: Page, item: string): Promise<void> => {
  await page.getByRole('button', { name: 'Settings' }).click();
  await page.getByRole('menu').getByText(item).click();
};

describe.skipIf(CHROMIUM === null)('an agent that finishes while nobody looks [needs chromium]', () => {
  test('counts in the title, and neither shows nor plays anything unless somebody wants it', async () => {
    const session = await server.client.start({ tags: { name: 'Upgrade' } });
    await session.waitUntilReady({ timeoutMs: 60_000 });
    await browser.visit({ server }, async ({ page }) => {
      await listen(page);
      const row = page.getByRole('listitem').filter({ hasText: 'Upgrade' });
      await row.getByText('Waiting for you').waitFor();
      expect(await page.title()).toBe('Sessions · agentapi-proxy');
      await session.conversation.queue('/think 1');
      await row.getByText('Working').waitFor();
      await expect.poll(() => page.title(), SOON).toBe('(1) Sessions · agentapi-proxy');
      expect(await notes(page)).toEqual({ shown: [], sounds: 0 });
      await row.getByRole('link').click();
      await expect.poll(() => page.title(), SOON).toBe('Upgrade · agentapi-proxy');
    });
    await session.delete();
  });

  test('is shown and heard by those who asked for it, until they have looked', async () => {
    const session = await server.client.start({ tags: { name: 'Translate' } });
    await session.waitUntilReady({ timeoutMs: 60_000 });
    await browser.visit({ server }, async ({ page }) => {
      await listen(page);
      const row = page.getByRole('listitem').filter({ hasText: 'Translate' });
      await row.getByText('Waiting for you').waitFor();
      await choose(page, 'Notify me when an agent waits');
      await choose(page, 'Play a sound, too');
      await page.reload();
      await row.getByText('Waiting for you').waitFor();
      await session.conversation.queue('/think 1');
      await row.getByText('Working').waitFor();
      await expect.poll(() => notes(page), SOON).toEqual({ shown: ['Translate waits for you'], sounds: 1 });
      await row.getByRole('link').click();
      await expect
        .poll(() => notes(page), SOON)
        .toEqual({ shown: ['Translate waits for you', 'closed'], sounds: 1 });
    });
    await session.delete();
  });

  test('is told by one of several tabs, and by none while somebody looks at it in another', async () => {
    const session = await server.client.start({ tags: { name: 'Compare' } });
    await session.waitUntilReady({ timeoutMs: 60_000 });
    await browser.visit({ server, path: `sessions/${session.id}` }, async ({ page, context }) => {
      const list = await context.newPage();
      await list.goto(`${server.url}/console/sessions`);
      for (const tab of [page, list]) await listen(tab);
      const row = list.getByRole('listitem').filter({ hasText: 'Compare' });
      const header = page.locator('.session-header');
      const both = async (status: string): Promise<void> => {
        await Promise.all([row, header].map((place) => place.getByText(status).waitFor(SOON)));
      };
      await both('Waiting for you');
      await choose(list, 'Notify me when an agent waits');
      // Both tabs were there before that was chosen.
      await choose(page, 'Play a sound, too');
      await choose(page, 'Dark theme');
      await expect.poll(() => list.locator('html').getAttribute('data-theme')).toBe('dark');
      await session.conversation.queue('/think 1');
      await both('Working');
      await both('Waiting for you');
      await page
        .getByRole('link', { name: /^Sessions/ })
        .first()
        .click();
      await session.conversation.queue('/think 1');
      for (const tab of [page, list])
        await expect.poll(() => tab.title(), SOON).toBe('(1) Sessions · agentapi-proxy');
      const all = await Promise.all([page, list].map(notes));
      expect(all).toContainEqual({ shown: ['Compare waits for you'], sounds: 1 });
      expect(all).toContainEqual({ shown: [], sounds: 0 });
      await row.getByRole('link').click();
      // Seen in one tab is seen in all.
      await expect.poll(() => page.title()).toBe('Sessions · agentapi-proxy');
    });
    await session.delete();
  });

  test('when the browser does not allow notifications, that is said, and the choice stays off', async () => {
    await browser.visit({ server }, async ({ page }) => {
      await listen(page, 'denied');
      await choose(page, 'Notify me when an agent waits');
      await page
        .getByRole('alert')
        .or(page.getByRole('status'))
        .filter({ hasText: /notification/i })
        .first()
        .waitFor();
      await page.getByRole('button', { name: 'Settings' }).click();
      const item = page
        .getByRole('menu')
        .getByRole('menuitemcheckbox', { name: 'Notify me when an agent waits' });
      expect(
        await item.or(page.getByRole('menuitemradio', { name: /^Notify/ })).getAttribute('aria-checked'),
      ).toBe('false');
    });
  });
});

describe.skipIf(CHROMIUM === null)('the header of a session [needs chromium]', () => {
  test.each(WINDOW_NAMES)(
    'on a %s: interrupts the agent on any part of the page, and resumes it',
    async (window) => {
      const session = await server.client.start({ tags: { name: 'Busy' } });
      await session.waitUntilReady({ timeoutMs: 60_000 });
      const path = `sessions/${session.id}/details`;
      await browser.visit({ server, window, path }, async ({ page }) => {
        await session.conversation.queue('/think 600');
        // Keys that come before the message would be lost.
        await expect
          .poll(async () => JSON.stringify(await session.conversation.messages()), SOON)
          .toContain('/think 600');
        await page.getByRole('button', { name: 'Interrupt' }).click();
        await page.getByText('Asked the agent to stop what it does.').waitFor();
        await page.getByRole('button', { name: 'Interrupt' }).waitFor({ state: 'detached' });
        await session.conversation.queue('/exit');
        await page.getByRole('button', { name: 'Resume' }).first().click();
        await page.locator('.session-header').getByText('Waiting for you').waitFor();
        expect(await page.getByRole('button', { name: 'Resume' }).count()).toBe(0);
      });
      await session.delete();
    },
  );
});
