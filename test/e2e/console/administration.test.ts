import { createClient } from '@agentapi-proxy/client';
import type { Client } from '@agentapi-proxy/client';
import { describe, expect, test, vi } from 'vitest';
import { CHROMIUM, THEMES, WINDOW_NAMES, sharedBrowser } from '../../support/console.ts';
import { ADMIN, ALICE, READER, authOf } from '../../support/console-people.ts';
import { startServer } from '../../support/server-process.ts';
import type { ServerProcess } from '../../support/server-process.ts';

/** What must stay a text wherever it appears. */
const HOSTILE = '<img src=x onerror=document.body.dataset.hacked=1>';

/** Each has a browser, a server and agents to start, on a machine that does so for other tests, too. */
vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 });

let server: ServerProcess;
let root: Client;
let alice: Client;
const browser = sharedBrowser(async (own) => {
  server = await own(startServer({ config: { auth: authOf() } }));
  root = createClient({ baseUrl: server.url, apiKey: ADMIN });
  alice = createClient({ baseUrl: server.url, apiKey: ALICE });
  const session = await alice.start({ tags: { name: HOSTILE } });
  await session.waitUntilReady({ timeoutMs: 60_000 });
});

describe.skipIf(CHROMIUM === null)('API keys in the console [needs chromium]', () => {
  test.each(WINDOW_NAMES)('on a %s: made, shown once, replaced, revoked', async (window) => {
    const name = `Key of a ${window} ${HOSTILE}`;
    await browser.visit({ server, key: ADMIN, window, path: 'keys' }, async ({ page, goto, check }) => {
      await page.getByRole('button', { name: 'New key' }).first().click();
      const create = page.getByRole('dialog', { name: 'New key' });
      await create.getByLabel('Name').fill(name);
      await create.getByLabel('Holder').fill('carol');
      await create.getByLabel('Role', { exact: true }).selectOption('readonly');
      await create.getByLabel('Only these:').check();
      await create.getByRole('button', { name: 'Create key' }).click();
      await create.getByText('Choose at least one permission.').waitFor();
      await check();
      await create.getByLabel(/session:list/).check();
      await create.getByLabel('Ends').selectOption('week');
      await create.getByRole('button', { name: 'Create key' }).click();
      const issued = page.getByRole('dialog', { name: 'Your new key' });
      const key = await issued.getByRole('textbox').inputValue();
      await check();
      const me = await createClient({ baseUrl: server.url, apiKey: key }).me();
      expect(me).toMatchObject({ user_id: 'carol', permissions: ['session:list'] });
      await page.keyboard.press('Escape');
      await issued.waitFor({ state: 'detached' });
      const row = page.getByRole('row').filter({ hasText: name });
      await row.getByText('carol').first().waitFor();
      expect(await page.content()).not.toContain(key);
      await check();

      await row.getByRole('button', { name: `Replace ${name}` }).click();
      await page.getByLabel('The old one is good for').selectOption('none');
      await page.getByRole('button', { name: 'Replace', exact: true }).click();
      const replacement = await issued.getByRole('textbox').inputValue();
      await issued.getByRole('button', { name: 'Close' }).first().click();
      await expect(createClient({ baseUrl: server.url, apiKey: key }).me()).rejects.toMatchObject({
        kind: 'unauthorized',
      });
      await goto('keys');
      await row.getByRole('button', { name: `Revoke ${name}` }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Revoke key' }).click();
      await row.waitFor({ state: 'detached' });
      await expect(createClient({ baseUrl: server.url, apiKey: replacement }).me()).rejects.toMatchObject({
        kind: 'unauthorized',
      });
      await page.getByLabel('Show ended keys').check();
      await row.getByText('Revoked', { exact: true }).first().waitFor();
      await check();
      expect(await page.evaluate(() => document.body.dataset['hacked'])).toBeUndefined();
    });
  });

  test.each(['this tab', 'a cookie'])(
    'the key of %s is replaced by itself at once: the new one is shown, and the page goes on with it',
    async (place) => {
      const name = `Key in ${place}`;
      const { key } = await root.apiKeys.create({ user_id: 'kim', role: 'user', name });
      await browser.visit({ server, path: 'keys', expectStatuses: [401] }, async ({ page }) => {
        await page.getByLabel('API key').fill(key);
        await page.getByLabel('Remember me on this device').setChecked(place === 'a cookie');
        await page.getByRole('button', { name: 'Sign in' }).click();
        await page.getByRole('button', { name: `Replace ${name}` }).click();
        await page.getByLabel('The old one is good for').selectOption('none');
        await page.getByRole('button', { name: 'Replace', exact: true }).click();
        const issued = page.getByRole('dialog', { name: 'Your new key' });
        const replacement = await issued.getByRole('textbox').inputValue();
        // The list comes anew, asked for with the new key.
        await page.getByLabel('Show ended keys').waitFor({ state: 'attached' });
        expect(await issued.getByRole('textbox').inputValue()).toBe(replacement);
        const kept = await page.evaluate(() => JSON.stringify(sessionStorage));
        expect(kept.includes(replacement)).toBe(place === 'this tab');
        await page.reload();
        await page.getByRole('row').filter({ hasText: name }).waitFor();
        await expect(createClient({ baseUrl: server.url, apiKey: key }).me()).rejects.toMatchObject({
          kind: 'unauthorized',
        });
      });
    },
  );

  test('users see their own keys, and cannot make admins', async () => {
    await root.apiKeys.create({ name: 'Only for root' });
    await browser.visit({ server, key: ALICE, path: 'keys' }, async ({ page, check }) => {
      await page.getByRole('heading', { name: 'No keys yet' }).waitFor();
      await check();
      await page.getByRole('button', { name: 'New key' }).click();
      const dialog = page.getByRole('dialog');
      expect(await dialog.getByLabel('Role', { exact: true }).locator('option').count()).toBe(2);
      expect(await dialog.getByLabel('Holder').count()).toBe(0);
      await dialog.getByRole('button', { name: 'Create key' }).click();
      await page.getByRole('dialog', { name: 'Your new key' }).waitFor();
      await page.keyboard.press('Escape');
      await page.getByRole('row').filter({ hasText: 'API key' }).first().waitFor();
      expect(await page.getByText('Only for root').count()).toBe(0);
    });
  });
});

describe.skipIf(CHROMIUM === null)('the administration in the console [needs chromium]', () => {
  test.each(WINDOW_NAMES)('on a %s: figures at a glance, and how they change', async (window) => {
    await browser.visit({ server, key: ADMIN, window }, async ({ page, where, check }) => {
      await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Admin' }).click();
      const tile = (name: string) => page.getByRole('article').filter({ hasText: name });
      await tile('Sessions that live').getByText('1 running').waitFor();
      expect(where()).toBe('/admin');
      await tile('Memory of the server').getByText('MiB').first().waitFor();
      // Rates need a second look, which comes by itself.
      await tile('Requests').getByText('/s', { exact: false }).first().waitFor();
      await page.getByRole('img', { name: /^Memory of the server: now .* MiB, between/ }).waitFor();
      await check();
    });
  });

  test.each(WINDOW_NAMES)('on a %s: everybody’s sessions, by user', async (window) => {
    await browser.visit({ server, key: ADMIN, window, path: 'admin' }, async ({ page, where, check }) => {
      await page.getByRole('link', { name: 'Users' }).click();
      await page.getByRole('row').filter({ hasText: 'alice' }).waitFor();
      await check();
      await page.getByRole('link', { name: 'alice' }).click();
      await page.getByRole('listitem').filter({ hasText: HOSTILE }).waitFor();
      expect(where()).toBe('/sessions?view=all&owner=alice');
      expect(await page.evaluate(() => document.body.dataset['hacked'])).toBeUndefined();
    });
  });

  test.each(WINDOW_NAMES)('on a %s: who did what is found, page by page', async (window) => {
    const { id } = await root.apiKeys.create({ name: `For the audit on a ${window}` });
    await browser.visit({ server, key: ADMIN, window, path: 'admin' }, async ({ page, where, check }) => {
      await page.getByRole('link', { name: 'Audit log' }).click();
      await page.getByRole('button', { name: 'Details of session.start' }).first().waitFor();
      await check();
      await page.getByLabel('Action').fill('key.create');
      await page.getByLabel('Id of what it was done to').fill(id);
      await expect.poll(() => page.getByRole('row').count()).toBe(2);
      expect(where()).toBe(`/admin/audit?action=key.create&target=${id}`);
      await page.getByRole('button', { name: 'Details of key.create' }).click();
      await page.getByRole('dialog', { name: 'key.create' }).getByText('root').first().waitFor();
      await check();
      await page.keyboard.press('Escape');
      await page.getByLabel('Result').selectOption('denied');
      await page.getByRole('heading', { name: 'No entry matches' }).waitFor();
      await page.getByRole('button', { name: 'Clear filters' }).click();
      await page.getByRole('button', { name: 'Details of session.start' }).first().waitFor();
    });
  });

  test('a long audit log is read page by page', async () => {
    for (let index = 0; index < 110; index += 1) {
      const { profile } = await root.profiles.create({ name: `p${index}`, environment: {} });
      await root.profiles.delete(profile.id);
    }
    await browser.visit({ server, key: ADMIN, path: 'admin/audit?user=root' }, async ({ page }) => {
      await page.getByText('100 entries').waitFor();
      await page.getByRole('button', { name: 'Load older entries' }).click();
      await page.getByText('200 entries').waitFor();
      expect(await page.getByRole('row').count()).toBe(201);
    });
  });

  test.each(WINDOW_NAMES)('on a %s: whoever is no admin sees nothing of it', async (window) => {
    for (const key of [READER, ALICE]) {
      await browser.visit({ server, key, window, path: 'admin' }, async ({ page, check }) => {
        await page.getByRole('heading', { name: 'You may not see this page' }).waitFor();
        const navigation = page.getByRole('navigation', { name: 'Main' });
        await navigation.getByRole('link', { name: 'Sessions' }).waitFor();
        expect(await navigation.getByRole('link', { name: 'Admin' }).count()).toBe(0);
        expect(await navigation.getByRole('link', { name: 'API keys' }).count()).toBe(key === ALICE ? 1 : 0);
        await check();
      });
    }
    await browser.visit({ server, key: READER, window, path: 'keys' }, async ({ page }) => {
      await page.getByRole('heading', { name: 'You may not see this page' }).waitFor();
    });
  });

  test.each(THEMES)('in %s colours everything can be read', async (theme) => {
    await root.apiKeys.create({ name: 'For the colours' });
    await browser.visit(
      { server, key: ADMIN, theme, path: 'admin' },
      async ({ page, where, goto, check }) => {
        await page.getByText('Sessions that live').waitFor();
        await check();
        await goto('admin/users');
        await page.getByRole('row').filter({ hasText: 'alice' }).waitFor();
        await check();
        await goto('admin/audit');
        await page
          .getByRole('button', { name: /^Details of/ })
          .first()
          .waitFor();
        await check();
        await goto('keys');
        await page.getByRole('row').filter({ hasText: 'For the colours' }).first().waitFor();
        await check();
        expect(where()).toBe('/keys');
      },
    );
  });

  test('without authentication it says where keys come from', async () => {
    await using open = await startServer();
    await browser.visit({ server: open, path: 'keys' }, async ({ page, check }) => {
      await page.getByText('This server asks nobody for a key.').first().waitFor();
      expect(await page.getByRole('button', { name: 'New key' }).count()).toBe(0);
      await check();
    });
  });
});
