import type { Page } from 'playwright-core';
import { describe, expect, test, vi } from 'vitest';
import { CHROMIUM, WINDOW_NAMES, sharedBrowser } from '../../support/console.ts';
import { startTalkingServer } from '../../support/talking-server.ts';

vi.setConfig({ testTimeout: 120_000 });

const browser = sharedBrowser();

const log = (page: Page) => page.getByRole('log', { name: 'Conversation' });
const toEnd = async (page: Page): Promise<number> =>
  await log(page).evaluate((element) => element.scrollHeight - element.scrollTop - element.clientHeight);

describe.skipIf(CHROMIUM === null)('a conversation of 2,000 messages [needs chromium]', () => {
  test.each(WINDOW_NAMES)(
    'on a %s: begins at its end, and stays where one reads',
    async (window) => {
      await using talking = await startTalkingServer(
        Array.from({ length: 2_000 }, (_none, id) =>
          id % 2 === 0
            ? { role: 'user', content: `Message ${id}` }
            : {
                role: 'agent',
                content: `## Step ${id}\n\nI did **it**.\n\n\`\`\`ts\nconst step = ${id};\n\`\`\`\n`,
              },
        ),
      );
      const { server, session, say } = talking;
      await browser.visit({ server, path: `/sessions/${session.id}`, window }, async ({ page, check }) => {
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
      });
    },
    180_000,
  );
});
