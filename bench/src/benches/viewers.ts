import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installNumberedEvents } from '#tools/numbered-events.ts';
import { until } from '../bench.ts';
import type { Bench, Measurement } from '../bench.ts';
import { machineClock } from '../http-connection.ts';
import { HAS_FIGURES, memoryOf } from '../process-figures.ts';
import { startProxyIn } from '../proxy-process.ts';
import type { ProxyProcess } from '../proxy-process.ts';
import { summarize } from '../statistics.ts';
import { onEveryEngine } from '../stores.ts';

const MANY = 1_000;
const ROUNDS = 5;
const EVENTS = 250;
const EVERY_MS = 20;
const LIMIT_MS = 60_000;
/** What a process has resident goes up and down by some MB. */
const SETTLE_MS = 1_000;

/** Many who look at one session, in turns with one. */
export const viewers: Bench = {
  name: 'viewers',
  title: `One session with ${MANY.toLocaleString('en')} viewers, ${1_000 / EVERY_MS} events a second`,
  run: async ({ progress }) => {
    const measurements: Measurement[] = [];
    let delivered = 0;
    const notes = await onEveryEngine(async (engine) => {
      const bin = await mkdtemp(join(tmpdir(), 'agentapi-proxy-bench-'));
      try {
        await using site = await engine.site();
        const config = { ...site.config, ...(await installNumberedEvents(bin)) };
        await using proxy = await startProxyIn(site, config);
        const half: Record<'one' | 'many', number[]> = { one: [], many: [] };
        const most: Record<'one' | 'many', number[]> = { one: [], many: [] };
        const memory: number[] = [];
        // The first round is for warming up, and for the memory.
        for (let round = 0; round <= ROUNDS; round += 1) {
          progress(`${engine.name}: round ${round} of ${ROUNDS}`);
          for (const which of round % 2 === 0 ? (['one', 'many'] as const) : (['many', 'one'] as const)) {
            const count = which === 'one' ? 1 : MANY;
            const { ages, residentMb } = await look(proxy, count);
            // Later ones use what earlier ones have left.
            if (round === 0 && which === 'many' && residentMb !== null) memory.push(residentMb);
            if (round === 0) continue;
            delivered += ages.length;
            half[which].push(quantile(ages, 0.5));
            most[which].push(quantile(ages, 0.99));
          }
        }
        const latency = (name: string, samples: readonly number[]): Measurement => ({
          name: `${engine.name}: ${name}`,
          unit: 'ms',
          samples,
        });
        measurements.push(
          latency('one viewer, half of the events within', half.one),
          latency('one viewer, 99 % within', most.one),
          latency(`${MANY} viewers, half within`, half.many),
          {
            ...latency(`${MANY} viewers, 99 % within`, most.many),
            targets: [{ statistic: 'p50', atMost: 250 }],
          },
        );
        if (memory.length > 0) {
          const targets = [{ statistic: 'max', atMost: Math.floor((MANY * 48) / 1024) }] as const;
          measurements.push({
            name: `${engine.name}: memory of ${MANY} viewers`,
            unit: 'MB',
            samples: memory,
            targets,
          });
        }
      } finally {
        await rm(bin, { recursive: true, force: true });
      }
    });
    const sum = delivered.toLocaleString('en');
    const told = `${sum} events reached their viewers, in order: none was lost, and none came twice. The agent server had one connection to the proxy all the time.`;
    return { measurements, notes: [told, ...notes] };
  },
};

/** One round with a session of its own. @throws {Error} when a viewer missed anything. */
async function look(
  proxy: ProxyProcess,
  count: number,
): Promise<{ readonly ages: readonly number[]; readonly residentMb: number | null }> {
  const id = await proxy.start();
  await proxy.connection.expect(`/${id}/status`);
  await delay(SETTLE_MS);
  const before = HAS_FIGURES ? memoryOf(proxy.pid).residentMb : null;
  const all = await Promise.all(
    Array.from({ length: count }, async () => openViewer(proxy.port, `/sessions/${id}/events?after=now`)),
  );
  try {
    await proxy.connection.expect(`/${id}/message`, {
      method: 'POST',
      body: { type: 'user', content: `${EVENTS} ${EVERY_MS} 0` },
    });
    await until('every viewer has seen everything', async () => all.every(({ seen }) => seen >= EVENTS), {
      everyMs: 50,
      limitMs: LIMIT_MS,
    });
    const after = HAS_FIGURES ? memoryOf(proxy.pid).residentMb : null;
    const { text } = await proxy.connection.expect(`/${id}/subscriptions`);
    if (!text.includes('"most":1,"total":1'))
      throw new Error(`the agent server was asked too often: ${text}`);
    for (const { fault } of all) if (fault !== null) throw new Error(fault);
    return {
      ages: all.flatMap(({ ages }) => ages),
      residentMb: before === null || after === null ? null : after - before,
    };
  } finally {
    for (const viewer of all) viewer.response.destroy();
    await proxy.connection.expect(`/sessions/${id}`, { method: 'DELETE' });
  }
}

interface Viewer {
  readonly response: IncomingMessage;
  /** How old each event was when it came, in milliseconds. */
  readonly ages: number[];
  seen: number;
  fault: string | null;
}

async function openViewer(port: number, path: string): Promise<Viewer> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request({ agent: false, host: '127.0.0.1', port, path }, resolve).once('error', reject).end();
  });
  const viewer: Viewer = { response, ages: [], seen: 0, fault: null };
  let rest = '';
  response.setEncoding('latin1').on('data', (chunk: string) => {
    const at = machineClock();
    const text = rest + chunk;
    const end = text.lastIndexOf('\n\n') + 2;
    rest = text.slice(end);
    for (const [, number, stamp] of text.slice(0, end).matchAll(/"message":"(\d+)@(\d+)@/g)) {
      viewer.seen += 1;
      if (Number(number) !== viewer.seen) viewer.fault ??= `event ${number} came as number ${viewer.seen}`;
      viewer.ages.push(at - Number(stamp) / 1_000);
    }
  });
  response.on('error', () => undefined);
  return viewer;
}

function quantile(samples: readonly number[], fraction: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(fraction * sorted.length) - 1)] ?? summarize(samples).max;
}

async function delay(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}
