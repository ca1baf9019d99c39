import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createClient } from '@agentapi-proxy/client';
import type { Client, Session } from '@agentapi-proxy/client';
import { ACP_TURNS, CHANGED_FILES, REPOSITORY_FILES } from './console-world-texts.ts';
import { startGitServer } from './git-server.ts';
import { eventually, startServer } from './server-process.ts';
import type { ServerProcess } from './server-process.ts';

const ACP_AGENT = fileURLToPath(
  new URL('../../packages/agent-server/test/support/acp-agent.mjs', import.meta.url),
);

const ROOT_KEY = 'key-of-root-of-the-world-0123456789';
const ANNA_KEY = 'key-of-anna-of-the-world-0123456789';
const TOKEN = 'ghp_worldToken0123456789abcdefABCDEF';
const READY = { timeoutMs: 60_000 } as const;

/** A server as a small team has it after a morning of work: something to see on every page of the console. */
export interface ConsoleWorld extends AsyncDisposable {
  readonly server: ServerProcess;
  /** Key of an admin. */
  readonly rootKey: string;
  /** Key of the person whose work it is. */
  readonly annaKey: string;
  /** A conversation with tool calls and code that ends with a question of the agent; its workspace has changes. */
  readonly askingId: string;
  /** An agent in a terminal. */
  readonly terminalId: string;
  readonly profileId: string;
}

/** Starts it; agents are scripted, under the names of real ones. */
export async function startConsoleWorld(): Promise<ConsoleWorld> {
  await using stack = new Stack();
  const folder = await mkdtemp(join(tmpdir(), 'agentapi-proxy-world-'));
  stack.add(async () => await rm(folder, { recursive: true, force: true }));
  const forge = await startGitServer();
  stack.add(async () => await forge[Symbol.asyncDispose]());
  await forge.create('acme/web-shop', REPOSITORY_FILES, 'main');
  forge.allow(TOKEN, 'acme/web-shop');
  const scripted = async (name: string, actions: readonly unknown[]) => {
    const script = join(folder, `${name}.json`);
    await writeFile(script, JSON.stringify({ steps: [{ actions }] }));
    return {
      command: process.execPath,
      args: [ACP_AGENT, script],
      transport: 'acp',
      env: { AGENTAPI_ACP_PERMISSIONS: 'ask' },
    };
  };
  const server = await startServer({
    config: {
      auth: {
        enabled: true,
        api_keys: [
          { key: ROOT_KEY, user_id: 'root', role: 'admin', permissions: ['*'] },
          { key: ANNA_KEY, user_id: 'anna', role: 'user', permissions: ['*'] },
        ],
      },
      agents: {
        claude: await scripted('claude', ACP_TURNS.asking),
        gemini: await scripted('gemini', ACP_TURNS.done),
        opencode: await scripted('opencode', ACP_TURNS.working),
        codex: { command: '/nonexistent/codex' },
      },
    },
    env: { GITHUB_API: forge.apiUrl },
  });
  stack.add(async () => await server[Symbol.asyncDispose]());
  const anna = createClient({ baseUrl: server.url, apiKey: ANNA_KEY });
  const root = createClient({ baseUrl: server.url, apiKey: ROOT_KEY });
  const profileId = await fillProfiles(anna);
  await fillKeys(root, anna);
  const ids = await startSessions(anna, root);
  const { id: askingId } = ids.asking;
  const workspace = join(server.dataDir, 'sessions', askingId, 'workspace');
  for (const [name, content] of Object.entries(CHANGED_FILES))
    await writeFile(join(workspace, name), content);
  await ids.asking.shares.grant({ user_id: 'root', access: 'write' });
  const release = stack.move();
  return {
    server,
    rootKey: ROOT_KEY,
    annaKey: ANNA_KEY,
    askingId,
    terminalId: ids.terminal.id,
    profileId,
    [Symbol.asyncDispose]: release,
  };
}

async function startSessions(
  anna: Client,
  root: Client,
): Promise<{ readonly asking: Session; readonly terminal: Session }> {
  const repository = { repository: 'acme/web-shop', github_token: TOKEN, create_branch: true };
  const terminal = await anna.start({
    agent: 'demo',
    tags: { name: 'Look around in the build machine', team: 'platform' },
  });
  await terminal.waitUntilReady(READY);
  await terminal.conversation.queue(
    '/run printf "\\033[32m✓\\033[0m lint\\n\\033[32m✓\\033[0m unit tests\\n\\033[31m✗\\033[0m bundle size\\n"',
  );
  const failing = await anna.start({ agent: 'codex', tags: { name: 'Port the importer', team: 'data' } });
  const ended = await anna.start({
    agent: 'demo',
    tags: { name: 'Count the words of the manual', team: 'docs' },
  });
  await ended.waitUntilReady(READY);
  await ended.conversation.queue('/exit');
  const done = await anna.start({
    ...repository,
    agent: 'gemini',
    branch: 'docs/opening-hours',
    tags: { team: 'docs' },
    message: 'Add our opening hours to the contact page',
  });
  const working = await root.start({
    ...repository,
    agent: 'opencode',
    branch: 'upgrade/node-24',
    tags: { team: 'platform', ticket: 'OPS-311' },
    message: 'Upgrade the build to Node 24 and mend what breaks',
  });
  const asking = await anna.start({
    ...repository,
    agent: 'claude',
    branch: 'fix/login-redirect',
    environment: { DATABASE_URL: 'postgres://db.example/shop', NODE_ENV: 'test' },
    tags: { team: 'web', ticket: 'SHOP-142' },
    message:
      'After signing in, people land on the start page instead of the page they came from. Please mend it.',
  });
  await eventually(
    'the agent asks',
    async () => {
      const { status } = await asking.status().catch(() => ({ status: '' }));
      return status === 'running';
    },
    READY.timeoutMs,
  );
  await eventually(
    'all are as they should be',
    async () => {
      const [gone, finished, busy] = await Promise.all([
        failing.details(),
        done.conversation.messages(),
        working.conversation.messages(),
      ]);
      return gone.state === 'failed' && finished.messages.length > 1 && busy.messages.length > 1;
    },
    READY.timeoutMs,
  );
  return { asking, terminal };
}

async function fillProfiles(client: Client): Promise<string> {
  const { profile } = await client.profiles.create({
    name: 'Web shop',
    is_default: true,
    description: 'Everything for work on the shop: test database, style guide, ready-made questions.',
    agent: 'claude',
    repository: 'acme/web-shop',
    environment: { DATABASE_URL: 'postgres://db.example/shop', NODE_ENV: 'test' },
    system_prompt: 'Follow docs/style.md. Write a test for every change.',
    message_templates: [
      { name: 'Review', content: 'Review {{file}} for {{concern}}.' },
      { name: 'Mend a bug', content: 'Mend {{ticket}}, and write a test that fails without it.' },
    ],
  });
  await client.profiles.create({
    name: 'Documentation',
    description: 'Texts only; no builds.',
    agent: 'gemini',
    environment: { LANGUAGE: 'en' },
  });
  await client.profiles.create({ name: 'Experiments', environment: {} });
  return profile.id;
}

async function fillKeys(root: Client, anna: Client): Promise<void> {
  await anna.apiKeys.create({ name: 'Laptop' });
  await anna.apiKeys.create({ name: 'Nightly job', role: 'readonly', expires_at: '2031-01-01T00:00:00Z' });
  await root.apiKeys.create({ name: 'Prometheus', role: 'admin', permissions: ['metrics:read'] });
}

/** Ends what was begun, last first, unless it was moved to a new owner. */
class Stack {
  #ends: (() => Promise<void>)[] = [];

  add(end: () => Promise<void>): void {
    this.#ends.unshift(end);
  }

  move(): () => Promise<void> {
    const ends = this.#ends;
    this.#ends = [];
    return async () => {
      for (const end of ends) await end();
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.move()();
  }
}
