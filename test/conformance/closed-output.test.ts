import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { createServer } from 'node:http';
import { describe, expect, test } from 'vitest';
import { commandLine } from '../support/command-line.ts';
import type { CommandLine } from '../support/command-line.ts';
import { COMMAND, eventually } from '../support/server-process.ts';

const SESSION = '0b8f7c1e-6a53-4d0e-9c1b-2f6d8f1f4a10';

/** Runs a command whose standard output is a pipe that nobody reads, or the given descriptor. */
async function runInto(
  stdout: 'closed' | number,
  { home }: CommandLine,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly code: number | null; readonly stderr: string }> {
  const { PATH = '' } = process.env;
  const child = spawn(COMMAND, args, {
    cwd: home,
    env: { PATH, HOME: home, ...env },
    stdio: ['ignore', stdout === 'closed' ? 'pipe' : stdout, 'pipe'],
  });
  child.stdout?.destroy();
  const stderr = child.stderr?.setEncoding('utf8').toArray();
  await once(child, 'close');
  return { code: child.exitCode, stderr: (await stderr)?.join('') ?? '' };
}

describe('a command whose answer is not taken', () => {
  test('ends with 141 and without a word when nobody reads it', async () => {
    await using user = await commandLine();
    const quiet = { AGENTAPI_PROXY_LOG_LEVEL: 'silent' };
    for (const args of [['completion', 'bash'], ['--help'], ['keys', 'list']]) {
      expect({ args, ...(await runInto('closed', user, args, quiet)) }).toEqual({
        args,
        code: 141,
        stderr: '',
      });
    }
  });

  test.skipIf(!existsSync('/dev/full'))('fails with one line when it cannot be written', async () => {
    await using user = await commandLine();
    await using full = await open('/dev/full', 'w');
    expect(await runInto(full.fd, user, ['completion', 'bash'])).toEqual({
      code: 1,
      stderr: 'Error: the answer cannot be written: ENOSPC: no space left on device, write\n',
    });
  });
});

describe('a client command whose answer is not taken', () => {
  /** Lists no sessions, and has an event stream that does not end. */
  async function listServer(): Promise<{ readonly url: string } & AsyncDisposable> {
    const server = createServer((request, response) => {
      if (request.url === `/${SESSION}/events`) {
        response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: first\n\n');
      } else if (request.url?.startsWith('/search') === true) {
        response.writeHead(200, { 'content-type': 'application/json' }).end('{"sessions":[]}');
      } else {
        response.writeHead(404).end();
      }
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    return {
      url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`,
      [Symbol.asyncDispose]: async () => {
        server.closeAllConnections();
        server.close();
        await once(server, 'close');
      },
    };
  }

  test.skipIf(!existsSync('/dev/full'))('fails with one line when it cannot be written', async () => {
    await using user = await commandLine();
    await using server = await listServer();
    await using full = await open('/dev/full', 'w');
    const line = 'Error: the answer cannot be written: ENOSPC: no space left on device, write\n';
    const list = ['client', 'list', '-e', server.url];
    expect(await runInto(full.fd, user, list)).toEqual({ code: 1, stderr: line });
    const events = ['client', 'events', '-e', server.url, '-s', SESSION];
    expect(await runInto(full.fd, user, events)).toEqual({
      code: 1,
      stderr: `Monitoring events... (Press Ctrl+C to stop)\n${line}`,
    });
  });

  test('ends with 141 and without a word when nobody reads it', async () => {
    await using user = await commandLine();
    await using server = await listServer();
    expect(await runInto('closed', user, ['client', 'list', '-e', server.url])).toEqual({
      code: 141,
      stderr: '',
    });
  });
});

test('a server goes on when the readers of its output and its log go, and ends as ever', async () => {
  await using user = await commandLine();
  await using running = user.start(['server', '--port', '0']);
  const { child, done } = running;
  child.stdout?.destroy();
  let log = '';
  child.stderr?.on('data', (text: string) => (log += text));
  const url = await eventually('the server listens', () => /"url":"(http:[^"]+)"/.exec(log)?.[1]);
  child.stderr?.destroy();
  // Logged, each of them.
  for (let request = 0; request < 3; request += 1) {
    expect((await fetch(`${url}/sessions/nobody`)).status).toBe(404);
  }
  child.kill('SIGTERM');
  expect(await done).toMatchObject({ code: 0 });
});

test.skipIf(!existsSync('/dev/full'))('a server goes on when its log cannot be written', async () => {
  await using user = await commandLine();
  await using full = await open('/dev/full', 'w');
  const { PATH = '' } = process.env;
  const child = spawn(COMMAND, ['server', '--port', '0', '--verbose'], {
    cwd: user.home,
    env: { PATH, HOME: user.home, AGENTAPI_PROXY_LOG_FORMAT: 'json' },
    stdio: ['ignore', 'pipe', full.fd],
  });
  const closed = once(child, 'close');
  try {
    let output = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text));
    const url = await eventually('the server listens', () => / at (http:\S+);/.exec(output)?.[1]);
    for (let request = 0; request < 3; request += 1) {
      expect((await fetch(`${url}/sessions/nobody`)).status).toBe(404);
    }
  } finally {
    child.kill('SIGTERM');
  }
  await closed;
  expect(child.exitCode).toBe(0);
});
