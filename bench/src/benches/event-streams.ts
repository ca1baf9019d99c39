import { Agent, request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Bench, Measurement } from '../bench.ts';
import { machineClock } from '../http-connection.ts';
import { HAS_FIGURES, processorMsOf, waitedMsOf } from '../process-figures.ts';
import { writeAgentServer } from '../proxies/agent-server-program.ts';
import { startProxy } from '../proxy-process.ts';
import { settledMemoryOf, settlingOption } from '../settled-memory.ts';
import type { SettledMemory } from '../settled-memory.ts';
import { summarize } from '../statistics.ts';

const KEY = 'bench-key-0123456789abcdef0123456789abcdef';
const STREAMS = 2_000;
const SESSIONS = 4;
/** The agent servers send five events a second. */
const PERIOD_MS = 200;
const EVENTS = 50;
const ROUNDS = 2;
/** Streams are opened so many at a time. */
const BATCH = 50;
/** All streams are open when the first event is sent. */
const OPENING_MS = 25_000;
/** Streams stay open after the last event, while memory is looked at. */
const HOLD_MS = 5_000;
const MAX_STREAM_KB = 48;

const detailsSchema = z.object({ port: z.int().min(1) });

/** Where one stream is read from. */
interface Source {
  readonly port: number;
  readonly prefix: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** What came over all streams of a round. */
interface Round {
  readonly latencies: readonly number[];
  /** 99th percentile of the events of each second. */
  readonly p99s: readonly number[];
  readonly wrong: number;
}

/** Whether many event streams pass through the proxy whole, in order and at once. */
export const eventStreams: Bench = {
  name: 'event-streams',
  title: `${STREAMS.toLocaleString('en')} event streams of 5 events a second`,
  run: async ({ progress }) => {
    const folder = await mkdtemp(join(tmpdir(), 'agentapi-proxy-bench-'));
    try {
      const program = await writeAgentServer(folder, 'streaming');
      const auth = { enabled: true, api_keys: [{ key: KEY, user_id: 'bench', permissions: ['*'] }] };
      const config = { agent_server: 'external', agentapi_path: program, auth };
      await using proxy = await startProxy(config, KEY, { NODE_OPTIONS: settlingOption(folder) });
      const straight: Source[] = [];
      const through: Source[] = [];
      for (let i = 0; i < SESSIONS; i += 1) {
        const id = await proxy.start();
        await proxy.connection.expect(`/${id}/status`);
        const { text } = await proxy.connection.expect(`/sessions/${id}`);
        straight.push({ port: detailsSchema.parse(JSON.parse(text)).port, prefix: '', headers: {} });
        through.push({ port: proxy.port, prefix: `/${id}`, headers: { 'X-API-Key': KEY } });
      }
      const settled = async (): Promise<SettledMemory | null> =>
        HAS_FIGURES ? settledMemoryOf(proxy.pid, folder) : null;
      const rounds: { straight: Round[]; through: Round[] } = { straight: [], through: [] };
      const perStream: number[][] = [[], []];
      const processor: number[] = [];
      const waiting: number[] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        progress(`round ${round + 1} of ${ROUNDS}, straight`);
        rounds.straight.push(await readStreams(straight));
        progress(`round ${round + 1} of ${ROUNDS}, through the proxy`);
        const before = await settled();
        let [processorMs, waitedMs] = [0, 0];
        rounds.through.push(
          await readStreams(through, {
            begin: () => {
              if (!HAS_FIGURES) return;
              processorMs = processorMsOf(proxy.pid);
              waitedMs = waitedMsOf(proxy.pid);
            },
            end: async () => {
              if (HAS_FIGURES) {
                const usedMs = processorMsOf(proxy.pid) - processorMs;
                waiting.push(((waitedMsOf(proxy.pid) - waitedMs) * 100) / (EVENTS * PERIOD_MS));
                processor.push((usedMs * 1_000) / (STREAMS * EVENTS));
              }
              const during = await settled();
              if (before === null || during === null) return;
              perStream[0]?.push(((during.residentMb - before.residentMb) * 1024) / STREAMS);
              perStream[1]?.push(((during.heapMb - before.heapMb) * 1024) / STREAMS);
            },
          }),
        );
      }
      const [resident = [], heap = []] = perStream;
      return {
        measurements: [
          ...linesOf('straight', rounds.straight),
          ...linesOf('through the proxy', rounds.through, 250),
          ...(processor.length === 0
            ? []
            : [
                { name: 'processor time of the proxy for an event', unit: 'µs', samples: processor } as const,
                { name: '  it waited for a processor', unit: '% of the time', samples: waiting } as const,
              ]),
          ...(resident.length === 0 ? [] : memoryLines(resident, heap)),
        ],
      };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

function linesOf(name: string, rounds: readonly Round[], p99Ms?: number): readonly Measurement[] {
  return [
    {
      name: `${name}: an event arrives after`,
      unit: 'ms',
      samples: rounds.flatMap(({ latencies }) => latencies),
    },
    {
      name: '  p99 of each second',
      unit: 'ms',
      samples: rounds.flatMap(({ p99s }) => p99s),
      ...(p99Ms === undefined ? {} : { targets: [{ statistic: 'max', atMost: p99Ms }] }),
    },
    {
      name: '  lost, twice or out of order',
      unit: '',
      samples: rounds.map(({ wrong }) => wrong),
      targets: [{ statistic: 'max', atMost: 0 }],
    },
  ];
}

function memoryLines(resident: readonly number[], heap: readonly number[]): readonly Measurement[] {
  return [
    {
      name: 'memory of the proxy for a stream',
      unit: 'KB',
      samples: resident,
      targets: [{ statistic: 'max', atMost: MAX_STREAM_KB }],
    },
    { name: '  of it heap and buffers', unit: 'KB', samples: heap },
  ];
}

/** What is looked at when all streams are open, before the first event and after the last one. */
interface Watch {
  begin(): void;
  end(): Promise<void>;
}

/** Reads all streams to their end. */
async function readStreams(sources: readonly Source[], watch: Watch | null = null): Promise<Round> {
  const from = machineClock() + OPENING_MS;
  const path = `/ticks?from=${from.toFixed(0)}&count=${EVENTS}&hold=${HOLD_MS}`;
  const agent = new Agent({ keepAlive: false });
  const streams: TickStream[] = [];
  while (streams.length < STREAMS) {
    const batch = Array.from({ length: BATCH }, (_, i) => sources[(streams.length + i) % sources.length]);
    const opened = batch
      .filter((source) => source !== undefined)
      .map((source) => openStream(agent, source, path));
    for (const response of await Promise.all(opened)) streams.push(new TickStream(response));
  }
  const late = machineClock() - from;
  if (late > 0) throw new Error(`the streams were not open in time, but ${late.toFixed(0)} ms later`);
  await sleep(-late);
  watch?.begin();
  await sleep(EVENTS * PERIOD_MS + PERIOD_MS * 2);
  await watch?.end();
  await Promise.all(streams.map(({ ended }) => ended));
  agent.destroy();
  const latencies = streams.flatMap((stream) => stream.latencies);
  const seconds = (EVENTS * PERIOD_MS) / 1_000;
  const perSecond = EVENTS / seconds;
  const p99s = Array.from({ length: seconds }, (_, second) => {
    const [first, last] = [second * perSecond, (second + 1) * perSecond];
    return summarize(streams.flatMap((stream) => stream.latencies.slice(first, last))).p99;
  });
  const wrong = streams.reduce((sum, stream) => sum + stream.wrong, 0);
  return { latencies, p99s, wrong };
}

/** One stream and how old its events were when they came. */
class TickStream {
  readonly latencies: number[] = [];
  readonly ended: Promise<void>;
  #wrong = 0;
  #text = '';

  constructor(response: IncomingMessage) {
    response.setEncoding('latin1').on('data', (text: string) => this.#read(text));
    this.ended = new Promise((resolve) => {
      response.once('close', () => resolve());
    });
  }

  /** Events that did not come, came twice or not in their turn. */
  get wrong(): number {
    return this.#wrong + (EVENTS - this.latencies.length);
  }

  #read(text: string): void {
    const now = machineClock();
    const events = (this.#text + text).split('\n\n');
    this.#text = events.pop() ?? '';
    for (const event of events) {
      const match = /^id: (\d+)\ndata: ([\d.]+)$/.exec(event);
      if (match === null) continue;
      if (Number(match[1]) !== this.latencies.length) this.#wrong += 1;
      this.latencies.push(now - Number(match[2]));
    }
  }
}

function openStream(agent: Agent, { port, prefix, headers }: Source, path: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request({ agent, host: '127.0.0.1', port, path: prefix + path, headers }, (response) => {
      if (response.statusCode === 200) resolve(response);
      else reject(new Error(`a stream was answered with ${response.statusCode}`));
    })
      .once('error', reject)
      .end();
  });
}
