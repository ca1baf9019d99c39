import { appendFile, mkdir, open, readFile, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';

/** A text that the agent shall find in its workspace. */
export interface WorkspaceFile {
  /** Relative to the workspace, with `/`; never out of it. */
  readonly path: string;
  readonly content: string;
}

/** A file cannot be put where it belongs; `message` is a sentence for the session's owner. */
export class WorkspaceFileError extends Error {
  override readonly name = 'WorkspaceFileError';
}

/**
 * Puts files into a workspace before its agent starts. What a file already says, because the repository brought
 * it, stays: the content comes behind it, unless it is in there already. Links are followed within the workspace only.
 * @param directory - the workspace; no process of the session may run yet.
 * @throws WorkspaceFileError
 */
export async function addWorkspaceFiles(directory: string, files: readonly WorkspaceFile[]): Promise<void> {
  if (files.length === 0) return;
  const root = await realpath(directory);
  for (const file of files) {
    try {
      await addFile(root, file);
    } catch (error) {
      if (error instanceof WorkspaceFileError) throw error;
      const why = error instanceof Error ? error.message : String(error);
      throw new WorkspaceFileError(`${file.path} cannot be written into the workspace: ${why}`, {
        cause: error,
      });
    }
  }
}

async function addFile(root: string, { path, content }: WorkspaceFile): Promise<void> {
  const parts = path.split('/');
  const name = parts.pop() ?? '';
  if ([...parts, name].some((part) => part === '' || part === '.' || part === '..' || part.includes(sep))) {
    throw new WorkspaceFileError(`${JSON.stringify(path)} is no path within the workspace`);
  }
  let folder = root;
  for (const part of parts) {
    const next = join(folder, part);
    await mkdir(next, { mode: 0o700 }).catch(unlessItExists);
    folder = await within(root, next, path);
  }
  const target = join(folder, name);
  const isNew = await writeNew(target, content);
  if (isNew) return;
  const present = await within(root, target, path);
  const text = await readFile(present, 'utf8');
  if (text.includes(content.trim())) return;
  const gap = text === '' || text.endsWith('\n\n') ? '' : text.endsWith('\n') ? '\n' : '\n\n';
  await appendFile(present, `${gap}${content}`);
}

/** @returns whether there was nothing at `target` before, not even a link that leads nowhere. */
async function writeNew(target: string, content: string): Promise<boolean> {
  let handle;
  try {
    handle = await open(target, 'wx', 0o600);
  } catch (error) {
    unlessItExists(error);
    return false;
  }
  try {
    await handle.writeFile(content);
  } finally {
    await handle.close();
  }
  return true;
}

/** Where a path really leads. */
async function within(root: string, path: string, shown: string): Promise<string> {
  const real = await realpath(path);
  if (real.startsWith(`${root}${sep}`)) return real;
  throw new WorkspaceFileError(`${shown} leads out of the workspace`);
}

function unlessItExists(error: unknown): void {
  if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
}
