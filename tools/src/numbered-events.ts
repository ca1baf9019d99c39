import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../dist/numbered-events-program.js', import.meta.url));

/**
 * An agent server in place of `agentapi`: `POST /message` with `COUNT EVERY_MS PADDING` makes it tell so many messages,
 * `NUMBER@MICROSECONDS@xxx`, with the time of the clock that all processes of the machine share and so many
 * letters; `GET /subscriptions` says how many listen: `{"open", "most", "total"}`.
 * @returns what a server's configuration says to use it; its command lies in `folder`.
 */
export async function installNumberedEvents(folder: string): Promise<Readonly<Record<string, unknown>>> {
  const path = join(folder, 'numbered-events');
  await writeFile(path, `#!/bin/sh\nexec '${process.execPath}' '${PROGRAM}' "$@"\n`);
  await chmod(path, 0o755);
  const agents = { events: { command: process.execPath, type: 'custom' } };
  return { agent_server: 'external', agentapi_path: path, agents, default_agent: 'events' };
}
