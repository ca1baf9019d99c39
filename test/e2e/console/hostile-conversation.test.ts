import type { Page } from 'playwright-core';
import { describe, expect, test, vi } from 'vitest';
import { CHROMIUM, WINDOW_NAMES, sharedBrowser } from '../../support/console.ts';
import { startTalkingServer } from '../../support/talking-server.ts';

vi.setConfig({ testTimeout: 120_000 });

const browser = sharedBrowser();

const log = (page: Page) => page.getByRole('log', { name: 'Conversation' });

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
      await using talking = await startTalkingServer(script);
      const { server, session } = talking;
      await browser.visit({ server, path: `/sessions/${session.id}`, window }, async ({ page }) => {
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
