import { constants } from 'node:fs';
import { lstat, open } from 'node:fs/promises';
import { join } from 'node:path';
import { RepositoryError } from '../repository-error.ts';
import { isRefName } from './ref-name.ts';

/** Where a repository stands. */
export interface Head {
  /** `null` when no branch is checked out. */
  readonly branch: string | null;
  /** `null` when the branch has no commit yet. */
  readonly commit: string | null;
}

const COMMIT = /^[0-9a-f]{40}$/;
const MAX_REF_BYTES = 4096;
/** A hundred thousand names have about ten. */
const MAX_PACKED_BYTES = 32 * 1024 ** 2;

/**
 * The git folder of a workspace.
 * @throws RepositoryError `not_a_repository`, also when it lies elsewhere: an agent could name any folder.
 */
export async function gitFolderOf(workspace: string): Promise<string> {
  const folder = join(workspace, '.git');
  const isFolder = await lstat(folder).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
  if (isFolder) return folder;
  throw new RepositoryError('not_a_repository', 'The workspace of the session is not a git repository');
}

/**
 * Reads what is checked out without the help of git, which would read the repository's configuration first.
 * @throws RepositoryError `not_a_repository` when there is no usable HEAD.
 */
export async function readHead(gitFolder: string): Promise<Head> {
  const text = (await readRegular(join(gitFolder, 'HEAD'), MAX_REF_BYTES))?.toString('utf8').trim();
  if (text !== undefined && COMMIT.test(text)) return { branch: null, commit: text };
  const branch = /^ref: refs\/heads\/(.+)$/.exec(text ?? '')?.[1];
  if (branch === undefined || !isRefName(branch)) {
    throw new RepositoryError('not_a_repository', 'The repository of the workspace has no readable HEAD');
  }
  return { branch, commit: await readRef(gitFolder, `refs/heads/${branch}`) };
}

/** The commit that a name stands for; `null` when it stands for none. */
async function readRef(gitFolder: string, name: string): Promise<string | null> {
  const loose = (await readRegular(join(gitFolder, name), MAX_REF_BYTES))?.toString('utf8').trim();
  if (loose !== undefined && COMMIT.test(loose)) return loose;
  const packed = (await readRegular(join(gitFolder, 'packed-refs'), MAX_PACKED_BYTES))?.toString('utf8');
  for (const line of packed?.split('\n') ?? []) {
    if (line.slice(41) === name && COMMIT.test(line.slice(0, 40))) return line.slice(0, 40);
  }
  return null;
}

/**
 * The content of a file that an agent may have made: links, pipes and what is too large count as absent, so that
 * nobody waits for ever or reads something else.
 */
export async function readRegular(path: string, maxBytes: number): Promise<Buffer | null> {
  let handle;
  try {
    handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return null;
  }
  try {
    const stats = await handle.stat();
    return stats.isFile() && stats.size <= maxBytes ? await handle.readFile() : null;
  } catch {
    return null;
  } finally {
    await handle.close();
  }
}
