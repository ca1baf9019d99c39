import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { findProcesses } from '@agentapi-proxy/agent-server/process-tree';
import { z } from 'zod';
import { HttpConnection } from './http-connection.ts';

const COMMAND = fileURLToPath(new URL('../../bin/agentapi-proxy', import.meta.url));
const START_LIMIT_MS = 30_000;
/** Longer than the server's own `shutdown_timeout_seconds`. */
const STOP_LIMIT_MS = 40_000;
/** As much of the log as explains a failed start. */
const MAX_SHOWN_LINES = 50;

const logLineSchema = z.looseObject({ msg: z.string().optional(), url: z.string().optional() });
const startReplySchema = z.object({ session_id: z.string() });

/** A running `agentapi-proxy server` of its own data folder, and the sessions on it. */
export interface ProxyProcess extends AsyncDisposable {
  readonly pid: number;
  readonly port: number;
  /** When it was spawned, of the clock of `performance`. */
  readonly spawnedAt: number;
  /** From its spawn until it says that it listens and takes work. */
  readonly listeningAfterMs: number;
  /** One connection for everything that is not measured itself. */
  readonly connection: HttpConnection;
  /** Starts a session of the demo agent; it may still be starting afterwards. @returns its id. */
  start(request?: Readonly<Record<string, unknown>>): Promise<string>;
  /** Process id of the agent server of a session. */
  agentServerPid(sessionId: string): Promise<number>;
}

/** A folder that a server is started in; others can be started in it afterwards. */
export interface ProxyPlace {
  readonly folder: string;
  readonly dataDir: string;
}

/** Starts the built server in a folder of its own, which goes with it; see {@link startProxyIn}. */
export async function startProxy(
  config: Readonly<Record<string, unknown>> = {},
  key?: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<ProxyProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'agentapi-proxy-bench-'));
  const proxy = await startProxyIn({ folder, dataDir: join(folder, 'data') }, config, key, environment);
  return {
    ...proxy,
    [Symbol.asyncDispose]: async () => {
      await proxy[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/**
 * Starts the built server in a folder that stays. Its sessions end with it, unless `on_shutdown` says otherwise.
 * @param key - the API key that its connection carries.
 * @param environment - further variables of the server.
 */
export async function startProxyIn(
  { folder, dataDir }: ProxyPlace,
  config: Readonly<Record<string, unknown>> = {},
  key?: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<ProxyProcess> {
  const configPath = join(folder, 'config.json');
  const limits = { sessions_per_user: 1_000, sessions_total: 1_000, starts_per_minute: 100_000 };
  const whole = {
    ...{ port: 0, start_port: 0, data_dir: dataDir, default_agent: 'demo', limits },
    ...{ on_shutdown: 'terminate', ...config },
  };
  await writeFile(configPath, JSON.stringify(whole));
  const spawnedAt = performance.now();
  const { PATH = '', HOME = '/' } = process.env;
  const child = spawn(COMMAND, ['server', '--config', configPath], {
    cwd: folder,
    env: { PATH, HOME, LANG: 'C.UTF-8', AGENTAPI_PROXY_LOG_FORMAT: 'json', ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = once(child, 'exit');
  const url = await listeningUrl(createInterface({ input: child.stderr }), exited);
  const listeningAfterMs = performance.now() - spawnedAt;
  const port = Number(new URL(url).port);
  const pid = child.pid ?? 0;
  const connection = new HttpConnection(port, key === undefined ? {} : { 'X-API-Key': key });
  return {
    pid,
    port,
    spawnedAt,
    listeningAfterMs,
    connection,
    start: async (request = {}) => {
      const { text } = await connection.expect('/start', { method: 'POST', body: request });
      return startReplySchema.parse(JSON.parse(text)).session_id;
    },
    agentServerPid: async (sessionId) => {
      const instance = (await readFile(join(dataDir, 'instance-id'), 'utf8')).trim();
      const marker = { value: `${instance}.${sessionId}`, match: 'equal' } as const;
      const found = await findProcesses({ marker });
      const agentServer = found.find(({ parentPid }) => parentPid === pid);
      if (agentServer === undefined) throw new Error(`session ${sessionId} has no agent server`);
      return agentServer.pid;
    },
    [Symbol.asyncDispose]: async () => {
      connection[Symbol.dispose]();
      child.kill('SIGTERM');
      const watchdog = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
      await exited;
      clearTimeout(watchdog);
    },
  };
}

/** Reads to the end, also after the URL was found: a full pipe would hold up the server. */
async function listeningUrl(lines: Interface, exited: Promise<unknown>): Promise<string> {
  const printed: string[] = [];
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<string>((resolve, reject) => {
      const fail = (): void => reject(new Error(`the server did not start:\n${printed.join('\n')}`));
      lines.on('line', (line) => {
        if (!line.startsWith('{')) return;
        const { msg, url } = logLineSchema.parse(JSON.parse(line));
        if (msg === 'server listening' && url !== undefined) resolve(url);
        else if (printed.length < MAX_SHOWN_LINES) printed.push(line);
      });
      exited.then(fail, fail);
      timer = setTimeout(fail, START_LIMIT_MS);
    });
  } finally {
    clearTimeout(timer);
  }
}
