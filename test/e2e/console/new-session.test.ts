import { describe, expect, test, vi } from 'vitest';
import type { Page } from 'playwright-core';
import { createClient } from '@agentapi-proxy/client';
import type { Client } from '@agentapi-proxy/client';
import { CHROMIUM, WINDOW_NAMES, sharedBrowser, typeIntoFocus } from '../../support/console.ts';
import { ALICE, authOf } from '../../support/console-people.ts';
import { startGitServer } from '../../support/git-server.ts';
import { startServer } from '../../support/server-process.ts';
import type { ServerProcess } from '../../support/server-process.ts';

const LOOKER = 'key-of-a-looker-0123456789abcdef';
/** Sees sessions in the list, and nothing of what they do. */
const LISTER = 'key-of-a-lister-0123456789abcdef';
const SECRET = 'sk-very-secret-0123456789';

/** Each has a browser, a server and agents to start, on a machine that does so for other tests, too. */
vi.setConfig({ testTimeout: 90_000 });

let server: ServerProcess;
let alice: Client;
const browser = sharedBrowser(async (own) => {
  const permissions = ['session:list', 'session:access', 'profile:list', 'profile:read'];
  const auth = authOf(
    { key: LOOKER, user_id: 'alice', role: 'user', permissions },
    { key: LISTER, user_id: 'alice', role: 'user', permissions: ['session:list'] },
  );
  const absent = { command: 'no-such-agent-program' };
  server = await own(startServer({ config: { agents: { absent }, auth } }));
  alice = createClient({ baseUrl: server.url, apiKey: ALICE });
});

const submit = (page: Page) => page.getByRole('button', { name: 'Start session' }).click();
const open = (page: Page, part: string) => page.locator('summary').filter({ hasText: part }).click();

/** The session that a page has started, once the address is that of its conversation. */
async function startedBy(page: Page): Promise<string> {
  await page.waitForURL(/\/sessions\/[0-9a-f-]{36}$/);
  return page.url().split('/').at(-1) ?? '';
}

/** Pastes a text as a keyboard would. */
async function paste(page: Page, label: string, text: string): Promise<void> {
  await page.getByLabel(label).evaluate((field, pasted) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData('text/plain', pasted);
    field.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }));
  }, text);
}

describe.skipIf(CHROMIUM === null)('a new session [needs chromium]', () => {
  test.each(WINDOW_NAMES)('on a %s: is started from what was filled in, and shown', async (window) => {
    await browser.visit({ server, key: ALICE, window, path: 'sessions/new' }, async (visit) => {
      const { page, check } = visit;
      await page.getByLabel('What should the agent do?').fill('Greet the moon');
      await page.getByLabel('Agent', { exact: true }).selectOption('demo');
      await page.getByLabel('Title').fill(`Moon on a ${window}`);
      await open(page, 'Environment variables');
      await page.getByRole('button', { name: 'Add a variable' }).click();
      await paste(page, 'Name of variable 1', `export API_TOKEN="${SECRET}"\n# note\nLEVEL=debug\n`);
      const value = page.getByLabel('Value of variable API_TOKEN');
      expect(await value.getAttribute('type')).toBe('password');
      await page.getByRole('button', { name: 'Show the value of API_TOKEN' }).click();
      expect(await value.getAttribute('type')).toBe('text');
      await open(page, 'Tags');
      await page.getByRole('button', { name: 'Add a tag' }).click();
      await typeIntoFocus(page, 'team');
      await page.getByLabel('Value of tag team').fill('docs');
      await open(page, 'More options');
      await check();
      await submit(page);
      const id = await startedBy(page);
      // Agents take their first message when they are ready, on a busy machine after a while.
      await page.getByText('Greet the moon').first().waitFor({ timeout: 45_000 });
      const details = await alice.get(id);
      expect(details).toMatchObject({
        agent: 'demo',
        tags: { title: `Moon on a ${window}`, team: 'docs' },
        environment_names: expect.arrayContaining(['API_TOKEN', 'LEVEL']),
      });
      const stored = await page.evaluate(() =>
        JSON.stringify([Object.entries(localStorage), Object.entries(sessionStorage)]),
      );
      expect(stored).not.toContain(SECRET);
      await visit.goto('sessions/new');
      // The next begins with the last choice.
      await expect.poll(() => page.getByLabel('Agent', { exact: true }).inputValue()).toBe('demo');
      expect(await page.getByLabel('Title').inputValue()).toBe('');
      await alice.delete(id);
    });
  });

  test('is a key away from anywhere, and needs no mouse', async () => {
    let started = '';
    await browser.visit({ server, key: ALICE, path: 'profiles' }, async ({ page, where }) => {
      await page.getByRole('heading', { name: 'Profiles', exact: true }).waitFor();
      await page.keyboard.press('n');
      await page.getByRole('heading', { name: 'New session' }).waitFor();
      expect(where()).toBe('/sessions/new');
      await expect.poll(() => page.evaluate(() => document.activeElement?.tagName)).toBe('TEXTAREA');
      await page.keyboard.type('Count to three');
      await page.getByLabel('Agent', { exact: true }).selectOption('demo');
      await page.keyboard.press('Control+Enter');
      started = await startedBy(page);
    });
    await alice.delete(started);
  });

  test('is filled in by a link, and started by nobody but the person', async () => {
    const { profile } = await alice.profiles.create({
      name: 'Reviews',
      agent: 'demo',
      environment: { FROM_PROFILE: SECRET },
      message_templates: [{ name: 'review', content: 'Review {{file}}.' }],
    });
    let started = '';
    // It is decoded once, and no more.
    const message = 'See https://host/My%20Page, 100%de';
    const query = `profile=${profile.id}&message=${encodeURIComponent(message)}&title=Linked`;
    const path = `sessions/new?${query}&tag.team=docs&script=x`;
    await browser.visit({ server, key: ALICE, path }, async ({ page, check }) => {
      await expect.poll(() => page.getByLabel('Profile', { exact: true }).inputValue()).toBe(profile.id);
      await page.getByText('Brings agent demo, 1 variable.').waitFor();
      expect(await page.getByLabel('What should the agent do?').inputValue()).toBe(message);
      expect(await page.getByLabel('Value of tag team').inputValue()).toBe('docs');
      expect(await page.content()).not.toContain(SECRET);
      // What the profile has takes part, and so does what is said besides.
      await page.getByRole('button', { name: 'Use a template' }).click();
      await page.getByRole('button', { name: /^review/ }).click();
      await page.getByLabel('file', { exact: true }).fill('app.ts');
      await page.getByRole('button', { name: 'Insert' }).click();
      expect(await page.getByLabel('What should the agent do?').inputValue()).toBe(
        `${message}\n\nReview app.ts.`,
      );
      await check();
      await submit(page);
      started = await startedBy(page);
      expect(await alice.get(started)).toMatchObject({
        tags: { title: 'Linked', team: 'docs' },
        environment_names: expect.arrayContaining(['FROM_PROFILE']),
      });
    });
    await alice.delete(started);
  });

  test('that cannot be started says why, at the field', async () => {
    await browser.visit(
      { server, key: ALICE, path: 'sessions/new', expectStatuses: [400] },
      async ({ page, check }) => {
        await page.getByLabel('Repository', { exact: true }).fill('not a repository');
        await submit(page);
        await page.getByText('Write owner/name, or an address').waitFor();
        expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-invalid'))).toBe('true');
        await page.getByLabel('Repository', { exact: true }).fill('');
        await open(page, 'Environment variables');
        await page.getByRole('button', { name: 'Add a variable' }).click();
        await typeIntoFocus(page, 'NOT A NAME');
        await page.getByLabel('Value of variable NOT A NAME').fill('x');
        await open(page, 'Environment variables');
        await submit(page);
        // The server's own words, in the part that was folded.
        const name = page.getByLabel('Name of variable 1');
        await expect.poll(() => name.getAttribute('aria-invalid')).toBe('true');
        expect(await name.isVisible()).toBe(true);
        await check();
      },
    );
  });

  test.each(WINDOW_NAMES)(
    'on a %s: that fails shows the reason and the log, and can be tried again',
    async (window) => {
      let started = '';
      const { profile } = await alice.profiles.create({ name: 'By default', is_default: true });
      let failedId = '';
      const options = { server, key: ALICE, window, path: 'sessions/new' };
      await browser.visit(options, async ({ page, check }) => {
        const chosen = page.getByLabel('Profile', { exact: true });
        await expect.poll(() => chosen.inputValue()).toBe(profile.id);
        await chosen.selectOption('');
        await page.getByLabel('What should the agent do?').fill('This is not lost');
        await page.getByLabel('Agent', { exact: true }).selectOption('absent');
        await page.getByText('Its program is not installed').waitFor();
        await submit(page);
        await page.getByRole('heading', { name: 'The session did not start' }).waitFor();
        await page
          .getByRole('alert')
          .filter({ hasText: /no-such-agent-program|absent/ })
          .waitFor();
        await page.getByRole('heading', { name: 'Log of the session' }).waitFor();
        await check();
        failedId =
          (await page.getByRole('link', { name: 'Open the failed session' }).getAttribute('href')) ?? '';
        await page.getByRole('button', { name: 'Change something and try again' }).click();
        expect(await page.getByLabel('What should the agent do?').inputValue()).toBe('This is not lost');
        // Nor is the choice of no profile, when the profiles come.
        await chosen.getByRole('option', { name: 'By default' }).waitFor({ state: 'attached' });
        await page.getByLabel('Agent', { exact: true }).selectOption('demo');
        await submit(page);
        started = await startedBy(page);
        expect(await alice.get(started)).not.toHaveProperty('profile_id');
      });
      await alice.delete(started);
      const path = failedId.replace(/^.*\/console\//, '');
      await browser.visit({ server, key: LISTER, window, path }, async ({ page }) => {
        await page.getByText('This session has failed.', { exact: true }).waitFor();
      });
      await alice.profiles.delete(profile.id);
    },
  );

  test('on a repository shows how the clone goes, and why it does not', async () => {
    await using git = await startGitServer();
    await git.create('o/r', { 'README.md': 'hello\n' });
    await using own = await startServer({ config: { github: { url: git.url } } });
    await browser.visit({ server: own, path: 'sessions/new' }, async ({ page, goto, check }) => {
      const release = git.hold();
      await page.getByLabel('Repository', { exact: true }).fill('o/r');
      await submit(page);
      await page.getByRole('heading', { name: 'The session is starting' }).waitFor();
      await page.getByRole('progressbar').waitFor();
      await check();
      release();
      expect(await own.client.get(await startedBy(page))).toMatchObject({ state: 'running' });
      await goto('sessions/new');
      await page.getByLabel('Repository', { exact: true }).fill('o/none');
      await submit(page);
      await page.getByRole('alert').filter({ hasText: 'The repository cannot be cloned' }).waitFor();
    });
  });

  test.each(WINDOW_NAMES)('on a %s: hostile text is text in every field', async (window) => {
    const hostile = `"><img src=x onerror="document.title='run'"><script>document.title='run'</script>\u202e${'w'.repeat(300)}`;
    await browser.visit(
      {
        server,
        key: ALICE,
        window,
        path: `sessions/new?message=${encodeURIComponent(hostile)}`,
        expectStatuses: [400],
      },
      async ({ page, check }) => {
        for (const part of ['Environment variables', 'Tags', 'More options']) await open(page, part);
        await page.getByRole('button', { name: 'Add a variable' }).click();
        await page.getByRole('button', { name: 'Add a tag' }).click();
        for (const field of await page
          .locator('.start-form input:not([type=checkbox]), .start-form textarea')
          .all())
          await field.fill(hostile);
        await check();
        await submit(page);
        await page.locator('[aria-invalid]').first().waitFor();
        await page.getByLabel('Repository', { exact: true }).fill('');
        await page.getByLabel('Branch', { exact: true }).fill('');
        await page.getByLabel('Commit or tag to begin with').fill('');
        await page.getByLabel('Commits to fetch').fill('');
        await submit(page);
        await page.locator('[aria-invalid]').first().waitFor();
        await check();
        expect(await page.title()).not.toBe('run');
      },
    );
  });

  test('is not offered to those who may not start any', async () => {
    await browser.visit({ server, key: LOOKER, path: 'sessions' }, async ({ page, goto, where }) => {
      await page.getByRole('heading', { name: 'Sessions', exact: true }).waitFor();
      expect(await page.getByText('New session').count()).toBe(0);
      await page.keyboard.press('n');
      expect(where()).toBe('/sessions');
      await goto('sessions/new');
      await page.getByRole('heading', { name: 'You may not see this page' }).waitFor();
    });
  });
});
