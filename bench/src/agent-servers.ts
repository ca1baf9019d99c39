import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { controlReportSchema, TOKEN_HEADER } from '@agentapi-proxy/agent-server/control';
import { freePort } from '#tools/free-port.ts';
import { HttpConnection } from './http-connection.ts';

/** Path of the built embedded agent server. */
export const EMBEDDED_PROGRAM = fileURLToPath(import.meta.resolve('@agentapi-proxy/agent-server/bin'));

const START_LIMIT_MS = 30_000;
const STOP_LIMIT_MS = 10_000;
/** Size of the terminal that agentapi fixes, and hence ours. */
const TERMINAL = ['--term-width', '80', '--term-height', '1000'];

/** A started agent server. */
export interface RunningAgentServer extends AsyncDisposable {
  readonly pid: number;
  readonly connection: HttpConnection;
  /** From its spawn until the first answer of `GET /status` with status 200. */
  readonly readyMs: number;
}

/** One way to run an agent server. */
export interface AgentServerKind {
  readonly name: string;
  /** @param agent - program and arguments of the agent, of type custom. */
  start(agent: readonly string[]): Promise<RunningAgentServer>;
}

/** The embedded server as the proxy starts it: told over the control channel where to serve. */
export const SUPERVISED: AgentServerKind = {
  name: 'embedded, supervised',
  start: async (agent) => {
    const start = performance.now();
    const child = spawn(
      process.execPath,
      [EMBEDDED_PROGRAM, 'server', '--control-fd', '3', '--type', 'custom', ...TERMINAL, '--', ...agent],
      { stdio: ['ignore', 'ignore', 'inherit', 'pipe'] },
    );
    const control = child.stdio[3];
    if (!(control instanceof Duplex)) throw new TypeError('the control channel is not open');
    const token = randomBytes(32).toString('base64url');
    control.write(`${JSON.stringify({ kind: 'serve', port: 0, token })}\n`);
    const port = await new Promise<number>((resolve, reject) => {
      createInterface({ input: control }).on('line', (line) => {
        const report = controlReportSchema.parse(JSON.parse(line));
        if (report.kind === 'listening') resolve(report.port);
        if (report.kind === 'failed') reject(new Error(report.reason));
      });
      child.once('exit', () => reject(new Error('the agent server ended before it listened')));
    });
    const connection = new HttpConnection(port, { [TOKEN_HEADER]: token });
    await connection.expect('/status');
    return running(child, connection, performance.now() - start);
  },
};

/** The embedded server as a command. */
const COMMAND: AgentServerKind = {
  name: 'embedded, as a command',
  start: (agent) => startCommand(process.execPath, [EMBEDDED_PROGRAM], agent),
};

/** What a bench of the agent server compares: ours, and the real `agentapi` when it is on PATH. */
export function agentServers(options: { readonly withCommand?: boolean } = {}): {
  readonly kinds: readonly AgentServerKind[];
  readonly notes: readonly string[];
} {
  const ours = options.withCommand === true ? [SUPERVISED, COMMAND] : [SUPERVISED];
  const reference = findReference();
  if (reference === null) {
    return { kinds: ours, notes: ['`agentapi` is not on PATH: nothing to compare with.'] };
  }
  const kind: AgentServerKind = {
    name: 'agentapi',
    start: (agent) => startCommand(reference, [], agent),
  };
  return { kinds: [...ours, kind], notes: [] };
}

async function startCommand(
  program: string,
  args: readonly string[],
  agent: readonly string[],
): Promise<RunningAgentServer> {
  const port = await freePort();
  const start = performance.now();
  const child = spawn(
    program,
    [...args, 'server', '--port', String(port), '--type', 'custom', ...TERMINAL, '--', ...agent],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  const connection = new HttpConnection(port);
  const deadline = start + START_LIMIT_MS;
  for (;;) {
    try {
      await connection.expect('/status');
      return running(child, connection, performance.now() - start);
    } catch (error) {
      if (child.exitCode !== null || performance.now() > deadline) throw error;
      // Nobody listens yet, and nobody tells.
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
}

function running(child: ChildProcess, connection: HttpConnection, readyMs: number): RunningAgentServer {
  return {
    pid: child.pid ?? 0,
    connection,
    readyMs,
    [Symbol.asyncDispose]: async () => {
      connection[Symbol.dispose]();
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      const watchdog = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
      await exited;
      clearTimeout(watchdog);
    },
  };
}

function findReference(): string | null {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, 'agentapi');
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not in this folder.
    }
  }
  return null;
}
