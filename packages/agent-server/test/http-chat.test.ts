import { existsSync } from 'node:fs';
import { createServer, request as httpRequest } from 'node:http';
import { chromium } from 'playwright-core';
import { expect, test } from 'vitest';
import { eventually, serveApi, type ServedApi } from './support/http-harness.ts';

const BROWSER = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium';
const PREFIX = '/any/prefix';

test.skipIf(!existsSync(BROWSER))(
  'AA-037: behind a path prefix the chat page shows, sends and uploads, and asks for nothing else',
  async () => {
    await using served = await serveApi({ allowedHosts: ['*'] });
    const { conversation } = served;
    conversation.messageList = [{ id: 0, role: 'agent', content: 'hello <b>you</b>', time: new Date(0) }];
    await using proxy = await prefixProxy(served);
    const browser = await chromium.launch({ executablePath: BROWSER, args: ['--no-sandbox'] });
    try {
      const page = await browser.newPage();
      const problems: string[] = [];
      page.on('pageerror', (error) => problems.push(error.message));
      page.on('console', (message) => problems.push(message.text()));
      await page.goto(`http://127.0.0.1:${proxy.port}${PREFIX}/chat/embed`);
      await page.getByText('hello <b>you</b>').waitFor();
      await page.getByText('waits for input').waitFor();

      await page.getByLabel('Message').fill('first line');
      await page.getByLabel('Message').press('Shift+Enter');
      await page.getByLabel('Message').pressSequentially('second');
      await page.getByLabel('Message').press('Enter');
      await eventually(() => conversation.sent.length === 1);
      expect(conversation.sent[0]).toEqual({ type: 'user', content: 'first line\nsecond' });

      conversation.emit({
        kind: 'message',
        message: { id: 0, role: 'agent', content: 'hello again', time: new Date() },
      });
      await page.getByText('hello again').waitFor();
      expect(await page.getByText('hello <b>you</b>').count()).toBe(0);

      await page.getByRole('button', { name: 'Ctrl+C' }).click();
      await eventually(() => conversation.sent.length === 2);
      expect(conversation.sent[1]).toEqual({ type: 'raw', content: '\u0003' });

      await page
        .getByLabel('Attach')
        .setInputFiles({ name: 'a b.txt', mimeType: 'text/plain', buffer: Buffer.from('x') });
      await eventually(async () => (await page.getByLabel('Message').inputValue()).includes('/a b.txt"'));
      expect(problems).toEqual([]);

      // The conversation is busy since the message: the page says why another one is refused.
      await page.getByRole('button', { name: 'Send' }).click();
      await page.getByText('message can only be sent when').waitFor();
      expect(proxy.strays).toEqual([]);
    } finally {
      await browser.close();
    }
  },
);

/** Serves the API below a prefix and notes requests that leave it. */
async function prefixProxy(served: ServedApi) {
  const strays: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    if (!path.startsWith(`${PREFIX}/`)) {
      strays.push(path);
      response.writeHead(404).end();
      return;
    }
    const { method, headers } = request;
    const upstream = httpRequest({
      host: '127.0.0.1',
      port: served.port,
      path: path.slice(PREFIX.length),
      method,
      headers,
    });
    upstream.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    upstream.on('error', () => response.destroy());
    response.on('close', () => upstream.destroy());
    request.pipe(upstream);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: address !== null && typeof address === 'object' ? address.port : 0,
    strays,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
