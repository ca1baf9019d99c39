import { describe, expect, test, vi } from 'vitest';
import { createClient } from '@agentapi-proxy/client';
import { CHROMIUM, THEMES, WINDOW_NAMES, sharedBrowser } from '../../support/console.ts';
import { ADMIN, READER, authOf } from '../../support/console-people.ts';
import { startServer } from '../../support/server-process.ts';
import type { ServerProcess } from '../../support/server-process.ts';

const NOBODY = 'key-of-nobody-0123456789abcdef';

/** Whoever is not signed in gets it once, from the first question. */
const REFUSED = { expectStatuses: [401] } as const;

/** Each has a browser, a server and agents to start, on a machine that does so for other tests, too. */
vi.setConfig({ testTimeout: 90_000 });

let server: ServerProcess;
const browser = sharedBrowser(async (own) => {
  const auth = authOf({ key: NOBODY, user_id: 'ned', role: 'user', permissions: [] });
  server = await own(startServer({ config: { auth } }));
});

/** A key that can be taken away again, as those are that expire. */
async function issueKey(userId: string): Promise<{ readonly id: string; readonly key: string }> {
  const client = createClient({ baseUrl: server.url, apiKey: ADMIN });
  return await client.apiKeys.create({ user_id: userId, role: 'user', name: 'for a test' });
}

describe.skipIf(CHROMIUM === null)('signing in to the console [needs chromium]', () => {
  test.each(WINDOW_NAMES)(
    'on a %s: a key opens the page of the address, and signing out closes it',
    async (window) => {
      await browser.visit(
        { server, window, path: 'sessions?view=all', ...REFUSED },
        async ({ page, where, check }) => {
          await page.getByRole('heading', { name: 'Sign in to agentapi-proxy' }).waitFor();
          expect(await page.title()).toBe('Sign in · agentapi-proxy');
          await check();
          const field = page.getByLabel('API key');
          await page.keyboard.press('Enter');
          await page.getByText('Enter your API key.').waitFor();
          await field.fill('two words');
          await page.keyboard.press('Enter');
          await page.getByText('An API key has no spaces').waitFor();
          await field.fill('wrong');
          await page.keyboard.press('Enter');
          await page.getByText('The server does not know this key.').waitFor();
          expect(await field.getAttribute('aria-invalid')).toBe('true');
          await check();
          await field.fill(ADMIN);
          await page.keyboard.press('Enter');
          await page.getByRole('heading', { name: 'Sessions', exact: true }).waitFor();
          expect(where()).toBe('/sessions?view=all');
          await page.reload();
          await page.getByRole('heading', { name: 'No sessions yet' }).waitFor();
          await page.getByRole('button', { name: 'Account and settings' }).click();
          await page.getByText('Signed in as root').waitFor();
          await check();
          await page.getByRole('menuitem', { name: 'Sign out' }).click();
          await page.getByText('You have signed out.').waitFor();
          await page.addInitScript(() => {
            new MutationObserver(() => {
              if (document.querySelector('h1') !== null) document.body.dataset['titled'] ??= document.title;
            }).observe(document, { subtree: true, childList: true });
          });
          await page.reload();
          await page.getByLabel('API key').waitFor();
          // The title is there with the page, not a moment later.
          expect(await page.evaluate(() => document.body.dataset['titled'])).toBe('Sign in · agentapi-proxy');
          expect(await page.evaluate(() => sessionStorage.getItem('agentapi-proxy.console.key'))).toBeNull();
        },
      );
    },
  );

  test('remembered: the browser keeps a cookie that no script can read, also in a new tab', async () => {
    await browser.visit({ server, ...REFUSED }, async ({ page, context }) => {
      await page.getByLabel('API key').fill(ADMIN);
      await page.getByLabel('Remember me on this device').check();
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByRole('heading', { name: 'No sessions yet' }).waitFor();
      const kept = await page.evaluate(() => [
        JSON.stringify(sessionStorage),
        JSON.stringify(localStorage),
        document.cookie,
      ]);
      expect(kept.join()).not.toContain(ADMIN);
      expect(await context.cookies()).toMatchObject([{ httpOnly: true, sameSite: 'Strict' }]);
      const tab = await context.newPage();
      await tab.goto(`${server.url}/console/`);
      await tab.getByRole('heading', { name: 'No sessions yet' }).waitFor();
      const signOut = async (): Promise<void> => {
        await tab.getByRole('button', { name: 'Account and settings' }).click();
        await tab.getByRole('menuitem', { name: 'Sign out' }).click();
      };
      // Only the server can take the cookie back, so nobody is told to be gone who is not.
      await tab.route('**/console/sign-out', (route) => route.abort());
      await signOut();
      await tab.getByText('You are still signed in').waitFor();
      expect(await tab.getByLabel('API key').count()).toBe(0);
      expect(await context.cookies()).toHaveLength(1);
      await tab.unroute('**/console/sign-out');
      await signOut();
      await tab.getByText('You have signed out.').waitFor();
      expect(await context.cookies()).toEqual([]);
      // The other tab hears of it, and of who comes next.
      await page.getByRole('heading', { name: 'Sign in to agentapi-proxy' }).waitFor();
      await page.getByLabel('API key').fill((await issueKey('wendy')).key);
      await page.getByLabel('Remember me on this device').check();
      await page.getByRole('button', { name: 'Sign in' }).click();
      await tab.getByRole('button', { name: 'wendy, account and settings' }).waitFor();
    });
  });

  test('a key that is revoked in the middle of work: sign-in, and back to the same page', async () => {
    const { id, key } = await issueKey('wendy');
    const wendy = createClient({ baseUrl: server.url, apiKey: key });
    const session = await wendy.start({ tags: { name: 'Work in progress' } });
    await browser.visit(
      { server, key, path: `sessions/${session.id}`, ...REFUSED },
      async ({ page, where, check }) => {
        await page.getByRole('heading', { name: 'Work in progress' }).waitFor();
        const next = await issueKey('wendy');
        await createClient({ baseUrl: server.url, apiKey: ADMIN }).apiKeys.revoke(id);
        await page.getByText('Your key has expired or was revoked.').waitFor();
        await check();
        await page.getByLabel('API key').fill(next.key);
        await page.keyboard.press('Enter');
        await page.getByRole('heading', { name: 'Work in progress' }).waitFor();
        expect(where()).toBe(`/sessions/${session.id}`);
      },
    );
    await createClient({ baseUrl: server.url, apiKey: ADMIN }).delete(session.id);
  });

  test('a readonly key sees sessions of its own, and nothing that it may not do', async () => {
    await browser.visit({ server, key: READER }, async ({ page, check }) => {
      await page.getByRole('heading', { name: 'No sessions yet' }).waitFor();
      expect(await page.getByRole('link', { name: 'New session' }).count()).toBe(0);
      await check();
    });
  });

  test('a key without session:list is told so', async () => {
    await browser.visit({ server, key: NOBODY }, async ({ page, check }) => {
      await page.getByRole('heading', { name: 'You may not list sessions' }).waitFor();
      expect(await page.getByRole('link', { name: 'Sessions', exact: true }).count()).toBe(0);
      await check();
    });
  });

  test('the link of a share opens its one session; the token leaves the address', async () => {
    const admin = createClient({ baseUrl: server.url, apiKey: ADMIN });
    const session = await admin.start({ tags: { name: 'Shared work' } });
    const { token } = await session.shares.createLink({ ttl_seconds: 600 });
    const noted = { server, path: `sessions/${session.id}`, ...REFUSED };
    await browser.visit(noted, async ({ page, where }) => {
      await page.getByLabel('API key').waitFor();
      // Pasted behind the address of the page, which is not loaded anew for it.
      await page.evaluate((hash) => {
        location.hash = hash;
      }, `token=${token}`);
      await page.getByRole('heading', { name: 'Shared work' }).waitFor();
      expect(where()).toBe(`/sessions/${session.id}`);
    });
    await browser.visit(
      // A request that is with the agent when the session ends is answered with 502 (PX-144).
      { server, path: `sessions/${session.id}#token=${token}`, expectStatuses: [401, 404, 502] },
      async ({ page, check }) => {
        await page.getByRole('heading', { name: 'Shared work' }).waitFor();
        await page.locator('.session-header').getByText('Waiting for you').waitFor();
        expect(page.url()).not.toContain(token);
        expect(await page.getByRole('link', { name: 'Sessions', exact: true }).count()).toBe(0);
        await page.getByRole('button', { name: 'More actions' }).click();
        expect(await page.getByRole('menuitem', { name: /End/ }).count()).toBe(0);
        await check();
        await session.delete();
        // The link goes with its session: whichever the page learns first.
        await page
          .getByRole('heading', { name: 'There is no such session' })
          .or(page.getByText('The shared link opens nothing any more'))
          .waitFor();
      },
    );
  });

  test.each(THEMES)('without authentication nobody is asked; in the %s theme', async (theme) => {
    await using open = await startServer();
    await browser.visit({ server: open, theme }, async ({ page, where, check }) => {
      await page.getByRole('heading', { name: 'No sessions yet' }).waitFor();
      expect(where()).toBe('/sessions');
      await page.getByRole('button', { name: 'Account and settings' }).click();
      await page.getByText('This server asks nobody for a key.').waitFor();
      const other = theme === 'light' ? 'Dark theme' : 'Light theme';
      await page.getByRole('menuitemcheckbox', { name: other }).click();
      const scheme = (): Promise<string> =>
        page.evaluate(() => getComputedStyle(document.documentElement).colorScheme);
      expect(await scheme()).toBe(theme === 'light' ? 'dark' : 'light');
      await page.reload();
      await page.getByRole('heading', { name: 'No sessions yet' }).waitFor();
      expect(await scheme()).toBe(theme === 'light' ? 'dark' : 'light');
      await check();
    });
  });
});
