import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, readdir, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findProcesses, identityOf, isAlive } from '@agentapi-proxy/agent-server/process-tree';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AppError } from '../src/errors.ts';
import { LocalRuntime } from '../src/runtime/local/local-runtime.ts';
import { PortPool } from '../src/runtime/local/ports.ts';
import { LaunchError } from '../src/runtime/runtime.ts';
import type { LaunchSpec, Run } from '../src/runtime/runtime.ts';

/** Longer than any test: whoever waits for it has failed. */
const NEVER_MS = 60_000;
const AGENT_SERVER = fileURLToPath(new URL('fixtures/agent-server.mjs', import.meta.url));
const TOKEN = 'a-token-of-the-tests';

let folder: string;
let runtime: LocalRuntime;
let instanceId: string;
const disposables: AsyncDisposable[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'runtime-local-'));
  instanceId = `test-${folder.slice(-6)}`;
  runtime = makeRuntime(0, 1);
});

afterEach(async () => {
  for (const one of disposables.splice(0).toReversed()) await one[Symbol.asyncDispose]();
  const left = await findProcesses({ marker: { value: `${instanceId}.`, match: 'prefix' } });
  await rm(folder, { recursive: true, force: true });
  if (left.length > 0) throw new Error(`left running: ${left.map(({ pid }) => pid).join(', ')}`);
});

function makeRuntime(startPort: number, portCount: number): LocalRuntime {
  const made = new LocalRuntime({
    instanceId,
    startPort,
    portCount,
    mask: (text) => text.replaceAll('secret-of-the-tests', '[secret]'),
    onLogError: () => undefined,
  });
  disposables.push(made);
  return made;
}

/** A launch of the scripted agent server; `mode` says how it behaves. */
async function specOf(mode: string, changes: Partial<LaunchSpec> = {}): Promise<LaunchSpec> {
  return {
    sessionId: 'session-1',
    command: process.execPath,
    args: (port) => [AGENT_SERVER, mode, String(port)],
    script: null,
    cwd: folder,
    env: { PATH: process.env['PATH'] ?? '', GREETING: 'hello' },
    logPath: join(folder, 'logs', 'session.log'),
    control: true,
    token: TOKEN,
    reservation: await runtime.reservePort(),
    timeoutMs: NEVER_MS,
    ...changes,
  };
}

async function launch(mode: string, changes: Partial<LaunchSpec> = {}): Promise<Run> {
  return runtime.launch(await specOf(mode, changes), new AbortController().signal);
}

async function external(mode: string, changes: Partial<LaunchSpec> = {}): Promise<Run> {
  return launch(mode, { control: false, token: null, ...changes });
}

async function failure(launching: Promise<Run>): Promise<LaunchError> {
  const error = await launching.then(
    () => new Error('it was launched'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof LaunchError)) throw error;
  return error;
}

/** What the scripted agent server says of itself. */
async function ask(port: number, path: string): Promise<string> {
  const sent = request({ host: '127.0.0.1', port, path, agent: false }).end();
  const [response]: AsyncIterable<Buffer>[] = await once(sent, 'response');
  let body = '';
  for await (const chunk of response ?? []) body += chunk.toString();
  return body;
}

async function agentPid(run: Run): Promise<number> {
  return Number(await ask(run.port, '/agent-pid'));
}

async function hold(port: number): Promise<Server> {
  const server = createServer((_request, response) => response.end('{"status":"stable"}'));
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  disposables.push({
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
    },
  });
  return server;
}

describe('launch', () => {
  test('resolves when the agent server answers, with its identity and port', async () => {
    const spec = await specOf('ordinary');
    const run = await runtime.launch(spec, new AbortController().signal);
    expect(run.port).toBe(spec.reservation.port);
    expect(run.ref).toMatchObject({ pid: expect.any(Number), port: run.port });
    expect(await isAlive(run.ref)).toBe(true);
    await run.agentReady;
    expect(await ask(run.port, '/token')).toBe(TOKEN);
  });

  test('the process has exactly the given environment and the marker, its folder, and no token among its arguments', async () => {
    const run = await launch('ordinary');
    const environment = JSON.parse(await ask(run.port, '/environment'));
    expect(environment).toEqual({
      PATH: process.env['PATH'],
      GREETING: 'hello',
      AGENTAPI_PROXY_SESSION: `${instanceId}.session-1`,
    });
    expect(await readlink(`/proc/${run.ref.pid}/cwd`)).toBe(folder);
    expect(await readFile(`/proc/${run.ref.pid}/cmdline`, 'latin1')).not.toContain(TOKEN);
  });

  test('no descriptor of the server is inherited but input, output and the channel', async () => {
    const held = await hold(0);
    const run = await launch('ordinary');
    // Descriptors that Node opens for itself come after the inherited ones; ours would be files or sockets.
    const names = await readdir(`/proc/${run.ref.pid}/fd`);
    const targets = await Promise.all(
      names.map(async (name) => [name, await readlink(`/proc/${run.ref.pid}/fd/${name}`)] as const),
    );
    const own = Object.fromEntries(targets);
    expect(own['0']).toBe('/dev/null');
    expect(own['1']).toBe(join(folder, 'logs', 'session.log'));
    expect(own['2']).toBe(own['1']);
    expect(own['3']).toMatch(/^socket:/);
    const ours = await Promise.all(
      (await readdir('/proc/self/fd')).map((name) => readlink(`/proc/self/fd/${name}`).catch(() => '')),
    );
    const sockets = new Set(ours.filter((target) => target.startsWith('socket:')));
    expect(sockets.size).toBeGreaterThan(0);
    expect(targets.filter(([, target]) => sockets.has(target))).toEqual([]);
    expect(held.listening).toBe(true);
  });

  test('output goes to a private log, appended to', async () => {
    await runtime.stop(await launch('ordinary'), 0);
    await runtime.stop(await launch('ordinary'), 0);
    const path = join(folder, 'logs', 'session.log');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await readFile(path, 'utf8')).match(/started/g)).toHaveLength(2);
  });

  test('PX-094: a port that another program grabs meanwhile is given up for the next', async () => {
    const spec = await specOf('ordinary');
    const first = spec.reservation.port;
    await hold(first);
    const run = await runtime.launch(spec, new AbortController().signal);
    expect(run.port).not.toBe(first);
    expect(spec.reservation.port).toBe(run.port);
    expect(await ask(run.port, '/token')).toBe(TOKEN);
  });

  test('a program that does not exist, or a folder that does not, is a LaunchError that says so', async () => {
    expect(await failure(launch('x', { command: '/nowhere/agent' }))).toMatchObject({
      message: '/nowhere/agent cannot be executed: there is no such program',
    });
    const notExecutable = join(folder, 'file');
    await writeFile(notExecutable, '');
    expect((await failure(launch('x', { command: notExecutable }))).message).toMatch(/EACCES/);
    expect((await failure(launch('x', { cwd: join(folder, 'none') }))).message).toMatch(/working directory/);
  });

  test('an agent server that ends instead is a LaunchError with its last output', async () => {
    const error = await failure(launch('fails'));
    expect(error.message).toBe('The agent server exited with code 3 before it answered: no such flag');
    expect(error.exit).toMatchObject({ kind: 'server', code: 3, signal: null, wasReady: false });
    expect(error.lastOutput.at(-1)).toBe('no such flag');
  });

  test('an agent server that reports why it cannot work is quoted', async () => {
    expect((await failure(launch('reports-failure'))).message).toMatch(/: there is no agent here$/);
  });

  test('one that never answers is ended when the time is over, with what it had ignored', async () => {
    const error = await failure(launch('silent', { timeoutMs: 300 }));
    expect(error.message).toBe('The agent server did not answer within 0.3 s');
  });

  test('an abort leaves nothing running and rejects with its reason', async () => {
    const abort = new AbortController();
    const launching = runtime.launch(await specOf('silent'), abort.signal);
    const marker = { value: `${instanceId}.session-1`, match: 'equal' } as const;
    const settled = launching.catch((error: unknown) => error);
    await expect.poll(async () => (await findProcesses({ marker })).length).toBeGreaterThan(0);
    abort.abort(new Error('not wanted any more'));
    expect(await settled).toMatchObject({ message: 'not wanted any more' });
    expect(await findProcesses({ marker })).toEqual([]);
    await expect(runtime.launch(await specOf('ordinary'), abort.signal)).rejects.toThrow(
      'not wanted any more',
    );
  });
});

describe('the end of a run', () => {
  test('kill -9 of the agent is told at once, with its last screen', async () => {
    const run = await launch('ordinary');
    await run.agentReady;
    process.kill(await agentPid(run), 'SIGKILL');
    expect(await run.exited).toEqual({
      kind: 'agent',
      code: null,
      signal: 'SIGKILL',
      lastOutput: ['the last screen'],
      wasReady: true,
    });
    expect(await runtime.stop(run, NEVER_MS)).toEqual({ left: [] });
  });

  test('kill -9 of the agent server is told at once; stop ends the agent that it leaves', async () => {
    const run = await launch('ordinary');
    const agent = await identityOf(await agentPid(run));
    process.kill(run.ref.pid, 'SIGKILL');
    expect(await run.exited).toMatchObject({ kind: 'server', code: null, signal: 'SIGKILL' });
    expect(agent !== null && (await isAlive(agent))).toBe(true);
    expect(await runtime.stop(run, NEVER_MS)).toEqual({ left: [] });
    expect(agent !== null && (await isAlive(agent))).toBe(false);
  });

  test('PX-126, PX-129: stop ends agent, server and what they have started, whatever its session or group', async () => {
    const run = await launch('large-family');
    const marker = { value: `${instanceId}.session-1`, match: 'equal' } as const;
    await expect.poll(async () => (await findProcesses({ marker })).length).toBeGreaterThanOrEqual(5);
    expect(await runtime.stop(run, NEVER_MS)).toEqual({ left: [] });
    expect(await findProcesses({ marker })).toEqual([]);
    expect(await isAlive(run.ref)).toBe(false);
  });

  test('PX-127: the agent gets SIGTERM and the time to end by itself', async () => {
    const run = await launch('graceful-agent');
    await runtime.stop(run, NEVER_MS);
    expect(await readFile(join(folder, 'agent-said'), 'utf8')).toBe('saved\n');
  });

  test('DF-24: a run that ignores SIGTERM is killed after the grace period', async () => {
    const run = await launch('stubborn');
    expect(await runtime.stop(run, 100)).toEqual({ left: [] });
    expect(await run.exited).toMatchObject({ signal: 'SIGKILL' });
  });

  test('calls of stop at the same time share one, a later one finds nothing', async () => {
    const run = await launch('ordinary');
    expect(await Promise.all([runtime.stop(run, NEVER_MS), runtime.stop(run, 0)])).toEqual([
      { left: [] },
      { left: [] },
    ]);
    expect(await runtime.stop(run, 0)).toEqual({ left: [] });
  });

  test('closing the runtime ends the runs that nobody has stopped', async () => {
    const run = await launch('ordinary');
    await runtime[Symbol.asyncDispose]();
    expect(await isAlive(run.ref)).toBe(false);
  });

  test('many runs at once: each has its own port, and none disturbs another', async () => {
    const runs = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        launch('ordinary', { sessionId: `many-${index}`, logPath: join(folder, `${index}.log`) }),
      ),
    );
    expect(new Set(runs.map(({ port }) => port)).size).toBe(10);
    const [spared, ...others] = runs;
    await Promise.all(others.map((run) => runtime.stop(run, NEVER_MS)));
    expect(spared !== undefined && (await isAlive(spared.ref))).toBe(true);
  });
});

describe('an external agent server', () => {
  test('is taken when it answers, and asked until its agent is ready', async () => {
    const run = await external('external');
    await run.agentReady;
    expect(await ask(run.port, '/token')).toBe('');
  });

  test('PX-094, DF-22: an answer from a foreign program on the port does not count', async () => {
    const spec = await specOf('external', { control: false, token: null });
    const first = spec.reservation.port;
    await hold(first);
    const run = await runtime.launch(spec, new AbortController().signal);
    expect(run.port).not.toBe(first);
    expect(spec.reservation.port).toBe(run.port);
  });

  test('a start that fails for another reason is not repeated', async () => {
    const error = await failure(external('fails'));
    expect(error.message).toMatch(/no such flag/);
    expect((await readFile(join(folder, 'logs', 'session.log'), 'utf8')).match(/started/g)).toHaveLength(1);
  });

  test("its exit with its agent's is the agent's", async () => {
    const run = await external('external');
    await run.agentReady;
    await ask(run.port, '/exit');
    expect(await run.exited).toMatchObject({ kind: 'agent', code: 0, signal: null, wasReady: true });
  });
});

describe('orphans', () => {
  test('DF-26, PX-176: what a killed server left is found by its marker and ended, other instances are spared', async () => {
    const run = await launch('large-family');
    const marker = { value: `${instanceId}.session-1`, match: 'equal' } as const;
    await expect.poll(async () => (await findProcesses({ marker })).length).toBeGreaterThanOrEqual(5);
    const other = new LocalRuntime({
      instanceId: `other-${instanceId}`,
      startPort: 0,
      portCount: 1,
      mask: (text) => text,
      onLogError: () => undefined,
    });
    disposables.push(other);
    expect(await other.findOrphans(new Set())).toMatchObject({ sessionIds: [], found: 0 });
    expect(await isAlive(run.ref)).toBe(true);

    const next = makeRuntime(0, 1);
    expect(await next.findOrphans(new Set(['session-1']))).toMatchObject({ sessionIds: [], found: 0 });
    const orphans = await next.findOrphans(new Set(['session-2']));
    expect(orphans.sessionIds).toEqual(['session-1']);
    expect(orphans.found).toBeGreaterThanOrEqual(5);
    expect(await orphans.end(NEVER_MS)).toEqual({ left: [] });
    expect(await isAlive(run.ref)).toBe(false);
  });

  test('PX-176: a run outlives kill -9 of its server, and the next one ends it', async () => {
    const script = join(folder, 'server.mjs');
    const module = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);
    await writeFile(
      script,
      `import { LocalRuntime } from ${module('../dist/runtime/local/local-runtime.js')};
       const runtime = new LocalRuntime({ instanceId: ${JSON.stringify(instanceId)}, startPort: 0, portCount: 1, mask: (text) => text, onLogError: () => undefined });
       const run = await runtime.launch({
         sessionId: 'session-2', command: process.execPath, args: (port) => [${JSON.stringify(AGENT_SERVER)}, 'ordinary', String(port)],
         cwd: ${JSON.stringify(folder)}, env: { PATH: process.env.PATH }, logPath: ${JSON.stringify(join(folder, 'two.log'))},
         control: true, token: ${JSON.stringify(TOKEN)}, reservation: await runtime.reservePort(), timeoutMs: 20000,
       }, new AbortController().signal);
       process.stdout.write(JSON.stringify(run.ref));`,
    );
    const server = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [output]: Buffer[] = await once(server.stdout, 'data');
    const ref = JSON.parse(String(output));
    server.kill('SIGKILL');
    await once(server, 'exit');
    expect(await isAlive(ref)).toBe(true);
    const orphans = await runtime.findOrphans(new Set());
    expect(orphans.sessionIds).toEqual(['session-2']);
    expect(await orphans.end(NEVER_MS)).toEqual({ left: [] });
    expect(await isAlive(ref)).toBe(false);
  });
});

describe('ports', () => {
  test('PX-093: the lowest free number comes first, and a released one comes again', async () => {
    const first = await freeRange(4);
    const pool = new PortPool(first, 4);
    const [a, b, c] = await Promise.all([pool.reserve(), pool.reserve(), pool.reserve()]);
    expect([a.port, b.port, c.port]).toEqual([first, first + 1, first + 2]);
    b.release();
    b.release();
    const again = await pool.reserve();
    expect(again.port).toBe(first + 1);
    await a.moveOn();
    expect(a.port).toBe(first + 3);
    expect((await pool.reserve()).port).toBe(first);
  });

  test('PX-093: 300 reservations in a range of 3 succeed', async () => {
    const pool = new PortPool(await freeRange(3), 3);
    for (let round = 0; round < 100; round += 1) {
      const three = await Promise.all([pool.reserve(), pool.reserve(), pool.reserve()]);
      expect(new Set(three.map(({ port }) => port)).size).toBe(3);
      for (const one of three) one.release();
    }
  });

  test('a number that a program listens on is passed over; none left is an error of its own', async () => {
    const first = await freeRange(2);
    await hold(first);
    const pool = new PortPool(first, 2);
    const reservation = await pool.reserve();
    expect(reservation.port).toBe(first + 1);
    const refused = await pool.reserve().catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(AppError);
    expect(refused).toMatchObject({ code: 'no_free_port' });
    await expect(reservation.moveOn()).rejects.toMatchObject({ code: 'no_free_port' });
    expect(reservation.port).toBe(first + 1);
  });
});

/** The first of some numbers in a row that are free now, outside the range the kernel chooses from. */
async function freeRange(count: number): Promise<number> {
  // No test running at the same time takes any of these.
  const worker = Number(process.env['VITEST_POOL_ID'] ?? 0);
  for (let first = 25_000 + (worker % 10) * 100; ; first += count) {
    const pool = new PortPool(first, count);
    const found = await Promise.all(Array.from({ length: count }, () => pool.reserve().catch(() => null)));
    if (found.every((one) => one !== null)) return first;
  }
}
