import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { commandLine } from '../support/command-line.ts';
import type { CommandLine } from '../support/command-line.ts';

const TIME = '2026-01-02T03:04:05Z';

interface Received {
  readonly method: string;
  readonly url: string;
  readonly key: string | undefined;
  readonly body: string;
}

/** An agent server below `/s1`, as the reference reaches it: nothing of the proxy's own routes. */
interface ScriptedServer extends AsyncDisposable {
  readonly url: string;
  readonly received: Received[];
  /** Answers of the next requests, by path. */
  readonly answers: Map<string, { readonly status: number; readonly body: string }>;
  /** The event stream that is open. */
  stream(): Promise<ServerResponse>;
}

async function scriptedServer(): Promise<ScriptedServer> {
  const received: Received[] = [];
  const answers = new Map<string, { status: number; body: string }>();
  let onStream: (response: ServerResponse) => void = () => undefined;
  let opened = new Promise<ServerResponse>((resolve) => (onStream = resolve));
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = (await request.setEncoding('utf8').toArray()).join('');
    const { method = '', url = '', headers } = request;
    const key = headers['x-api-key'];
    received.push({ method, url, key: typeof key === 'string' ? key : undefined, body });
    if (url === '/s1/events') {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
      onStream(response);
      return;
    }
    const { status, body: text } = answers.get(url) ?? { status: 404, body: '404 page not found' };
    response.writeHead(status, {
      'content-type': text.startsWith('{') ? 'application/json' : 'text/plain',
    });
    response.end(text);
  };
  const server = createServer((request, response) => void answer(request, response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    received,
    answers,
    stream: async () => {
      const response = await opened;
      opened = new Promise((resolve) => (onStream = resolve));
      return response;
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

describe('the client command against a plain agent server', () => {
  let server: ScriptedServer;
  let user: CommandLine;
  beforeAll(async () => {
    server = await scriptedServer();
    user = await commandLine();
    server.answers.set('/s1/message', { status: 200, body: '{"ok":true}' });
    server.answers.set('/s1/status', { status: 200, body: '{"status":"stable"}' });
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    await user[Symbol.asyncDispose]();
  });

  const named = (): readonly string[] => ['-e', server.url, '-s', 's1'];
  const posts = (): readonly Received[] => server.received.filter(({ method }) => method === 'POST');

  test('PX-010: send posts the message to ENDPOINT/SESSION/message', async () => {
    const sent = posts().length;
    const { code, stdout, stderr } = await user.run(['client', 'send', ...named(), 'm']);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'Message sent successfully\n', stderr: '' });
    expect(posts().slice(sent)).toMatchObject([{ url: '/s1/message' }]);
    expect(JSON.parse(posts().at(-1)?.body ?? '')).toEqual({ content: 'm', type: 'user' });
  });

  test('PX-010: the options may stand before the subcommand too, and the endpoint may end with a slash', async () => {
    const { code } = await user.run(['client', '-e', `${server.url}/`, '-s', 's1', 'send', 'before']);
    expect(code).toBe(0);
    expect(JSON.parse(posts().at(-1)?.body ?? '')).toEqual({ content: 'before', type: 'user' });
  });

  test.each([
    ['without MESSAGE', [], 'one\ntwo\n', 'one\ntwo'],
    ['with -', ['-'], 'from stdin', 'from stdin'],
  ])('PX-011: send %s reads standard input', async (_name, args, input, content) => {
    const { code, stdout } = await user.run(['client', 'send', ...named(), ...args], { input });
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'Message sent successfully\n' });
    expect(JSON.parse(posts().at(-1)?.body ?? '')).toEqual({ content, type: 'user' });
  });

  test.each([
    [[''], 'x'],
    [['  '], 'x'],
    [[], ''],
    [['-'], '\n\n'],
  ])('PX-011: an empty message (%j, %j) is an error, and nothing is sent', async (args, input) => {
    const sent = server.received.length;
    const { code, stdout, stderr } = await user.run(['client', 'send', ...named(), ...args], { input });
    expect({ code, stdout, stderr }).toEqual({
      code: 2,
      stdout: '',
      stderr: 'Error: Message cannot be empty\n',
    });
    expect(server.received).toHaveLength(sent);
  });

  test.each([
    [400, '{"detail":"no good"}', 1, 'HTTP error 400: no good'],
    [401, '{"message":"Invalid API key"}', 4, 'HTTP error 401: Invalid API key'],
    [403, '{"message":"Insufficient permissions"}', 4, 'HTTP error 403: Insufficient permissions'],
    [404, '{"message":"Session not found"}', 3, 'HTTP error 404: Session not found'],
    [429, '{"message":"Too many sessions"}', 6, 'HTTP error 429: Too many sessions'],
    [500, '{"message":"Internal server error"}', 1, 'HTTP error 500: Internal server error'],
    [503, '{"message":"Session is still starting"}', 6, 'HTTP error 503: Session is still starting'],
    [302, '', 1, 'HTTP error 302'],
  ])('PX-012: an answer %d to send is no success, but exit code %#', async (status, body, exitCode, text) => {
    server.answers.set('/s1/message', { status, body });
    const { code, stdout, stderr } = await user.run(['client', 'send', ...named(), 'm']);
    server.answers.set('/s1/message', { status: 200, body: '{"ok":true}' });
    expect({ code, stdout }).toEqual({ code: exitCode, stdout: '' });
    expect(stderr.split('\n')[0]).toContain(text);
  });

  test('PX-012: success shows no id and no time that the answer does not hold', async () => {
    const { stdout } = await user.run(['client', 'send', ...named(), 'm']);
    expect(stdout).not.toMatch(/ID|Timestamp|0001/);
  });

  test('PX-013: history prints the count and a line for each message', async () => {
    const messages = [
      { id: 0, role: 'agent', content: 'Hello', time: TIME },
      { id: 1, role: 'user', content: 'm', time: TIME },
    ];
    server.answers.set('/s1/messages', { status: 200, body: JSON.stringify({ messages }) });
    const { code, stdout, stderr } = await user.run(['client', 'history', ...named()], {
      env: { TZ: 'UTC' },
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toBe('Conversation History (2 messages):\n[03:04:05] agent: Hello\n[03:04:05] user: m\n');
    const json = await user.run(['client', 'history', '--json', ...named()]);
    expect(JSON.parse(json.stdout)).toEqual({ messages });
  });

  test('what an agent says cannot drive the terminal of who reads it', async () => {
    const content = '\u001b]0;title\u0007\u001b[31mred\u009b2J\r\nnext   ';
    const messages = [{ id: 0, role: 'agent', content, time: TIME }];
    server.answers.set('/s1/messages', { status: 200, body: JSON.stringify({ messages }) });
    const { stdout } = await user.run(['client', 'history', ...named()]);
    expect(stdout).toMatch(/agent: \]0;title\[31mred2J\nnext\n$/);
  });

  test('PX-014: status prints the status', async () => {
    const { code, stdout } = await user.run(['client', 'status', ...named()]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'Agent Status: stable\n' });
  });

  test('PX-015: events prints the data of each event as it arrives, and ends with the stream', async () => {
    await using running = user.start(['client', 'events', ...named()]);
    const stream = await server.stream();
    stream.write('event: anything\nid: 7\ndata: first\n\n');
    await running.printed('[EVENT] first\n');
    stream.write(`event: status_change\ndata: {"status":"running"}\n\n`);
    await running.printed('[EVENT] {"status":"running"}\n');
    stream.end(`event: message_update\ndata: {"id":3,"role":"agent","message":"hi","time":"${TIME}"}\n\n`);
    const { code, stdout, stderr } = await running.done;
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'Monitoring events... (Press Ctrl+C to stop)\n' });
    expect(stdout).toBe(
      '[EVENT] first\n[EVENT] {"status":"running"}\n' +
        `[EVENT] {"id":3,"role":"agent","message":"hi","time":"${TIME}"}\n`,
    );
  });

  test('PX-015: a connection that breaks is an error', async () => {
    await using running = user.start(['client', 'events', ...named()]);
    const stream = await server.stream();
    stream.write('data: first\n\n');
    await running.printed('first');
    stream.destroy();
    expect(await running.done).toMatchObject({ code: 5, stdout: '[EVENT] first\n' });
  });

  test('Ctrl+C ends events with 130, SIGTERM with 143, and both without another word', async () => {
    for (const [signal, code] of [
      ['SIGINT', 130],
      ['SIGTERM', 143],
    ] as const) {
      await using running = user.start(['client', 'events', ...named()]);
      const stream = await server.stream();
      stream.write('data: first\n\n');
      await running.printed('first');
      running.child.kill(signal);
      expect(await running.done).toEqual({
        code,
        stdout: '[EVENT] first\n',
        stderr: 'Monitoring events... (Press Ctrl+C to stop)\n',
      });
    }
  });

  test('when the reader of the output goes away, the command ends without a complaint', async () => {
    await using running = user.start(['client', 'events', ...named()]);
    const stream = await server.stream();
    stream.write('data: first\n\n');
    await running.printed('first');
    running.child.stdout?.destroy();
    stream.write('data: second\n\n');
    const { code, stderr } = await running.done;
    expect({ code, stderr }).toEqual({ code: 141, stderr: 'Monitoring events... (Press Ctrl+C to stop)\n' });
  });

  test('PX-016: the key of option, file, standard input and environment is sent, in this order of precedence', async () => {
    const path = join(user.home, 'key');
    await writeFile(path, 'key-of-file\n');
    const env = { AGENTAPI_PROXY_API_KEY: 'key-of-environment' };
    const status = async (
      args: readonly string[],
      options: Parameters<CommandLine['run']>[1],
    ): Promise<unknown> => {
      const { code, stderr } = await user.run(['client', 'status', ...named(), ...args], options);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      return server.received.at(-1)?.key;
    };
    expect(await status([], {})).toBeUndefined();
    expect(await status([], { env })).toBe('key-of-environment');
    expect(await status(['--api-key', 'key-of-option'], { env })).toBe('key-of-option');
    expect(await status(['--api-key-file', 'key'], { env })).toBe('key-of-file');
    expect(await status(['--api-key-file', '-'], { env, input: 'key-of-input\n' })).toBe('key-of-input');
    expect(await status([], { env: { AGENTAPI_PROXY_API_KEY_FILE: path } })).toBe('key-of-file');
  });

  test('PX-016: a key that cannot be one is refused without showing it', async () => {
    const { code, stderr } = await user.run(['client', 'status', ...named(), '--api-key', 'se cret']);
    expect(code).toBe(2);
    expect(stderr).not.toContain('cret');
  });

  test.each([
    [['status', '-s', 's1'], '--endpoint'],
    [['history', '-e', 'http://127.0.0.1:1'], '--session-id'],
    [['send', '-e', 'http://127.0.0.1:1', 'm'], '--session-id'],
    [['list'], '--endpoint'],
  ])('PX-017: client %j exits with 2 and names the option %s', async (args, option) => {
    const { code, stdout, stderr } = await user.run(['client', ...args]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(option);
  });

  test.each([
    [['nonsense'], "unknown command 'nonsense'"],
    [['send', '--nonsense', 'm'], "unknown option '--nonsense'"],
    [['send', 'one', 'two'], 'too many arguments'],
    [['history', '-e'], 'argument missing'],
    [['context', 'use'], "missing required argument 'context'"],
    [['send', '--wait', '--timeout', 'soon', 'm'], '--timeout must be a time'],
    [['send', '--wait', '--raw', 'm'], '--raw'],
    [['status', '-e', 'localhost:8080', '-s', 'x'], '--endpoint must be a URL'],
    [['list', '--state', 'running,dancing', '-e', 'http://127.0.0.1:1'], '"dancing"'],
    [['list', '--limit', '0', '-e', 'http://127.0.0.1:1'], '--limit'],
    [['start', '--tag', 'plain', '-e', 'http://127.0.0.1:1'], '--tag must be NAME=VALUE'],
    [['start', '--env', 'NOT_HERE', '-e', 'http://127.0.0.1:1'], '--env NOT_HERE'],
    [['start', '--template', 'x', '-e', 'http://127.0.0.1:1'], '--profile'],
    [['status', '--api-key', 'a', '--api-key-file', 'b', '-e', 'http://127.0.0.1:1'], 'exclude each other'],
    [['attach', '-e', 'http://127.0.0.1:1', '-s', 'x'], 'needs a terminal'],
    [['attach', '--detach-key', 'x'], '--detach-key'],
  ])('PX-004: client %j is exit code 2 with %j', async (args, text) => {
    const { code, stdout, stderr } = await user.run(['client', ...args], { input: 'm' });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(text);
  });

  test.each([
    [[]],
    [['start']],
    [['list']],
    [['send']],
    [['history']],
    [['status']],
    [['events']],
    [['attach']],
    [['delete']],
    [['logs']],
    [['context', 'set']],
    [['profiles', 'list']],
  ])('PX-005: client %j --help prints help on stdout and exits with 0', async (command) => {
    const { code, stdout, stderr } = await user.run(['client', ...command, '--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^Usage: agentapi-proxy client/);
    expect(stdout).toContain('--endpoint');
    expect(stdout.split('\n').every((line) => line.length <= 110)).toBe(true);
  });

  test('a beginning that several ids have is refused with these ids; an id that is another one’s beginning is not', async () => {
    const session = (id: string): Record<string, unknown> => ({
      session_id: id,
      user_id: 'alice',
      status: 'active',
      state: 'running',
      agent: 'demo',
      port: 9000,
      started_at: TIME,
      created_at: TIME,
      updated_at: TIME,
      tags: {},
    });
    const sessions = ['s1', 's1-a', 's1-b', 'other'].map(session);
    server.answers.set('/search?state=all', { status: 200, body: JSON.stringify({ sessions }) });
    expect(await user.run(['client', 'status', ...named()])).toMatchObject({ code: 0 });
    const several = await user.run(['client', 'status', '-e', server.url, 's1-']);
    expect(several).toMatchObject({ code: 2, stdout: '' });
    expect(several.stderr).toContain('2 sessions begin with "s1-": s1-a, s1-b; give more of the id');
    const none = await user.run(['client', 'status', '-e', server.url, 'x']);
    expect(none).toMatchObject({ code: 3, stdout: '' });
    server.answers.delete('/search?state=all');
  });

  test('a server that is not there is exit code 5', async () => {
    const gone = await scriptedServer();
    await gone[Symbol.asyncDispose]();
    const { code, stdout, stderr } = await user.run(['client', 'status', '-e', gone.url, '-s', 'x']);
    expect({ code, stdout }).toEqual({ code: 5, stdout: '' });
    expect(stderr).toMatch(/^Error: GET .*127\.0\.0\.1:\d+: .*ECONNREFUSED.*\nIs the server running/);
  });
});

describe('contexts', () => {
  const FILE = ['.config', 'agentapi-proxy', 'client.json'];

  test('are set, listed, used and removed, in a file that only its owner reads', async () => {
    await using user = await commandLine();
    const file = join(user.home, ...FILE);
    const first = await user.run(['client', 'context', 'set', 'local', '-e', 'http://127.0.0.1:1/']);
    expect(first).toEqual({ code: 0, stdout: 'Context local: http://127.0.0.1:1 (current)\n', stderr: '' });
    const env = { AGENTAPI_PROXY_API_KEY: 'secret-key' };
    const second = await user.run(
      ['client', 'context', 'set', 'team', '-e', 'https://agents.example', '-s', 'abc', '--store-key'],
      { env },
    );
    expect(second).toEqual({
      code: 0,
      stdout: 'Context team: https://agents.example\n',
      stderr: `The key is in ${file}, readable by you only\n`,
    });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await user.run(['client', 'context', 'list'])).stdout).toBe(
      [
        '   NAME   ENDPOINT                SESSION  KEY',
        '*  local  http://127.0.0.1:1',
        '   team   https://agents.example  abc      stored',
        '',
      ].join('\n'),
    );
    const json = (await user.run(['client', 'context', 'list', '--json'])).stdout;
    expect(json).not.toContain('secret-key');
    expect(await user.run(['client', 'context', 'use', 'team'])).toMatchObject({ code: 0 });
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ current: 'team' });
    expect(await user.run(['client', 'context', 'remove', 'team'])).toMatchObject({ code: 0 });
    expect(await readFile(file, 'utf8')).not.toContain('secret-key');
    for (const args of [
      ['context', 'use', 'team'],
      ['status', '--context', 'team'],
    ]) {
      const gone = await user.run(['client', ...args]);
      expect(gone).toMatchObject({ code: 3, stdout: '' });
      expect(gone.stderr).toContain('there is no context "team"');
    }
  });

  test('a key is kept only on request, and never goes to another server than its own', async () => {
    await using server = await scriptedServer();
    await using other = await scriptedServer();
    await using user = await commandLine();
    for (const each of [server, other])
      each.answers.set('/s1/status', { status: 200, body: '{"status":"stable"}' });
    const set = ['client', 'context', 'set', 'one', '-e', server.url, '-s', 's1'];
    const refused = await user.run([...set, '--api-key', 'k-1']);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('--store-key');
    const env = { AGENTAPI_PROXY_API_KEY: 'k-2' };
    expect(await user.run(set, { env })).toMatchObject({ code: 0, stderr: '' });
    expect(await readFile(join(user.home, ...FILE), 'utf8')).not.toContain('k-2');
    expect(await user.run([...set, '--store-key', '--api-key-file', '-'], { input: 'k-3\n' })).toMatchObject({
      code: 0,
    });
    expect(await user.run(['client', 'status'])).toMatchObject({ code: 0, stdout: 'Agent Status: stable\n' });
    expect(server.received.at(-1)).toMatchObject({ key: 'k-3' });
    expect(await user.run(['client', 'status', '-e', other.url, '-s', 's1'])).toMatchObject({ code: 0 });
    expect(other.received.map(({ key }) => key)).not.toContain('k-3');
    // Another endpoint under the same name loses the key.
    await user.run(['client', 'context', 'set', 'one', '-e', other.url]);
    expect(await readFile(join(user.home, ...FILE), 'utf8')).not.toContain('k-3');
  });

  test('a file with keys that others can read, or that makes no sense, is refused and left alone', async () => {
    await using user = await commandLine({ AGENTAPI_PROXY_ENDPOINT: 'http://127.0.0.1:1' });
    const file = join(user.home, ...FILE);
    await mkdir(join(user.home, '.config', 'agentapi-proxy'), { recursive: true });
    const endpoint = 'http://127.0.0.1:1';
    const open = JSON.stringify({ current: 'a', contexts: { a: { endpoint, api_key: 'secret-key' } } });
    for (const [text, reason] of [
      [open, 'chmod 600'],
      ['{"contexts": {"a": secret-key}}', 'not valid JSON'],
      ['{"contexts": {"a": {"endpoint": 5}}}', 'contexts.a.endpoint'],
      ['{"contexts": {"a": {"endpoint": "x", "api-key": "secret-key"}}}', 'unknown member api-key'],
    ] as const) {
      await writeFile(file, text);
      await chmod(file, 0o644);
      const { code, stderr } = await user.run(['client', 'context', 'set', 'b', '-e', endpoint]);
      expect(code).toBe(2);
      expect(stderr).toContain(reason);
      expect(stderr).not.toContain('secret-key');
      expect(await readFile(file, 'utf8')).toBe(text);
    }
  });

  test('follow XDG_CONFIG_HOME, unless it is relative', async () => {
    await using user = await commandLine();
    const set = ['client', 'context', 'set', 'x', '-e', 'http://127.0.0.1:1'];
    expect(await user.run(set, { env: { XDG_CONFIG_HOME: join(user.home, 'xdg') } })).toMatchObject({
      code: 0,
    });
    expect(await user.run(set, { env: { XDG_CONFIG_HOME: 'relative' } })).toMatchObject({ code: 0 });
    await stat(join(user.home, 'xdg', 'agentapi-proxy', 'client.json'));
    await stat(join(user.home, ...FILE));
  });
});
