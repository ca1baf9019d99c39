import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CliContext, ServerApp } from '../src/cli/cli-context.ts';
import { runCommandLine } from '../src/cli/program.ts';
import { ConfigError } from '../src/config/config-error.ts';
import type { Config } from '../src/config/schema.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cli-test-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The built program in a process of its own, with nothing of this process's environment but PATH. */
function startProgram(args: readonly string[]): {
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
  /** Resolves with the address that the server prints; rejects when the program ends before. */
  readonly ready: Promise<string>;
} {
  const program = fileURLToPath(new URL('../dist/program/bin.js', import.meta.url));
  const child = spawn(process.execPath, [program, ...args], {
    cwd: folder,
    env: { PATH: process.env['PATH'], HOME: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  const ready = new Promise<string>((resolve, reject) => {
    child.stdout.on('data', (chunk) => {
      stdout += String(chunk);
      const url = /ready at (\S+);/.exec(stdout)?.[1];
      if (url !== undefined) resolve(url);
    });
    child.on('close', () => reject(new Error(`ended before it was ready: ${stderr}`)));
  });
  // Most programs of this file end without ever being ready.
  ready.catch(() => {});
  child.stderr.on('data', (chunk) => {
    stderr += String(chunk);
  });
  const finished = once(child, 'close').then(() => ({ code: child.exitCode, stdout, stderr }));
  return { child, finished, ready };
}

async function spawnProgram(args: readonly string[]): Promise<Finished> {
  return startProgram(args).finished;
}

/** One command line in this process, around a small HTTP server in place of the product. */
class Run {
  readonly signals = new EventEmitter();
  readonly events = new EventEmitter();
  readonly result: Promise<Finished>;
  config: Config | null = null;
  closedWith: string | null = null;
  reloads = 0;
  agentServerArgs: readonly string[] | null = null;
  #stdout = '';
  #stderr = '';

  constructor(
    args: readonly string[],
    behaviour: {
      readonly environment?: Readonly<Record<string, string>>;
      readonly start?: () => Promise<void>;
      readonly close?: () => Promise<readonly string[]>;
      readonly reload?: () => Promise<void>;
    } = {},
  ) {
    let exitNow: (code: number) => void = () => {};
    const forced = new Promise<number>((resolve) => {
      exitNow = resolve;
    });
    const context: CliContext = {
      environment: { HOME: folder, AGENTAPI_PROXY_LOG_LEVEL: 'silent', ...behaviour.environment },
      workingDirectory: folder,
      stdout: {
        write: (text) => {
          this.#stdout += text;
          this.events.emit('stdout');
        },
      },
      stderr: {
        write: (text) => {
          this.#stderr += text;
        },
      },
      openStreams: () => {
        throw new Error('no terminal is wanted');
      },
      signals: this.signals,
      exitNow,
      loadApp: async () => ({ createApp: (config) => this.#createApp(config, behaviour) }),
      runAgentServer: async (agentArgs) => {
        this.agentServerArgs = agentArgs;
      },
    };
    this.result = Promise.race([runCommandLine(args, context), forced]).then((code) => ({
      code,
      stdout: this.#stdout,
      stderr: this.#stderr,
    }));
  }

  /** Resolves when the line with the address is out. */
  async ready(): Promise<void> {
    if (!this.#stdout.includes('ready at')) await once(this.events, 'stdout');
  }

  async #createApp(
    config: Config,
    behaviour: {
      readonly start?: () => Promise<void>;
      readonly close?: () => Promise<readonly string[]>;
      readonly reload?: () => Promise<void>;
    },
  ): Promise<ServerApp> {
    this.config = config;
    const server = createServer((_, response) => response.end('ok'));
    return {
      start: async () => {
        await behaviour.start?.();
        server.listen(config.port, config.host);
        await once(server, 'listening');
        const address = server.address();
        const port = typeof address === 'object' && address !== null ? address.port : 0;
        return { url: `http://${config.host}:${port}` };
      },
      close: async (reason) => {
        this.closedWith = reason;
        if (server.listening) await new Promise((resolve) => server.close(resolve));
        this.events.emit('closing');
        return { left: (await behaviour.close?.()) ?? [], kept: 0 };
      },
      routes: () => [],
      reload: async () => {
        this.reloads += 1;
        this.events.emit('reload');
        await behaviour.reload?.();
      },
    };
  }
}

describe('the program', () => {
  test('PX-005: without arguments prints help on stdout and exits 0', async () => {
    const { code, stdout, stderr } = await spawnProgram([]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^Usage: agentapi-proxy/);
    expect(stdout).toContain('server');
  });

  test.each([['--help'], ['help'], ['server', '--help'], ['help', 'server'], ['help', 'agent']])(
    'PX-005: %s %s prints help on stdout and exits 0',
    async (...args) => {
      const { code, stdout, stderr } = await new Run(args).result;
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toMatch(/^Usage: agentapi-proxy/);
    },
  );

  test('--version prints the version of the package', async () => {
    expect(await spawnProgram(['--version'])).toEqual({ code: 0, stdout: '0.1.0\n', stderr: '' });
  });

  test.each([
    [['serve'], "unknown command 'serve'"],
    [['server', '--prot', '1'], "unknown option '--prot'"],
    [['--nope'], "unknown option '--nope'"],
    [['server', 'surplus'], 'too many arguments'],
    [['server', '--port'], 'argument missing'],
    [['server', '-c'], 'argument missing'],
  ])('PX-004: %j prints the reason and the usage on stderr and exits 2', async (args, reason) => {
    const { code, stdout, stderr } = await new Run(args).result;
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(reason);
    expect(stderr).toContain('Usage: agentapi-proxy');
  });

  test('PX-004: so does the built program', async () => {
    const { code, stdout, stderr } = await spawnProgram(['server', '--nope']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('Usage: agentapi-proxy server');
  });

  test('agent hands everything on to the embedded agent server, -- and --help included', async () => {
    const run = new Run(['agent', 'server', '--type', 'claude', '--help', '--', 'claude', '--', '-p', '1']);
    expect((await run.result).code).toBeNull();
    expect(run.agentServerArgs).toEqual([
      'server',
      '--type',
      'claude',
      '--help',
      '--',
      'claude',
      '--',
      '-p',
      '1',
    ]);
  });
});

describe('a bad configuration', () => {
  test.each([
    ['PX-007: a missing named file', ['--config', 'none.json'], 'none.json: no such file'],
    ['PX-007: a syntax error', ['-c', 'broken.json'], 'broken.json:1:6: not valid JSON'],
    ['PX-031: a wrong type', ['-c', 'wrong.json'], 'wrong.json:1:16: start_port: expected a whole number'],
    [
      'PX-009: a port that is no number',
      ['--port', 'x'],
      'option --port: port: expected a whole number from 0 to 65535',
    ],
    [
      'PX-009: a port out of range',
      ['-p', '65536'],
      'option --port: port: expected a whole number from 0 to 65535',
    ],
    [
      'PX-227: an open address without authentication',
      ['--host', '0.0.0.0'],
      'option --host: host: without authentication',
    ],
  ])('%s exits 2 with the place on stderr, and starts nothing', async (_, args, message) => {
    await writeFile(join(folder, 'broken.json'), '{"a":');
    await writeFile(join(folder, 'wrong.json'), '{"start_port": "x"}');
    const run = new Run(['server', ...args]);
    const { code, stdout, stderr } = await run.result;
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^agentapi-proxy: /);
    expect(stderr).toContain(message);
    expect(run.config).toBeNull();
  });

  test('PX-007: the built program exits 2', async () => {
    await writeFile(join(folder, 'config.json'), '{"prot": 1}');
    expect(await spawnProgram(['server'])).toEqual({
      code: 2,
      stdout: '',
      stderr: 'agentapi-proxy: config.json:1:2: unknown field "prot"; did you mean "port"?\n',
    });
  });

  test('PX-035: what only the start finds out, such as a broken keys file, exits 2 and closes', async () => {
    const run = new Run(['server', '-p', '0'], {
      start: async () => {
        throw new ConfigError([{ place: 'keys.json:1:1', text: 'not valid JSON' }]);
      },
    });
    const { code, stderr } = await run.result;
    expect({ code, stderr }).toEqual({ code: 2, stderr: 'agentapi-proxy: keys.json:1:1: not valid JSON\n' });
    expect(run.closedWith).toBe('the start failed');
  });
});

describe('agentapi-proxy server', () => {
  test('PX-002: options work in both spellings and beat the file', async () => {
    await writeFile(join(folder, 'other.json'), '{"port": 1, "host": "127.0.0.9", "term_width": 100}');
    for (const args of [
      ['-p', '0', '-c', 'other.json', '-v', '--host', '127.0.0.1'],
      ['--port', '0', '--config', 'other.json', '--verbose', '--host=127.0.0.1'],
    ]) {
      const run = new Run(['server', ...args]);
      await run.ready();
      expect(run.config).toMatchObject({ port: 0, host: '127.0.0.1', verbose: true, term_width: 100 });
      run.signals.emit('SIGTERM');
      expect((await run.result).code).toBe(0);
    }
  });

  test('prints one line with the address and the next step', async () => {
    const run = new Run(['server', '-p', '0']);
    await run.ready();
    run.signals.emit('SIGINT');
    const { stdout } = await run.result;
    expect(stdout.trim().split('\n')).toHaveLength(1);
    expect(stdout).toMatch(
      /ready at (http:\/\/127\.0\.0\.1:\d+); start a session with: curl -X POST \1\/start /,
    );
  });

  test('with authentication the next step shows where the key goes, and no key', async () => {
    const run = new Run(['server', '-p', '0'], {
      environment: {
        AGENTAPI_PROXY_AUTH_ENABLED: 'true',
        AGENTAPI_PROXY_AUTH_API_KEYS: '[{"key":"ap_alice_1","user_id":"alice"}]',
      },
    });
    await run.ready();
    run.signals.emit('SIGINT');
    const { stdout } = await run.result;
    expect(stdout).toContain("-H 'X-API-Key: KEY'");
    expect(stdout).not.toContain('ap_alice_1');
  });

  test('PX-003: a port that is in use exits 1 with a message', async () => {
    await using occupied = await occupyPort();
    const { code, stdout, stderr } = await new Run(['server', '-p', String(occupied.port)]).result;
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toBe(
      `agentapi-proxy: port ${occupied.port} on 127.0.0.1 is already in use; stop the other program, or choose another port with --port\n`,
    );
  });

  test('any other failure of the start exits 1, after closing what was open', async () => {
    const run = new Run(['server', '-p', '0'], {
      start: async () => {
        throw new Error('no room left');
      },
    });
    const { code, stderr } = await run.result;
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'agentapi-proxy: the server cannot start: no room left\n',
    });
    expect(run.closedWith).toBe('the start failed');
  });

  test.each(['SIGINT', 'SIGTERM'])('%s closes the server and exits 0', async (signal) => {
    const run = new Run(['server', '-p', '0']);
    await run.ready();
    run.signals.emit(signal);
    const { code, stderr } = await run.result;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(run.closedWith).toBe(signal);
  });

  test('a signal during the start ends the server once it has started', async () => {
    const run: Run = new Run(['server', '-p', '0'], {
      start: async () => {
        run.signals.emit('SIGTERM');
      },
    });
    expect((await run.result).code).toBe(0);
    expect(run.closedWith).toBe('SIGTERM');
  });

  test('DF-28, DF-67: processes that are left are listed, and the exit code is 1', async () => {
    const run = new Run(['server', '-p', '0'], {
      close: async () => ['pid 123 (claude) of session x', 'pid 124'],
    });
    await run.ready();
    run.signals.emit('SIGTERM');
    const { code, stderr } = await run.result;
    expect(code).toBe(1);
    expect(stderr).toContain('pid 123 (claude) of session x');
    expect(stderr).toContain('pid 124');
  });

  test('DF-67: a shutdown that fails exits 1 with the reason', async () => {
    const run = new Run(['server', '-p', '0'], {
      close: async () => {
        throw new Error('disk gone');
      },
    });
    await run.ready();
    run.signals.emit('SIGTERM');
    expect(await run.result).toMatchObject({
      code: 1,
      stderr: 'agentapi-proxy: the shutdown failed: disk gone\n',
    });
  });

  test('DF-67: a shutdown that takes longer than shutdown_timeout_seconds is ended with exit code 1', async () => {
    const run = new Run(['server', '-p', '0'], {
      environment: { AGENTAPI_PROXY_SHUTDOWN_TIMEOUT_SECONDS: '0.1' },
      close: () => new Promise(() => {}),
    });
    await run.ready();
    run.signals.emit('SIGTERM');
    const { code, stderr } = await run.result;
    expect(code).toBe(1);
    expect(stderr).toContain('the shutdown took longer than 0.1 s');
  });

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ])('a second signal, %s, ends the process at once', async (second, code) => {
    const run = new Run(['server', '-p', '0'], { close: () => new Promise(() => {}) });
    await run.ready();
    const closing = once(run.events, 'closing');
    run.signals.emit('SIGTERM');
    await closing;
    run.signals.emit(second);
    expect(await run.result).toMatchObject({ code, stderr: expect.stringContaining('ended at once') });
  });

  test('SIGHUP reloads, as often as wanted, and a failing reload changes nothing', async () => {
    const run = new Run(['server', '-p', '0'], {
      reload: async () => {
        throw new Error('broken keys file');
      },
    });
    await run.ready();
    run.signals.emit('SIGHUP');
    run.signals.emit('SIGHUP');
    expect(run.reloads).toBe(2);
    run.signals.emit('SIGTERM');
    expect((await run.result).code).toBe(0);
  });

  test('leaves no listener for signals behind', async () => {
    const run = new Run(['server', '-p', '0']);
    await run.ready();
    expect(new Set(run.signals.eventNames())).toEqual(new Set(['SIGHUP', 'SIGINT', 'SIGTERM']));
    run.signals.emit('SIGTERM');
    await run.result;
    expect(run.signals.eventNames()).toEqual([]);
  });
});

describe('the built server', () => {
  test.each(['SIGINT', 'SIGTERM'] as const)('starts, answers, and ends with 0 on %s', async (signal) => {
    const { child, finished, ready } = startProgram(['server', '-p', '0']);
    const response = await fetch(`${await ready}/health`);
    expect(response.status).toBe(200);
    child.kill(signal);
    const { code, stderr } = await finished;
    expect(code).toBe(0);
    for (const line of stderr.trim().split('\n')) expect(JSON.parse(line)).toMatchObject({ level: 'info' });
  });

  test('SIGHUP reads the keys file again', async () => {
    const write = async (keys: readonly string[]): Promise<void> => {
      const entries = keys.map((key) => ({ key, user_id: 'alice', permissions: ['*'] }));
      await writeFile(join(folder, 'keys.json'), JSON.stringify({ api_keys: entries }));
    };
    await write(['old-key']);
    await writeFile(join(folder, 'config.json'), '{"auth": {"enabled": true, "keys_file": "keys.json"}}');
    const { child, finished, ready } = startProgram(['server', '-p', '0']);
    const url = await ready;
    const statusWith = async (key: string): Promise<number> =>
      (await fetch(`${url}/search`, { headers: { 'X-API-Key': key } })).status;
    expect([await statusWith('old-key'), await statusWith('new-key')]).toEqual([200, 401]);
    await write(['new-key']);
    child.kill('SIGHUP');
    await expect.poll(() => statusWith('new-key'), { timeout: 10_000 }).toBe(200);
    expect(await statusWith('old-key')).toBe(401);
    child.kill('SIGTERM');
    const { code, stderr } = await finished;
    expect(code).toBe(0);
    expect(stderr).not.toMatch(/old-key|new-key/);
  });

  test('PX-003: exits 1 when its port is in use', async () => {
    await using occupied = await occupyPort();
    const { code, stdout, stderr } = await spawnProgram(['server', '-p', String(occupied.port)]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(`port ${occupied.port} on 127.0.0.1 is already in use`);
  });
});

async function occupyPort(): Promise<{ port: number } & AsyncDisposable> {
  const server = createTcpServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = isAddress(address) ? address.port : 0;
  return {
    port,
    [Symbol.asyncDispose]: async () => {
      server.close();
      await once(server, 'close');
    },
  };
}

function isAddress(address: AddressInfo | string | null): address is AddressInfo {
  return typeof address === 'object' && address !== null;
}
