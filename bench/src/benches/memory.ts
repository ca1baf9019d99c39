import { until } from '../bench.ts';
import type { Bench } from '../bench.ts';
import { HAS_FIGURES, memoryOf, NO_FIGURES } from '../process-figures.ts';
import { startProxy } from '../proxy-process.ts';
import type { ProxyProcess } from '../proxy-process.ts';

const SERVERS = 3;
const SESSIONS = 3;
/** The demo agent shows 2,000 lines of a command's output, each with a repaint of its own. */
const RUNS = 5;
const LINES = 2_000;
const LINE_INTERVAL_MS = 4;
const SETTLE_MS = 3_000;

const AGENT_SERVER_TARGET = [{ statistic: 'max', atMost: 60 }] as const;
const PROXY_TARGET = [{ statistic: 'max', atMost: 120 }] as const;

/** Prints so many lines, slowly enough for each to be seen on the screen. */
const PRINT_LINES = `let n = 0;
const timer = setInterval(() => {
  console.log('line ' + (n += 1));
  if (n === ${LINES}) clearInterval(timer);
}, ${LINE_INTERVAL_MS});`;

/** What stays in memory, for each session and once. */
export const memory: Bench = {
  name: 'memory',
  title: 'Resident memory of the proxy and of the agent server of a session',
  run: async ({ progress }) => {
    if (!HAS_FIGURES) return { measurements: [], notes: [NO_FIGURES] };
    progress(`${SERVERS} idle proxies`);
    const idle: number[] = [];
    for (let index = 0; index < SERVERS; index += 1) {
      await using proxy = await startProxy();
      await settle();
      idle.push(memoryOf(proxy.pid).residentMb);
    }
    await using proxy = await startProxy();
    const sessions: string[] = [];
    for (let index = 0; index < SESSIONS; index += 1) {
      const id = await proxy.start({ environment: { PRINT_LINES } });
      await stable(proxy, id);
      sessions.push(id);
    }
    const pids = await Promise.all(sessions.map((id) => proxy.agentServerPid(id)));
    await settle();
    const fresh = pids.map(memoryOf);
    for (let run = 1; run <= RUNS; run += 1) {
      progress(`${LINES} lines of output in ${SESSIONS} sessions, ${run} of ${RUNS}`);
      for (const id of sessions) {
        const body = { type: 'user', content: '/run node -e "$PRINT_LINES"' };
        await proxy.connection.expect(`/${id}/message`, { method: 'POST', body });
      }
      for (const id of sessions) await stable(proxy, id);
    }
    await settle();
    const used = pids.map(memoryOf);
    const resident = { unit: 'MB', targets: AGENT_SERVER_TARGET } as const;
    return {
      measurements: [
        { name: 'proxy, idle', unit: 'MB', samples: idle, targets: PROXY_TARGET },
        {
          name: 'agent server, demo agent greeted',
          ...resident,
          samples: fresh.map(({ residentMb }) => residentMb),
        },
        {
          name: '… of it not shared',
          unit: 'MB',
          samples: fresh.map(({ proportionalMb }) => proportionalMb),
        },
        {
          name: `agent server, ${(RUNS * LINES).toLocaleString('en')} screen updates later`,
          ...resident,
          samples: used.map(({ residentMb }) => residentMb),
        },
        {
          name: '… of it not shared',
          unit: 'MB',
          samples: used.map(({ proportionalMb }) => proportionalMb),
        },
      ],
    };
  },
};

async function stable(proxy: ProxyProcess, id: string): Promise<void> {
  await until(
    'the agent waits for input',
    async () => (await proxy.connection.expect(`/${id}/status`)).text.includes('"stable"'),
    { everyMs: 200, limitMs: 120_000 },
  );
}

async function settle(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
}
