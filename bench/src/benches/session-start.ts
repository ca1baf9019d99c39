import { repeat } from '../bench.ts';
import type { Bench } from '../bench.ts';
import { startProxy } from '../proxy-process.ts';
import type { ProxyProcess } from '../proxy-process.ts';

const COLD_STARTS = 10;
const WARM_STARTS = 50;
const TARGETS = [
  { statistic: 'p50', atMost: 250 },
  { statistic: 'p95', atMost: 500 },
] as const;

/** How long the user of a new session waits for the first answer. */
export const sessionStart: Bench = {
  name: 'session-start',
  title: 'From POST /start to the first answer of the session',
  run: async ({ progress }) => {
    progress(`${COLD_STARTS} fresh servers`);
    const listening: number[] = [];
    const cold = await repeat(COLD_STARTS, async () => {
      await using proxy = await startProxy();
      listening.push(proxy.listeningAfterMs);
      return await firstAnswer(proxy);
    });
    progress(`${WARM_STARTS} sessions, one after another`);
    await using proxy = await startProxy();
    await firstAnswer(proxy);
    const warm = await repeat(WARM_STARTS, () => firstAnswer(proxy));
    return {
      measurements: [
        { name: 'the server itself listens', unit: 'ms', samples: listening },
        { name: 'first session of a server', unit: 'ms', samples: cold, targets: TARGETS },
        { name: 'later sessions', unit: 'ms', samples: warm, targets: TARGETS },
      ],
    };
  },
};

async function firstAnswer(proxy: ProxyProcess): Promise<number> {
  const start = performance.now();
  const id = await proxy.start();
  // Held by the proxy until the agent server answers; no polling.
  await proxy.connection.expect(`/${id}/status`);
  const elapsed = performance.now() - start;
  await proxy.connection.expect(`/sessions/${id}`, { method: 'DELETE' });
  return elapsed;
}
