import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { until } from './support/acp-harness.ts';
import { COMMAND, runInTerminal } from './support/terminal-user.ts';

const DEMO_AGENT = fileURLToPath(new URL('../dist/program/demo-agent.js', import.meta.url));
const ACP_AGENT = fileURLToPath(new URL('support/acp-agent.mjs', import.meta.url));
const LEAVES_VIEW = '\u001b[?7h\u001b[?25h\u001b[?1049l';

/** The real server around an agent. */
async function startServer(args: readonly string[]): Promise<AsyncDisposable & { readonly url: string }> {
  const child = spawn(process.execPath, [COMMAND, 'server', '--port', '0', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let log = '';
  child.stdout.on('data', (chunk: Buffer) => (log += chunk.toString('utf8')));
  await until(() => /Server started.* port=\d+/u.test(log) || child.exitCode !== null, 'start of the server');
  return {
    url: `127.0.0.1:${/ port=(\d+)/u.exec(log)?.[1] ?? ''}`,
    async [Symbol.asyncDispose]() {
      const exited = new Promise((resolve) => child.once('exit', resolve));
      if (child.exitCode === null && child.kill('SIGTERM')) await exited;
    },
  };
}

interface FakeServer extends AsyncDisposable {
  readonly url: string;
  /** Contents of the messages received. */
  readonly keys: readonly string[];
  readonly authorizations: ReadonlySet<string | undefined>;
  show(screen: string): void;
  sendRaw(text: string): void;
  endStreams(): void;
  /** Status that messages are answered with from now on. */
  messageStatus: number;
}

/** A server that does what the test says. */
async function startFakeServer(transport = 'pty'): Promise<FakeServer> {
  const streams = new Set<ServerResponse>();
  const keys: string[] = [];
  const authorizations = new Set<string | undefined>();
  let newest = '';
  const frame = (screen: string) => `event: screen\ndata: ${JSON.stringify({ screen })}\n\n`;
  const server = createServer((request, response) => {
    authorizations.add(request.headers.authorization);
    if (request.url === '/base/status') response.end(JSON.stringify({ transport }));
    else if (request.url === '/base/internal/screen') {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(frame(newest));
      streams.add(response);
    } else if (request.url === '/base/message') {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString('latin1')));
      request.on('end', () => {
        const parsed: { type: string; content: string } = JSON.parse(
          Buffer.from(body, 'latin1').toString('utf8'),
        );
        keys.push(parsed.type === 'raw' ? parsed.content : `not raw: ${parsed.type}`);
        response.writeHead(fake.messageStatus).end(JSON.stringify({ errors: [{ message: 'no more keys' }] }));
      });
    } else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP address');
  const fake: FakeServer = {
    url: `127.0.0.1:${address.port}/base/`,
    keys,
    authorizations,
    messageStatus: 200,
    show: (screen) => {
      newest = screen;
      for (const stream of streams) stream.write(frame(screen));
    },
    sendRaw: (text) => {
      for (const stream of streams) stream.write(text);
    },
    endStreams: () => {
      for (const stream of streams) stream.end();
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return fake;
}

const numbered = (count: number) =>
  Array.from({ length: count }, (_, index) => `row ${index + 1}`).join('\n');

describe('attach in a real terminal', () => {
  test('AA-023: shows the screen of a real agent, forwards keys, detaches by Ctrl+C; the agent lives on', async () => {
    await using server = await startServer(['--', process.execPath, DEMO_AGENT]);
    await using user = runInTerminal(['attach', '--url', server.url], { rows: 30, columns: 80 });
    await user.sees((rows) => rows.some((row) => row.includes('❯') || row.includes('>')), 'the prompt');
    user.type('bonjour 漢字');
    await user.sees((rows) => rows.some((row) => row.includes('bonjour 漢字')), 'the typed text');
    user.type('\r');
    await user.sees((rows) => rows.filter((row) => row.includes('bonjour 漢字')).length >= 2, 'the answer');
    user.type('\u0003');
    await expect(user.exited).resolves.toEqual({ code: 0, signal: null });
    expect(user.output().endsWith(LEAVES_VIEW)).toBe(true);
    const status = await fetch(`http://${server.url}/status`);
    expect(status.status).toBe(200);
  });

  test('AA-023: every chunk of keys is one raw message, in order; Ctrl+C is never sent', async () => {
    await using server = await startFakeServer();
    await using user = runInTerminal(['attach', '-u', server.url]);
    server.show('ready');
    await user.sees((rows) => rows[0] === 'ready', 'the screen');
    const chunks = ['a', '\r', '\u001b[A', 'été 漢字 🚀', '\u0004'];
    for (const [index, chunk] of chunks.entries()) {
      user.type(chunk);
      await until(() => server.keys.length > index, `chunk ${index}`);
    }
    user.type('last\u0003never');
    await expect(user.exited).resolves.toEqual({ code: 0, signal: null });
    expect(server.keys).toEqual([...chunks, 'last']);
  });

  test('the last rows that fit are shown, cut at the right edge; resizes of the window are followed', async () => {
    await using server = await startFakeServer();
    await using user = runInTerminal(['attach', '-u', server.url], { columns: 20, rows: 4 });
    server.show(numbered(30));
    await user.sees((rows) => rows.join() === 'row 27,row 28,row 29,row 30', 'the last rows');
    user.resize(20, 6);
    await user.sees((rows) => rows.join() === 'row 25,row 26,row 27,row 28,row 29,row 30', 'more rows');
    user.resize(5, 2);
    await user.sees((rows) => rows.join() === 'row 2,row 3', 'cut rows');
    user.resize(20, 3);
    server.show('only\u001b[31m one');
    await user.sees((rows) => rows.join() === 'only [31m one,,', 'a short screen');
    user.type('\u0003');
    await expect(user.exited).resolves.toEqual({ code: 0, signal: null });
  });

  test('a SIGTERM detaches and restores the terminal', async () => {
    await using server = await startFakeServer();
    await using user = runInTerminal(['attach', '-u', server.url]);
    server.show('ready');
    await user.sees((rows) => rows[0] === 'ready', 'the screen');
    process.kill(user.pid, 'SIGTERM');
    await expect(user.exited).resolves.toEqual({ code: 0, signal: null });
    expect(user.output().endsWith(LEAVES_VIEW)).toBe(true);
  });

  test('the token of a file is presented', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'attach-test-'));
    try {
      writeFileSync(join(folder, 'token'), 'a-long-enough-token\n');
      await using server = await startFakeServer();
      await using user = runInTerminal(['attach', '-u', server.url, '--token-file', join(folder, 'token')]);
      server.show('ready');
      await user.sees((rows) => rows[0] === 'ready', 'the screen');
      user.type('x\u0003');
      await user.exited;
      expect([...server.authorizations]).toEqual(['Bearer a-long-enough-token']);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('attach fails with a text and exit code 1, and gives the terminal back', () => {
  const cases = [
    {
      name: 'when the server ends the stream',
      act: (server: FakeServer) => server.endStreams(),
      text: 'Attach failed: the server has ended the stream',
    },
    {
      name: 'when an event is over 256 KiB',
      act: (server: FakeServer) => server.show('x'.repeat(300_000)),
      text: 'Attach failed: the server sent an event over 256 KiB',
    },
    {
      name: 'when keys are refused',
      act: (server: FakeServer, type: (keys: string) => void) => {
        server.messageStatus = 500;
        type('x');
      },
      text: 'Attach failed: keys were refused with 500: no more keys',
    },
    {
      name: 'when the stream makes no sense',
      act: (server: FakeServer) => server.sendRaw('event: screen\ndata: {\n\n'),
      text: 'Attach failed: ',
    },
  ];
  test.each(cases)('$name', async ({ act, text }) => {
    await using server = await startFakeServer();
    await using user = runInTerminal(['attach', '-u', server.url]);
    server.show('ready');
    await user.sees((rows) => rows[0] === 'ready', 'the screen');
    act(server, (keys) => user.type(keys));
    await expect(user.exited).resolves.toEqual({ code: 1, signal: null });
    expect(user.output()).toContain(`${LEAVES_VIEW}${text}`);
  });

  test('AA-022: an ACP server is refused before the terminal is touched', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'attach-test-'));
    try {
      writeFileSync(join(folder, 'script.json'), '[]');
      const agent = [process.execPath, ACP_AGENT, join(folder, 'script.json')];
      await using server = await startServer(['--experimental-acp', '--', ...agent]);
      await using user = runInTerminal(['attach', '-u', server.url]);
      await expect(user.exited).resolves.toEqual({ code: 1, signal: null });
      expect(user.output()).toBe('Attach failed: attach is not yet supported in ACP mode\r\n');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test('AA-022: an empty URL, and a server that is not there', async () => {
    await using empty = runInTerminal(['attach', '-u', '']);
    await expect(empty.exited).resolves.toEqual({ code: 1, signal: null });
    expect(empty.output()).toBe('Attach failed: URL is required\r\n');
    await using nobody = runInTerminal(['attach', '-u', '127.0.0.1:1']);
    await expect(nobody.exited).resolves.toEqual({ code: 1, signal: null });
    expect(nobody.output()).toMatch(/^Warning: the status of the server is unknown: .*ECONNREFUSED/u);
    expect(nobody.output()).toContain(`${LEAVES_VIEW}Attach failed: connect ECONNREFUSED 127.0.0.1:1`);
  });

  test('without a terminal', async () => {
    await using server = await startFakeServer();
    const child = spawn(process.execPath, [COMMAND, 'attach', '-u', server.url], {
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    let text = '';
    child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')));
    const code = await new Promise((resolve) => child.once('close', resolve));
    expect(code).toBe(1);
    expect(text).toBe('Attach failed: standard input is not a terminal\n');
  });
});
