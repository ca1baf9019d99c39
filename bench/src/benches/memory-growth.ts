import { agentServers } from '../agent-servers.ts';
import { until } from '../bench.ts';
import type { Bench, Measurement } from '../bench.ts';
import { HAS_FIGURES, memoryOf, NO_FIGURES } from '../process-figures.ts';
import { SCRIPTED_AGENT } from '../scripted-agent-command.ts';

const UPDATES = 10_000;
/** Faster than the screen is looked at, so that the bench takes a minute; and so slow that each change is seen. */
const INTERVAL_MS = 5;
const LONG_INTERVAL_MS = 60;
const LIMIT_MS = 20 * 60_000;
const SAMPLE_EVERY_MS = 1_000;

/** Whether an agent that redraws its screen for a long time makes its server grow. */
export const memoryGrowth: Bench = {
  name: 'memory-growth',
  title: `Resident memory of an agent server during ${UPDATES.toLocaleString('en')} screen updates`,
  run: async ({ progress, long }) => {
    if (!HAS_FIGURES) return { measurements: [], notes: [NO_FIGURES] };
    const intervalMs = long ? LONG_INTERVAL_MS : INTERVAL_MS;
    const { kinds, notes } = agentServers();
    const measurements: Measurement[] = [];
    for (const kind of kinds) {
      progress(`${kind.name}: ${UPDATES} updates, ${intervalMs} ms apart`);
      await using server = await kind.start([
        ...SCRIPTED_AGENT,
        'redraws',
        String(UPDATES),
        String(intervalMs),
      ]);
      const { connection } = server;
      await connection.expect('/message', { method: 'POST', body: { type: 'raw', content: 'g' } });
      const samples: number[] = [];
      await until(
        'the agent has finished',
        async () => {
          samples.push(memoryOf(server.pid).residentMb);
          return (await connection.expect('/messages')).text.includes('finished');
        },
        { everyMs: SAMPLE_EVERY_MS, limitMs: LIMIT_MS },
      );
      const half = samples.slice(Math.floor(samples.length / 2));
      const quarter = samples.slice(Math.floor(samples.length / 4), Math.floor(samples.length / 2));
      const growth = Math.max(...half) - Math.max(...quarter);
      measurements.push(
        { name: `${kind.name}: resident`, unit: 'MB', samples },
        {
          name: `${kind.name}: growth of the maximum`,
          unit: 'MB',
          samples: [growth],
          targets: [{ statistic: 'max', atMost: 2 }],
        },
      );
    }
    return { measurements, notes };
  },
};
