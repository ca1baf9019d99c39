import { copyFile, mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CACHE_FOLDER } from '../../tools/src/outside-parts.ts';
import { CHROMIUM, openBrowser, THEMES, WINDOW_NAMES } from '../support/console.ts';
import type { ConsoleBrowser } from '../support/console.ts';
import { CONSOLE_PAGES, settled } from '../support/console-pages.ts';
import { startConsoleWorld } from '../support/console-world.ts';
import type { ConsoleWorld } from '../support/console-world.ts';

/** All pictures; nobody keeps them. */
const ALL = join(CACHE_FOLDER, 'screenshots');
/** The pictures that the documents show. */
const SHOWN = fileURLToPath(new URL('../../docs/images/console/', import.meta.url));
const SHOWN_NAMES: ReadonlySet<string> = new Set([
  'sessions-light-desktop',
  'conversation-dark-desktop',
  'changes-light-desktop',
]);
const SHOWN_BYTES_AT_MOST = 150 * 1024;

let browser: ConsoleBrowser;
let world: ConsoleWorld;
beforeAll(async () => {
  if (CHROMIUM === null) throw new Error('Pictures need chromium, which is not installed');
  [browser, world] = await Promise.all([openBrowser(), startConsoleWorld()]);
  await Promise.all([ALL, SHOWN].map(async (folder) => await mkdir(folder, { recursive: true })));
});
afterAll(async () => {
  await browser[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

describe.each(THEMES)('%s', (theme) => {
  describe.each(WINDOW_NAMES)('%s', (window) => {
    test.each(CONSOLE_PAGES)('$name', async ({ name, path, as, ready, expectStatuses = [] }) => {
      const { server, annaKey, rootKey } = world;
      const key = as === 'nobody' ? {} : { key: as === 'anna' ? annaKey : rootKey };
      await browser.visit(
        { server, ...key, theme, window, path: path(world), expectStatuses },
        async ({ page }) => {
          await ready(page);
          await settled(page);
          const title = `${name}-${theme}-${window}`;
          const file = join(ALL, `${title}.png`);
          await page.screenshot({ path: file, caret: 'hide', animations: 'disabled' });
          if (!SHOWN_NAMES.has(title)) return;
          expect((await stat(file)).size).toBeLessThanOrEqual(SHOWN_BYTES_AT_MOST);
          await copyFile(file, join(SHOWN, `${title}.png`));
        },
      );
    });
  });
});
