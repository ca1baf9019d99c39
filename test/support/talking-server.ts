import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Session } from '@agentapi-proxy/client';
import { startServer } from './server-process.ts';
import type { ServerProcess } from './server-process.ts';

/** Configuration of a server whose agents say what a test says. */
export const TALKING_AGENTS = {
  agent_server: 'external',
  agentapi_path: fileURLToPath(new URL('talking-agentapi.mjs', import.meta.url)),
} as const;

/** A server with one session, whose conversation is what the test says. */
export interface TalkingServer extends AsyncDisposable {
  readonly server: ServerProcess;
  readonly session: Session;
  /** Lets the agent say something: a new message, or another text of the message `id`. */
  readonly say: (content: string, id?: number) => Promise<void>;
}

/** Starts one; `script` is what has been said already. */
export async function startTalkingServer(
  script: readonly { readonly role: 'agent' | 'user'; readonly content: string }[],
): Promise<TalkingServer> {
  const folder = await mkdtemp(join(tmpdir(), 'agentapi-proxy-talking-'));
  const path = join(folder, 'script.json');
  await writeFile(path, JSON.stringify(script));
  const server = await startServer({ config: TALKING_AGENTS });
  const session = await server.client.start({ environment: { TALK_SCRIPT: path } });
  return {
    server,
    session,
    say: async (content, id) => {
      const body = JSON.stringify({ content, id });
      await server.request(`/${session.id}/say`, { method: 'POST', body });
    },
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
