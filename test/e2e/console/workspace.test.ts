import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createClient } from '@agentapi-proxy/client';
import type { Client, Session, StartRequest } from '@agentapi-proxy/client';
import { describe, expect, test, vi } from 'vitest';
import { CHROMIUM, THEMES, WINDOW_NAMES, sharedBrowser } from '../../support/console.ts';
import { ALICE, BOB, authOf } from '../../support/console-people.ts';
import { git, startGitServer } from '../../support/git-server.ts';
import type { GitServer } from '../../support/git-server.ts';
import { eventually, startServer } from '../../support/server-process.ts';
import type { ServerProcess } from '../../support/server-process.ts';

const TOKEN = 'ghp_consoleGitToken0123456789abcdefABCD';
/** What must stay a text wherever it appears. */
const HOSTILE = '<img src=x onerror=document.body.dataset.hacked=1>';

/** Each has a browser, a server and agents to start, on a machine that does so for other tests, too. */
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let forge: GitServer;
let server: ServerProcess;
let alice: Client;
/** Bodies of requests for pull requests. */
const asked: unknown[] = [];
const browser = sharedBrowser(async (own) => {
  forge = await own(startGitServer());
  await forge.create('acme/site', {
    'README.md': '# Site\n',
    'src/app.ts': 'const one = 1;\nconst two = 2;\nconst three = 3;\n',
    'src/old name.ts': 'export const kept = "a line long enough to be recognised";\n'.repeat(5),
    'gone.txt': 'gone\n',
    'logo.png': Buffer.from([0x89, 0x50, 0, 1, 2]),
  });
  forge.makePrivate('acme/site');
  forge.allow(TOKEN, 'acme/site');
  forge.onApi(({ method, url, body }) => {
    if (method !== 'POST' || url.pathname !== '/repos/acme/site/pulls') return null;
    asked.push(JSON.parse(body));
    return { status: 201, body: { number: 7, html_url: `${forge.url}acme/site/pull/7` } };
  });
  server = await own(startServer({ config: { auth: authOf() }, env: { GITHUB_API: forge.apiUrl } }));
  alice = createClient({ baseUrl: server.url, apiKey: ALICE });
});

const workspaceOf = ({ id }: Session): string => join(server.dataDir, 'sessions', id, 'workspace');

async function startReady(request: StartRequest = {}): Promise<Session> {
  const session = await alice.start(request);
  await session.waitUntilReady({ timeoutMs: 60_000 });
  return session;
}

/** A session whose agent has changed files in every way there is. */
async function startWithChanges(): Promise<Session> {
  const session = await startReady({
    repository: 'acme/site',
    branch: 'agent/console',
    create_branch: true,
    github_token: TOKEN,
  });
  const workspace = workspaceOf(session);
  await writeFile(join(workspace, 'src/app.ts'), 'const one = 1;\nconst two = 22;\nconst three = 3;\n');
  await rename(join(workspace, 'src/old name.ts'), join(workspace, 'src/new name.ts'));
  await git(workspace, 'add', '--all', 'src');
  await rm(join(workspace, 'gone.txt'));
  await writeFile(join(workspace, 'logo.png'), Buffer.from([0x89, 0x50, 0, 3]));
  await mkdir(join(workspace, 'docs'));
  await writeFile(join(workspace, 'docs/ünïcode – שלום.md'), `${HOSTILE}\n`);
  await writeFile(join(workspace, 'docs/long.txt'), 'another line of a long file\n'.repeat(1_200));
  return session;
}

describe.skipIf(CHROMIUM === null)('changes of a session [needs chromium]', () => {
  test.each(WINDOW_NAMES)(
    'on a %s: every kind of change is shown, and nothing of it runs',
    async (window) => {
      const session = await startWithChanges();
      const path = `sessions/${session.id}/changes`;
      await browser.visit({ server, key: ALICE, window, path }, async ({ page, check }) => {
        const changes = page.getByRole('region', { name: 'Changes of the agent' });
        await changes.getByText('6 files changed').waitFor();
        await changes.getByText('agent/console').waitFor();
        const file = (name: string) => page.locator('details').filter({ hasText: name });
        expect(await file('src/app.ts').locator('tr[data-kind=removed]').innerText()).toContain(
          'const two = 2;',
        );
        expect(await file('src/app.ts').locator('tr[data-kind=added]').innerText()).toContain(
          'const two = 22;',
        );
        await file('new name.ts').getByText('from src/old name.ts').waitFor();
        await file('logo.png').getByText('This file is not text.').waitFor();
        expect(await file('שלום').locator('tr[data-kind=added]').innerText()).toContain(HOSTILE);
        const long = file('docs/long.txt');
        expect(await long.locator('table').count()).toBe(0);
        await check();
        await long.locator('summary').focus();
        await page.keyboard.press('Enter');
        await long.getByRole('button', { name: 'Show all 1,201 lines' }).click();
        expect(await long.locator('tr[data-kind=added]').count()).toBe(1_200);
        await page.getByRole('button', { name: 'Fold all', exact: true }).click();
        await page.getByRole('button', { name: 'Unfold all' }).waitFor();
        expect(await page.locator('details[open]').count()).toBe(0);
        if (window === 'desktop') {
          await page
            .getByRole('navigation', { name: 'Changed files' })
            .getByRole('button', { name: 'app.ts' })
            .click();
          await file('src/app.ts').locator('tr[data-kind=added]').waitFor();
        }
        expect(await page.evaluate(() => document.body.dataset['hacked'])).toBeUndefined();
      });
    },
  );

  test('what the agent changes appears when it comes to rest', async () => {
    const session = await startReady();
    await git(workspaceOf(session), 'init', '--quiet');
    const path = `sessions/${session.id}/changes`;
    await browser.visit({ server, key: ALICE, path }, async ({ page, check }) => {
      await page.getByRole('heading', { name: 'Nothing has changed' }).waitFor();
      await check();
      await session.conversation.queue('/think 5');
      await page.getByRole('status').getByText('Working').waitFor();
      await writeFile(join(workspaceOf(session), 'answer.txt'), '42\n');
      await page.locator('details').filter({ hasText: 'answer.txt' }).getByText('42').waitFor();
      await writeFile(join(workspaceOf(session), 'second.txt'), '43\n');
      await page.getByRole('button', { name: 'Refresh' }).click();
      await page.locator('details').filter({ hasText: 'second.txt' }).getByText('43').waitFor();
      expect(await page.locator('details').count()).toBe(2);
    });
  });

  test('a workspace that is no repository says so', async () => {
    const session = await startReady();
    const path = `sessions/${session.id}/changes`;
    await browser.visit({ server, key: ALICE, path, expectStatuses: [409] }, async ({ page, check }) => {
      await page.getByRole('heading', { name: 'The workspace is not a git repository' }).waitFor();
      await check();
      await git(workspaceOf(session), 'init', '--quiet');
      await page.getByRole('button', { name: 'Refresh' }).click();
      await page.getByRole('heading', { name: 'Nothing has changed' }).waitFor();
      expect(await page.getByText('not a git repository').count()).toBe(0);
    });
  });

  test.each(WINDOW_NAMES)('on a %s: commits get to GitHub, and a pull request is opened', async (window) => {
    const session = await startWithChanges();
    const workspace = workspaceOf(session);
    await git(workspace, 'checkout', '--quiet', '-b', `agent/${window}`);
    await git(workspace, 'add', '--all');
    await git(workspace, 'commit', '--quiet', '-m', 'Change much');
    const path = `sessions/${session.id}/changes`;
    await browser.visit(
      { server, key: ALICE, window, path, expectStatuses: [400] },
      async ({ page, check }) => {
        // It compares with the beginning, because everything is committed.
        await page.getByText('1 commit since the session began').waitFor();
        await page.getByText('6 files changed').waitFor();
        await page.getByRole('button', { name: 'Push …' }).click();
        const push = page.getByRole('dialog', { name: 'Push to GitHub?' });
        await check();
        await push.getByLabel('Branch on GitHub').fill('not a branch');
        await push.getByRole('button', { name: 'Push' }).click();
        await push.getByRole('alert').waitFor();
        await push.getByLabel('Branch on GitHub').fill(`agent/${window}`);
        await page.keyboard.press('Enter');
        await page.getByText(`The branch agent/${window} is new on GitHub.`).waitFor();
        const pushed = await git(join(forge.folder, 'acme/site.git'), 'rev-parse', `agent/${window}`);
        expect(pushed).toBe(await git(workspace, 'rev-parse', 'HEAD'));

        await page.getByRole('button', { name: 'Pull request …' }).click();
        const request = page.getByRole('dialog', { name: 'Open a pull request?' });
        await request.getByRole('button', { name: 'Open pull request' }).click();
        await request.getByText('Give it a title.').waitFor();
        await check();
        await request.getByLabel('Title').fill('Change much');
        await request.getByLabel('Draft').check();
        await page.keyboard.press('Enter');
        const done = page.getByRole('dialog', { name: 'Pull request #7 is open.' });
        expect(await done.getByRole('link').getAttribute('href')).toBe(`${forge.url}acme/site/pull/7`);
        expect(asked.at(-1)).toMatchObject({ title: 'Change much', draft: true, head: `agent/${window}` });
      },
    );
  });
});

describe.skipIf(CHROMIUM === null)('log and details of a session [needs chromium]', () => {
  test.each(WINDOW_NAMES)('on a %s: the log is searched, and saved as a file', async (window) => {
    const session = await startReady();
    await eventually('the log has lines', async () => (await session.log()).includes('\n'));
    const path = `sessions/${session.id}/log`;
    await browser.visit({ server, key: ALICE, window, path }, async ({ page, check }) => {
      const text = page.locator('.log-text');
      await text.waitFor();
      await check();
      const first = (await session.log()).split('\n')[0] ?? '';
      const word = /[a-z]{4,}/.exec(first)?.[0] ?? '';
      await page.getByLabel('Search the log').fill(word.toUpperCase());
      await page.getByText(/^\d+ of \d+$/).waitFor();
      expect((await text.locator('mark').first().innerText()).toLowerCase()).toBe(word);
      await page.keyboard.press('Enter');
      await check();
      await page.getByLabel('Search the log').fill('there is no such word');
      await page.getByText('No match').waitFor();
      await page.getByLabel('Wrap lines').uncheck();
      await page.getByLabel('How many lines').selectOption('5000');
      const saved = page.waitForEvent('download');
      await page.getByRole('button', { name: 'Download' }).click();
      expect((await saved).suggestedFilename()).toBe(`session-${session.id}.log`);
      await page.getByRole('link', { name: 'Conversation' }).click();
      await page.getByRole('log', { name: 'Conversation' }).waitFor();
      // The style of the one part does not reach the other.
      expect(
        await page.locator('.log-frame').evaluate((frame) => getComputedStyle(frame).borderTopWidth),
      ).toBe('0px');
    });
  });

  test.each(WINDOW_NAMES)('on a %s: details name variables, and never show their values', async (window) => {
    const secret = 'value-that-nobody-must-see';
    const session = await startReady({
      environment: { DEPLOY_TOKEN: secret },
      tags: { team: HOSTILE },
    });
    const path = `sessions/${session.id}/details`;
    await browser.visit({ server, key: ALICE, window, path }, async ({ page, check }) => {
      await page.getByText('DEPLOY_TOKEN').waitFor();
      await page.getByText('Terminal', { exact: true }).first().waitFor();
      await page.locator('.details').getByText('alice').waitFor();
      await page.getByRole('listitem').filter({ hasText: 'Running' }).waitFor();
      const example = await page.getByRole('region', { name: 'Example' }).innerText();
      expect(example).toContain(`${server.url}/${session.id}/message`);
      expect(example).toContain('$AGENTAPI_PROXY_KEY');
      await check();
      const content = await page.content();
      expect(content).not.toContain(secret);
      expect(content).not.toContain(ALICE);
      expect(await page.evaluate(() => document.body.dataset['hacked'])).toBeUndefined();
    });
    await session.delete();
  });
});

describe.skipIf(CHROMIUM === null)('sharing a session [needs chromium]', () => {
  test.each(WINDOW_NAMES)('on a %s: with users and by link, until it is taken back', async (window) => {
    const session = await startReady({ tags: { name: `Shared on a ${window}` } });
    let link = '';
    await browser.visit(
      { server, key: ALICE, window, path: `sessions/${session.id}`, expectStatuses: [400] },
      async ({ page, check }) => {
        await page.getByRole('button', { name: 'More actions' }).click();
        await page.getByRole('menuitem', { name: 'Share …' }).click();
        const dialog = page.getByRole('dialog', { name: 'Share this session' });
        await dialog.getByText('Nobody but its owner may use it.').waitFor();
        await dialog.getByRole('button', { name: 'Share' }).click();
        await dialog.getByText('Say whom to let in.').waitFor();
        await check();
        await dialog.getByLabel('User').fill('alice');
        await page.keyboard.press('Enter');
        await dialog.getByRole('alert').waitFor();
        await dialog.getByLabel('User').fill('bob');
        await dialog.getByLabel('They may').selectOption('write');
        await page.keyboard.press('Enter');
        await dialog.getByText('look on and write, ends with the session').waitFor();
        await dialog.getByRole('button', { name: 'Create link' }).click();
        link = await dialog.getByLabel('This is the link').inputValue();
        await check();
      },
    );
    const bob = createClient({ baseUrl: server.url, apiKey: BOB }).session(session.id);
    await bob.conversation.queue('Hello from Bob');
    expect(link).toContain(`${server.url}/console/sessions/${session.id}#token=`);

    // Whoever has the link sees this session, and nothing to change it with.
    const hash = new URL(link).hash;
    await browser.visit(
      { server, window, path: `sessions/${session.id}/details${hash}`, expectStatuses: [401, 403] },
      async ({ page, where }) => {
        await page.getByText(`Shared on a ${window}`).first().waitFor();
        expect(where()).not.toContain('token');
        await page.getByRole('button', { name: 'More actions' }).click();
        expect(await page.getByRole('menuitem', { name: 'Share …' }).count()).toBe(0);
      },
    );

    await browser.visit({ server, key: ALICE, window, path: `sessions/${session.id}` }, async ({ page }) => {
      await page.getByRole('button', { name: 'More actions' }).click();
      await page.getByRole('menuitem', { name: 'Share …' }).click();
      await page.getByRole('button', { name: 'Revoke the share of bob' }).click();
      await page.getByText('Nobody but its owner may use it.').waitFor();
      await page.getByRole('button', { name: 'Revoke this link' }).click();
      await page.getByText('There is no link.').waitFor();
    });
    await expect(bob.details()).rejects.toMatchObject({ kind: 'forbidden' });
    const token = new URLSearchParams(hash.slice(1)).get('token') ?? '';
    await expect(createClient({ baseUrl: server.url, apiKey: token }).me()).rejects.toMatchObject({
      kind: 'unauthorized',
    });
  });
});

describe.skipIf(CHROMIUM === null)('a session of somebody else [needs chromium]', () => {
  test.each(WINDOW_NAMES)('on a %s: shared to look on, it offers nothing that changes it', async (window) => {
    const session = await startWithChanges();
    await session.shares.grant({ user_id: 'bob', access: 'read' });
    await session.send('/think 60');
    const path = `sessions/${session.id}`;
    await browser.visit({ server, key: BOB, window, path }, async ({ page, goto, check }) => {
      await page.locator('.session-header').getByText('Working').waitFor();
      await page.getByText('You may read this conversation, but not write in it.').waitFor();
      expect(await page.getByRole('textbox').count()).toBe(0);
      for (const name of ['Send', 'Queue', 'Attach files', 'Interrupt']) {
        expect(await page.getByRole('button', { name, exact: true }).count()).toBe(0);
      }
      await page.getByRole('button', { name: 'More actions' }).click();
      await page.getByRole('menuitem', { name: 'Copy a link to this page' }).waitFor();
      expect(await page.getByRole('menuitem', { name: /Share|End/ }).count()).toBe(0);
      await page.keyboard.press('Escape');
      await check();
      await goto(`${path}/changes`);
      await page.getByText('6 files changed').waitFor();
      for (const name of ['Push …', 'Pull request …']) {
        expect(await page.getByRole('button', { name }).count()).toBe(0);
      }
      await goto(`${path}/terminal`);
      await page.locator('.terminal-state').getByText('Live').waitFor();
      expect(await page.getByRole('button', { name: 'Take control' }).count()).toBe(0);
      await goto('sessions');
      await page.getByRole('listitem').first().waitFor();
      expect(await page.getByRole('checkbox').count()).toBe(0);
    });
    await session.delete();
  });

  test.each(WINDOW_NAMES)(
    'on a %s: shared for use, it offers all but its end and sharing',
    async (window) => {
      const session = await startWithChanges();
      await session.shares.grant({ user_id: 'bob', access: 'write' });
      const path = `sessions/${session.id}`;
      await browser.visit({ server, key: BOB, window, path }, async ({ page, goto, check }) => {
        await page.getByLabel('Message to the agent').fill('/think 60');
        await page.getByRole('button', { name: 'Send', exact: true }).click();
        await page.getByRole('button', { name: 'Interrupt' }).waitFor();
        await page.getByRole('button', { name: 'More actions' }).click();
        await page.getByRole('menuitem', { name: 'Copy a link to this page' }).waitFor();
        expect(await page.getByRole('menuitem', { name: /Share|End/ }).count()).toBe(0);
        await page.keyboard.press('Escape');
        await goto(`${path}/terminal`);
        await page.getByRole('button', { name: 'Take control' }).waitFor();
        await goto(`${path}/changes`);
        await page.getByRole('button', { name: 'Pull request …' }).waitFor();
        await page.getByRole('button', { name: 'Push …' }).click();
        const dialog = page.getByRole('dialog', { name: 'Push to GitHub?' });
        await check();
        await dialog.getByLabel('Branch on GitHub').fill(`shared/${window}`);
        await dialog.getByRole('button', { name: 'Push' }).click();
        await page.getByText(`The branch shared/${window} is new on GitHub.`).waitFor();
      });
      await session.delete();
    },
  );
});

describe.skipIf(CHROMIUM === null)('colours of the pages of a session [needs chromium]', () => {
  test.each(THEMES)('in %s colours everything can be read', async (theme) => {
    const session = await startWithChanges();
    const path = `sessions/${session.id}/changes`;
    await browser.visit({ server, key: ALICE, theme, path }, async ({ page, where, goto, check }) => {
      await page.getByText('6 files changed').waitFor();
      await check();
      await goto(`sessions/${session.id}/log`);
      await page.getByLabel('Search the log').fill('e');
      await check();
      await goto(`sessions/${session.id}/details`);
      await page.getByText('Running').first().waitFor();
      await check();
      expect(where()).toBe(`/sessions/${session.id}/details`);
    });
  });
});
