import { randomUUID } from 'node:crypto';
import { chmod, link, mkdir, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { identityOf, isAlive } from '@agentapi-proxy/agent-server/process-tree';
import { z } from 'zod';

/** The data folder cannot be used; `message` says why and what would help. */
export class DataFolderError extends Error {
  override readonly name = 'DataFolderError';
}

const INSTANCE_ID_FILE = 'instance-id';
const LOCK_FOLDER = 'lock';
/** Found in empty volumes; such a folder still counts as new. */
const IGNORED_ENTRIES = new Set(['lost+found']);
/** Contenders for a lock that nobody holds are few; each round one of them wins. */
const MAX_LOCK_ROUNDS = 100;

const holderSchema = z.object({ pid: z.int(), startTime: z.string(), bootId: z.string() });
type Holder = z.infer<typeof holderSchema>;

/** The folder that holds everything of one server, private to its user and locked for the server's life. */
export class DataFolder implements AsyncDisposable {
  /** Absolute path. */
  readonly path: string;
  /** Marks every process of this folder's sessions; survives restarts. */
  readonly instanceId: string;
  readonly #lockPath: string;

  private constructor(path: string, instanceId: string, lockPath: string) {
    this.path = path;
    this.instanceId = instanceId;
    this.#lockPath = lockPath;
  }

  /**
   * Creates the folder if need be, and takes its lock.
   * @throws DataFolderError when it cannot be used or another running server holds it.
   */
  static async open(folder: string): Promise<DataFolder> {
    const path = resolve(folder);
    try {
      await makePrivate(path);
      const lockPath = await lock(path);
      return new DataFolder(path, await readInstanceId(path), lockPath);
    } catch (error) {
      if (error instanceof DataFolderError) throw error;
      const why = error instanceof Error ? error.message : String(error);
      throw new DataFolderError(`The data folder ${path} cannot be used: ${why}`, { cause: error });
    }
  }

  /** Releases the lock; the folder stays. */
  async [Symbol.asyncDispose](): Promise<void> {
    await release(this.#lockPath);
  }
}

async function makePrivate(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  const { uid, mode } = await stat(path);
  const ownUid = process.getuid?.();
  if (ownUid !== undefined && uid !== ownUid) {
    throw new DataFolderError(
      `The data folder ${path} belongs to another user (uid ${uid}, this server runs as ${ownUid}); ` +
        'choose another folder with data_dir, or a folder below it that this user may create',
    );
  }
  if ((mode & 0o777) === 0o700) return;
  // Taking away everybody's rights on a folder that is something else (a home folder, /tmp) would do harm.
  const entries = (await readdir(path)).filter((name) => !IGNORED_ENTRIES.has(name));
  if (entries.length > 0 && !entries.includes(LOCK_FOLDER)) {
    throw new DataFolderError(
      `The data folder ${path} holds other files and is open to other users; name an empty folder with data_dir, ` +
        `or run: chmod 700 ${path}`,
    );
  }
  await chmod(path, 0o700);
}

/** Only called with the lock held. */
async function readInstanceId(path: string): Promise<string> {
  const file = join(path, INSTANCE_ID_FILE);
  const known = z.uuid().safeParse((await readIfPresent(file))?.trim());
  if (known.success) return known.data;
  const instanceId = randomUUID();
  await writeFile(file, `${instanceId}\n`, { mode: 0o600 });
  return instanceId;
}

/**
 * Locks a folder by the identity of this process. `lock/<n>` with the highest number n is the lock; it
 * is free when it is empty or its process is gone. It is taken by linking a finished file to n+1, which
 * only one contender can do. Whoever then sees a still higher number was overtaken and tries again: a
 * stale lock is taken over at once, and never by two.
 * @returns path of the lock file.
 */
async function lock(path: string): Promise<string> {
  const folder = join(path, LOCK_FOLDER);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const own = await identityOf(process.pid);
  if (own === null) throw new DataFolderError('This process cannot find itself in the process table');
  const draft = join(folder, `draft-${randomUUID()}`);
  await writeFile(draft, JSON.stringify(own), { mode: 0o600, flag: 'wx' });
  try {
    for (let round = 0; round < MAX_LOCK_ROUNDS; round += 1) {
      const highest = await highestLock(folder);
      const holder = highest === 0 ? null : await holderOf(join(folder, String(highest)));
      if (holder !== null && (await isAlive(holder))) {
        throw new DataFolderError(
          `The data folder ${path} is in use by another agentapi-proxy server (pid ${holder.pid}); ` +
            'stop that one or choose another folder with data_dir',
        );
      }
      const mine = highest + 1;
      const lockPath = join(folder, String(mine));
      if (!(await linkNew(draft, lockPath))) continue;
      if ((await highestLock(folder)) === mine) {
        await removeBelow(folder, mine);
        return lockPath;
      }
      await rm(lockPath, { force: true });
    }
  } finally {
    await rm(draft, { force: true });
  }
  throw new DataFolderError(
    `The lock of the data folder ${path} could not be taken; too many servers start at once`,
  );
}

/** An empty lock file is a free one; removing it instead would let its number be used twice. */
async function release(lockPath: string): Promise<void> {
  await truncate(lockPath, 0).catch((error: unknown) => {
    if (!hasCode(error, 'ENOENT')) throw error;
  });
}

async function highestLock(folder: string): Promise<number> {
  const names = await readdir(folder);
  return Math.max(0, ...names.filter((name) => /^\d+$/.test(name)).map(Number));
}

async function removeBelow(folder: string, mine: number): Promise<void> {
  for (const name of await readdir(folder)) {
    const isOlder = /^\d+$/.test(name) && Number(name) < mine;
    if (isOlder) await rm(join(folder, name), { force: true });
  }
}

async function holderOf(lockPath: string): Promise<Holder | null> {
  const text = await readIfPresent(lockPath);
  if (text === null || text === '') return null;
  const parsed = holderSchema.safeParse(parseJson(text));
  // Lock files appear complete: one that is damaged comes from a crash of the machine, so nobody holds it.
  return parsed.success ? parsed.data : null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

async function linkNew(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  }
}

async function readIfPresent(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    throw error;
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
