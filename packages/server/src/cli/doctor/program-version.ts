import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { onOneLine } from '../table.ts';

/** Agents are programs of hundreds of megabytes that start slowly on a busy machine. */
const ANSWER_LIMIT_MS = 10_000;
const MAX_ANSWER_BYTES = 64 * 1024;
/** A longer first line is no version. */
const MAX_VERSION_CHARS = 60;

/**
 * What a program answers to `--version`; `null` when that is nothing useful. It runs with an empty home folder, so that
 * it cannot leave anything in the user's.
 */
export async function askVersion(path: string, searchPath: string): Promise<string | null> {
  const home = await mkdtemp(join(tmpdir(), 'agentapi-proxy-doctor-'));
  try {
    const { stdout } = await promisify(execFile)(path, ['--version'], {
      cwd: home,
      env: { PATH: searchPath, HOME: home, LANG: 'C.UTF-8', NO_COLOR: '1' },
      timeout: ANSWER_LIMIT_MS,
      killSignal: 'SIGKILL',
      maxBuffer: MAX_ANSWER_BYTES,
    });
    const line = onOneLine(stdout.split('\n').find((each) => /\d/.test(each)) ?? '');
    return line === '' || line.length > MAX_VERSION_CHARS ? null : line;
  } catch {
    return null;
  } finally {
    await rm(home, { recursive: true, force: true, maxRetries: 3 });
  }
}
