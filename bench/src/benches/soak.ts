import { readdirSync, readlinkSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench, Measurement } from '../bench.ts';
import { HAS_FIGURES, NO_FIGURES } from '../process-figures.ts';
import { writeAgentServer } from '../proxies/agent-server-program.ts';
import { startProxy } from '../proxy-process.ts';
import type { ProxyProcess } from '../proxy-process.ts';
import { settledMemoryOf, settlingOption } from '../settled-memory.ts';
import { runTraffic } from '../soak-traffic.ts';
import type { TrafficTotals } from '../soak-traffic.ts';
import { slopeOf } from '../statistics.ts';

const KEY = 'bench-key-0123456789abcdef0123456789abcdef';
const MINUTES = 1;
const LONG_MINUTES = 60;
/** A slope of less time tells more of noise than of growth. */
const LEAST_MINUTES_OF_SLOPE = 20;
/** Until everything is loaded that is loaded once. */
const WARM_UP_MS = 10_000;
const SAMPLES = 240;
const MIN_SAMPLE_MS = 1_000;
const SESSIONS = 2;
/** Longer than an unused connection to an agent server is kept. */
const SETTLE_MS = 8_000;
const MAX_SHOWN_FAULTS = 5;

interface Sample {
  readonly hours: number;
  readonly residentMb: number;
  readonly heapMb: number;
}

/** Whether a server that works for a long time grows. */
export const soak: Bench = {
  name: 'soak',
  title: 'Memory and open descriptors of the proxy during mixed traffic',
  run: async ({ progress, long, minutes }) => {
    if (!HAS_FIGURES) return { measurements: [], notes: [NO_FIGURES] };
    const ms = (minutes ?? (long ? LONG_MINUTES : MINUTES)) * 60_000;
    const folder = await mkdtemp(join(tmpdir(), 'agentapi-proxy-bench-'));
    try {
      const program = await writeAgentServer(folder, 'streaming');
      // An external agent server cannot say that its port was taken by a session of the other server.
      const both = await Promise.all([
        soakServer('embedded', { agent_server: 'embedded', start_port: 21_000 }, ms, progress),
        soakServer(
          'external',
          { agent_server: 'external', agentapi_path: program, start_port: 23_000 },
          ms,
          progress,
        ),
      ]);
      const note = `Measured over ${(ms / 60_000).toFixed(0)} minutes; the slope is that of the second half.`;
      return {
        measurements: both.flatMap(({ measurements }) => measurements),
        notes: [note, ...both.flatMap(({ notes }) => notes)],
      };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

async function soakServer(
  name: string,
  config: Readonly<Record<string, unknown>>,
  ms: number,
  progress: (text: string) => void,
): Promise<{ measurements: readonly Measurement[]; notes: readonly string[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'agentapi-proxy-bench-'));
  try {
    const auth = { enabled: true, api_keys: [{ key: KEY, user_id: 'bench', permissions: ['*'] }] };
    const environment = { NODE_OPTIONS: settlingOption(folder) };
    await using proxy = await startProxy({ ...config, auth }, KEY, environment);
    const sessionIds: string[] = [];
    for (let i = 0; i < SESSIONS; i += 1) sessionIds.push(await proxy.start());
    for (const id of sessionIds) await proxy.connection.expect(`/${id}/status`);
    const traffic = (signal: AbortSignal): Promise<TrafficTotals> =>
      runTraffic({ proxy, key: KEY, sessionIds, streaming: name === 'external', signal });
    await traffic(AbortSignal.timeout(WARM_UP_MS));
    await sleep(SETTLE_MS);
    const before = descriptorsOf(proxy);
    const over = AbortSignal.timeout(ms);
    const running = traffic(over);
    const samples = await sample(name, proxy, folder, ms, over, progress);
    const totals = await running;
    await sleep(SETTLE_MS);
    const after = descriptorsOf(proxy);
    return {
      measurements: [
        ...memoryLines(name, samples, ms),
        ...countLines(name, totals, before.length, after.length),
      ],
      notes: [
        ...totals.faults.slice(0, MAX_SHOWN_FAULTS).map((fault) => `${name}: ${fault}`),
        ...(after.length > before.length ? [`${name}: ${difference(before, after)}`] : []),
      ],
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function sample(
  name: string,
  { pid }: ProxyProcess,
  folder: string,
  ms: number,
  over: AbortSignal,
  progress: (text: string) => void,
): Promise<readonly Sample[]> {
  const samples: Sample[] = [];
  const begin = performance.now();
  while (!over.aborted) {
    const { residentMb, heapMb } = await settledMemoryOf(pid, folder);
    const hours = (performance.now() - begin) / 3_600_000;
    samples.push({ hours, residentMb, heapMb });
    progress(
      `${name}: ${(hours * 60).toFixed(1)} min, ${residentMb.toFixed(1)} MB, heap ${heapMb.toFixed(2)} MB`,
    );
    await sleep(Math.max(MIN_SAMPLE_MS, ms / SAMPLES), null, { signal: over }).catch(() => {});
  }
  return samples;
}

function memoryLines(name: string, samples: readonly Sample[], ms: number): readonly Measurement[] {
  const half = samples.slice(Math.floor(samples.length / 2));
  const targets =
    ms >= LEAST_MINUTES_OF_SLOPE * 60_000 ? { targets: [{ statistic: 'max', atMost: 2 } as const] } : {};
  const slope = (of: (sample: Sample) => number): readonly number[] => [
    slopeOf(half.map((one) => ({ x: one.hours, y: of(one) }))),
  ];
  return [
    { name: `${name}: resident`, unit: 'MB', samples: samples.map(({ residentMb }) => residentMb) },
    { name: '  its slope', unit: 'MB/h', samples: slope(({ residentMb }) => residentMb), ...targets },
    { name: `${name}: heap and buffers`, unit: 'MB', samples: samples.map(({ heapMb }) => heapMb) },
    { name: '  its slope', unit: 'MB/h', samples: slope(({ heapMb }) => heapMb), ...targets },
  ];
}

function countLines(
  name: string,
  { requests, connections, sessions, uploads, faults }: TrafficTotals,
  before: number,
  after: number,
): readonly Measurement[] {
  const line = (what: string, count: number): Measurement => ({
    name: `${name}: ${what}`,
    unit: '',
    samples: [count],
  });
  const none = { targets: [{ statistic: 'max', atMost: 0 }] } as const;
  return [
    line('requests answered', requests),
    line('connections cut or closed', connections),
    line('sessions from start to end', sessions),
    line('uploads', uploads),
    { ...line('faults', faults.length), ...none },
    line('descriptors before', before),
    { ...line('descriptors more afterwards', after - before), ...none },
  ];
}

/** What is open: paths, and kinds of what has none. */
function descriptorsOf({ pid }: ProxyProcess): readonly string[] {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).flatMap((descriptor) => {
    try {
      return [readlinkSync(`${folder}/${descriptor}`).replace(/:\[\d+\]$/, '')];
    } catch {
      // Closed meanwhile.
      return [];
    }
  });
}

function difference(before: readonly string[], after: readonly string[]): string {
  const count = (all: readonly string[], kind: string): number => all.filter((each) => each === kind).length;
  return [...new Set([...before, ...after])]
    .map((kind) => ({ kind, more: count(after, kind) - count(before, kind) }))
    .filter(({ more }) => more !== 0)
    .map(({ kind, more }) => `${more > 0 ? '+' : ''}${more} ${kind}`)
    .join(', ');
}
