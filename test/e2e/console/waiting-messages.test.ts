import type { Page } from 'playwright-core';
import { describe, expect, test, vi } from 'vitest';
import { CHROMIUM, sharedBrowser } from '../../support/console.ts';
import { startServer } from '../../support/server-process.ts';
import type { ServerProcess } from '../../support/server-process.ts';

/** Agents in terminals are typed to and waited for; on a busy machine an answer takes its time. */
const ANSWER = { timeout: 60_000 };
vi.setConfig({ testTimeout: 120_000, hookTimeout: 90_000 });

let server: ServerProcess;
const browser = sharedBrowser(async (own) => {
  server = await own(startServer());
});

const box = (page: Page) => page.getByLabel('Message to the agent');
const log = (page: Page) => page.getByRole('log', { name: 'Conversation' });
const waiting = (page: Page) => page.getByRole('list', { name: 'Messages that wait for the agent' });
const send = async (page: Page, text: string): Promise<void> => {
  await box(page).fill(text);
  await page.getByRole('button', { name: /^(?:Send|Queue)$/ }).click();
};
const hasFocus = async (place: ReturnType<Page['locator']>): Promise<boolean> =>
  await place.evaluate((element) => element === document.activeElement);
const drawn = async (page: Page): Promise<void> => {
  await page.evaluate(
    async () => await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve))),
  );
};
/** Waits until the page has looked at the queue from now on, and drawn what it saw. */
const looked = async (page: Page): Promise<void> => {
  const responses = ['pending', 'sending', 'failed'].map(
    async (state) =>
      await page.waitForResponse((response) => {
        const { pathname, searchParams } = new URL(response.url());
        return pathname.endsWith('/queue') && searchParams.get('state') === state;
      }),
  );
  for (const response of await Promise.all(responses)) await response.finished();
  await drawn(page);
};

describe.skipIf(CHROMIUM === null)('messages that wait [needs chromium]', () => {
  test('one that is delivered while somebody changes it leaves the change with the draft', async () => {
    const session = await server.client.start();
    const options = { server, path: `/sessions/${session.id}`, expectBrokenConnections: true };
    await browser.visit(options, async ({ page }) => {
      await send(page, '/think 3600');
      await log(page).getByText('/think 3600').waitFor();
      await send(page, 'old');
      const edit = waiting(page).getByRole('button', { name: 'Edit this message' });
      const field = page.getByLabel('Text of the waiting message');
      await edit.click();
      await field.press('Escape');
      expect(await hasFocus(edit)).toBe(true);
      await page.route('**/queue/*', async (route) => await route.abort());
      await waiting(page).getByRole('button', { name: 'Take this message back' }).click();
      await page.getByText('It could not be taken back.').waitFor();
      await page.unroute('**/queue/*');
      await edit.press('Enter');
      expect(await hasFocus(field)).toBe(true);
      await field.fill('better');
      // Whoever writes something else meanwhile is left alone.
      await box(page).focus();
      await looked(page);
      expect(await hasFocus(box(page))).toBe(true);
      expect(await field.inputValue()).toBe('better');
      // Escape in the field does no more than close it; where messages are written it interrupts the agent.
      await box(page).press('Escape');
      await log(page).getByText('You said: old').waitFor(ANSWER);
      await expect.poll(() => box(page).inputValue()).toBe('better');
      expect(await hasFocus(box(page))).toBe(true);
      await page.getByText('It was on its way already.').waitFor();
    });
    await session.delete();
  });

  test('of those that were not delivered only the one that is put away goes, for good', async () => {
    const session = await server.client.start();
    const failedOnes = ['first', 'second', 'third'].map((content, index) => ({
      id: `00000000-0000-4000-8000-00000000000${index}`,
      session_id: session.id,
      position: index + 1,
      state: 'failed',
      reason: 'The agent did not take it.',
      content,
      created_by: 'anonymous',
      created_at: new Date().toISOString(),
      updated_at: new Date().toISOString(),
    }));
    await browser.visit({ server, path: 'sessions' }, async ({ page, goto }) => {
      await page.route('**/queue?*state=failed*', async (route) => {
        await route.fulfill({ json: { messages: failedOnes } });
      });
      await page.route(`**/sessions/${session.id}/messages?*`, async (route) => {
        const message = { id: 0, role: 'agent', content: 'Late', time: '2026-01-01T00:05:00Z', event_id: 1 };
        await route.fulfill({ json: { messages: [message] } });
      });
      await goto(`/sessions/${session.id}`);
      await log(page).getByText('Jan 1, 00:05').waitFor();
      const item = (text: string) => waiting(page).getByRole('listitem').filter({ hasText: text });
      await item('second').getByRole('button', { name: 'Put this message away' }).click();
      await item('second').waitFor({ state: 'detached' });
      await item('third').getByRole('button', { name: 'Back to the draft' }).click();
      expect(await box(page).inputValue()).toBe('third');
      await page.reload();
      await item('first').waitFor();
      expect(await waiting(page).getByRole('listitem').count()).toBe(1);
    });
    await session.delete();
  });

  test('those of two tabs that the server did not get arrive once each, though one tab is gone', async () => {
    const session = await server.client.start();
    const path = `/sessions/${session.id}`;
    const options = { server, path, expectBrokenConnections: true };
    await browser.visit(options, async ({ page, context }) => {
      const messages = `**/sessions/${session.id}/messages`;
      await context.route(messages, async (route) => {
        if (route.request().method() === 'POST') await route.abort();
        else await route.fallback();
      });
      const other = await context.newPage();
      await other.goto(page.url());
      for (const tab of [other, page]) await box(tab).waitFor();
      await send(other, 'of the other tab');
      await waiting(other).getByText('Not sent').waitFor();
      await send(page, 'of this tab');
      await waiting(page).getByText('Not sent').waitFor();
      await other.close();
      // It is sent again by itself, and that is neither announced nor in the way of whoever decides what to do.
      const toDraft = waiting(page).getByRole('button', { name: 'Back to the draft' });
      const alert = waiting(page).getByRole('alert');
      await toDraft.focus();
      await alert.evaluate((element) => element.setAttribute('data-known', ''));
      await page.waitForEvent('requestfailed', (request) => request.method() === 'POST');
      await drawn(page);
      expect(await hasFocus(toDraft)).toBe(true);
      expect(await alert.getAttribute('data-known')).toBe('');
      await context.unroute(messages);
      await page.reload();
      await log(page).getByText('You said: of this tab').waitFor(ANSWER);
      await expect.poll(() => waiting(page).count()).toBe(0);
      const said = (await session.conversation.messages()).messages.filter(({ role }) => role === 'user');
      expect(said.map(({ content }) => content)).toEqual(['of the other tab', 'of this tab']);
    });
    await session.delete();
  });
});
