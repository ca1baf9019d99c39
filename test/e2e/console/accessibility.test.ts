import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { describe, expect, test, vi } from 'vitest';
import { CHROMIUM, THEMES, WINDOWS, WINDOW_NAMES, sharedBrowser } from '../../support/console.ts';
import type { Visit } from '../../support/console.ts';
import { CONSOLE_PAGES, settled } from '../../support/console-pages.ts';
import type { ConsolePage } from '../../support/console-pages.ts';
import { startConsoleWorld } from '../../support/console-world.ts';
import type { ConsoleWorld } from '../../support/console-world.ts';

/** Each has a browser, a server and agents to start, on a machine that does so for other tests, too. */
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

/** The smallest telephone, and the usual window of a computer at 200 %: half as many pixels either way. */
const NARROW = [
  { width: 360, height: 640 },
  { width: 640, height: 400 },
] as const;

let world: ConsoleWorld;
const browser = sharedBrowser(async (own) => {
  world = await own(startConsoleWorld());
});

async function visit(
  { path, as, ready, expectStatuses = [] }: ConsolePage,
  work: (visit: Visit) => Promise<void>,
): Promise<void> {
  const { server, annaKey, rootKey } = world;
  const key = as === 'nobody' ? {} : { key: as === 'anna' ? annaKey : rootKey };
  await browser.visit({ server, ...key, path: path(world), expectStatuses }, async (opened) => {
    await ready(opened.page);
    await settled(opened.page);
    await work(opened);
  });
}

/** Parts of the page that are wider than what holds them, although people can scroll them up and down only. */
const sideways = async (page: Page): Promise<readonly string[]> =>
  await page.evaluate(() =>
    ['html', '.layout-main', 'dialog[open]', '.dialog-body'].filter((selector) =>
      [...document.querySelectorAll(selector)].some(
        (element) => element.clientWidth > 0 && element.scrollWidth > element.clientWidth,
      ),
    ),
  );

test('every page of the console is looked at', async () => {
  const source = async (path: string): Promise<string> =>
    await readFile(fileURLToPath(new URL(`../../../packages/console/src/${path}`, import.meta.url)), 'utf8');
  const paths = (text: string): string[] =>
    [...text.matchAll(/^ {4}path: '(.*)',$/gm)].map(([, path = '']) => path);
  const tabs = paths(await source('pages/session/session-tabs.ts')).map((tab) => `/sessions/:id/*?#${tab}`);
  const pages = paths(await source('routes.ts')).filter((path) => path !== '/sessions/:id/*?');
  expect(tabs.length).toBeGreaterThan(3);
  const seen = CONSOLE_PAGES.flatMap(({ route }) => route ?? []);
  expect([...pages, ...tabs].filter((route) => !seen.includes(route))).toEqual([]);
});

describe.skipIf(CHROMIUM === null)('every page of the console [needs chromium]', () => {
  test.each(CONSOLE_PAGES)('$name: axe finds nothing in any colours or window', async (entry) => {
    await visit(entry, async ({ page, check }) => {
      for (const window of WINDOW_NAMES) {
        await page.setViewportSize(WINDOWS[window]);
        for (const colorScheme of THEMES) {
          await page.emulateMedia({ colorScheme });
          await settled(page);
          await expect(check()).resolves.toBeUndefined();
        }
      }
    });
  });

  test.each(CONSOLE_PAGES)('$name: is not scrolled sideways at 360 pixels, or at 200 %', async (entry) => {
    await visit(entry, async ({ page }) => {
      for (const size of NARROW) {
        await page.setViewportSize(size);
        await settled(page);
        expect({ size, wide: await sideways(page) }).toEqual({ size, wide: [] });
      }
    });
  });

  test('nothing moves for those who want it so', async () => {
    const moving = CONSOLE_PAGES.filter(({ name }) => ['sessions', 'conversation', 'metrics'].includes(name));
    for (const entry of moving) {
      await visit(entry, async ({ page }) => {
        await page.emulateMedia({ reducedMotion: 'reduce' });
        const animations = await page.evaluate(() =>
          document
            .getAnimations()
            .filter(
              ({ playState, effect }) => playState === 'running' && effect?.getComputedTiming().endTime !== 0,
            )
            .map((animation) => (animation instanceof CSSAnimation ? animation.animationName : 'transition')),
        );
        expect(animations).toEqual([]);
      });
    }
  });
});
