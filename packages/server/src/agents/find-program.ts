import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { delimiter, isAbsolute, join, resolve } from 'node:path';

export type ProgramLookup =
  | { readonly kind: 'found'; readonly path: string }
  | {
      readonly kind: 'missing';
      /** A sentence for users: what was looked up where. */ readonly reason: string;
    };

/**
 * Finds a program as a shell would: a word with a slash is a path, any other is looked up in
 * `searchPath` (the value of PATH that the session will have).
 */
export async function findProgram(command: string, searchPath: string, cwd: string): Promise<ProgramLookup> {
  if (command.includes('/')) {
    const path = isAbsolute(command) ? command : resolve(cwd, command);
    if (await isExecutable(path)) return { kind: 'found', path };
    return { kind: 'missing', reason: `The program ${path} does not exist or is not executable` };
  }
  const folders = searchPath.split(delimiter).filter((folder) => folder !== '');
  for (const folder of folders) {
    const path = join(folder, command);
    if (await isExecutable(path)) return { kind: 'found', path };
  }
  const where = folders.length === 0 ? 'PATH, which is empty' : `PATH (${folders.join(delimiter)})`;
  return { kind: 'missing', reason: `The program "${command}" was not found in ${where}` };
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
