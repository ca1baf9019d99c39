import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import type { Browser, BrowserContext, Page, Request } from 'playwright-core';
import { afterAll, beforeAll } from 'vitest';
import { z } from 'zod';
import { CACHE_FOLDER, findPart } from '../../tools/src/outside-parts.ts';
import type { ServerProcess } from './server-process.ts';

/** The browser of this machine; `null` without one: `describe.skipIf(CHROMIUM === null)('… [needs chromium]')`. */
export const CHROMIUM = findPart('chromium');

/** Pictures of pages at the moment when a test failed. */
const FAILURES_FOLDER = join(CACHE_FOLDER, 'console-failures');

/** Windows that every page is looked at in. */
export const WINDOWS = {
  desktop: { width: 1280, height: 800 },
  telephone: { width: 390, height: 844 },
} as const;
export type WindowName = keyof typeof WINDOWS;
export const WINDOW_NAMES = ['desktop', 'telephone'] as const satisfies readonly WindowName[];

export const THEMES = ['light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

/** Name of the key in the storage of a tab, where the console keeps it. */
const STORED_KEY = 'agentapi-proxy.console.key';

/** A name of this machine that is not loopback for a browser: without HTTPS its pages lack what others have. */
export const OTHER_HOST = 'devbox.test';

/** Agents start, are typed to and waited for: on a busy machine their first answer takes longer than a page does. */
export const ANSWER = { timeout: 60_000 } as const;

/** How a page is opened. */
export interface VisitOptions {
  /** Where it is, with the path that comes before `/console/`. */
  readonly server: Pick<ServerProcess, 'url'>;
  /** Below `/console/`. */
  readonly path?: string;
  readonly window?: WindowName;
  readonly theme?: Theme;
  /** The tab is signed in with it already. */
  readonly key?: string;
  /** Statuses that requests of this visit may be refused with; browsers report each as an error. */
  readonly expectStatuses?: readonly number[];
  /** The server goes away in the middle, so requests may break off. */
  readonly expectBrokenConnections?: boolean;
}

/** A page of the console, in a browser profile of its own. */
export interface Visit {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Goes to another page of the console, by its address. */
  readonly goto: (path: string) => Promise<void>;
  /** The path of the page below `/console`, with its query. */
  readonly where: () => string;
  /** Fails the test when axe finds anything that keeps people with disabilities out, or when the page is too wide. */
  readonly check: () => Promise<void>;
}

/** One browser for all tests of a file. */
export interface ConsoleBrowser extends AsyncDisposable {
  /**
   * Opens a page, lets `work` use it and closes it. Fails for everything that a page must never do: errors in the
   * browser's console, violations of the content security policy, requests to other servers, a page that is wider than its window.
   */
  visit(options: VisitOptions, work: (visit: Visit) => Promise<void>): Promise<void>;
}

/** Starts a browser. */
export async function openBrowser(): Promise<ConsoleBrowser> {
  if (CHROMIUM === null) throw new Error('There is no chromium; skip the test');
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--disable-background-networking',
      `--host-resolver-rules=MAP ${OTHER_HOST} 127.0.0.1`,
    ],
  });
  const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  return {
    visit: async (options, work) => await visit(browser, axe, options, work),
    [Symbol.asyncDispose]: async () => await browser.close(),
  };
}

/** Takes over what is to be ended after the last test. */
type Own = <Part extends AsyncDisposable>(opening: Promise<Part>) => Promise<Part>;

/**
 * The browser that the tests of a file share, and what else they do: there before the first of them, and ended after the
 * last. Without a chromium nothing is started, as the tests are skipped.
 *
 * @param setUp - starts the rest, while the browser opens
 */
export function sharedBrowser(setUp?: (own: Own) => Promise<void>): Pick<ConsoleBrowser, 'visit'> {
  const parts: Promise<AsyncDisposable>[] = [];
  const own: Own = async (opening) => {
    parts.unshift(opening);
    return await opening;
  };
  let browser: ConsoleBrowser | null = null;
  beforeAll(async () => {
    if (CHROMIUM === null) return;
    const opening = own(openBrowser());
    await setUp?.(own);
    browser = await opening;
  });
  afterAll(async () => {
    // Whatever else has failed to start.
    for (const part of await Promise.allSettled(parts)) {
      if (part.status === 'fulfilled') await part.value[Symbol.asyncDispose]();
    }
  });
  return {
    visit: async (options, work) => {
      if (browser === null) throw new Error('The browser is only there while tests run');
      await browser.visit(options, work);
    },
  };
}

async function visit(
  browser: Browser,
  axe: string,
  options: VisitOptions,
  work: (visit: Visit) => Promise<void>,
): Promise<void> {
  const { server, path = '', window = 'desktop', theme = 'light', key } = options;
  const base = `${server.url}/console/`;
  const isTelephone = window === 'telephone';
  const context = await browser.newContext({
    viewport: WINDOWS[window],
    colorScheme: theme,
    // Colours in the middle of a change have contrasts of their own.
    reducedMotion: 'reduce',
    hasTouch: isTelephone,
    isMobile: isTelephone,
    locale: 'en',
    timezoneId: 'UTC',
  });
  try {
    const page = await context.newPage();
    page.setDefaultTimeout(15_000);
    const complaints = listen(page, options);
    if (key !== undefined) {
      await page.addInitScript(
        ([name, value]) => {
          // Once: whoever signs out later stays so.
          if (sessionStorage.getItem(`${name}.given`) !== null) return;
          sessionStorage.setItem(`${name}.given`, '1');
          sessionStorage.setItem(name, value);
        },
        [STORED_KEY, key] as const,
      );
    }
    const relative = (address: string): string => new URL(address.replace(/^\//, ''), base).href;
    await page.goto(relative(path));
    const width = async (): Promise<void> => {
      const wider = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      if (wider > 0) throw new Error(`${page.url()} is ${wider} pixels wider than its window`);
    };
    const failed = async (error: unknown): Promise<never> => {
      // For whoever looks into the failure.
      await page.screenshot({ path: join(FAILURES_FOLDER, `${new Date().toISOString()}.png`) });
      throw error;
    };
    await work({
      page,
      context,
      goto: async (to) => {
        await page.goto(relative(to));
      },
      where: () => page.url().slice(`${server.url}/console`.length),
      check: async () => {
        await width();
        await scan(page, axe);
      },
    }).catch(failed);
    await width();
    if (complaints.length > 0) throw new Error(`The page complained:\n${complaints.join('\n')}`);
  } finally {
    await context.close();
  }
}

/** Collects what a page must never do. */
function listen(page: Page, options: VisitOptions): readonly string[] {
  const { server, expectStatuses = [], expectBrokenConnections = false } = options;
  const complaints: string[] = [];
  const isExpected = (text: string): boolean => {
    // Pages without HTTPS go without; the server cannot know how a proxy before it is reached.
    if (text.startsWith('The Cross-Origin-Opener-Policy header has been ignored')) return true;
    if (expectStatuses.some((status) => text.includes(`server responded with a status of ${status}`)))
      return true;
    return expectBrokenConnections && /net::ERR_|status of 503/.test(text);
  };
  page.on('console', (message) => {
    const isBad = message.type() === 'error' || message.type() === 'warning';
    if (isBad && !isExpected(message.text()))
      complaints.push(`console: ${message.text()} (${message.location().url})`);
  });
  page.on('pageerror', (error) => complaints.push(`error: ${error.stack ?? error.message}`));
  page.on('request', (request) => {
    const { origin, protocol } = new URL(request.url());
    if (origin !== new URL(server.url).origin && protocol !== 'blob:' && protocol !== 'data:') {
      complaints.push(`request to somebody else: ${request.url()}`);
    }
  });
  return complaints;
}

const violationsSchema = z.array(
  z.object({
    id: z.string(),
    help: z.string(),
    nodes: z.array(z.object({ html: z.string(), failureSummary: z.string().optional() })),
  }),
);

async function scan(page: Page, axe: string): Promise<void> {
  const found: unknown = await page.evaluate(`${axe};
    axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) =>
      violations.map(({ id, help, nodes }) => ({
        id, help, nodes: nodes.map(({ html, failureSummary }) => ({ html, failureSummary })),
      })),
    )`);
  const violations = violationsSchema.parse(found);
  if (violations.length === 0) return;
  const texts = violations.map(({ id, help, nodes }) => {
    const places = nodes.map(({ html, failureSummary = '' }) => `  ${html}\n  ${failureSummary}`);
    return `${id}: ${help}\n${places.join('\n')}`;
  });
  throw new Error(`axe finds on ${page.url()}:\n${texts.join('\n')}`);
}

/** Types into the field that gets the focus; a page gives it a moment after what was clicked or pressed. */
export async function typeIntoFocus(page: Page, text: string): Promise<void> {
  await page.waitForFunction(() => document.activeElement?.matches('input, textarea'));
  await page.keyboard.type(text);
}

/** Headless browsers show all of their tabs at once; this says otherwise to one of them. */
export async function setHidden(page: Page, isHidden: boolean): Promise<void> {
  await page.evaluate((hidden) => {
    Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden });
    document.dispatchEvent(new Event('visibilitychange'));
  }, isHidden);
}

/**
 * Keeps a request back, so that something can happen before its answer.
 *
 * @returns `asked` resolves when the page has sent it; `release` lets it go on
 */
export async function holdRequest(
  page: Page,
  method: string,
  address: RegExp,
): Promise<{ readonly asked: Promise<unknown>; readonly release: () => void }> {
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const isHeld = (request: Request): boolean =>
    request.method() === method && address.test(new URL(request.url()).pathname);
  await page.route('**', async (route) => {
    if (isHeld(route.request())) await released;
    await route.continue();
  });
  return { asked: page.waitForRequest(isHeld), release };
}
