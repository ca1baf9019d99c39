import { chromium } from 'playwright-core';
import type { Browser, BrowserContext, CDPSession, Page } from 'playwright-core';
import { findPart } from '#tools/outside-parts.ts';
import { z } from 'zod';
import type { Bench, BenchContext, Measurement } from '../bench.ts';
import { startProxy, startProxyIn } from '../proxy-process.ts';
import { SCRIPTED_AGENT } from '../scripted-agent-command.ts';
import { seedSessions } from '../seed.ts';
import { sqliteSite } from '../stores.ts';

const SESSIONS = 500;
const LOADS = 10;
const KEYS = 'session ticket-12';
const STREAM_MS = 2 * 60_000;
const LONG_STREAM_MS = 60 * 60_000;
const REDRAW_MS = 50;
const SAMPLE_EVERY_MS = 5_000;
/** What browsers do not report was shorter than this. */
const SHORTEST_EVENT_MS = 16;
const WINDOW = { width: 1280, height: 800 } as const;
/** Notes when the first session is on the page, and how long every answer to a key or a click took. */
const WATCH = `
  window.bench = { events: [] };
  new MutationObserver((_changes, observer) => {
    if (document.querySelector('.session-row') === null) return;
    requestAnimationFrame(() => requestAnimationFrame(() => { bench.shown = performance.now(); }));
    observer.disconnect();
  }).observe(document, { childList: true, subtree: true });
  new PerformanceObserver((list) => {
    for (const { duration, interactionId } of list.getEntries()) if (interactionId > 0) bench.events.push(duration);
  }).observe({ type: 'event', durationThreshold: ${SHORTEST_EVENT_MS} });
`;

/** Settles when the first session is on the page. The page's policy forbids what else waits for a condition. */
const SHOWN = `new Promise((resolve) => {
  const look = () => (bench.shown === undefined ? setTimeout(look, 10) : resolve());
  look();
})`;

const loadSchema = z.object({ painted: z.number(), shown: z.number() });
const eventsSchema = z.array(z.number());

/** What people feel of the web console: how soon it is there, how soon it answers, and whether it grows. */
export const webConsole: Bench = {
  name: 'console',
  title: `The web console with ${SESSIONS} sessions`,
  run: async (context) => {
    const executablePath = findPart('chromium');
    if (executablePath === null) return { measurements: [], notes: ['Chromium is not installed.'] };
    const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
    try {
      return {
        measurements: [...(await measureList(browser, context)), ...(await measureStream(browser, context))],
      };
    } finally {
      await browser.close();
    }
  },
};

async function measureList(browser: Browser, { progress }: BenchContext): Promise<readonly Measurement[]> {
  await using site = await sqliteSite();
  await seedSessions(site, { count: SESSIONS, perUser: SESSIONS, state: 'stopped', workspaces: false });
  await using proxy = await startProxyIn(site, site.config);
  const address = `http://127.0.0.1:${proxy.port}/console/sessions?view=all`;
  progress(`${LOADS} first loads`);
  const loads: z.infer<typeof loadSchema>[] = [];
  const kilobytes: number[] = [];
  for (let load = 0; load < LOADS; load += 1) {
    await inPage(browser, async (page, developer) => {
      const bytes = await countBytes(developer);
      await page.goto(address);
      await page.evaluate(SHOWN);
      loads.push(
        loadSchema.parse(
          await page.evaluate(
            `({ painted: performance.getEntriesByName('first-contentful-paint')[0].startTime, shown: bench.shown })`,
          ),
        ),
      );
      kilobytes.push(bytes() / 1_024);
    });
  }
  progress('typing, choosing and walking');
  const [typed, chosen, walked] = await inPage(browser, async (page) => {
    await page.goto(address);
    await page.evaluate(SHOWN);
    const search = page.getByLabel('Search sessions');
    await search.focus();
    const keys = await interactions(page, KEYS.split(''), async (key) => await page.keyboard.press(key));
    await search.fill('');
    const views = Array.from({ length: 7 }, () => ['Failed', 'Ended', 'All']).flat();
    const clicks = await interactions(
      page,
      views,
      async (name) => await page.getByRole('button', { name: new RegExp(`^${name}`) }).click(),
    );
    await page.locator('main').focus();
    const steps = await interactions(
      page,
      Array.from({ length: 20 }, () => 'j'),
      async (key) => await page.keyboard.press(key),
    );
    return [keys, clicks, steps] as const;
  });
  const painted = loads.map((load) => load.painted);
  const prompt = [{ statistic: 'p95', atMost: 100 }] as const;
  return [
    {
      name: 'first contentful paint',
      unit: 'ms',
      samples: painted,
      targets: [{ statistic: 'p95', atMost: 1_000 }],
    },
    { name: 'sessions are there', unit: 'ms', samples: loads.map(({ shown }) => shown) },
    {
      name: 'first load, compressed',
      unit: 'KB',
      samples: kilobytes,
      targets: [{ statistic: 'max', atMost: 200 }],
    },
    { name: 'a key of the search', unit: 'ms', samples: typed, targets: prompt },
    { name: 'another view of the list', unit: 'ms', samples: chosen, targets: prompt },
    { name: 'a step to the next session', unit: 'ms', samples: walked, targets: prompt },
  ];
}

async function measureStream(
  browser: Browser,
  { progress, long }: BenchContext,
): Promise<readonly Measurement[]> {
  const lastsMs = long ? LONG_STREAM_MS : STREAM_MS;
  const [command = '', ...args] = SCRIPTED_AGENT;
  const updates = String(Math.ceil(lastsMs / REDRAW_MS) * 2);
  const redrawing = { command, args: [...args, 'redraws', updates, String(REDRAW_MS)] };
  await using proxy = await startProxy({ agents: { redrawing } });
  const id = await proxy.start({ agent: 'redrawing' });
  await proxy.connection.expect(`/${id}/status`);
  progress(`a conversation that is streamed for ${lastsMs / 60_000} minutes`);
  const samples = await inPage(browser, async (page, developer) => {
    await page.goto(`http://127.0.0.1:${proxy.port}/console/sessions/${id}`);
    await page.getByRole('log').waitFor();
    await proxy.connection.expect(`/${id}/message`, { method: 'POST', body: { type: 'raw', content: 'g' } });
    const megabytes: number[] = [];
    const end = performance.now() + lastsMs;
    while (performance.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, SAMPLE_EVERY_MS));
      await developer.send('HeapProfiler.collectGarbage');
      const { metrics } = await developer.send('Performance.getMetrics');
      megabytes.push((metrics.find(({ name }) => name === 'JSHeapUsedSize')?.value ?? 0) / 1_024 ** 2);
    }
    if (!(await page.getByRole('log').innerText()).includes('Update'))
      throw new Error('nothing was streamed');
    return megabytes;
  });
  const half = Math.floor(samples.length / 2);
  const growth = Math.max(...samples.slice(half)) - Math.max(...samples.slice(Math.floor(half / 2), half));
  return [
    { name: 'memory of a page that streams', unit: 'MB', samples },
    {
      name: '  growth of the maximum',
      unit: 'MB',
      samples: [growth],
      targets: [{ statistic: 'max', atMost: 2 }],
    },
  ];
}

/** A page in a browser profile of its own, with nothing in its cache. */
async function inPage<T>(
  browser: Browser,
  work: (page: Page, developer: CDPSession) => Promise<T>,
): Promise<T> {
  const context: BrowserContext = await browser.newContext({ viewport: WINDOW });
  try {
    const page = await context.newPage();
    await page.addInitScript(WATCH);
    const developer = await context.newCDPSession(page);
    await developer.send('Performance.enable');
    return await work(page, developer);
  } finally {
    await context.close();
  }
}

/** How long the browser took to answer each, until it was painted. */
async function interactions(
  page: Page,
  inputs: readonly string[],
  interact: (input: string) => Promise<void>,
): Promise<readonly number[]> {
  const samples: number[] = [];
  for (const input of inputs) {
    await page.evaluate('void (bench.events.length = 0)');
    await interact(input);
    // Browsers tell of an event when its result has been painted.
    await page.evaluate('new Promise((resolve) => setTimeout(resolve, 250))');
    const events = eventsSchema.parse(await page.evaluate('bench.events'));
    samples.push(Math.max(SHORTEST_EVENT_MS, ...events));
  }
  return samples;
}

/** Counts what comes over the network from now on. */
async function countBytes(developer: CDPSession): Promise<() => number> {
  let bytes = 0;
  const files = new Set<string>();
  developer.on('Network.responseReceived', ({ requestId, response }) => {
    if (new URL(response.url).pathname.startsWith('/console/')) files.add(requestId);
  });
  developer.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    if (files.has(requestId)) bytes += encodedDataLength;
  });
  await developer.send('Network.enable');
  return () => bytes;
}
