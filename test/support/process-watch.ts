import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';

/** A watch over the processes of this machine. */
export interface ProcessWatch extends AsyncDisposable {
  /** How often it has looked. */
  readonly samples: number;
  /** Argument lists in which the text stood. */
  readonly inArguments: ReadonlySet<string>;
  /** Argument lists of processes in whose environment the text stood. */
  readonly inEnvironment: ReadonlySet<string>;
}

/** A clone of a small repository lasts some hundred milliseconds. */
const INTERVAL_MS = 5;

/**
 * Looks again and again whether a text stands in the argument list or the environment of any process, as every program
 * of the same user could.
 */
export function watchProcesses(text: string): ProcessWatch {
  const inArguments = new Set<string>();
  const inEnvironment = new Set<string>();
  let samples = 0;
  const over = new AbortController();
  const lookAt = async (pid: string): Promise<void> => {
    const args = (await read(`/proc/${pid}/cmdline`)).replaceAll('\0', ' ');
    if (args.includes(text)) inArguments.add(args);
    if ((await read(`/proc/${pid}/environ`)).includes(text)) inEnvironment.add(args);
  };
  const watch = async (): Promise<void> => {
    while (!over.signal.aborted) {
      const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
      await Promise.all(pids.map(lookAt));
      samples += 1;
      await pause(INTERVAL_MS);
    }
  };
  const watching = watch();
  return {
    get samples() {
      return samples;
    },
    inArguments,
    inEnvironment,
    [Symbol.asyncDispose]: async () => {
      over.abort();
      await watching;
    },
  };
}

/** A process may end while it is looked at, and those of others cannot be read. */
async function read(path: string): Promise<string> {
  return readFile(path, 'latin1').catch(() => '');
}
