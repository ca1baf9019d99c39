import { agentServers } from '../agent-servers.ts';
import type { AgentServerKind } from '../agent-servers.ts';
import type { Bench, Measurement } from '../bench.ts';
import type { Arrival } from '../http-connection.ts';
import { SCRIPTED_AGENT } from '../scripted-agent-command.ts';

const CASES = [
  { name: 'single lines', count: 150, intervalMs: 120, jitterMs: 60 },
  { name: 'a line every 10 ms', count: 900, intervalMs: 10, jitterMs: 0 },
] as const;
const LIMIT_MS = 60_000;

/** How old a line of the agent is when it arrives in an event. */
export const eventLatency: Bench = {
  name: 'event-latency',
  title: 'From the output of an agent to the event with it on GET /events',
  run: async ({ progress }) => {
    const { kinds, notes } = agentServers();
    const measurements: Measurement[] = [];
    for (const kind of kinds) {
      for (const { name, count, intervalMs, jitterMs } of CASES) {
        progress(`${kind.name}: ${count} lines, ${name}`);
        const samples = await latencies(kind, count, intervalMs, jitterMs);
        const targets = [{ statistic: 'p95', atMost: 100 }] as const;
        measurements.push({ name: `${kind.name}: ${name}`, unit: 'ms', samples, targets });
      }
    }
    return { measurements, notes };
  },
};

async function latencies(
  kind: AgentServerKind,
  count: number,
  intervalMs: number,
  jitterMs: number,
): Promise<readonly number[]> {
  const work = ['stamps', String(count), String(intervalMs), String(jitterMs)];
  await using server = await kind.start([...SCRIPTED_AGENT, ...work]);
  const lastLine = `${count}@`;
  const begin = async (): Promise<void> => {
    await server.connection.expect('/message', { method: 'POST', body: { type: 'raw', content: 'g' } });
  };
  const arrivals = await server.connection.collect('/events', LIMIT_MS, begin, (text) =>
    text.includes(lastLine),
  );
  return agesOf(arrivals);
}

/** The age of each line when it arrived for the first time. */
function agesOf(arrivals: readonly Arrival[]): readonly number[] {
  const ages = new Map<string, number>();
  for (const { at, text } of arrivals) {
    for (const [, number = '', stamp] of text.matchAll(/(\d+)@(\d{8,})/g)) {
      if (!ages.has(number)) ages.set(number, at - Number(stamp) / 1000);
    }
  }
  return [...ages.values()];
}
