import type { Page } from 'playwright-core';
import type { ConsoleWorld } from './console-world.ts';

/** A page of the console, and how to see it with something on it. */
export interface ConsolePage {
  /** Also the name of its picture. */
  readonly name: string;
  /** The entry of `routes.ts`, and of `session-tabs.ts` behind a `#`, that it shows; absent for what is not a page of its own. */
  readonly route?: string;
  readonly path: (world: ConsoleWorld) => string;
  /** Who looks at it; an admin without it. */
  readonly as?: 'anna' | 'nobody';
  /** Waits until everything is there; opens dialogs before it, if that is the point. */
  readonly ready: (page: Page) => Promise<void>;
  /** Statuses that belong to what is shown. */
  readonly expectStatuses?: readonly number[];
}

/** Waits until nothing has changed on a page for a moment: its event streams never end, so the network is never at rest. */
export async function settled(page: Page): Promise<void> {
  await page.evaluate(async () => {
    await document.fonts.ready;
    const [quietMs, limitMs] = [250, 3_000];
    await new Promise<void>((resolve) => {
      const end = (): void => {
        observer.disconnect();
        clearTimeout(quiet);
        clearTimeout(limit);
        resolve();
      };
      let quiet = setTimeout(end, quietMs);
      const limit = setTimeout(end, limitMs);
      const observer = new MutationObserver(() => {
        clearTimeout(quiet);
        quiet = setTimeout(end, quietMs);
      });
      observer.observe(document.body, { subtree: true, childList: true, characterData: true });
    });
  });
}

const openMore = async (page: Page, item: string): Promise<void> => {
  await page.getByRole('button', { name: 'More actions' }).click();
  await page.getByRole('menuitem', { name: item }).click();
};

/** Every page, for pictures and for the look at accessibility. A test sees to it that none is missing. */
export const CONSOLE_PAGES: readonly ConsolePage[] = [
  {
    name: 'sign-in',
    path: () => '',
    as: 'nobody',
    ready: async (page) => await page.getByLabel('API key').waitFor(),
    expectStatuses: [401],
  },
  {
    name: 'sessions',
    route: '/sessions',
    path: () => 'sessions?view=all',
    ready: async (page) => {
      await page.getByText('Count the words of the manual').waitFor();
      await page.getByText('After signing in').first().waitFor();
    },
  },
  {
    name: 'sessions-selected',
    path: () => 'sessions?view=all',
    as: 'anna',
    ready: async (page) => {
      await page.getByText('Count the words of the manual').waitFor();
      await page.getByLabel('Select all of yours that are shown').check();
      await page.getByRole('button', { name: 'End …' }).click();
      await page.getByRole('dialog').waitFor();
    },
  },
  {
    name: 'sessions-empty',
    path: () => 'sessions?q=nothing+is+called+so',
    ready: async (page) => await page.getByRole('heading', { name: 'No session matches' }).waitFor(),
  },
  {
    name: 'shortcuts',
    path: () => 'sessions',
    ready: async (page) => {
      await page.locator('.session-row').first().waitFor();
      await page.keyboard.press('?');
      await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
    },
  },
  {
    name: 'account',
    path: () => 'sessions',
    ready: async (page) => {
      await page.locator('.session-row').first().waitFor();
      await page.getByRole('button', { name: 'Account and settings' }).click();
      await page.getByText('Signed in as root').waitFor();
    },
  },
  {
    name: 'new-session',
    route: '/sessions/new',
    path: () => 'sessions/new',
    as: 'anna',
    ready: async (page) => await page.getByRole('button', { name: 'Start' }).first().waitFor(),
  },
  {
    name: 'conversation',
    route: '/sessions/:id/*?#',
    path: ({ askingId }) => `sessions/${askingId}`,
    as: 'anna',
    ready: async (page) => {
      await page.getByRole('button', { name: 'Allow once' }).waitFor();
      await page.getByRole('heading', { name: 'What is wrong' }).first().waitFor();
    },
  },
  {
    name: 'terminal',
    route: '/sessions/:id/*?#terminal',
    path: ({ terminalId }) => `sessions/${terminalId}/terminal`,
    as: 'anna',
    ready: async (page) => await page.locator('.xterm-rows, .xterm canvas').first().waitFor(),
  },
  {
    name: 'changes',
    route: '/sessions/:id/*?#changes',
    path: ({ askingId }) => `sessions/${askingId}/changes`,
    as: 'anna',
    ready: async (page) => await page.getByText('3 files changed').waitFor(),
  },
  {
    name: 'log',
    route: '/sessions/:id/*?#log',
    path: ({ askingId }) => `sessions/${askingId}/log`,
    as: 'anna',
    ready: async (page) => await page.locator('.log-text').waitFor(),
  },
  {
    name: 'details',
    route: '/sessions/:id/*?#details',
    path: ({ askingId }) => `sessions/${askingId}/details`,
    as: 'anna',
    ready: async (page) => await page.getByText('DATABASE_URL').waitFor(),
  },
  {
    name: 'share',
    path: ({ askingId }) => `sessions/${askingId}`,
    as: 'anna',
    ready: async (page) => {
      await openMore(page, 'Share …');
      await page.getByRole('dialog').getByText('root').first().waitFor();
    },
  },
  {
    name: 'profiles',
    route: '/profiles',
    path: () => 'profiles',
    as: 'anna',
    ready: async (page) => await page.getByText('Experiments').first().waitFor(),
  },
  {
    name: 'new-profile',
    route: '/profiles/new',
    path: () => 'profiles/new',
    as: 'anna',
    ready: async (page) => await page.getByLabel('Name').first().waitFor(),
  },
  {
    name: 'profile',
    route: '/profiles/:id',
    path: ({ profileId }) => `profiles/${profileId}`,
    as: 'anna',
    ready: async (page) => {
      await page.getByLabel('Name').first().waitFor();
      await page.waitForFunction(() =>
        [...document.querySelectorAll('input')].some(({ value }) => value === 'DATABASE_URL'),
      );
    },
  },
  {
    name: 'keys',
    route: '/keys',
    path: () => 'keys',
    ready: async (page) => await page.getByRole('row').filter({ hasText: 'Laptop' }).waitFor(),
  },
  {
    name: 'new-key',
    path: () => 'keys',
    ready: async (page) => {
      await page.getByRole('button', { name: 'New key' }).first().click();
      await page.getByLabel('Only these:').check();
    },
  },
  {
    name: 'metrics',
    route: '/admin/*?',
    path: () => 'admin',
    ready: async (page) => {
      // Rates and lines need some looks.
      await page.getByRole('article').filter({ hasText: 'Requests' }).getByText('/s').first().waitFor();
    },
  },
  {
    name: 'users',
    path: () => 'admin/users',
    ready: async (page) => await page.getByRole('row').filter({ hasText: 'anna' }).waitFor(),
  },
  {
    name: 'audit',
    path: () => 'admin/audit',
    ready: async (page) => await page.getByRole('row').nth(3).waitFor(),
  },
  {
    name: 'forbidden',
    path: () => 'admin',
    as: 'anna',
    ready: async (page) => await page.getByRole('heading', { name: 'You may not see this page' }).waitFor(),
  },
  {
    name: 'not-found',
    path: () => 'nothing/is/here',
    ready: async (page) =>
      await page
        .getByRole('heading', { level: 1 })
        .or(page.getByRole('heading', { level: 2 }))
        .first()
        .waitFor(),
  },
  {
    name: 'no-such-session',
    path: () => 'sessions/00000000-0000-4000-8000-000000000000',
    ready: async (page) => await page.getByRole('heading').first().waitFor(),
    expectStatuses: [404],
  },
];
