import type { Bench, Measurement } from '../bench.ts';
import { startProxyIn } from '../proxy-process.ts';
import type { ProxyProcess } from '../proxy-process.ts';
import { seedKeys } from '../seed.ts';
import { summarize } from '../statistics.ts';
import { onEveryEngine } from '../stores.ts';
import type { StoreEngine, StoreSite } from '../stores.ts';
import { requestInTurns } from '../turns.ts';

const ROUNDS = 40;
const REQUESTS_PER_ROUND = 125;
const WARM_UP_REQUESTS = 2_000;
/** What is compared with a server without authentication: another one like it, for the noise, and some with keys. */
const COMPARED = [0, 1, 1_000] as const;
/** Authentication may cost this much. */
const MOST = 1.05;
const USER = { userId: 'alice', role: 'user' } as const;

/** What it costs a proxied request that the proxy finds out who sends it and whether they may. */
export const authenticatedRequest: Bench = {
  name: 'authenticated-request',
  title: 'GET /status through the proxy, with and without an API key',
  run: async ({ progress }) => {
    const measurements: Measurement[] = [];
    const notes = await onEveryEngine(async (engine) => {
      progress(`${ROUNDS} rounds of ${REQUESTS_PER_ROUND} requests to each of 4 servers, ${engine.name}`);
      measurements.push(...(await compare(engine)));
    });
    return { measurements, notes };
  },
};

/** A server with a session, and the way to that. */
interface Served extends AsyncDisposable {
  readonly proxy: ProxyProcess;
  readonly path: string;
}

async function compare(engine: StoreEngine): Promise<readonly Measurement[]> {
  await using open = await serve(engine, 0);
  await using alike = await serve(engine, COMPARED[0]);
  await using one = await serve(engine, COMPARED[1]);
  await using many = await serve(engine, COMPARED[2]);
  const ways = [open, alike, one, many].map(({ proxy, path }) => ({ connection: proxy.connection, path }));
  await requestInTurns(ways, WARM_UP_REQUESTS);
  const all: number[][] = ways.map(() => []);
  const ratios: number[][] = COMPARED.map(() => []);
  for (let round = 0; round < ROUNDS; round += 1) {
    const samples = await requestInTurns(ways, REQUESTS_PER_ROUND);
    for (const [way, took] of samples.entries()) all[way]?.push(...took);
    const [without = 0, ...others] = samples.map((took) => summarize(took).p50);
    for (const [index, median] of others.entries()) ratios[index]?.push(median / without);
  }
  const [without = [], ...others] = all;
  return [
    { name: `${engine.name}: without authentication`, unit: 'µs', samples: without },
    ...COMPARED.flatMap((keys, index): readonly Measurement[] => {
      const ratio = { name: '  to the first', unit: '×', samples: ratios[index] ?? [] } as const;
      return [
        { name: `${engine.name}: ${nameOf(keys)}`, unit: 'µs', samples: others[index] ?? [] },
        keys === 0 ? ratio : { ...ratio, targets: [{ statistic: 'p50', atMost: MOST }] },
      ];
    }),
  ];
}

function nameOf(keys: number): string {
  if (keys === 0) return 'another one without';
  return keys === 1 ? '1 key' : `${keys.toLocaleString('en')} keys`;
}

/** @param keys - how many there are in the store; without any, nobody is asked for one. */
async function serve(engine: StoreEngine, keys: number): Promise<Served> {
  const site = await engine.site();
  try {
    const proxy = await start(site, keys);
    const id = await proxy.start();
    await proxy.connection.expect(`/${id}/status`);
    return {
      proxy,
      path: `/${id}/status`,
      [Symbol.asyncDispose]: async () => {
        await proxy[Symbol.asyncDispose]();
        await site[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await site[Symbol.asyncDispose]();
    throw error;
  }
}

async function start(site: StoreSite, keys: number): Promise<ProxyProcess> {
  if (keys === 0) return startProxyIn(site, site.config);
  const [key] = await seedKeys(site, keys, [USER]);
  return startProxyIn(site, { ...site.config, auth: { enabled: true } }, key);
}
