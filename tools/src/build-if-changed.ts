import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The top folder of this repository. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** A folder that is made of files of this repository. */
export interface BuiltFolder {
  /** Names the record of what it was made of. */
  readonly name: string;
  /** The folder; this and all other paths are relative to the top folder. */
  readonly target: string;
  /** A file that it has when it is complete. */
  readonly mark: string;
  /** Files and folders that it is made of. */
  readonly inputs: readonly string[];
  /** Whether a file of an input folder matters. */
  readonly isInput: (path: string) => boolean;
  /**
   * Fills an empty folder, given by its absolute path.
   * @throws Error when that fails; the present folder stays then.
   */
  readonly fill: (folder: string) => Promise<void>;
}

/** Builds a folder, unless what it is made of is as it was. The old folder is there until the new one is complete. */
export async function buildIfChanged(built: BuiltFolder): Promise<void> {
  const target = join(ROOT, built.target);
  // Not beside it: that folder is published.
  const stamp = join(ROOT, '.cache', `${built.name}-build`);
  const digest = await digestOf(built);
  const present = existsSync(join(target, built.mark)) ? await readFile(stamp, 'utf8').catch(() => '') : '';
  if (present === digest) return;

  const folder = await mkdtemp(join(dirname(target), `.${basename(target)}-`));
  const old = `${folder}-old`;
  try {
    await built.fill(folder);
    await chmod(folder, 0o755);
    if (existsSync(target)) await rename(target, old);
    await rename(folder, target);
  } finally {
    await rm(folder, { recursive: true, force: true });
    await rm(old, { recursive: true, force: true });
  }
  await mkdir(dirname(stamp), { recursive: true });
  await writeFile(stamp, digest);
}

async function digestOf({ inputs, isInput }: BuiltFolder): Promise<string> {
  const digest = createHash('sha256');
  for (const path of (await Promise.all(inputs.map(filesOf))).flat().filter(isInput).sort()) {
    digest.update(`${path}\0`).update(await readFile(join(ROOT, path)));
  }
  return digest.digest('hex');
}

async function filesOf(path: string): Promise<string[]> {
  const entries = await readdir(join(ROOT, path), { withFileTypes: true, recursive: true }).catch(() => null);
  if (entries === null) return [path];
  const files = entries.filter((entry) => entry.isFile());
  return files.map((entry) => relative(ROOT, join(entry.parentPath, entry.name)));
}
