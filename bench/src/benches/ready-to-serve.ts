import { agentServers } from '../agent-servers.ts';
import type { Bench } from '../bench.ts';
import { SCRIPTED_AGENT } from '../scripted-agent-command.ts';

const STARTS = 20;

/** How long an agent server takes from its spawn to its first answer. */
export const readyToServe: Bench = {
  name: 'ready-to-serve',
  title: 'From the spawn of an agent server to its first answer',
  run: async ({ progress }) => {
    const { kinds, notes } = agentServers({ withCommand: true });
    const samples = new Map<string, number[]>(kinds.map(({ name }) => [name, []]));
    progress(`${STARTS} rounds of one start each`);
    for (let round = 0; round < STARTS; round += 1) {
      for (const kind of kinds) {
        await using server = await kind.start(SCRIPTED_AGENT);
        samples.get(kind.name)?.push(server.readyMs);
      }
    }
    return {
      measurements: [...samples].map(([name, of]) => ({ name, unit: 'ms', samples: of }) as const),
      notes,
    };
  },
};
