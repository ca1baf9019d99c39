import { createClient } from '@agentapi-proxy/client';
import type { Client, Session } from '@agentapi-proxy/client';
import { describe, expect, test, vi } from 'vitest';
import { CHROMIUM, holdRequest, sharedBrowser } from '../../support/console.ts';
import { ADMIN, ALICE, BOB, authOf } from '../../support/console-people.ts';
import { startGitServer } from '../../support/git-server.ts';
import type { GitServer } from '../../support/git-server.ts';
import { startServer } from '../../support/server-process.ts';
import type { ServerProcess } from '../../support/server-process.ts';

const TOKEN = 'ghp_consoleGitToken0123456789abcdefABCD';

/** Each has a browser, servers and an agent to start, on a machine that does so for other tests, too. */
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let forge: GitServer;
let server: ServerProcess;
let root: Client;
/** Of alice, and can push. */
let session: Session;
const browser = sharedBrowser(async (own) => {
  forge = await own(startGitServer());
  await forge.create('acme/site', { 'README.md': '# Site\n' });
  forge.makePrivate('acme/site');
  forge.allow(TOKEN, 'acme/site');
  server = await own(startServer({ config: { auth: authOf() }, env: { GITHUB_API: forge.apiUrl } }));
  root = createClient({ baseUrl: server.url, apiKey: ADMIN });
  session = await createClient({ baseUrl: server.url, apiKey: ALICE }).start({
    repository: 'acme/site',
    branch: 'agent/console',
    create_branch: true,
    github_token: TOKEN,
  });
  await session.waitUntilReady({ timeoutMs: 60_000 });
});

describe.skipIf(CHROMIUM === null)('a dialog that is closed before its work is done [needs chromium]', () => {
  test('says how it went, and leaves what came after it alone', async () => {
    const path = `sessions/${session.id}/changes`;
    await browser.visit({ server, key: ALICE, path, expectStatuses: [400] }, async ({ page }) => {
      const push = page.getByRole('dialog', { name: 'Push to GitHub?' });
      const pushAndClose = async (branch: string): Promise<() => void> => {
        const { asked, release } = await holdRequest(page, 'POST', /\/git\/push$/);
        await page.getByRole('button', { name: 'Push …' }).click();
        await push.getByLabel('Branch on GitHub').fill(branch);
        // Nor does a click that missed close what somebody has written in.
        await page.mouse.click(5, 5);
        await push.getByRole('button', { name: 'Push' }).click();
        await asked;
        await page.keyboard.press('Escape');
        await push.waitFor({ state: 'detached' });
        return release;
      };
      const fail = await pushAndClose('not a branch');
      fail();
      await page.getByText('The push did not work.').waitFor();

      const succeed = await pushAndClose('agent/console');
      await page.getByRole('button', { name: 'Pull request …' }).click();
      const request = page.getByRole('dialog', { name: 'Open a pull request?' });
      await request.getByLabel('Title').fill('a long thought');
      succeed();
      await page.getByText('The branch agent/console is new on GitHub.').waitFor();
      expect(await request.getByLabel('Title').inputValue()).toBe('a long thought');
    });
  });
});

describe.skipIf(CHROMIUM === null)('a dialog that is open when the key ends [needs chromium]', () => {
  test('is there again with what was written, for whoever that was; never with what is shown only once', async () => {
    const issue = async () => await root.apiKeys.create({ user_id: 'alice', role: 'user', name: 'Laptop' });
    let own = await issue();
    const first = { server, key: own.key, path: 'keys', expectStatuses: [401] };
    await browser.visit(first, async ({ page, goto, where, check }) => {
      const button = (name: string) => page.getByRole('button', { name, exact: true });
      const dialog = (name: string) => page.getByRole('dialog', { name });
      const signIn = async (key: string): Promise<void> => {
        await page.getByLabel('API key').fill(key);
        await page.keyboard.press('Enter');
      };
      const loseKey = async (): Promise<void> => {
        await root.apiKeys.revoke(own.id);
        await page.getByText('Your key has expired or was revoked.').waitFor();
      };
      const loseKeyAndReturn = async (): Promise<void> => {
        await loseKey();
        own = await issue();
        await signIn(own.key);
      };

      await button('New key').click();
      await dialog('New key').getByLabel('Name').fill('a long thought');
      await dialog('New key').getByLabel('Only these:').check();
      await dialog('New key').getByLabel('session:list').check();
      await loseKeyAndReturn();
      await expect.poll(() => dialog('New key').getByLabel('Name').inputValue()).toBe('a long thought');
      expect(await dialog('New key').getByLabel('session:list').isChecked()).toBe(true);
      expect(await page.evaluate(() => JSON.stringify([localStorage, sessionStorage]))).not.toContain(
        'a long thought',
      );
      // As before, a click that missed does not close it.
      await page.mouse.click(5, 5);
      await dialog('New key').getByRole('button', { name: 'Create key' }).click();
      await dialog('Your new key').getByLabel('a long thought').waitFor();
      await loseKeyAndReturn();
      await page.getByRole('row').filter({ hasText: 'a long thought' }).waitFor();
      expect(await page.getByRole('dialog').count()).toBe(0);

      await goto(`sessions/${session.id}`);
      await button('More actions').click();
      await page.getByRole('menuitem', { name: 'Share …' }).click();
      const share = dialog('Share this session');
      await share.getByLabel('User').fill('carol');
      await share.getByLabel('They may').selectOption('write');
      await button('Create link').click();
      await share.getByLabel('This is the link.').waitFor();
      await loseKeyAndReturn();
      await expect.poll(() => share.getByLabel('User').inputValue()).toBe('carol');
      expect(await share.getByLabel('They may').inputValue()).toBe('write');
      expect(await share.getByLabel('This is the link.').count()).toBe(0);
      await share.getByText('Link by alice').waitFor();
      await check();

      await goto(`sessions/${session.id}/changes`);
      await button('Pull request …').click();
      const request = dialog('Open a pull request?');
      await request.getByLabel('Title').fill('a short title');
      await request.getByLabel('Description').fill('a long thought');
      await loseKeyAndReturn();
      await expect.poll(() => request.getByLabel('Description').inputValue()).toBe('a long thought');
      expect(await request.getByLabel('Title').inputValue()).toBe('a short title');
      expect(where()).toBe(`/sessions/${session.id}/changes`);
      await page.keyboard.press('Escape');
      await request.waitFor({ state: 'detached' });
      expect(await page.evaluate(() => document.activeElement?.id)).toBe('main');
      await button('Push …').click();
      await dialog('Push to GitHub?').getByLabel('Branch on GitHub').fill('agent/other');
      await loseKeyAndReturn();
      await expect
        .poll(() => dialog('Push to GitHub?').getByLabel('Branch on GitHub').inputValue())
        .toBe('agent/other');

      await goto('keys');
      await button('New key').click();
      await dialog('New key').getByLabel('Name').fill('of alice');
      await loseKey();
      await signIn(BOB);
      await button('New key').click();
      expect(await dialog('New key').getByLabel('Name').inputValue()).toBe('');
    });
  });
});
