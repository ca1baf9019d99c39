import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { COMMAND, eventually, runCommand, startServer } from '../support/server-process.ts';
import { getSession, start, untilState } from '../support/wire.ts';

/** What the command line does in general is tested in packages/server/test/cli-server.test.ts. */

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'agentapi-proxy-command-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

async function ownFolder(): Promise<string> {
  return mkdtemp(join(folder, 'case-'));
}

/** Runs `server` in a folder of its own until it ends or is ready; then stops it. */
async function runServer(
  options: {
    readonly args?: readonly string[];
    readonly env?: Readonly<Record<string, string>>;
    readonly config?: string;
  } = {},
): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  const cwd = await ownFolder();
  if (options.config !== undefined) await writeFile(join(cwd, 'config.json'), options.config);
  const { PATH = '' } = process.env;
  const child = spawn(COMMAND, ['server', ...(options.args ?? [])], {
    cwd,
    env: { PATH, HOME: cwd, AGENTAPI_PROXY_PORT: '0', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const captured = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => {
    captured.stdout += String(chunk);
    if (captured.stdout.includes('is ready at')) child.kill('SIGTERM');
  });
  child.stderr.on('data', (chunk) => {
    captured.stderr += String(chunk);
  });
  await once(child, 'close');
  return { code: child.exitCode, ...captured };
}

describe.concurrent('agentapi-proxy server', () => {
  test('PX-001, PX-008: without flags and file it starts with defaults, its data in the home folder', async () => {
    const cwd = await ownFolder();
    const { PATH = '' } = process.env;
    const child = spawn(COMMAND, ['server'], {
      cwd,
      env: { PATH, HOME: cwd, AGENTAPI_PROXY_PORT: '0' },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [line] = await once(child.stdout, 'data');
    const url = /is ready at (http:\/\/127\.0\.0\.1:\d+);/.exec(String(line))?.[1];
    expect(url).toBeDefined();
    const version = await fetch(`${url}/version`);
    expect(await version.json()).toMatchObject({ agent_server: 'embedded' });
    expect(await readdir(join(cwd, '.local', 'share', 'agentapi-proxy'))).toContain('instance-id');
    child.kill('SIGTERM');
    await once(child, 'exit');
    expect(child.exitCode).toBe(0);
  });

  test('PX-001: 8080 is the default port', async () => {
    const { stdout } = await runCommand(['server', '--help']);
    expect(stdout).toMatch(/--port.*8080/s);
    expect(stdout).toMatch(/--config.*config\.json/s);
  });

  test('PX-001, PX-030: config.json of the working directory is read, and "$schema" is no mistake', async () => {
    const config =
      '{"$schema": "./config.schema.json", "default_agent": "house", "agents": {"house": {"command": "sh"}}}';
    const { code, stderr } = await runServer({ config });
    expect(code).toBe(0);
    expect(stderr).toMatch(/"agent":"house"/);
  });

  test.each([
    [
      'PX-030: an unknown field is named, with the one that was probably meant',
      '{"prot": 1}',
      {},
      /config\.json:1:\d+: unknown field "prot".*"port"/,
    ],
    [
      'PX-031: a wrong type names the field',
      '{"start_port": "x"}',
      {},
      /config\.json:1:\d+: start_port: expected .*number.*found/,
    ],
    [
      'PX-009: a port that is none',
      '{"port": 65536}',
      {},
      /config\.json:1:\d+: port: expected .*65535.*found.*65536/,
    ],
    [
      'PX-009: a variable that is no number',
      '{}',
      { AGENTAPI_PROXY_PORT: 'many' },
      /AGENTAPI_PROXY_PORT: .*expected/,
    ],
    [
      'PX-091: a quote that is never closed',
      `{"agent_server_args": "--x 'y"}`,
      {},
      /agent_server_args: .*quote/,
    ],
    ['PX-091: in a variable too', '{}', { CLAUDE_ARGS: '--model "opus' }, /CLAUDE_ARGS: .*quote/],
    ['PX-007: a file that is no JSON', '{"port": 1,}', {}, /config\.json:1:12: /],
    [
      'PX-035: a keys file that is missing',
      '{"auth": {"enabled": true, "keys_file": "none.json"}}',
      {},
      /none\.json/,
    ],
    [
      'PX-033: a persistence that does not exist',
      '{"persistence": {"backend": "redis"}}',
      {},
      /persistence\.backend: expected/,
    ],
    [
      'PX-031: a wrong type deep in the file',
      '{"agents": {"a": {"command": 1}}}',
      {},
      /agents\.a\.command: expected/,
    ],
  ] as const)('%s: exit code 2 and nothing is started', async (_name, config, env, message) => {
    const { code, stdout, stderr } = await runServer({ config, env });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
  });

  test('PX-031: a value that may be secret is not shown', async () => {
    const config =
      '{"auth": {"api_keys": [{"key": 123456789, "user_id": 1}]}, "environment": {"set": {"A": 987654321}}}';
    const { code, stderr } = await runServer({ config });
    expect(code).toBe(2);
    expect(stderr).toMatch(/auth\.api_keys.*key/);
    expect(stderr).not.toMatch(/123456789|987654321/);
  });

  test('PX-003: a port in use is exit code 1, naming the port, and the data folder is free again', async () => {
    const occupied = createServer().listen(0, '127.0.0.1');
    await once(occupied, 'listening');
    const address = occupied.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const own = await ownFolder();
    const env = { AGENTAPI_PROXY_PORT: String(port), AGENTAPI_PROXY_DATA_DIR: join(own, 'data') };
    const { code, stderr } = await runCommand(['server'], { cwd: own, env });
    expect(code).toBe(1);
    expect(stderr).toContain(`port ${port} on 127.0.0.1 is already in use`);
    occupied.close();
    await using next = await startServer({ folder: own });
    expect((await next.request('/health')).status).toBe(200);
  });

  test('a second server on the same data folder ends with a clear error, and the first and its sessions live on', async () => {
    await using first = await startServer();
    const id = await start(first);
    await untilState(first, id, 'running');
    const env = { AGENTAPI_PROXY_PORT: '0', AGENTAPI_PROXY_DATA_DIR: first.dataDir };
    const { code, stdout, stderr } = await runCommand(['server'], { cwd: await ownFolder(), env });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(
      new RegExp(`in use by another agentapi-proxy server \\(pid ${first.pid}\\).*data_dir`),
    );
    expect(await getSession(first, id)).toMatchObject({ state: 'running' });
    expect((await first.request(`/${id}/status`)).status).toBe(200);
  });

  test('PX-003, PX-181: a start that fails on its port ends no session of the server that has it', async () => {
    await using first = await startServer();
    const id = await start(first);
    await untilState(first, id, 'running');
    const own = await ownFolder();
    const env = { AGENTAPI_PROXY_PORT: String(first.port), AGENTAPI_PROXY_DATA_DIR: join(own, 'data') };
    expect((await runCommand(['server'], { cwd: own, env })).code).toBe(1);
    expect(await first.sessionProcesses(id)).not.toEqual([]);
    expect((await first.request(`/${id}/status`)).status).toBe(200);
  });

  test('a data folder that is no folder, or holds other things, is refused and left alone', async () => {
    const own = await ownFolder();
    await writeFile(join(own, 'file'), 'not a folder');
    await mkdir(join(own, 'full'), { mode: 0o755 });
    await writeFile(join(own, 'full', 'letter.txt'), 'mine');
    for (const name of ['file', 'full']) {
      const env = { AGENTAPI_PROXY_PORT: '0', AGENTAPI_PROXY_DATA_DIR: join(own, name) };
      const { code, stderr } = await runCommand(['server'], { cwd: own, env });
      expect(code).toBe(1);
      expect(stderr).toContain(join(own, name));
    }
    expect(await readdir(join(own, 'full'))).toEqual(['letter.txt']);
  });

  test('PX-090: argument strings of the operator reach the command line, quoted parts kept together', async () => {
    await using server = await startServer({
      config: {
        agent_server: 'external',
        agentapi_path: fileURLToPath(new URL('../support/scripted-agentapi.mjs', import.meta.url)),
        agent_server_args: `--extra 'two words' "$HOME"`,
        default_agent: 'house',
        agents: { house: { command: 'sh', args: `-c "a 'b'" --model=x\\ y` } },
      },
    });
    const id = await start(server, { agent_args: ['last one', ''] });
    const response = await server.request(`/${id}/arguments`);
    const args = z.array(z.string()).parse(await response.json());
    const end = args.indexOf('--');
    expect(args.slice(0, end)).toEqual(expect.arrayContaining(['--extra', 'two words', '$HOME']));
    expect(args.slice(end + 2)).toEqual(['-c', "a 'b'", '--model=x y', 'last one', '']);
  });

  test('PX-028: start_port 0 means 9000 and upwards', async () => {
    await using server = await startServer({ config: { start_port: 0 } });
    expect((await getSession(server, await start(server))).port).toBeGreaterThanOrEqual(9000);
  });

  test('PX-029: another header for the key is honoured, in any letters', async () => {
    const auth = {
      enabled: true,
      header_name: 'X-Team-Key',
      api_keys: [{ key: 'k1', user_id: 'a', permissions: ['*'] }],
    };
    await using server = await startServer({ config: { auth } });
    const statusWith = async (header: string): Promise<number> =>
      (await server.request('/search', { headers: { [header]: 'k1' } })).status;
    expect([await statusWith('x-TEAM-key'), await statusWith('X-API-Key')]).toEqual([200, 401]);
  });

  test('logs are one JSON object per line on stderr where there is no terminal, with request ids', async () => {
    await using server = await startServer({ args: ['-v'] });
    await server.request('/search', { headers: { 'x-request-id': 'find-me' } });
    await eventually('the request is logged', () => server.output().includes('find-me'));
    const lines = server.output().split('\n');
    const isEntry = (line: string): boolean => /^\{"level":"\w+",.*\}$/.test(line);
    // The one other line is for people, on stdout.
    expect(lines.filter((line) => !isEntry(line))).toEqual([expect.stringContaining('is ready at')]);
  });
});
