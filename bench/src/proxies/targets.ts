import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { freePort } from '#tools/free-port.ts';
import { startProxy } from '../proxy-process.ts';
import { writeAgentServer } from './agent-server-program.ts';

const START_LIMIT_MS = 15_000;
const KEY = 'bench-key-0123456789abcdef0123456789abcdef';

/** One way to the same agent server. */
export interface Target {
  readonly name: string;
  readonly port: number;
  /** In front of every path. */
  readonly prefix: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Process whose work is measured. */
  readonly pid: number;
}

export interface Targets extends AsyncDisposable {
  readonly all: readonly Target[];
  /** What could not be started, and why. */
  readonly notes: readonly string[];
}

const detailsSchema = z.object({ port: z.int().min(1) });

/** Starts an agent server, this proxy with authentication in front of it, and everything it is compared with. */
export async function startTargets(folder: string): Promise<Targets> {
  const stack = new AsyncDisposableStackOfBench();
  try {
    const program = await writeAgentServer(folder, 'static');
    const auth = { enabled: true, api_keys: [{ key: KEY, user_id: 'bench', permissions: ['*'] }] };
    const proxy = stack.use(
      await startProxy({ agent_server: 'external', agentapi_path: program, auth }, KEY),
    );
    const id = await proxy.start();
    await proxy.connection.expect(`/${id}/status`);
    const details = await proxy.connection.expect(`/sessions/${id}`);
    const { port } = detailsSchema.parse(JSON.parse(details.text));
    const all: Target[] = [
      { name: 'straight', port, prefix: '', headers: {}, pid: 0 },
      {
        name: 'agentapi-proxy',
        port: proxy.port,
        prefix: `/${id}`,
        headers: { 'X-API-Key': KEY },
        pid: proxy.pid,
      },
    ];
    const notes: string[] = [];
    all.push(
      await startNode(stack, 'byte relay', new URL('../byte-relay.js', import.meta.url), [String(port)]),
    );
    for (const library of ['node-http', 'http-proxy', 'fastify-http-proxy']) {
      all.push(
        await startNode(stack, library, new URL('library-proxy.js', import.meta.url), [
          library,
          String(port),
        ]),
      );
    }
    all.push(await startConfigurable(stack, port));
    for (const start of [startHaproxy, startNginx]) {
      const target = await start(stack, folder, port);
      if (typeof target === 'string') notes.push(target);
      else all.push(target);
    }
    return { all, notes, [Symbol.asyncDispose]: () => stack.dispose() };
  } catch (error) {
    await stack.dispose();
    throw error;
  }
}

/** Starts a program that prints its port and ends with its input. */
async function startNode(
  stack: AsyncDisposableStackOfBench,
  name: string,
  program: URL,
  args: readonly string[],
): Promise<Target> {
  const child = spawn(process.execPath, [fileURLToPath(program), ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  stack.use(ended(child, () => child.stdin.end()));
  const [line] = await once(child.stdout, 'data');
  return { name, port: z.coerce.number().parse(String(line)), prefix: '', headers: {}, pid: child.pid ?? 0 };
}

async function startConfigurable(stack: AsyncDisposableStackOfBench, to: number): Promise<Target> {
  const main = import.meta.resolve('configurable-http-proxy');
  const program = fileURLToPath(new URL('bin/configurable-http-proxy', main));
  const [port, apiPort] = [await freePort(), await freePort()];
  const child = spawn(
    process.execPath,
    [
      program,
      ...['--ip', '127.0.0.1', '--port', String(port)],
      ...['--api-ip', '127.0.0.1', '--api-port', String(apiPort)],
      ...['--default-target', `http://127.0.0.1:${to}`, '--log-level', 'error', '--no-x-forward'],
    ],
    {
      stdio: ['ignore', 'ignore', 'ignore'],
      env: { PATH: process.env['PATH'] ?? '', CONFIGPROXY_AUTH_TOKEN: 'x' },
    },
  );
  stack.use(ended(child));
  await listening(port);
  return { name: 'configurable-http-proxy', port, prefix: '', headers: {}, pid: child.pid ?? 0 };
}

async function startHaproxy(
  stack: AsyncDisposableStackOfBench,
  folder: string,
  to: number,
): Promise<Target | string> {
  const program = findProgram('haproxy');
  if (program === null) return 'HAProxy is not installed (`apt-get install haproxy`): not measured.';
  const port = await freePort();
  const file = join(folder, 'haproxy.cfg');
  await writeFile(
    file,
    `global
  nbthread 1
  maxconn 4000
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  option http-keep-alive
  http-reuse always
frontend bench
  bind 127.0.0.1:${port}
  option forwardfor
  default_backend agent
backend agent
  server one 127.0.0.1:${to}
`,
  );
  const child = spawn(program, ['-db', '-f', file], { stdio: ['ignore', 'ignore', 'inherit'] });
  stack.use(ended(child));
  await listening(port);
  return { name: 'HAProxy', port, prefix: '', headers: {}, pid: child.pid ?? 0 };
}

async function startNginx(
  stack: AsyncDisposableStackOfBench,
  folder: string,
  to: number,
): Promise<Target | string> {
  const program = findProgram('nginx');
  if (program === null) return 'nginx is not installed (`apt-get install nginx-light`): not measured.';
  const port = await freePort();
  const file = join(folder, 'nginx.conf');
  await writeFile(
    file,
    `daemon off;
master_process off;
error_log stderr crit;
pid ${join(folder, 'nginx.pid')};
events { worker_connections 4000; }
http {
  access_log off;
  client_max_body_size 0;
  proxy_request_buffering off;
  proxy_max_temp_file_size 0;
${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `  ${name}_temp_path ${join(folder, name)};`).join('\n')}
  keepalive_requests 100000000;
  upstream agent { server 127.0.0.1:${to}; keepalive 1024; keepalive_requests 100000000; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://agent;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }
  }
}
`,
  );
  const child = spawn(program, ['-c', file, '-p', folder], { stdio: ['ignore', 'ignore', 'inherit'] });
  stack.use(ended(child));
  await listening(port);
  return { name: 'nginx', port, prefix: '', headers: {}, pid: child.pid ?? 0 };
}

/** Path of a program of the system, administrators' folders included; `null` when it is not there. */
export function findProgram(name: string): string | null {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path)) ?? null;
}

/** Ends what was started, the last first. */
class AsyncDisposableStackOfBench {
  readonly #parts: AsyncDisposable[] = [];

  use<Part extends AsyncDisposable>(part: Part): Part {
    this.#parts.push(part);
    return part;
  }

  async dispose(): Promise<void> {
    for (const part of this.#parts.toReversed()) await part[Symbol.asyncDispose]();
  }
}

function ended(child: ChildProcess, ask: () => void = () => child.kill('SIGTERM')): AsyncDisposable {
  return {
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      ask();
      const watchdog = setTimeout(() => child.kill('SIGKILL'), START_LIMIT_MS);
      await exited;
      clearTimeout(watchdog);
    },
  };
}

async function listening(port: number): Promise<void> {
  const deadline = performance.now() + START_LIMIT_MS;
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const open = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    });
    socket.destroy();
    if (open) return;
    if (performance.now() > deadline) throw new Error(`nothing listens on port ${port}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
