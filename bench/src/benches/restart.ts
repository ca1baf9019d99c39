import { z } from 'zod';
import type { Bench, Measurement } from '../bench.ts';
import { HAS_FIGURES, processorMsOf } from '../process-figures.ts';
import { startProxyIn } from '../proxy-process.ts';
import { seedSessions } from '../seed.ts';
import { onEveryEngine } from '../stores.ts';
import type { StoreEngine, StoreSite } from '../stores.ts';

const ROUNDS = 6;
const RECORDS = 1_000;
const LIVE = 20;
const TARGETS = [{ statistic: 'p50', atMost: 1_000 }] as const;
const KEEP = { on_shutdown: 'keep' } as const;

const foundSchema = z.object({ sessions: z.array(z.unknown()) });

/** How long a restart takes: from the spawn of the server until `GET /readyz` has answered 200. */
export const restart: Bench = {
  name: 'restart',
  title: `Restart with ${RECORDS.toLocaleString('en')} session records`,
  run: async ({ progress }) => {
    const measurements: Measurement[] = [];
    const notes = await onEveryEngine(async (engine) => {
      progress(`restarts on ${engine.name}`);
      measurements.push(...(await restartsOn(engine)));
    });
    return { measurements, notes };
  },
};

async function restartsOn(engine: StoreEngine): Promise<readonly Measurement[]> {
  await using empty = await engine.site();
  await using ended = await engine.site();
  await using living = await engine.site();
  const records = { perUser: 10, workspaces: true } as const;
  await seedSessions(ended, { count: RECORDS, state: 'stopped', ...records });
  await seedSessions(living, { count: RECORDS - LIVE, state: 'stopped', ...records });
  // The first start on a store makes its tables and its key; measured are the later ones.
  await startOn(empty, {}, 0, noStarts());
  const [withNothing, withEnded, withLiving, withLost] = [noStarts(), noStarts(), noStarts(), noStarts()];
  try {
    await startSessions(living);
    for (let round = 0; round < ROUNDS; round += 1) {
      await using lost = await engine.site();
      await seedSessions(lost, { count: RECORDS, state: 'running', ...records });
      await startOn(empty, {}, 0, withNothing);
      await startOn(ended, {}, 0, withEnded);
      await startOn(living, KEEP, LIVE, withLiving);
      await startOn(lost, {}, 0, withLost);
    }
  } finally {
    // Now its sessions end with the server.
    await using _last = await startProxyIn(living, living.config);
  }
  return [
    ...rowsOf(`${engine.name}: empty store`, withNothing),
    ...rowsOf(`${engine.name}: all ended`, withEnded),
    ...rowsOf(`${engine.name}: ${LIVE} of them go on`, withLiving),
    ...rowsOf(`${engine.name}: all were running, none is there`, withLost),
  ];
}

/** What starts took. */
interface Starts {
  readonly passedMs: number[];
  readonly processorMs: number[];
}

function noStarts(): Starts {
  return { passedMs: [], processorMs: [] };
}

function rowsOf(name: string, { passedMs, processorMs }: Starts): readonly Measurement[] {
  return [
    { name, unit: 'ms', samples: passedMs, targets: TARGETS },
    ...(HAS_FIGURES
      ? [{ name: '  processor time', unit: 'ms', samples: processorMs } satisfies Measurement]
      : []),
  ];
}

/** Starts the server, and ends it again. */
async function startOn(
  site: StoreSite,
  config: Readonly<Record<string, unknown>>,
  live: number,
  { passedMs, processorMs }: Starts,
): Promise<void> {
  await using proxy = await startProxyIn(site, { ...site.config, ...config });
  await proxy.connection.expect('/readyz');
  passedMs.push(performance.now() - proxy.spawnedAt);
  if (HAS_FIGURES) processorMs.push(processorMsOf(proxy.pid));
  const { text } = await proxy.connection.expect('/search');
  const { sessions } = foundSchema.parse(JSON.parse(text));
  if (sessions.length !== live) throw new Error(`${sessions.length} sessions live`);
}

/** Starts sessions that outlive the server. */
async function startSessions(site: StoreSite): Promise<void> {
  await using proxy = await startProxyIn(site, { ...site.config, ...KEEP });
  for (let index = 0; index < LIVE; index += 1) {
    const id = await proxy.start();
    await proxy.connection.expect(`/${id}/status`);
  }
}
