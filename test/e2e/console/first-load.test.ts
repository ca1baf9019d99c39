import { describe, expect, test, vi } from 'vitest';
import { CHROMIUM, sharedBrowser } from '../../support/console.ts';
import { startServer } from '../../support/server-process.ts';
import type { ServerProcess } from '../../support/server-process.ts';

vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 });

/** All that a browser fetches until somebody sees the sessions, compressed. */
const FIRST_LOAD_BYTES = 200 * 1024;

let server: ServerProcess;
const browser = sharedBrowser(async (own) => {
  server = await own(startServer());
});

describe.skipIf(CHROMIUM === null)('the first load of the console [needs chromium]', () => {
  test.each(['sessions', 'conversation'] as const)('%s: stays below 200 KB, all in all', async (page) => {
    const session = await server.client.start({ message: 'Look at `this`:\n\n```ts\nconst one = 1;\n```' });
    const path = page === 'sessions' ? 'sessions' : `sessions/${session.id}`;
    await browser.visit({ server, path: 'nothing' }, async ({ page: tab, context, goto }) => {
      await tab.getByRole('heading', { name: 'There is no such page' }).waitFor();
      const network = await context.newCDPSession(tab);
      await network.send('Network.enable');
      await network.send('Network.setCacheDisabled', { cacheDisabled: true });
      const files = new Map<string, string>();
      let bytes = 0;
      network.on('Network.responseReceived', ({ requestId, response }) => {
        const { pathname } = new URL(response.url);
        // The terminal and the colours of code come when somebody needs them.
        if (pathname.startsWith('/console/')) files.set(requestId, pathname);
      });
      network.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
        if (files.has(requestId)) bytes += encodedDataLength;
      });
      await goto(path);
      if (page === 'sessions') await tab.getByRole('listitem').filter({ hasText: 'demo' }).first().waitFor();
      else await tab.getByRole('log', { name: 'Conversation' }).getByText('You said').waitFor();
      expect(files.size).toBeGreaterThan(3);
      expect(bytes).toBeGreaterThan(10_000);
      expect(bytes).toBeLessThanOrEqual(FIRST_LOAD_BYTES);
    });
    await session.delete();
  });
});
