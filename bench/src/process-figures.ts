import { readFileSync } from 'node:fs';

/** What a process costs is read from `/proc`; elsewhere such benches cannot run. */
export const HAS_FIGURES = process.platform === 'linux';

/** Sentence for a bench that needs {@link HAS_FIGURES}. */
export const NO_FIGURES = 'Not measured: memory and processor time of a process are read from /proc.';

export interface MemoryFigures {
  /** Everything resident, including what is shared with other processes (the Node program itself). */
  readonly residentMb: number;
  /** The same with each shared page divided by the number of its users. */
  readonly proportionalMb: number;
}

/** Megabytes are 1024² bytes, as `ps` and `top` show them. */
export function memoryOf(pid: number): MemoryFigures {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1');
  const megabytes = (key: string): number => {
    const match = new RegExp(`^${key}:\\s+(\\d+) kB$`, 'm').exec(text);
    if (match === null) throw new Error(`/proc/${pid}/smaps_rollup has no ${key}`);
    return Number(match[1]) / 1024;
  };
  return { residentMb: megabytes('Rss'), proportionalMb: megabytes('Pss') };
}

/** Processor time that all threads of a process have used, in milliseconds; the kernel counts in steps of 10. */
export function processorMsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The name of the program may contain anything; the fields after it are numbers.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [user, system] = [fields[11], fields[12]];
  return (Number(user) + Number(system)) * 10;
}

/** How long the main thread of a process has been ready to work while others had the processors, in milliseconds. */
export function waitedMsOf(pid: number): number {
  const [, waitedNs = '0'] = readFileSync(`/proc/${pid}/schedstat`, 'latin1').split(' ');
  return Number(waitedNs) / 1e6;
}
