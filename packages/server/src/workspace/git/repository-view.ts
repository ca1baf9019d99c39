import { lstat, mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { localFailureOf } from './git-failure.ts';
import type { Git, GitCredential, GitResult } from './git.ts';
import { gitFolderOf, readHead, readRegular } from './repository-head.ts';
import type { Head } from './repository-head.ts';

/** Local work on a repository of ordinary size takes less than a second. */
const LOCAL_TIMEOUT_MS = 60_000;
/** The list of a million files has about a hundred. */
const MAX_INDEX_BYTES = 256 * 1024 ** 2;
const MAX_SHALLOW_BYTES = 16 * 1024 ** 2;

/** Files of more than this are compared as a whole instead of line by line. */
const BIG_FILE = '16m';

/** What of a run of git depends on what it is for. */
export interface ViewRun {
  readonly args: readonly string[];
  readonly input?: string;
  readonly maxOutputBytes?: number;
  readonly protocols?: string;
  readonly credential?: GitCredential | null;
  readonly timeoutMs?: number;
}

/**
 * A look at a repository that an agent controls. Its configuration can name programs (hooks, filters, drivers, a file
 * watcher), other servers and other certificates, so git never gets to see it: it works in a folder of our own, which
 * has the objects of the repository, a copy of its index, and nothing else.
 */
export class RepositoryView {
  readonly head: Head;
  readonly #git: Git;
  readonly #folder: string;
  readonly #workspace: string;
  readonly #signal: AbortSignal;

  private constructor(git: Git, folder: string, workspace: string, head: Head, signal: AbortSignal) {
    this.#git = git;
    this.#folder = folder;
    this.#workspace = workspace;
    this.head = head;
    this.#signal = signal;
  }

  /**
   * Looks at the repository of a workspace.
   * @param scratch - private folder for what is needed meanwhile; nothing stays in it.
   * @throws RepositoryError `not_a_repository`; whatever `use` throws; the abort reason of the signal.
   */
  static async use<Result>(
    git: Git,
    { workspace, scratch, signal }: { workspace: string; scratch: string; signal: AbortSignal },
    use: (view: RepositoryView) => Promise<Result>,
  ): Promise<Result> {
    const source = await gitFolderOf(workspace);
    const head = await readHead(source);
    const folder = await mkdtemp(join(scratch, 'git-view-'));
    try {
      await fill(folder, source, head);
      return await use(new RepositoryView(git, folder, workspace, head, signal));
    } finally {
      await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    }
  }

  /** Runs git on the objects, the index and the files of the workspace. @throws RepositoryError, the abort reason. */
  async run(run: ViewRun): Promise<GitResult> {
    return this.#git.run({
      timeoutMs: LOCAL_TIMEOUT_MS,
      ...run,
      args: ['-c', `core.bigFileThreshold=${BIG_FILE}`, '-c', 'core.bare=false', ...run.args],
      cwd: this.#workspace,
      signal: this.#signal,
      env: {
        GIT_DIR: this.#folder,
        GIT_WORK_TREE: this.#workspace,
        GIT_INDEX_FILE: join(this.#folder, 'index'),
      },
    });
  }

  /** As {@link run}, for what must work. @throws RepositoryError also when git ends with an error. */
  async output(run: ViewRun, doing: string): Promise<GitResult> {
    const result = await this.run(run);
    if (result.code !== 0 && !result.truncated) throw localFailureOf(result, doing);
    return result;
  }
}

/** Makes a git folder of our own with what the other one holds. */
async function fill(folder: string, source: string, { commit }: Head): Promise<void> {
  await mkdir(join(folder, 'objects', 'info'), { recursive: true });
  await mkdir(join(folder, 'refs'));
  await mkdir(join(folder, 'info'));
  const write = async (name: string, content: string | Buffer): Promise<void> =>
    writeFile(join(folder, name), content, { mode: 0o600 });
  await write('HEAD', commit === null ? 'ref: refs/heads/none\n' : `${commit}\n`);
  await write('config', '[core]\n\trepositoryformatversion = 0\n');
  await write('objects/info/alternates', `${join(source, 'objects')}\n`);
  const shallow = await readRegular(join(source, 'shallow'), MAX_SHALLOW_BYTES);
  if (shallow !== null) await write('shallow', shallow);
  const exclude = await readRegular(join(source, 'info', 'exclude'), MAX_SHALLOW_BYTES);
  if (exclude !== null) await write('info/exclude', exclude);
  const index = await readRegular(join(source, 'index'), MAX_INDEX_BYTES);
  if (index === null) return;
  await write('index', index);
  // Git looks closer at files that are as young as the index; the copy must not seem younger than the original.
  const seconds = Math.floor((await lstat(join(source, 'index'))).mtimeMs / 1000);
  await utimes(join(folder, 'index'), seconds, seconds);
}
