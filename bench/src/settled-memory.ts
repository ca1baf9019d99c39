import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { z } from 'zod';
import { until } from './bench.ts';
import { memoryOf } from './process-figures.ts';
import type { MemoryFigures } from './process-figures.ts';

const FILE = 'settled-memory.json';
const LIMIT_MS = 30_000;

const settledSchema = z.object({ heapUsed: z.number(), external: z.number() });

export interface SettledMemory extends MemoryFigures {
  /** Objects of the program, and what they hold outside of the heap. */
  readonly heapMb: number;
}

/** What `NODE_OPTIONS` must be for {@link settledMemoryOf}; `folder` is where the process leaves its figures. */
export function settlingOption(folder: string): string {
  const program = pathToFileURL(fileURLToPath(new URL('settle-on-signal.js', import.meta.url)));
  program.searchParams.set('file', join(folder, FILE));
  return `--import=${program.href}`;
}

/** Makes the process collect all garbage. @returns what is left. */
export async function settledMemoryOf(pid: number, folder: string): Promise<SettledMemory> {
  const file = join(folder, FILE);
  await rm(file, { force: true });
  process.kill(pid, 'SIGUSR2');
  let text = '';
  await until(
    'garbage is collected',
    async () => {
      text = await readFile(file, 'utf8').catch(() => '');
      return text !== '';
    },
    { everyMs: 20, limitMs: LIMIT_MS },
  );
  const { heapUsed, external } = settledSchema.parse(JSON.parse(text));
  return { ...memoryOf(pid), heapMb: (heapUsed + external) / 1024 ** 2 };
}
