import { createClient } from '@agentapi-proxy/client';
import { describe, expect, test, vi } from 'vitest';
import { CHROMIUM, holdRequest, sharedBrowser } from '../../support/console.ts';
import { ALICE, authOf } from '../../support/console-people.ts';
import { startGitServer } from '../../support/git-server.ts';
import type { GitServer } from '../../support/git-server.ts';
import { startServer } from '../../support/server-process.ts';
import type { ServerProcess } from '../../support/server-process.ts';

const TOKEN = 'ghp_consoleGitToken0123456789abcdefABCD';

/** It has a browser, servers and an agent to start, on a machine that does so for other tests, too. */
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let forge: GitServer;
let server: ServerProcess;
const browser = sharedBrowser(async (own) => {
  forge = await own(startGitServer());
  await forge.create('acme/site', { 'README.md': '# Site\n' });
  forge.makePrivate('acme/site');
  forge.allow(TOKEN, 'acme/site');
  server = await own(startServer({ config: { auth: authOf() }, env: { GITHUB_API: forge.apiUrl } }));
});

describe.skipIf(CHROMIUM === null)('a dialog that is closed before its work is done [needs chromium]', () => {
  test('says how it went, and leaves what came after it alone', async () => {
    const session = await createClient({ baseUrl: server.url, apiKey: ALICE }).start({
      repository: 'acme/site',
      branch: 'agent/console',
      create_branch: true,
      github_token: TOKEN,
    });
    await session.waitUntilReady({ timeoutMs: 60_000 });
    const path = `sessions/${session.id}/changes`;
    await browser.visit({ server, key: ALICE, path, expectStatuses: [400] }, async ({ page }) => {
      const push = page.getByRole('dialog', { name: 'Push to GitHub?' });
      const pushAndClose = async (branch: string): Promise<() => void> => {
        const { asked, release } = await holdRequest(page, 'POST', /\/git\/push$/);
        await page.getByRole('button', { name: 'Push …' }).click();
        await push.getByLabel('Branch on GitHub').fill(branch);
        // Nor does a click that missed close what somebody has written in.
        await page.mouse.click(5, 5);
        await push.getByRole('button', { name: 'Push' }).click();
        await asked;
        await page.keyboard.press('Escape');
        await push.waitFor({ state: 'detached' });
        return release;
      };
      const fail = await pushAndClose('not a branch');
      fail();
      await page.getByText('The push did not work.').waitFor();

      const succeed = await pushAndClose('agent/console');
      await page.getByRole('button', { name: 'Pull request …' }).click();
      const request = page.getByRole('dialog', { name: 'Open a pull request?' });
      await request.getByLabel('Title').fill('a long thought');
      succeed();
      await page.getByText('The branch agent/console is new on GitHub.').waitFor();
      expect(await request.getByLabel('Title').inputValue()).toBe('a long thought');
    });
  });
});
