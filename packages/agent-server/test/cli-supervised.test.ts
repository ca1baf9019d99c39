import { readdir, readFile, readlink, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { exitReportSchema } from '../src/control.ts';
import { isAlive, runCli, takePort, type CliRun, type RunOptions } from './support/cli-harness.ts';
import { callServer, eventually, openStream, type Call } from './support/http-harness.ts';

const TOKEN = 'the-secret-token-of-this-test';
const SERVE = { kind: 'serve', port: 0, token: TOKEN };
const SERVER = ['server', '--control-fd', '3', '--type', 'custom'];

function supervise(args: readonly string[], options: RunOptions = {}): Promise<CliRun> {
  return runCli(args, { ...options, supervised: true });
}

/** Sends one request with the token. */
function call(port: number, request: Call) {
  return callServer(port, { ...request, headers: { 'x-agentapi-token': TOKEN, ...request.headers } });
}

describe('serving', () => {
  test('AA-166: the port is reported, and every request without the token is 401, streams included', async () => {
    await using run = await supervise([...SERVER, '--', 'PROBE']);
    run.channel.send(SERVE);
    const { port } = await run.channel.next('listening');
    for (const path of ['/status', '/messages', '/events', '/internal/screen', '/', '/docs', '/nowhere']) {
      const refused = await callServer(port, { path });
      expect([path, refused.status]).toEqual([path, 401]);
      expect(refused.headers['content-type']).toBe('application/problem+json');
    }
    const wrong = { 'x-agentapi-token': `${TOKEN}x` };
    expect((await callServer(port, { path: '/status', headers: wrong })).status).toBe(401);
    expect((await call(port, { path: '/status' })).status).toBe(200);
    await using stream = await openStream(port, '/events', { 'x-agentapi-token': TOKEN });
    expect(stream.status).toBe(200);
  });

  test('a request that comes before the agent exists waits for it', async () => {
    await using run = await supervise([...SERVER, '--', 'PROBE']);
    run.channel.send(SERVE);
    const { port } = await run.channel.next('listening');
    const reply = await call(port, { path: '/messages' });
    expect(reply.json()).toMatchObject({ messages: [{ id: 0, role: 'agent' }] });
  });

  test('a taken port is reported, and the next command is waited for', async () => {
    await using taken = await takePort();
    await using run = await supervise([...SERVER, '--', 'PROBE']);
    run.channel.send({ ...SERVE, port: taken.port });
    expect(await run.channel.next('port-taken')).toEqual({ kind: 'port-taken', port: taken.port });
    run.channel.send({ ...SERVE, token: 'another-token-than-before' });
    const { port } = await run.channel.next('listening');
    const headers = { 'x-agentapi-token': 'another-token-than-before' };
    expect((await callServer(port, { path: '/status', headers })).status).toBe(200);
    expect((await call(port, { path: '/status' })).status).toBe(401);
  });

  test('lines that are no command are skipped', async () => {
    await using run = await supervise([...SERVER, '--', 'PROBE']);
    run.channel.send({ kind: 'greeting' });
    run.channel.send({ ...SERVE, token: 'short' });
    run.channel.send({ ...SERVE, unknown: 'member' });
    expect(await run.channel.next('listening')).toMatchObject({ kind: 'listening' });
  });

  test('the flags cannot move it off loopback, and stdin is not read', async () => {
    const args = [...SERVER, '--host', '0.0.0.0', '--port', '1', '--', 'PROBE'];
    await using run = await supervise(args, { stdin: { text: 'no prompt' } });
    run.channel.send(SERVE);
    const { port } = await run.channel.next('listening');
    const tables = await readFile('/proc/net/tcp', 'utf8');
    expect(tables).toContain(`0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`);
    await run.channel.next('agent-ready');
    expect((await call(port, { path: '/messages' })).text).not.toContain('no prompt');
    expect((await call(port, { path: '/status' })).json()).toMatchObject({ status: 'stable' });
  });
});

describe('what the agent can see', () => {
  test('AA-166: neither the token nor the channel', async () => {
    await using run = await supervise([...SERVER, '--', 'PROBE', 'argument']);
    run.channel.send(SERVE);
    await run.channel.next('listening');
    const { pid, environment } = await run.probe();
    expect(JSON.stringify(environment)).not.toContain(TOKEN);
    for (const process of [pid, run.pid]) {
      for (const file of ['cmdline', 'environ']) {
        expect(await readFile(`/proc/${process}/${file}`, 'utf8')).not.toContain(TOKEN);
      }
    }
    // The agent's terminal is a pty, so every socket that it holds came from the server.
    const own = (await descriptors(run.pid)).filter((target) => target.startsWith('socket:'));
    expect(own.length).toBeGreaterThanOrEqual(2);
    const agents = await descriptors(pid);
    expect(agents.filter((target) => own.includes(target))).toEqual([]);
    expect(run.out()).not.toContain(TOKEN);
  });
});

describe('the end', () => {
  test('AA-015: the agent’s readiness and end are reported, the latter with its last output', async () => {
    await using run = await supervise([...SERVER, '--', 'PROBE']);
    run.channel.send(SERVE);
    const { port } = await run.channel.next('listening');
    await run.channel.next('agent-ready');
    await call(port, { method: 'POST', path: '/message', body: '{"type":"raw","content":"exit 3\\r"}' });
    const report = await run.channel.next('agent-exited');
    expect(report).toMatchObject({ code: 3, signal: null });
    expect(report.lastOutput[0]).toBe('hello from the agent');
    expect(await run.ended).toMatchObject({ code: 1 });
    expect(run.channel.reports.map(({ kind }) => kind)).toEqual(['listening', 'agent-ready', 'agent-exited']);
  });

  test('AA-015: an agent that ends with 0 before it was ready', async () => {
    await using run = await supervise([...SERVER, '--', 'PROBE', 'exit=0']);
    run.channel.send(SERVE);
    const report = await run.channel.next('agent-exited');
    expect(report).toEqual({
      kind: 'agent-exited',
      code: 0,
      signal: null,
      lastOutput: ['  goodbye from the agent'],
    });
    expect(await run.ended).toMatchObject({ code: 0 });
    expect(run.channel.reports.map(({ kind }) => kind)).not.toContain('agent-ready');
  });

  test('a signal that killed the agent is named', async () => {
    await using run = await supervise([...SERVER, '--', 'PROBE']);
    run.channel.send(SERVE);
    const { pid } = await run.probe();
    process.kill(pid, 'SIGKILL');
    expect(await run.channel.next('agent-exited')).toMatchObject({ code: null, signal: 'SIGKILL' });
    expect(await run.ended).toMatchObject({ code: 1 });
  });

  test('AA-016: SIGTERM asks the agent with SIGTERM, exit 0', async () => {
    await using run = await supervise([...SERVER, '--', 'PROBE']);
    run.channel.send(SERVE);
    await run.channel.next('agent-ready');
    const { pid } = await run.probe();
    run.kill('SIGTERM');
    expect(await run.ended).toMatchObject({ code: 0, error: '' });
    expect(await run.probeSignals()).toEqual(['SIGTERM']);
    expect(isAlive(pid)).toBe(false);
  });

  test('a signal while it waits for its address ends it, exit 0', async () => {
    await using run = await supervise([...SERVER, '--', 'PROBE']);
    // Its report of the taken port shows that it waits.
    await using taken = await takePort();
    run.channel.send({ ...SERVE, port: taken.port });
    await run.channel.next('port-taken');
    run.kill('SIGTERM');
    expect(await run.ended).toMatchObject({ code: 0 });
  });

  test('the loss of the channel is not the end', async () => {
    await using run = await supervise([...SERVER, '--', 'PROBE']);
    run.channel.send(SERVE);
    const { port } = await run.channel.next('listening');
    run.channel.close();
    await eventually(async () => (await call(port, { path: '/status' })).json()['status'] === 'stable');
    const { pid } = await run.probe();
    expect(isAlive(pid)).toBe(true);
    run.kill('SIGTERM');
    expect(await run.ended).toMatchObject({ code: 0 });
    expect(isAlive(pid)).toBe(false);
  });

  test('the loss of the channel before there is an address is: nobody could ever ask', async () => {
    await using run = await supervise([...SERVER, '--', 'PROBE']);
    run.channel.close();
    const end = await run.ended;
    expect(end.code).toBe(1);
    expect(end.error).toContain('the supervisor closed the control channel');
  });
});

describe('a supervisor that takes over', () => {
  const headers = { 'x-agentapi-token': TOKEN };
  const exitBy = (code: number) => `{"type":"raw","content":"exit ${code}\\r"}`;

  test('hears the reports on a stream, which ends with the server; nobody else does', async () => {
    await using run = await supervise([...SERVER, '--', 'PROBE']);
    run.channel.send(SERVE);
    const { port } = await run.channel.next('listening');
    await run.channel.next('agent-ready');
    run.channel.close();
    expect((await callServer(port, { path: '/internal/reports' })).status).toBe(401);
    await using stream = await openStream(port, '/internal/reports', headers);
    expect(stream.status).toBe(200);
    await eventually(() => stream.raw().includes('event: report\ndata: {"kind":"agent-ready"}'));
    await call(port, { method: 'POST', path: '/message', body: exitBy(3) });
    await run.ended;
    await stream.ended;
    expect(stream.raw()).toContain('event: report\ndata: {"kind":"agent-exited","code":3,"signal":null,');
  });

  test('finds the last report in a file when it comes too late', async () => {
    await using run = await supervise([...SERVER, '--exit-report', 'DIR/exit.json', '--', 'PROBE']);
    const path = join(run.folder, 'exit.json');
    run.channel.send(SERVE);
    const { port } = await run.channel.next('listening');
    await run.channel.next('agent-ready');
    run.channel.close();
    await expect(readFile(path)).rejects.toThrow('ENOENT');
    await call(port, { method: 'POST', path: '/message', body: exitBy(0) });
    await run.ended;
    const report = exitReportSchema.parse(JSON.parse(await readFile(path, 'utf8')));
    expect(report).toMatchObject({ kind: 'agent-exited', code: 0, signal: null, wasReady: true });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  test('finds no file after an end that was asked for, and the reason after a failure', async () => {
    await using asked = await supervise([...SERVER, '--exit-report', 'DIR/exit.json', '--', 'PROBE']);
    asked.channel.send(SERVE);
    await asked.channel.next('agent-ready');
    asked.kill('SIGTERM');
    await asked.ended;
    await expect(readFile(join(asked.folder, 'exit.json'))).rejects.toThrow('ENOENT');

    await using failed = await supervise([
      ...SERVER,
      '--exit-report',
      'DIR/exit.json',
      '--',
      'no-such-agent',
    ]);
    failed.channel.send(SERVE);
    await failed.ended;
    const text = await readFile(join(failed.folder, 'exit.json'), 'utf8');
    expect(exitReportSchema.parse(JSON.parse(text))).toMatchObject({ kind: 'failed', wasReady: false });
    expect(text).toContain('no-such-agent');
  });
});

describe('failures are reported with their reason, exit 1', () => {
  test.each([
    ['a program that does not exist', ['--', 'no-such-program-anywhere'], {}, 'no-such-program-anywhere'],
    ['a bad variable', ['--', 'PROBE'], { AGENTAPI_ALLOWED_HOSTS: 'a:80' }, "'a:80' must not include a port"],
    ['a bad flag', ['--term-width', '5', '--', 'PROBE'], {}, 'term width must be at least 10'],
    ['an unknown flag', ['--nonsense', '--', 'PROBE'], {}, 'unknown flag: --nonsense'],
    ['nothing to run', ['--print-openapi=x'], {}, 'invalid argument "x"'],
  ])('%s', async (_, args, environment, text) => {
    await using run = await supervise([...SERVER, ...args], { environment });
    run.channel.send(SERVE);
    const { reason } = await run.channel.next('failed');
    expect(reason).toContain(text);
    const end = await run.ended;
    expect(end.code).toBe(1);
    expect(end.error).toContain(text);
  });

  test('a descriptor that is not open', async () => {
    await using run = await runCli(['server', '--control-fd', '9', '--', 'PROBE']);
    expect(await run.ended).toMatchObject({ code: 1 });
  });
});

/** What the open descriptors of a process point to. */
async function descriptors(pid: number): Promise<readonly string[]> {
  const names = await readdir(`/proc/${pid}/fd`);
  return Promise.all(names.map((name) => readlink(`/proc/${pid}/fd/${name}`).catch(() => '')));
}
