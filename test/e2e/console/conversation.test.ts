import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { ANSWER, CHROMIUM, WINDOW_NAMES, sharedBrowser } from '../../support/console.ts';
import { lastingPort, startServer } from '../../support/server-process.ts';
import type { ServerProcess } from '../../support/server-process.ts';
import { ServerSeries } from '../../support/server-series.ts';

const ACP_AGENT = fileURLToPath(
  new URL('../../../packages/agent-server/test/support/acp-agent.mjs', import.meta.url),
);

vi.setConfig({ testTimeout: 120_000 });

let server: ServerProcess;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'agentapi-proxy-conversation-'));
  return async () => await rm(folder, { recursive: true, force: true });
});
const browser = sharedBrowser(async (own) => {
  const agentOf = async (name: string, actions: readonly unknown[]) => {
    const script = join(folder, `${name}.json`);
    await writeFile(script, JSON.stringify({ steps: [{ actions }] }));
    const env = { AGENTAPI_ACP_PERMISSIONS: 'ask' };
    return { command: process.execPath, args: [ACP_AGENT, script], transport: 'acp', env };
  };
  const asking = await agentOf('asking', ACP_TURN);
  const pausing = await agentOf('pausing', PAUSING_TURN);
  server = await own(startServer({ config: { agents: { asking, pausing } } }));
});

const ACP_TURN = [
  {
    update: { sessionUpdate: 'plan', entries: [{ content: 'Read', priority: 'high', status: 'completed' }] },
  },
  {
    update: {
      sessionUpdate: 'tool_call',
      toolCallId: 'read',
      title: 'Read src/app.ts',
      kind: 'read',
      status: 'completed',
      content: [{ type: 'content', content: { type: 'text', text: 'export const answer = 42;' } }],
    },
  },
  {
    permission: {
      toolCall: {
        toolCallId: 'run',
        title: 'Run the tests',
        kind: 'execute',
        rawInput: { command: 'npm test' },
      },
      options: [
        { optionId: 'once', name: 'Allow once', kind: 'allow_once' },
        { optionId: 'no', name: 'Reject', kind: 'reject_once' },
      ],
    },
  },
  { chunk: '\n\n## Done\n\nIt is **mended**:\n\n```ts\nexport const answer: number = 42;\n```\n' },
];

/** Between its words is a pause that could be the end of them. */
const PAUSING_TURN = [{ chunk: 'I look at it.' }, { sleep: 2_500 }, { chunk: ' It is mended.' }];

const box = (page: Page) => page.getByLabel('Message to the agent');
const log = (page: Page) => page.getByRole('log', { name: 'Conversation' });
const waiting = (page: Page) => page.getByRole('list', { name: 'Messages that wait for the agent' });
const send = async (page: Page, text: string): Promise<void> => {
  await box(page).fill(text);
  await page.getByRole('button', { name: /^(?:Send|Queue)$/ }).click();
};

describe.skipIf(CHROMIUM === null)('a conversation [needs chromium]', () => {
  test.each(WINDOW_NAMES)(
    'on a %s: one writes, the agent answers, and that is announced once',
    async (window) => {
      const session = await server.client.start();
      await browser.visit({ server, path: `/sessions/${session.id}`, window }, async ({ page, check }) => {
        await box(page).fill('Hello\nagent');
        await box(page).press('Shift+Enter');
        expect(await box(page).inputValue()).toBe('Hello\nagent\n');
        // The keyboard of a telephone has no Shift+Enter: there Enter begins a line, and the button sends.
        if (window === 'desktop') await box(page).press('Enter');
        else await page.getByRole('button', { name: /^(?:Send|Queue)$/ }).click();
        await log(page).getByRole('article', { name: /^You/ }).getByText('Hello').waitFor();
        await log(page).getByText('You said: Hello').waitFor(ANSWER);
        expect(await box(page).inputValue()).toBe('');
        // What it said before may be part of it, if it began only now.
        const announced = page.locator('[data-announcer]');
        await announced.getByText('You said: Hello').waitFor({ state: 'attached' });
        expect(await announced.textContent()).toMatch(/^demo: /);
        await page.locator('.status-line').getByText('Waiting for you').waitFor();
        await check();
      });
      await session.delete();
    },
  );

  test('an agent that makes a pause is announced to its last word', async () => {
    const session = await server.client.start({ agent: 'pausing' });
    await browser.visit({ server, path: `/sessions/${session.id}` }, async ({ page }) => {
      await send(page, 'Mend it');
      const announced = page.locator('[data-announcer]').getByText('It is mended.');
      await announced.waitFor({ state: 'attached' });
      expect(await announced.innerText()).toBe('pausing: I look at it. It is mended.');
    });
    await session.delete();
  });

  test.each(WINDOW_NAMES)(
    'on a %s: while the agent works messages wait, and can be changed, taken back, and let through',
    async (window) => {
      const session = await server.client.start();
      await browser.visit({ server, path: `/sessions/${session.id}`, window }, async ({ page, check }) => {
        await send(page, '/think 3600');
        await page.locator('.status-line').getByText('Working for').waitFor(ANSWER);
        await log(page).getByText('/think 3600').waitFor(ANSWER);
        await send(page, 'first thought');
        await send(page, 'second thought');
        const first = waiting(page).getByRole('listitem').filter({ hasText: 'first thought' });
        const second = waiting(page).getByRole('listitem').filter({ hasText: 'second thought' });
        await second.getByRole('button', { name: 'Take this message back' }).click();
        await expect.poll(() => second.count()).toBe(0);
        await first.getByRole('button', { name: 'Edit this message' }).click();
        await page.getByLabel('Text of the waiting message').fill('better thought');
        await check();
        await page.getByRole('button', { name: 'Save' }).click();
        await waiting(page).getByText('better thought').waitFor();
        await page.getByRole('button', { name: 'Interrupt' }).click();
        await log(page).getByText('You said: better thought').waitFor(ANSWER);
        await expect.poll(() => waiting(page).count()).toBe(0);
        const { messages } = await session.conversation.messages();
        const said = messages.filter(({ role }) => role === 'user').map(({ content }) => content);
        expect(said).toEqual(['/think 3600', 'better thought']);
      });
      await session.delete();
    },
  );

  test('what is written stays in the browser until it is sent', async () => {
    const session = await server.client.start();
    const path = `/sessions/${session.id}`;
    await browser.visit({ server, path }, async ({ page, goto }) => {
      await box(page).fill('half a tho');
      await goto('/sessions');
      await page.getByRole('heading', { name: 'Sessions' }).waitFor();
      await goto(path);
      await expect.poll(() => box(page).inputValue()).toBe('half a tho');
      // Enter that confirms a word, as Safari tells of it.
      await box(page).evaluate((area) => {
        const init = { key: 'Enter', keyCode: 229, bubbles: true, cancelable: true };
        area.dispatchEvent(new KeyboardEvent('keydown', init));
      });
      expect(await box(page).inputValue()).toBe('half a tho');
      await box(page).press('Enter');
      await log(page).getByText('You said: half a tho').waitFor(ANSWER);
      await page.reload();
      await log(page).getByText('You said: half a tho').waitFor(ANSWER);
      expect(await box(page).inputValue()).toBe('');
    });
    await session.delete();
  });

  test.each(WINDOW_NAMES)(
    'on a %s: questions of an agent are answered with buttons, or with keys',
    async (window) => {
      const session = await server.client.start();
      await browser.visit({ server, path: `/sessions/${session.id}`, window }, async ({ page, check }) => {
        await send(page, '/ask');
        const question = page.getByRole('region', { name: 'Question of the agent' }).first();
        await question.getByRole('button', { name: 'Yes', exact: true }).waitFor(ANSWER);
        await check();
        await question.getByRole('button', { name: 'Yes', exact: true }).click();
        await log(page).getByText('You chose: Yes').waitFor(ANSWER);
        await expect.poll(() => question.count()).toBe(0);
        await page.locator('.status-line').getByText('Waiting for you').waitFor();
        await send(page, '/ask');
        await question.waitFor(ANSWER);
        await page.getByRole('button', { name: 'Keys of the terminal' }).click();
        await check();
        const keys = page.getByRole('group', { name: 'Keys of the terminal' });
        await keys.getByRole('button', { name: 'Arrow down' }).click();
        await keys.getByText('Arrow down pressed').waitFor({ state: 'attached' });
        await keys.getByRole('button', { name: 'Enter', exact: true }).click();
        await log(page).getByText("You chose: Yes, and don't ask again").waitFor(ANSWER);
      });
      await session.delete();
    },
  );

  test.each(WINDOW_NAMES)(
    'on a %s: an agent that speaks ACP shows its plan and its tool calls, and asks for permission',
    async (window) => {
      const session = await server.client.start({ agent: 'asking', message: 'Mend it' });
      await browser.visit({ server, path: `/sessions/${session.id}`, window }, async ({ page, check }) => {
        const request = page.getByRole('region', { name: 'May the agent do this: Run the tests' });
        await request.waitFor(ANSWER);
        await request.getByText('What it is about').click();
        await request.getByText('npm test').waitFor();
        await check();
        await request.getByRole('button', { name: 'Allow once' }).click();
        await log(page).getByRole('heading', { name: 'Done' }).waitFor();
        expect(await request.count()).toBe(0);
        // A telephone would show its keyboard.
        const hasFocus = await box(page).evaluate((area) => area === document.activeElement);
        expect(hasFocus).toBe(window === 'desktop');
        await log(page).getByText('Read src/app.ts').click();
        await log(page).getByText('export const answer = 42;').waitFor();
        await log(page).getByText('1 of 1 done').waitFor();
        await log(page).locator('.hljs-keyword').first().waitFor();
        await check();
        if (window === 'desktop') {
          await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
          await log(page).getByRole('button', { name: 'Copy', exact: true }).click();
          await log(page).getByRole('button', { name: 'Copied' }).waitFor();
          expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(
            'export const answer: number = 42;',
          );
        }
      });
      await session.delete();
    },
  );

  test.each(WINDOW_NAMES)(
    'on a %s: an agent that asks for permission waits for somebody, and the list says so',
    async (window) => {
      const session = await server.client.start({ agent: 'asking', message: 'Mend this' });
      await browser.visit({ server, window }, async ({ page, check }) => {
        const row = page.getByRole('listitem').filter({ hasText: 'Mend this' });
        await row.getByText('Waiting for you').waitFor(ANSWER);
        await check();
        expect((await session.status()).status).toBe('running');
        await row.locator('.session-link').click();
        await page.getByRole('button', { name: 'Allow once' }).click();
        await log(page).getByRole('heading', { name: 'Done' }).waitFor();
      });
      await session.delete();
    },
  );

  test.each(WINDOW_NAMES)(
    'on a %s: files go to the agent, those that are too large do not',
    async (window) => {
      const session = await server.client.start();
      await session.waitUntilReady();
      await browser.visit({ server, path: `/sessions/${session.id}`, window }, async ({ page, check }) => {
        const picker = page.locator('input[type=file]');
        await page.getByRole('button', { name: 'Attach files' }).and(page.locator(':enabled')).waitFor();
        await picker.setInputFiles([
          { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('remember this') },
          { name: 'huge.bin', mimeType: 'application/octet-stream', buffer: Buffer.alloc(11 * 2 ** 20) },
        ]);
        await page.getByText('huge.bin is larger than the 10 MB that an agent takes.').waitFor();
        const files = page.getByRole('list', { name: 'Files for the agent' });
        await files.locator('[data-state=done]').getByText('notes.txt').waitFor();
        await check();
        await page.evaluate(() => {
          const data = new DataTransfer();
          data.items.add(new File(['dropped'], 'dropped.txt'));
          document
            .querySelector('.composer')
            ?.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true }));
        });
        await files.locator('[data-state=done]').getByText('dropped.txt').waitFor();
        await files.getByRole('button', { name: 'Remove dropped.txt' }).click();
        // A page that goes away with the last key loses neither text nor files.
        const loaded = page.waitForEvent('load');
        await box(page).evaluate((area: HTMLTextAreaElement) => {
          area.value = 'Look';
          area.dispatchEvent(new InputEvent('input', { bubbles: true }));
          location.reload();
        });
        await loaded;
        await files.getByText('notes.txt').waitFor();
        await page.getByRole('button', { name: 'Send' }).click();
        await log(page).getByText('You said: Look').waitFor(ANSWER);
      });
      const { messages } = await session.conversation.messages();
      const sent = messages.find(({ role }) => role === 'user')?.content ?? '';
      const path = /^Look\n\nAttached files:\n- (?<path>.*notes\.txt)$/.exec(sent)?.groups?.['path'];
      expect(await readFile(path ?? '', 'utf8')).toBe('remember this');
      await session.delete();
    },
  );

  test.each(WINDOW_NAMES)('on a %s: templates of profiles are filled in', async (window) => {
    const other = await server.client.profiles.create({
      name: 'Greetings',
      message_templates: [{ name: 'hi', content: 'Hi.' }],
      is_default: true,
    });
    const { profile } = await server.client.profiles.create({
      name: 'Reviews',
      message_templates: [
        { name: 'review', content: 'Review {{file}} for {{ concern }}.' },
        { name: 'hello', content: 'Say hello.' },
      ],
    });
    const session = await server.client.startWithProfile({ profile_id: profile.id });
    const path = `/sessions/${session.id}`;
    await browser.visit({ server, path, window }, async ({ page, goto, check }) => {
      await page.getByRole('button', { name: 'Use a template' }).click();
      const headings = page.getByRole('dialog').getByRole('heading', { level: 3 });
      await headings.first().waitFor();
      // The profile of the session comes first, before the default one.
      expect(await headings.allInnerTexts()).toEqual(['Profile Reviews', 'Profile Greetings']);
      await check();
      await page.getByRole('button', { name: /^review/ }).click();
      await page.getByRole('textbox', { name: 'file' }).fill('src/app.ts');
      expect(await page.getByRole('button', { name: 'Insert' }).isDisabled()).toBe(true);
      await page.getByRole('textbox', { name: 'concern' }).fill('races');
      await check();
      await page.getByRole('textbox', { name: 'concern' }).press('Enter');
      expect(await box(page).inputValue()).toBe('Review src/app.ts for races.');
      expect(await box(page).evaluate((area) => area === document.activeElement)).toBe(true);
      await goto(`${path}/details`);
      await page.getByRole('link', { name: 'Reviews' }).waitFor();
    });
    await session.delete();
    await server.client.profiles.delete(other.profile.id);
    await server.client.profiles.delete(profile.id);
  });

  test('of a session that has ended is there to read, says why, and goes on when the session does', async () => {
    const session = await server.client.start({ message: 'Hello' });
    // What the page asks while the session ends is refused.
    const visit = { server, path: `/sessions/${session.id}`, expectStatuses: [404, 502] };
    await browser.visit(visit, async ({ page, check }) => {
      await log(page).getByText('You said: Hello').waitFor(ANSWER);
      await send(page, '/exit 3');
      await page.getByText('This session has ended. Resume it to go on.').first().waitFor();
      expect(await box(page).evaluate((area) => area instanceof HTMLTextAreaElement && area.readOnly)).toBe(
        true,
      );
      await check();
      await page.reload();
      await log(page).getByText('You said: Hello').waitFor(ANSWER);
      await page.getByRole('button', { name: 'Resume' }).click();
      await send(page, 'again');
      await log(page).getByText('You said: again').waitFor(ANSWER);
    });
    await session.delete();
  });

  test.each(WINDOW_NAMES)(
    'on a %s: a crash of the server loses nothing and doubles nothing, and what is sent meanwhile arrives',
    async (window) => {
      await using series = await ServerSeries.start({ config: { port: await lastingPort() } });
      const session = await series.server.client.start({ message: 'before' });
      const visit = {
        server: series.server,
        path: `/sessions/${session.id}`,
        window,
        expectBrokenConnections: true,
      };
      await browser.visit(visit, async ({ page }) => {
        await log(page).getByText('You said: before').waitFor(ANSWER);
        await series.crash();
        await page.getByText('Reconnecting … What you see may be old.').waitFor();
        await send(page, 'meanwhile');
        await waiting(page).getByText('meanwhile').waitFor();
        await series.next();
        await log(page).getByText('You said: meanwhile').waitFor(ANSWER);
        await send(page, 'after');
        await log(page).getByText('You said: after').waitFor(ANSWER);
        await expect.poll(() => waiting(page).count()).toBe(0);
        const shown = await log(page)
          .getByRole('article')
          .evaluateAll((articles) =>
            articles.map((article) => Number(article.getAttribute('data-message-id'))),
          );
        const { messages } = await series.server.client.session(session.id).conversation.messages();
        expect(shown).toEqual(messages.map(({ id }) => id));
        const said = messages.filter(({ role }) => role === 'user').map(({ content }) => content);
        expect(said).toEqual(['before', 'meanwhile', 'after']);
      });
    },
    120_000,
  );
});
