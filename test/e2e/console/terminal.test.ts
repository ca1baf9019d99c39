import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createClient } from '@agentapi-proxy/client';
import type { Client, Session } from '@agentapi-proxy/client';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { ANSWER, CHROMIUM, THEMES, WINDOW_NAMES, sharedBrowser } from '../../support/console.ts';
import { ALICE, BOB, authOf } from '../../support/console-people.ts';
import { lastingPort, startServer } from '../../support/server-process.ts';
import type { ServerProcess } from '../../support/server-process.ts';
import { ServerSeries } from '../../support/server-series.ts';

const SCREEN_AGENT = fileURLToPath(new URL('../../support/screen-agent.mjs', import.meta.url));
const ACP_AGENT = fileURLToPath(
  new URL('../../../packages/agent-server/test/support/acp-agent.mjs', import.meta.url),
);

/** Each has a browser, a server and agents to start, on a machine that does so for other tests, too. */
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let server: ServerProcess;
let alice: Client;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'agentapi-proxy-terminal-'));
  return async () => await rm(folder, { recursive: true, force: true });
});
const browser = sharedBrowser(async (own) => {
  const script = join(folder, 'acp.json');
  await writeFile(script, JSON.stringify({ steps: [] }));
  const screen = { command: process.execPath, args: [SCREEN_AGENT], type: 'custom' };
  const silent = { command: process.execPath, args: [ACP_AGENT, script], transport: 'acp' };
  server = await own(startServer({ config: { auth: authOf(), agents: { screen, silent } } }));
  alice = createClient({ baseUrl: server.url, apiKey: ALICE });
});

const pathOf = (session: Session) => `/sessions/${session.id}/terminal`;
const rows = (page: Page) => page.locator('.xterm-rows');
const screen = (page: Page) => page.getByRole('region', { name: 'Screen of the agent' });
const input = (page: Page) => page.getByLabel('Type into the terminal; F6 leaves it');
const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
const size = (page: Page) => page.getByTitle('Columns and rows of the terminal');
const state = (page: Page, name: string) => page.locator('.terminal-state').getByText(name).waitFor();
const shows = (page: Page, text: string) => rows(page).getByText(text).first().waitFor(ANSWER);
const screenText = async (page: Page): Promise<string> =>
  (await rows(page).innerText()).replaceAll('\u00a0', ' ');
const option = async (page: Page, name: string): Promise<void> => {
  await button(page, 'Options of the terminal').click();
  await page.getByRole('menuitem', { name }).or(page.getByRole('menuitemcheckbox', { name })).click();
};
/** Counts what the page asks the server to do. */
const countPosts = (page: Page): (() => number) => {
  let posts = 0;
  page.on('request', (request) => {
    if (request.method() === 'POST') posts += 1;
  });
  return () => posts;
};

/** A session whose screen is drawn. */
async function started(agent = 'screen'): Promise<Session> {
  const session = await alice.start({ agent });
  await expect.poll(async () => (await session.details()).state, { timeout: 60_000 }).toBe('running');
  return session;
}

describe.skipIf(CHROMIUM === null)('the terminal of a session [needs chromium]', () => {
  test.each(WINDOW_NAMES.flatMap((window) => THEMES.map((theme) => [window, theme] as const)))(
    'on a %s, %s: shows the screen with its colours and cursor, and no key goes to the agent',
    async (window, theme) => {
      const session = await started();
      const visit = { server, key: ALICE, path: pathOf(session), window, theme };
      await browser.visit(visit, async ({ page, check }) => {
        const posts = countPosts(page);
        await shows(page, 'Ready');
        await state(page, 'Live');
        expect(await size(page).innerText()).toBe('80 × 1000');
        const colourOf = async (text: string) =>
          await rows(page)
            .getByText(text, { exact: true })
            .evaluate((element) => getComputedStyle(element).color);
        const colours = await Promise.all(['colour 31', 'colour 32', 'Ready', 'dim'].map(colourOf));
        expect(new Set(colours).size).toBe(4);
        expect(await rows(page).locator('.xterm-cursor-outline').count()).toBe(1);
        expect(await page.locator('head style, body style').count()).toBe(0);
        await screen(page).click();
        await page.keyboard.type('abc');
        await page.keyboard.press('Control+c');
        await check();
        expect(posts()).toBe(0);
        expect(await screenText(page)).not.toContain('Bytes:');
      });
      await session.delete();
    },
  );

  test.each(WINDOW_NAMES)(
    'on a %s: who takes control types, and F6 gives the keyboard back',
    async (window) => {
      const session = await started('demo');
      await browser.visit({ server, key: ALICE, path: pathOf(session), window }, async ({ page, check }) => {
        await shows(page, '/help for commands');
        await button(page, 'Take control').click();
        await page.getByText('You are in control').waitFor();
        await expect.poll(() => input(page).evaluate((field) => field === document.activeElement)).toBe(true);
        await expect.poll(() => rows(page).locator('.xterm-cursor-block').count()).toBe(1);
        await check();
        // Faster than requests are, so that some keys wait for others.
        await page.keyboard.type('the quick brown fox jumps over the lazy dog');
        await page.keyboard.press('ArrowLeft');
        await page.keyboard.press('Backspace');
        await page.keyboard.type('O');
        await shows(page, 'the quick brown fox jumps over the lazy dOg');
        await page.keyboard.press('Enter');
        await shows(page, 'You said: the quick brown fox jumps over the lazy dOg');
        await page.keyboard.press('F6');
        expect(await page.getByText('You are in control').count()).toBe(0);
        expect(await button(page, 'Take control').evaluate((each) => each === document.activeElement)).toBe(
          true,
        );
        await page.keyboard.type('xyz');
        await check();
      });
      const { messages } = await session.conversation.messages();
      expect(messages.at(-1)?.content).toContain('lazy dOg');
      await session.delete();
    },
  );

  test('every key is what terminals send for it', async () => {
    const session = await started();
    await browser.visit({ server, key: ALICE, path: pathOf(session) }, async ({ page }) => {
      await shows(page, 'Ready');
      await button(page, 'Take control').click();
      const keys = async (press: string, bytes: string): Promise<void> => {
        await page.keyboard.press(press);
        await expect
          .poll(() => screenText(page), { message: press })
          .toMatch(new RegExp(`Bytes: ${bytes}\\s*$`));
      };
      await keys('Escape', '1b');
      await keys('Tab', '09');
      await keys('Shift+Tab', '1b5b5a');
      await keys('Control+c', '03');
      await keys('ArrowUp', '1b5b41');
      await keys('Control+ArrowRight', '1b5b313b3543');
      await keys('F1', '1b4f50');
      await keys('Alt+b', '1b62');
      // Enter that confirms a word, as Safari tells of it, is none for the agent.
      const sent: (string | null)[] = [];
      page.on('request', (request) => sent.push(request.postData()));
      await page.locator(':focus').evaluate((field) => {
        const init = { key: 'Enter', keyCode: 229, bubbles: true, cancelable: true };
        field.dispatchEvent(new KeyboardEvent('keydown', init));
      });
      await keys('Delete', '1b5b337e');
      expect(sent.filter((body) => body?.includes(String.raw`\r`))).toEqual([]);
      await page.keyboard.insertText('漢é');
      await expect.poll(() => screenText(page)).toMatch(/Bytes: e6bca2c3a9\s*$/);
      await page.keyboard.press('P');
      await expect.poll(() => screenText(page)).toMatch(/Bytes: e6bca2c3a9\s*$/);
      await expect
        .poll(async () => {
          await page.keyboard.press('ArrowUp');
          return screenText(page);
        })
        .toMatch(/Bytes: 1b4f41\s*$/);
    });
    await session.delete();
  });

  test('pasted text is marked where the program wants it, and cannot bring keys along', async () => {
    const session = await started();
    await browser.visit({ server, key: ALICE, path: pathOf(session) }, async ({ page, context }) => {
      await context.grantPermissions(['clipboard-read', 'clipboard-write']);
      await shows(page, 'Ready');
      await button(page, 'Take control').click();
      await page.evaluate(() => navigator.clipboard.writeText('a\u001b[201~\u0003b\nc'));
      await page.keyboard.press('Control+v');
      await shows(page, `Bytes: ${Buffer.from('a[201~b\rc').toString('hex')}`);
      await page.keyboard.press('P');
      const marked = `Bytes: ${Buffer.from('\u001b[200~a[201~b\rc\u001b[201~').toString('hex')}`;
      await expect
        .poll(async () => {
          await page.keyboard.press('Control+v');
          return (await screenText(page)).replaceAll(/\s*\n\s*/g, '');
        })
        .toContain(marked);
      // What is selected is copied by the keys that interrupt otherwise.
      await rows(page).getByText('Ready').dblclick({ force: true });
      await button(page, 'Copy selection').waitFor();
      await page.keyboard.press('Control+c');
      expect(await page.evaluate(() => navigator.clipboard.readText())).toBe('Ready');
      expect(await button(page, 'Copy selection').count()).toBe(0);
    });
    await session.delete();
  });

  test('on a telephone keys that its keyboard does not have are buttons', async () => {
    const session = await started();
    const visit = { server, key: ALICE, path: pathOf(session), window: 'telephone' as const };
    await browser.visit(visit, async ({ page, check }) => {
      await shows(page, 'Ready');
      expect(await page.getByRole('group', { name: 'Keys of the terminal' }).count()).toBe(0);
      await button(page, 'Take control').tap();
      const keys = page.getByRole('group', { name: 'Keys of the terminal' });
      for (const [name, bytes] of [
        ['Esc, the Escape key', '1b'],
        ['Ctrl+C, which interrupts', '03'],
        ['Arrow down', '1b5b42'],
        ['Enter', '0d'],
      ] as const) {
        await keys.getByRole('button', { name }).tap();
        await expect.poll(() => screenText(page)).toMatch(new RegExp(`Bytes: ${bytes}\\s*$`));
      }
      // The keyboard on the screen goes with the focus.
      expect(await input(page).evaluate((field) => field === document.activeElement)).toBe(true);
      // Such keyboards tell of Backspace only by what it takes away.
      await input(page).evaluate((field) => {
        if (!(field instanceof HTMLTextAreaElement)) throw new Error('no field');
        field.value = '';
        field.dispatchEvent(new InputEvent('input', { inputType: 'deleteContentBackward', bubbles: true }));
      });
      await expect.poll(() => screenText(page)).toMatch(/Bytes: 7f\s*$/);
      await check();
    });
    await session.delete();
  });

  test.each(WINDOW_NAMES)(
    'on a %s: nothing that an agent prints reaches out of the terminal',
    async (window) => {
      const session = await started();
      const visit = { server, key: ALICE, path: pathOf(session), window };
      await browser.visit(visit, async ({ page, context, check }) => {
        await context.grantPermissions(['clipboard-read', 'clipboard-write']);
        await shows(page, 'Ready');
        await page.evaluate(() => navigator.clipboard.writeText('mine'));
        await button(page, 'Take control').click();
        await input(page).waitFor({ state: 'attached' });
        const title = await page.title();
        const posts = countPosts(page);
        let dialogs = 0;
        page.on('dialog', (dialog) => {
          dialogs += 1;
          void dialog.dismiss();
        });
        await session.sendRaw('H');
        await shows(page, 'Still here.');
        await session.sendRaw('M');
        await session.sendRaw('q');
        // Reports of the focus and of the mouse are keys that nobody pressed.
        await button(page, 'Options of the terminal').focus();
        await input(page).focus();
        await rows(page).getByText('innocent').first().click({ force: true });
        await screen(page).hover();
        await page.mouse.wheel(0, 10);
        await shows(page, 'Bytes: 71');
        expect(posts()).toBe(0);
        expect(dialogs).toBe(0);
        expect(await page.title()).toBe(title);
        expect(context.pages()).toHaveLength(1);
        expect(await page.evaluate(() => navigator.clipboard.readText())).toBe('mine');
        expect(await screen(page).locator('a, img, script').count()).toBe(0);
        // A program that wants reports of the mouse does not keep anybody from selecting text.
        if (window === 'desktop') {
          await rows(page).getByText('Ready').dblclick({ force: true });
          await button(page, 'Copy selection').waitFor();
        }
        await check();
      });
      await session.delete();
    },
  );

  test.each(WINDOW_NAMES)(
    'on a %s: the terminal takes the size of the window on request only',
    async (window) => {
      const session = await started();
      await browser.visit({ server, key: ALICE, path: pathOf(session), window }, async ({ page, check }) => {
        const posts = countPosts(page);
        await shows(page, 'Ready');
        await expect.poll(() => size(page).innerText()).toBe('80 × 1000');
        expect(posts()).toBe(0);
        await option(page, 'Fit width to window');
        await expect.poll(() => size(page).innerText()).toMatch(/^(?!80 )\d+ × 1000$/);
        const fits = async () =>
          await screen(page).evaluate((element) => element.scrollWidth <= element.clientWidth);
        await expect.poll(fits).toBe(true);
        await option(page, 'Fit width and height');
        await page.getByRole('dialog').getByText('for everybody').waitFor();
        await check();
        await button(page, 'Change the height').click();
        await expect.poll(() => size(page).innerText()).toMatch(/^\d+ × [2-5]\d$/);
        await shows(page, 'Ready');
        await option(page, 'Usual size');
        await expect.poll(() => size(page).innerText()).toBe('80 × 1000');
        await option(page, 'Larger letters');
        const height = async () =>
          await rows(page)
            .locator('> div')
            .first()
            .evaluate((row) => row.clientHeight);
        const before = await height();
        for (let step = 0; step < 4; step += 1) await option(page, 'Larger letters');
        await expect.poll(height).toBeGreaterThan(before);
        await page.reload();
        await shows(page, 'Ready');
        expect(await height()).toBeGreaterThan(before);
      });
      await session.delete();
    },
  );

  test('a long screen is shown at its cursor, until somebody scrolls away', async () => {
    const session = await started('demo');
    await session.sendAndWait('/run seq 1 200');
    await browser.visit({ server, key: ALICE, path: pathOf(session) }, async ({ page, check }) => {
      await shows(page, '(exit code 0)');
      const rest = async () =>
        await screen(page).evaluate((each) => each.scrollHeight - each.scrollTop - each.clientHeight);
      await expect.poll(rest).toBeLessThan(2);
      // The other rows of the thousand are blank.
      expect(await screen(page).evaluate((element) => element.scrollHeight)).toBeLessThan(5_000);
      await screen(page).hover();
      await page.mouse.wheel(0, -1_500);
      await button(page, 'Jump to the cursor').waitFor();
      await session.sendAndWait('another word');
      expect(await rest()).toBeGreaterThan(500);
      await button(page, 'Jump to the cursor').click();
      await expect.poll(rest).toBeLessThan(2);
      await check();
      // No trap: the keyboard scrolls, and gets out.
      await screen(page).focus();
      await page.keyboard.press('Home');
      await button(page, 'Jump to the cursor').waitFor();
      await page.keyboard.press('Shift+Tab');
      expect(await screen(page).evaluate((element) => element.contains(document.activeElement))).toBe(false);
    });
    await session.delete();
  });

  test('a screen can be shown as text, which is read aloud while one types', async () => {
    const session = await started();
    await browser.visit({ server, key: ALICE, path: pathOf(session) }, async ({ page, check }) => {
      await shows(page, 'Ready');
      await option(page, 'Show as plain text');
      const text = page.getByRole('group', { name: 'Screen of the agent' });
      await text.getByText('Ready').waitFor();
      expect(await rows(page).isVisible()).toBe(false);
      await check();
      await button(page, 'Take control').click();
      await page.keyboard.press('q');
      await text.getByText('Bytes: 71').waitFor();
      await check();
      await page.reload();
      await text.getByText('Bytes: 71').waitFor();
      await option(page, 'Show as plain text');
      await shows(page, 'Bytes: 71');
    });
    await session.delete();
  });

  test.each(WINDOW_NAMES)(
    'on a %s: a server that restarts is waited for, and the same agent goes on',
    async (window) => {
      await using series = await ServerSeries.start({ config: { port: await lastingPort() } });
      const session = await series.server.client.start({ message: 'before' });
      const visit = { server: series.server, path: pathOf(session), window, expectBrokenConnections: true };
      await browser.visit(visit, async ({ page }) => {
        await shows(page, 'You said: before');
        await button(page, 'Take control').click();
        await series.crash();
        await state(page, 'Reconnecting');
        await page.getByText('Nothing can be typed until').waitFor();
        await page.keyboard.type('lost');
        await series.next();
        await page.getByText('You are in control').waitFor({ timeout: 45_000 });
        await page.keyboard.type('after');
        await page.keyboard.press('Enter');
        await shows(page, 'You said: after');
        expect(await screenText(page)).not.toContain('lost');
      });
    },
  );

  test('whoever may only look on sees the screen, and cannot type', async () => {
    const session = await started();
    const { token } = await session.shares.createLink({ ttl_seconds: 600 });
    const path = `${pathOf(session)}#token=${token}`;
    await browser.visit({ server, path, expectStatuses: [403] }, async ({ page, check }) => {
      await shows(page, 'Ready');
      await state(page, 'Live');
      expect(await button(page, 'Take control').count()).toBe(0);
      await button(page, 'Options of the terminal').click();
      expect(await page.getByRole('menuitem', { name: 'Fit width to window' }).count()).toBe(0);
      await check();
    });
    await session.shares.grant({ user_id: 'bob', access: 'write' });
    const visit = { server, path: pathOf(session), key: BOB, expectStatuses: [403] };
    await browser.visit(visit, async ({ page, goto }) => {
      await shows(page, 'Ready');
      await button(page, 'Take control').click();
      await session.shares.grant({ user_id: 'bob', access: 'read' });
      await page.keyboard.type('x');
      await page.getByText('The keys did not arrive.').waitFor();
      await expect.poll(() => page.getByText('You are in control').count()).toBe(0);
      expect(await screenText(page)).not.toContain('Bytes:');
      await goto('sessions');
      await goto(pathOf(session));
      await shows(page, 'Ready');
      await state(page, 'Live');
      expect(await button(page, 'Take control').count()).toBe(0);
    });
    await session.delete();
  });

  test('when the agent ends its last screen stays; later there is none', async () => {
    const session = await started();
    // The stream is asked for once more, and is no longer there.
    const visit = { server, key: ALICE, path: pathOf(session), expectStatuses: [404] };
    await browser.visit(visit, async ({ page, check }) => {
      await shows(page, 'Ready');
      await button(page, 'Take control').click();
      await page.keyboard.press('X');
      await page.getByText('This was the last screen.').waitFor();
      await shows(page, 'Ready');
      expect(await button(page, 'Give back control').count()).toBe(0);
      await check();
      await page.reload();
      await page.getByRole('heading', { name: 'The session has ended' }).waitFor();
      await check();
    });
    await session.delete();
  });

  test('an agent that speaks ACP has none, and the page says where to look', async () => {
    const session = await alice.start({ agent: 'silent' });
    await browser.visit({ server, key: ALICE, path: pathOf(session) }, async ({ page, check }) => {
      await page.getByRole('heading', { name: 'This agent has no terminal' }).waitFor();
      expect(await button(page, 'Take control').count()).toBe(0);
      await check();
    });
    await session.delete();
  });

  test('of another agent server than ours the screen is shown as text', async () => {
    const session = await started();
    await browser.visit({ server, key: ALICE, path: '/sessions' }, async ({ page, goto, check }) => {
      await page.route(`**/sessions/${session.id}`, async (route) => {
        if (route.request().resourceType() === 'document') return route.continue();
        const response = await route.fetch();
        const record: unknown = await response.json();
        return route.fulfill({ response, json: Object.assign({}, record, { agent_server: 'external' }) });
      });
      await goto(pathOf(session));
      await page.getByText('shows its screen as text only').waitFor();
      await screen(page).getByText('Ready').waitFor();
      await session.sendRaw('q');
      await screen(page).getByText('Bytes: 71').waitFor();
      expect(await rows(page).count()).toBe(0);
      await check();
    });
    await session.delete();
  });

  test('nobody who does not look at a terminal fetches its code', async () => {
    const session = await started();
    await browser.visit({ server, key: ALICE, path: `/sessions/${session.id}` }, async ({ page }) => {
      await page.getByLabel('Message to the agent').waitFor();
      const loaded = await page.evaluate(() =>
        performance.getEntriesByType('resource').map(({ name }) => name),
      );
      expect(loaded.filter((name) => name.includes('/assets/')).length).toBeGreaterThan(0);
      expect(loaded.filter((name) => name.includes('terminal'))).toEqual([]);
    });
    await session.delete();
  });
});
