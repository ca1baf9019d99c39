import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Ending of files that are renamed when they are complete. */
const UNFINISHED = '.tmp';

/**
 * Paths of all files below a folder. What is being written while they are listed is there under its later name,
 * too; so each of them may be missing by the time somebody looks: see {@link ifThere}.
 */
export async function filesBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const later = paths
    .filter((path) => path.endsWith(UNFINISHED))
    .map((path) => path.slice(0, -UNFINISHED.length));
  // A file comes after what it was before, or it could be missed under both names.
  const listed = paths.filter((path) => !later.includes(path));
  return [...listed, ...later];
}

/** What a look at a file gave; `null` when the file has been removed or renamed meanwhile. */
export async function ifThere<Result>(looking: Promise<Result>): Promise<Result | null> {
  try {
    return await looking;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}
