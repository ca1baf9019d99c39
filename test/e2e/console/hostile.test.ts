import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createClient } from '@agentapi-proxy/client';
import type { Client, Session } from '@agentapi-proxy/client';
import type { Page } from 'playwright-core';
import { describe, expect, test, vi } from 'vitest';
import { CHROMIUM, sharedBrowser } from '../../support/console.ts';
import { settled } from '../../support/console-pages.ts';
import { ADMIN, authOf } from '../../support/console-people.ts';
import { git } from '../../support/git-server.ts';
import { eventually, startServer } from '../../support/server-process.ts';
import type { ServerProcess } from '../../support/server-process.ts';

/** Each has a browser, a server and agents to start, on a machine that does so for other tests, too. */
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const NARROW = { width: 360, height: 640 };

/** What would set `hacked` in a page that takes texts for more than texts. */
const MARKUP = [
  '<script>window.hacked=1</script>',
  '"><img src=x onerror="window.hacked=1">',
  "'-(window.hacked=1)-'",
  '<svg/onload=window.hacked=1>',
  '<iframe srcdoc="<script>parent.hacked=1</script>">',
  'javascript:window.hacked=1//',
  '</style><style>*{display:none!important}</style>',
  '{{constructor.constructor("window.hacked=1")()}}',
  '${window.hacked=1}',
].join(' ');
/** What breaks lines, letters and layouts that trust in words. */
const SHAPES = `\u202Eesrever\u202C \u2067rtl\u2069 مرحبا שלום Z̸̡̢̛͈͍͔̲̾̈́̊a̷l̴g̵o̶ 👩‍👩‍👧‍👦🏳️‍🌈 \u200B\uFEFF ${'W'.repeat(10_000)}`;
const HOSTILE = `${MARKUP} ${SHAPES}`;
const short = (length: number): string => `${MARKUP} ${SHAPES}`.slice(0, length);

let server: ServerProcess;
let root: Client;
let session: Session;
let profileId: string;
const browser = sharedBrowser(async (own) => {
  const broken = { command: '/nonexistent/<img src=x onerror=window.hacked=1>' };
  server = await own(startServer({ config: { auth: authOf(), agents: { broken } } }));
  root = createClient({ baseUrl: server.url, apiKey: ADMIN });
  session = await fill();
});

/** Puts it wherever people, agents and repositories may put texts. */
async function fill(): Promise<Session> {
  const { profile } = await root.profiles.create({
    name: short(100),
    description: short(2_000),
    system_prompt: HOSTILE,
    environment: { HOSTILE },
    message_templates: [{ name: short(100), content: `{{file}} ${HOSTILE}` }],
  });
  profileId = profile.id;
  await root.apiKeys.create({ name: short(100), user_id: 'x'.repeat(60), role: 'user' });
  const [hostile, failing] = await Promise.all([
    root.start({
      tags: {
        name: HOSTILE,
        [`<b onclick=window.hacked=1>${'k'.repeat(90)}`]: HOSTILE,
        description: HOSTILE,
      },
      environment: { HOSTILE },
    }),
    root.start({ agent: 'broken', tags: { name: HOSTILE } }),
  ]);
  await hostile.waitUntilReady({ timeoutMs: 60_000 });
  await writeFile(join(server.dataDir, 'sessions', hostile.id, 'workspace', 'hostile.txt'), HOSTILE);
  await hostile.conversation.queue('/run cat hostile.txt; cat hostile.txt >&2');
  await hostile.conversation.queue(HOSTILE);
  await eventually(
    'the agent has repeated it',
    async () => {
      const { messages } = await hostile.conversation.messages();
      return messages.filter(({ role }) => role === 'user').length === 2 && messages.at(-1)?.role === 'agent';
    },
    60_000,
  );
  const workspace = join(server.dataDir, 'sessions', hostile.id, 'workspace');
  await git(workspace, 'init', '--quiet', '--initial-branch', `x/${'<b>'.repeat(5)}${'w'.repeat(100)}`);
  await git(workspace, 'add', '--all');
  await git(workspace, 'commit', '--quiet', '--message', HOSTILE);
  await mkdir(join(workspace, '<img src=x onerror=window.hacked=1>'));
  for (const name of ['<script>window.hacked=1<', '\u202Egnp.exe', `${'w'.repeat(180)}.ts`]) {
    await writeFile(join(workspace, '<img src=x onerror=window.hacked=1>', name), `${HOSTILE}\n`);
  }
  await hostile.shares.grant({ user_id: `<b>${'y'.repeat(90)}`, access: 'read' }).catch(() => undefined);
  await eventually('it has failed', async () => (await failing.details()).state === 'failed');
  return hostile;
}

/** Whether something ran, or the page lost its shape. */
async function expectUnharmed(page: Page): Promise<void> {
  await settled(page);
  const found = await page.evaluate(() => ({
    hacked: 'hacked' in globalThis,
    // Icons of ours are SVG without handlers; nothing of this is ours.
    strange: document.querySelectorAll('#app :is(img, iframe, script, style, svg[onload])').length,
    wide: ['html', '.layout-main', 'dialog[open]', '.dialog-body'].filter((selector) =>
      [...document.querySelectorAll(selector)].some(
        (element) => element.clientWidth > 0 && element.scrollWidth > element.clientWidth,
      ),
    ),
    isHidden: getComputedStyle(document.body).display === 'none',
  }));
  expect({ url: page.url(), ...found }).toEqual({
    url: page.url(),
    hacked: false,
    strange: 0,
    wide: [],
    isHidden: false,
  });
}

const at = (suffix: string): string => `sessions/${session.id}${suffix}`;

/** Each page that shows texts of others, and what there is to see of them. */
const PLACES: readonly {
  readonly name: string;
  readonly path: () => string;
  readonly ready: (page: Page) => Promise<unknown>;
  readonly open?: (page: Page) => Promise<void>;
}[] = [
  {
    name: 'the list of sessions',
    path: () => 'sessions?view=all',
    ready: async (page) => await page.getByRole('main').getByText('window.hacked').first().waitFor(),
  },
  {
    name: 'the search',
    path: () => `sessions?q=${encodeURIComponent(MARKUP)}&agent=${encodeURIComponent(short(500))}`,
    ready: async (page) => await page.getByRole('heading', { name: 'No session matches' }).waitFor(),
  },
  {
    name: 'the question before ending',
    path: () => 'sessions?view=all',
    ready: async (page) => await page.getByRole('main').getByText('window.hacked').first().waitFor(),
    open: async (page) => {
      await page.getByLabel('Select all of yours that are shown').check();
      await page.getByRole('button', { name: 'End …' }).click();
      await page.getByRole('dialog').waitFor();
    },
  },
  {
    name: 'the start from a profile',
    path: () => `sessions/new?profile=${profileId}`,
    ready: async (page) => await page.getByRole('button', { name: 'Start session' }).waitFor(),
  },
  {
    name: 'the conversation',
    path: () => at(''),
    ready: async (page) => await page.getByRole('log').getByText('You said').last().waitFor(),
  },
  {
    name: 'the terminal',
    path: () => at('/terminal'),
    ready: async (page) => await page.locator('.xterm').first().waitFor(),
  },
  {
    name: 'the changes',
    path: () => at('/changes'),
    ready: async (page) => await page.locator('.diff').first().waitFor(),
  },
  {
    name: 'the log',
    path: () => at('/log'),
    ready: async (page) => await page.getByLabel('Search the log').fill('<'),
  },
  {
    name: 'the details',
    path: () => at('/details'),
    ready: async (page) => await page.getByText('HOSTILE').first().waitFor(),
  },
  {
    name: 'the shares',
    path: () => at(''),
    ready: async (page) => await page.getByRole('button', { name: 'More actions' }).waitFor(),
    open: async (page) => {
      await page.getByRole('button', { name: 'More actions' }).click();
      await page.getByRole('menuitem', { name: 'Share …' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Create link' }).waitFor();
    },
  },
  {
    name: 'the templates',
    path: () => at(''),
    ready: async (page) => await page.getByRole('button', { name: 'Use a template' }).waitFor(),
    open: async (page) => {
      await page.getByRole('button', { name: 'Use a template' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'window.hacked' }).click();
      await page.getByRole('textbox', { name: 'file' }).fill(MARKUP);
    },
  },
  {
    name: 'the profiles',
    path: () => 'profiles',
    ready: async (page) => await page.getByRole('main').getByText('window.hacked').first().waitFor(),
  },
  {
    name: 'a profile',
    path: () => `profiles/${profileId}`,
    ready: async (page) =>
      await page.waitForFunction(() =>
        [...document.querySelectorAll('input')].some(({ value }) => value === 'HOSTILE'),
      ),
  },
  {
    name: 'the keys',
    path: () => 'keys',
    ready: async (page) => await page.getByRole('row').filter({ hasText: 'window.hacked' }).waitFor(),
  },
  {
    name: 'the users',
    path: () => 'admin/users',
    ready: async (page) => await page.getByRole('row').filter({ hasText: 'root' }).waitFor(),
  },
  {
    name: 'the audit log',
    path: () => `admin/audit?user=root&target=&action=`,
    ready: async (page) =>
      await page
        .getByRole('button', { name: /^Details of/ })
        .first()
        .waitFor(),
    open: async (page) => {
      await page
        .getByRole('button', { name: /^Details of/ })
        .first()
        .click();
      await page.getByRole('dialog').waitFor();
    },
  },
  {
    name: 'an address that does not exist',
    path: () => `${encodeURIComponent(short(300))}/x`,
    ready: async (page) => await page.getByRole('heading', { name: 'There is no such page' }).waitFor(),
  },
];

describe.skipIf(CHROMIUM === null)('hostile texts [needs chromium]', () => {
  test.each(PLACES)(
    'in $name: nothing runs, nothing is wider than a telephone',
    async ({ path, ready, open }) => {
      const options = { server, key: ADMIN, window: 'telephone', path: path() } as const;
      await browser.visit(options, async ({ page }) => {
        await page.setViewportSize(NARROW);
        await ready(page);
        await expectUnharmed(page);
        await open?.(page);
        await expectUnharmed(page);
      });
    },
  );

  test('typed into every field of the page for new sessions and profiles: they stay texts', async () => {
    for (const path of ['sessions/new', 'profiles/new']) {
      await browser.visit({ server, key: ADMIN, window: 'telephone', path }, async ({ page }) => {
        await page.setViewportSize(NARROW);
        await page.getByRole('textbox').first().waitFor();
        await page.locator('details').evaluateAll((folds) => {
          for (const fold of folds) if (fold instanceof HTMLDetailsElement) fold.open = true;
        });
        for (const field of await page.getByRole('textbox').and(page.locator(':visible:enabled')).all()) {
          await field.fill(MARKUP);
        }
        await expectUnharmed(page);
      });
    }
  });
});
