import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { StartError } from './cli-options.ts';

/** Two attempts lost to others mean that another server starts at the same moment. */
const ATTEMPTS = 3;

/** The file with this process's pid (agentapi section 1.6). */
export interface PidFile {
  /** Removes the file if it still holds this process's pid. */
  remove(): Promise<void>;
}

/**
 * Writes `pid` in decimal to `path`, mode 0600, parents 0700 (AA-014).
 * @throws {StartError} when the file names another live process or cannot be written.
 */
export async function writePidFile(path: string, pid: number): Promise<PidFile> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    for (let attempt = 1; ; attempt++) {
      try {
        // Exclusive creation: of two servers that start together only one gets the file.
        await writeFile(path, `${pid}\n`, { mode: 0o600, flag: 'wx' });
        break;
      } catch (error) {
        if (errorCode(error) !== 'EEXIST' || attempt === ATTEMPTS) throw error;
      }
      const owner = await ownerOf(path);
      // Our own pid in the file is a leftover: pids repeat, in a container always.
      if (owner !== null && owner !== pid && isAlive(owner)) {
        throw new StartError(`another instance is already running with PID ${owner} (PID file: ${path})`);
      }
      await rm(path, { force: true });
    }
  } catch (error) {
    if (error instanceof StartError) throw error;
    throw new StartError(
      `failed to write PID file ${path}: ${error instanceof Error ? error.message : String(error)}`,
      {
        cause: error,
      },
    );
  }
  return {
    remove: async () => {
      if ((await ownerOf(path)) === pid) await rm(path, { force: true });
    },
  };
}

/** `null` when the file is gone or holds no pid. */
async function ownerOf(path: string): Promise<number | null> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return '';
    throw error;
  });
  return /^[1-9]\d{0,9}$/u.test(text.trim()) ? Number(text.trim()) : null;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
}

function errorCode(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
