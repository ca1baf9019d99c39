import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Puts a program into the folder that looks like `agentapi` and costs little: `static` answers from memory, `streaming`
 * has streams. @returns its path.
 */
export async function writeAgentServer(folder: string, kind: 'static' | 'streaming'): Promise<string> {
  const program = join(folder, 'agentapi');
  const agentServer = fileURLToPath(new URL(`${kind}-agent-server.js`, import.meta.url));
  await writeFile(program, `#!/bin/sh\nexec '${process.execPath}' '${agentServer}' "$@"\n`);
  await chmod(program, 0o700);
  return program;
}
