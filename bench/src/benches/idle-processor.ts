import { agentServers } from '../agent-servers.ts';
import { repeat } from '../bench.ts';
import type { Bench, Measurement } from '../bench.ts';
import { HAS_FIGURES, NO_FIGURES, processorMsOf } from '../process-figures.ts';
import { SCRIPTED_AGENT } from '../scripted-agent-command.ts';

/** Long enough for the start and the first waiting times to be over. */
const SETTLE_MS = 15_000;
const WINDOWS = 3;
const WINDOW_MS = 10_000;

/** Processor time of an agent server whose agent does nothing. */
export const idleProcessor: Bench = {
  name: 'idle-processor',
  title: 'Processor time of an agent server whose agent is idle',
  run: async ({ progress }) => {
    if (!HAS_FIGURES) return { measurements: [], notes: [NO_FIGURES] };
    const { kinds, notes } = agentServers();
    const measurements: Measurement[] = [];
    for (const kind of kinds) {
      progress(`${kind.name}: ${WINDOWS} times ${WINDOW_MS / 1000} s`);
      await using server = await kind.start(SCRIPTED_AGENT);
      await delay(SETTLE_MS);
      const samples = await repeat(WINDOWS, async () => {
        const [time, used] = [performance.now(), processorMsOf(server.pid)];
        await delay(WINDOW_MS);
        return ((processorMsOf(server.pid) - used) / (performance.now() - time)) * 100;
      });
      measurements.push({
        name: kind.name,
        unit: '% of a core',
        samples,
        targets: [{ statistic: 'max', atMost: 1 }],
      });
    }
    return { measurements, notes };
  },
};

async function delay(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}
