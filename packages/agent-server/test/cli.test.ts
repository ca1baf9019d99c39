import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isRunning } from './support/acp-harness.ts';
import { isAlive, runCli, runToEnd, takePort, type CliRun } from './support/cli-harness.ts';
import { callServer, eventually, openStream } from './support/http-harness.ts';

const SERVER = ['server', '--port', '0'];

describe('commands', () => {
  test('AA-001: the version and the help, exit 0', async () => {
    for (const flag of ['--version', '-v']) {
      expect(await runToEnd([flag])).toMatchObject({ code: 0, out: 'agentapi version 0.12.1\n', error: '' });
    }
    for (const args of [[], ['help'], ['-h'], ['--help']]) {
      const end = await runToEnd(args);
      expect(end.code).toBe(0);
      expect(end.out).toContain('Usage:');
    }
    const help = await runToEnd(['server', '--help']);
    expect(help.code).toBe(0);
    expect(help.out).toContain('--term-width');
  });

  test.each([
    [['nonsense'], 'unknown command'],
    [['--nonsense'], 'unknown flag: --nonsense'],
    [['server', '--nonsense', 'claude'], 'unknown flag: --nonsense'],
    [['server', '--port', 'x', 'claude'], 'invalid argument "x"'],
    [['server'], 'requires at least 1 arg(s)'],
  ])('AA-001: %j is refused on both outputs, exit 1', async (args, text) => {
    const end = await runToEnd(args);
    expect(end.code).toBe(1);
    expect(end.error).toContain(`Error: ${text}`);
    expect(end.error).toContain('Usage:');
    expect(end.out).toContain(text);
  });

  test.each([
    [['-t', 'gpt', 'claude'], 'failed to parse agent type: invalid agent type: gpt'],
    [['-W', '9', 'claude'], 'term width must be at least 10'],
    [['--load-state', 'claude'], '--load-state requires --state-file to be set'],
    [['--experimental-acp', '-s', '/s', 'claude'], "ACP mode doesn't support state persistence"],
  ])('AA-006 AA-007 AA-011 AA-012: %j cannot start, exit 1', async (args, text) => {
    const end = await runToEnd(['server', ...args]);
    expect(end).toMatchObject({ code: 1, out: '', error: `${text}\n` });
  });

  test('AA-013: `--print-openapi` prints the document of agentapi and nothing else', async () => {
    const end = await runToEnd(['server', '-P', 'claude']);
    const fixture = await readFile(new URL('fixtures/agentapi/openapi.json', import.meta.url), 'utf8');
    expect(end).toMatchObject({ code: 0, error: '' });
    expect(JSON.parse(end.out)).toEqual(JSON.parse(fixture));
    expect(end.out.startsWith('{\n  "')).toBe(true);
  });
});

describe('start', () => {
  test('AA-002: a port in use ends the start before any agent runs', async () => {
    await using taken = await takePort();
    await using run = await runCli(['server', '--port', String(taken.port), '--', 'PROBE']);
    const end = await run.ended;
    expect(end.code).toBe(1);
    expect(end.error).toMatch(/^failed to start server: .*EADDRINUSE/);
    expect(existsSync(join(run.folder, 'probe.json'))).toBe(false);
  });

  test.each([
    [['-a', 'http://x'], 'failed to create server: failed to parse allowed hosts: '],
    [['-o', 'x'], 'failed to create server: failed to parse allowed origins: '],
  ])('AA-019: a bad list (%j) ends the start before any agent runs', async (flags, text) => {
    await using run = await runCli([...SERVER, ...flags, '--', 'PROBE']);
    const end = await run.ended;
    expect(end.code).toBe(1);
    expect(end.error).toContain(text);
    expect(existsSync(join(run.folder, 'probe.json'))).toBe(false);
  });

  test('a program that does not exist ends the start, exit 1', async () => {
    const end = await runToEnd([...SERVER, '--', 'no-such-program-anywhere']);
    expect(end.code).toBe(1);
    expect(end.error).toContain('no-such-program-anywhere');
  });

  test('AA-004 AA-020: the agent gets its arguments untouched, TERM=vt100 and the configured size', async () => {
    const args = ['--port', '1', '--', '-x', 'a b', ''];
    await using run = await runCli([...SERVER, '-W', '91', '-H', '37', '--', 'PROBE', ...args]);
    expect(await run.probe()).toMatchObject({ args, term: 'vt100', columns: 91, rows: 37 });
  });

  test('AA-007: the terminal has 80 columns and 1000 rows by default', async () => {
    await using run = await runCli([...SERVER, '--', 'PROBE']);
    expect(await run.probe()).toMatchObject({ columns: 80, rows: 1000 });
  });

  test('AA-003 AA-006 AA-038: variables act, and the API tells the canonical type', async () => {
    const environment = { AGENTAPI_PORT: '0', AGENTAPI_TYPE: 'cursor-agent', AGENTAPI_TERM_WIDTH: '' };
    await using run = await runCli(['server', '--', 'PROBE'], { environment });
    const reply = await run.call({ path: '/status' });
    expect(reply.json()).toMatchObject({ agent_type: 'cursor', transport: 'pty' });
  });

  test('AA-166: only loopback is bound, and a token file closes the door', async () => {
    const token = 'a-token-of-some-length';
    await using other = await runCli(['server', '--exit']);
    const path = join(other.folder, 'token');
    await writeFile(path, `${token}\n`);
    await using run = await runCli([...SERVER, '--token-file', path, '--', 'PROBE']);
    expect((await run.call({ path: '/status' })).status).toBe(401);
    const headers = { 'x-agentapi-token': token };
    expect((await run.call({ path: '/status', headers })).status).toBe(200);
    expect(await listeningAddresses(await run.port())).toEqual(['0100007F']);
  });

  test('AA-166: a token that can be guessed is refused', async () => {
    await using run = await runCli(['server', '--exit']);
    await writeFile(join(run.folder, 'token'), 'short');
    const end = await runToEnd([...SERVER, '--token-file', join(run.folder, 'token'), 'x']);
    expect(end.code).toBe(1);
    expect(end.error).toContain('must have at least 16 characters');
    expect(end.error).not.toContain('short');
  });

  test('AA-009: piped input becomes the first message', async () => {
    await using run = await runCli([...SERVER, '--', 'PROBE'], { stdin: { text: 'piped prompt\n' } });
    await eventually(async () => (await run.call({ path: '/messages' })).text.includes('said: piped prompt'));
    expect((await run.call({ path: '/messages' })).json()).toMatchObject({
      messages: [{ role: 'agent' }, { role: 'user', content: 'piped prompt' }, { role: 'agent' }],
    });
  });

  test('AA-009: `--initial-prompt` wins, and piped input is not waited for', async () => {
    await using run = await runCli([...SERVER, '-I', 'from the flag', '--', 'PROBE'], { stdin: 'silent' });
    await eventually(async () =>
      (await run.call({ path: '/messages' })).text.includes('said: from the flag'),
    );
    expect((await run.call({ path: '/status' })).status).toBe(200);
  });

  test('AA-010: an open, silent pipe does not hold the start up', async () => {
    await using run = await runCli([...SERVER, '--', 'PROBE'], { stdin: 'silent' });
    expect((await run.call({ path: '/status' })).status).toBe(200);
    run.kill('SIGTERM');
    expect(await run.ended).toMatchObject({ code: 0 });
  });
});

describe('what the agent has detached', () => {
  // In a session of its own, and its parent is gone.
  const DETACH = `(setsid sh -c 'echo $$ > detached; exec sleep 60' &); `;
  const detached = async (run: CliRun) => {
    const path = join(run.folder, 'detached');
    await eventually(() => existsSync(path) && readFileSync(path, 'utf8').endsWith('\n'));
    return Number(await readFile(path, 'utf8'));
  };

  test.each([
    ['is told to end', 'exec cat'],
    ['has lost its agent', 'until test -e end; do sleep 0.05; done'],
  ])('ends with a server that %s', async (why, rest) => {
    await using run = await runCli([...SERVER, '--', 'sh', '-c', DETACH + rest]);
    const pid = await detached(run);
    expect(isRunning(pid)).toBe(true);
    await run.port();
    if (why === 'is told to end') run.kill('SIGTERM');
    else await writeFile(join(run.folder, 'end'), '');
    expect(await run.ended).toMatchObject({ code: 0 });
    expect(isRunning(pid)).toBe(false);
  });

  test('is left to whoever has marked the server', async () => {
    const environment = { AGENTAPI_PROXY_SESSION: 'outer.session' };
    const agent = ['sh', '-c', `${DETACH}env > environment; exec cat`];
    await using run = await runCli([...SERVER, '--', ...agent], { environment });
    const pid = await detached(run);
    await run.port();
    run.kill('SIGTERM');
    await run.ended;
    expect(isRunning(pid)).toBe(true);
    process.kill(pid, 'SIGKILL');
    expect(await readFile(join(run.folder, 'environment'), 'utf8')).toContain(
      'AGENTAPI_PROXY_SESSION=outer.session\n',
    );
  });
});

describe('pid file', () => {
  test('AA-014: it holds the pid in decimal, private, and goes with the server', async () => {
    await using run = await runCli([...SERVER, '--pid-file', 'DIR/a/b/pid', '--', 'PROBE']);
    await run.port();
    const path = join(run.folder, 'a/b/pid');
    expect(await readFile(path, 'utf8')).toBe(`${run.pid}\n`);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(join(run.folder, 'a'))).mode & 0o777).toBe(0o700);
    run.kill('SIGTERM');
    await run.ended;
    expect(existsSync(path)).toBe(false);
  });

  test('AA-014: a live owner refuses the start and keeps its file', async () => {
    await using first = await runCli([...SERVER, '--pid-file', 'DIR/pid', '--', 'PROBE']);
    await first.port();
    const path = join(first.folder, 'pid');
    const second = await runToEnd([...SERVER, '--pid-file', path, '--', 'PROBE']);
    expect(second.code).toBe(1);
    expect(second.error).toBe(
      `another instance is already running with PID ${first.pid} (PID file: ${path})\n`,
    );
    expect(await readFile(path, 'utf8')).toBe(`${first.pid}\n`);
  });

  test.each(['garbage', '', '-1', '0', '4194305999'])(
    'AA-014: %j in the file is overwritten',
    async (content) => {
      await using other = await runCli(['server', '--exit']);
      const path = join(other.folder, 'pid');
      await writeFile(path, content);
      await using run = await runCli([...SERVER, '--pid-file', path, '--', 'PROBE']);
      await run.port();
      expect(await readFile(path, 'utf8')).toBe(`${run.pid}\n`);
    },
  );

  test("AA-014: a file that has become another's is left alone, and one that cannot be written stops the start", async () => {
    await using run = await runCli([...SERVER, '--pid-file', 'DIR/pid', '--', 'PROBE']);
    await run.port();
    const path = join(run.folder, 'pid');
    await writeFile(path, '1\n');
    run.kill('SIGTERM');
    await run.ended;
    expect(await readFile(path, 'utf8')).toBe('1\n');
    await mkdir(join(run.folder, 'folder'));
    const end = await runToEnd([...SERVER, '--pid-file', join(run.folder, 'folder'), '--', 'PROBE']);
    expect(end.code).toBe(1);
    expect(end.error).toContain('failed to write PID file');
  });
});

describe('end', () => {
  test('AA-015: an agent that exits with 0 takes the server with it, exit 0', async () => {
    await using run = await runCli([...SERVER, '--', 'PROBE', 'exit=0']);
    expect(await run.ended).toMatchObject({ code: 0, error: '' });
  });

  test('AA-015: an agent that fails is shown with its last screen, exit 1', async () => {
    await using run = await runCli([...SERVER, '--', 'PROBE', 'exit=7']);
    const end = await run.ended;
    expect(end.code).toBe(1);
    expect(end.error).toMatch(
      /^agent exited with error:\n=+\n {2}goodbye from the agent\n=+\nnon-zero exit code\n$/,
    );
  });

  test('AA-015: an agent that is killed counts as failed, and open streams end cleanly', async () => {
    await using run = await runCli([...SERVER, '--', 'PROBE']);
    const { pid } = await run.probe();
    const port = await run.port();
    await using stream = await openStream(port, '/events');
    process.kill(pid, 'SIGKILL');
    expect(await stream.ended).toBe(true);
    const end = await run.ended;
    expect(end.code).toBe(1);
    expect(end.error).toContain('hello from the agent');
    expect(end.error).toContain('SIGKILL');
  });

  test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
    'AA-016 AA-056 AA-071: %s ends streams, uploads and the agent (by SIGINT), exit 0',
    async (signal) => {
      await using run = await runCli([...SERVER, '--', 'PROBE']);
      const { pid } = await run.probe();
      const port = await run.port();
      await using stream = await openStream(port, '/internal/screen');
      const boundary = 'b';
      const upload = await callServer(port, {
        method: 'POST',
        path: '/upload',
        headers: { 'Content-Type': `multipart/form-data; boundary=${boundary}` },
        body: `--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\nx\r\n--b--\r\n`,
      });
      const path = String(upload.json()['filePath']);
      expect(existsSync(path)).toBe(true);
      run.kill(signal);
      expect(await stream.ended).toBe(true);
      expect(await run.ended).toMatchObject({ code: 0, signal: null, error: '' });
      expect(await run.probeSignals()).toEqual(['SIGINT']);
      expect(isAlive(pid)).toBe(false);
      expect(existsSync(path)).toBe(false);
    },
  );

  test('AA-016: an agent that ignores its signal is killed', async () => {
    await using run = await runCli([...SERVER, '--', 'PROBE', 'stubborn']);
    const { pid } = await run.probe();
    await run.port();
    run.kill('SIGTERM');
    expect(await run.ended).toMatchObject({ code: 0 });
    expect(await run.probeSignals()).toEqual(['SIGINT']);
    expect(isAlive(pid)).toBe(false);
  });

  test('AA-017: a second signal kills at once', async () => {
    await using run = await runCli([...SERVER, '--', 'PROBE', 'stubborn']);
    await run.probe();
    await run.port();
    run.kill('SIGTERM');
    await eventually(() => run.out().includes('Shutting down'));
    run.kill('SIGTERM');
    expect(await run.ended).toMatchObject({ code: null, signal: 'SIGTERM' });
  });

  test('AA-018: SIGUSR1 saves the state and changes nothing else', async () => {
    await using run = await runCli([...SERVER, '-s', 'DIR/state/s.json', '--', 'PROBE']);
    await run.port();
    await eventually(async () => (await run.call({ path: '/status' })).json()['status'] === 'stable');
    const path = join(run.folder, 'state/s.json');
    run.kill('SIGUSR1');
    await eventually(() => existsSync(path));
    expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({ version: 1 });
    expect((await run.call({ path: '/status' })).status).toBe(200);
    run.kill('SIGTERM');
    expect(await run.ended).toMatchObject({ code: 0 });
  });

  test('AA-096: shutdown releases a message that waits', async () => {
    await using run = await runCli([...SERVER, '--', 'PROBE']);
    const port = await run.port();
    await eventually(async () => (await run.call({ path: '/status' })).json()['status'] === 'stable');
    const pending = callServer(port, {
      method: 'POST',
      path: '/message',
      body: JSON.stringify({ type: 'user', content: 'hi' }),
    });
    await eventually(async () => (await run.call({ path: '/status' })).json()['status'] === 'running');
    run.kill('SIGTERM');
    expect((await pending).status).toBe(500);
    expect(await run.ended).toMatchObject({ code: 0 });
  });
});

/** Local addresses, as the kernel writes them, of the sockets that listen on `port`. */
async function listeningAddresses(port: number): Promise<readonly string[]> {
  const tables = await Promise.all(['tcp', 'tcp6'].map((name) => readFile(`/proc/net/${name}`, 'utf8')));
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
  return tables
    .flatMap((table) => table.split('\n').slice(1))
    .map((row) => row.trim().split(/\s+/))
    .filter(([, local, , state]) => local?.endsWith(`:${hexPort}`) === true && state === '0A')
    .map(([, local = '']) => local.split(':')[0] ?? '');
}
