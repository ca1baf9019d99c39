import { until } from '../bench.ts';
import type { Bench, Measurement, Target } from '../bench.ts';
import { HAS_FIGURES, memoryOf, NO_FIGURES } from '../process-figures.ts';
import type { MemoryFigures } from '../process-figures.ts';
import { startProxy } from '../proxy-process.ts';
import type { ProxyProcess } from '../proxy-process.ts';

const SERVERS = 3;
const SESSIONS = 3;
/** The demo agent shows 2,000 lines of a command's output, each with a repaint of its own. */
const RUNS = 5;
const LINES = 2_000;
const LINE_INTERVAL_MS = 4;
const SETTLE_MS = 3_000;
/** V8 collects what is left over some seconds after a process has become idle. */
const IDLE_MS = 30_000;

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
      await delay(SETTLE_MS);
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
    await delay(SETTLE_MS);
    const fresh = pids.map(memoryOf);
    for (let run = 1; run <= RUNS; run += 1) {
      progress(`${LINES} lines of output in ${SESSIONS} sessions, ${run} of ${RUNS}`);
      for (const id of sessions) {
        const body = { type: 'user', content: '/run node -e "$PRINT_LINES"' };
        await proxy.connection.expect(`/${id}/message`, { method: 'POST', body });
      }
      for (const id of sessions) await stable(proxy, id);
    }
    const used = pids.map(memoryOf);
    progress(`${IDLE_MS / 1000} s of rest`);
    await delay(IDLE_MS);
    const rested = pids.map(memoryOf);
    return {
      measurements: [
        { name: 'proxy, idle', unit: 'MB', samples: idle, targets: PROXY_TARGET },
        ...rowsOf('agent server, its agent greeted', fresh, AGENT_SERVER_TARGET),
        ...rowsOf(`… after ${(RUNS * LINES).toLocaleString('en')} screen updates`, used),
        ...rowsOf(`… and ${IDLE_MS / 1000} s of rest`, rested, AGENT_SERVER_TARGET),
      ],
    };
  },
};

/** Everything that is resident, and what of it is not shared with other processes. */
function rowsOf(
  name: string,
  figures: readonly MemoryFigures[],
  targets: readonly Target[] = [],
): readonly Measurement[] {
  return [
    { name, unit: 'MB', samples: figures.map(({ residentMb }) => residentMb), targets },
    { name: '  its share of it', unit: 'MB', samples: figures.map(({ proportionalMb }) => proportionalMb) },
  ];
}

async function stable(proxy: ProxyProcess, id: string): Promise<void> {
  await until(
    'the agent waits for input',
    async () => (await proxy.connection.expect(`/${id}/status`)).text.includes('"stable"'),
    { everyMs: 200, limitMs: 120_000 },
  );
}

async function delay(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}
