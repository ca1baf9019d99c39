import { execFile } from 'node:child_process';
import { chmod, mkdtemp, open, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Room for a server with a few sessions, and small enough to be filled at once. */
const SIZE = '32m';

/**
 * A folder on a disk of its own that can be filled and made read-only. Where no disk can be mounted, files of the
 * server cannot grow instead of a full disk, which a program sees as a failing one, and its rights are taken away
 * instead of read-only.
 */
export class SmallDisk implements AsyncDisposable {
  readonly folder: string;
  /** Whether it is a disk of its own. */
  readonly isMounted: boolean;

  private constructor(folder: string, isMounted: boolean) {
    this.folder = folder;
    this.isMounted = isMounted;
  }

  static async create(): Promise<SmallDisk> {
    const folder = await mkdtemp(join(tmpdir(), 'small-disk-'));
    const isMounted = await run('mount', [
      '-t',
      'tmpfs',
      '-o',
      `size=${SIZE},mode=0700`,
      'tmpfs',
      folder,
    ]).then(
      () => true,
      () => false,
    );
    return new SmallDisk(folder, isMounted);
  }

  /** Leaves no room to the process, or to anybody. */
  async fill(pid: number): Promise<void> {
    if (!this.isMounted) {
      await run('prlimit', ['--pid', String(pid), `--fsize=${await largestFile(this.folder)}:`]);
      return;
    }
    await using filler = await open(join(this.folder, 'filler'), 'a');
    // Ever smaller pieces, until not even one page is left.
    for (const size of [1_048_576, 4_096, 1]) {
      try {
        for (;;) await filler.write(Buffer.alloc(size, 1));
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
      }
    }
  }

  async free(pid: number): Promise<void> {
    if (this.isMounted) await rm(join(this.folder, 'filler'));
    else await run('prlimit', ['--pid', String(pid), '--fsize=unlimited:']);
  }

  /** For the start of a server; one that has files open for writing cannot be locked out. */
  async setReadOnly(isReadOnly: boolean): Promise<void> {
    if (this.isMounted) await run('mount', ['-o', `remount,${isReadOnly ? 'ro' : 'rw'}`, this.folder]);
    else await chmod(join(this.folder, 'data'), isReadOnly ? 0o500 : 0o700);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.isMounted) await run('umount', [this.folder]);
    await rm(this.folder, { recursive: true, force: true });
  }
}

async function largestFile(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(
    files.map(async (file) => (await stat(join(file.parentPath, file.name))).size),
  );
  return Math.max(...sizes);
}
