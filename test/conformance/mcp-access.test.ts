import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@agentapi-proxy/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { ROLE_PERMISSIONS } from '../../packages/server/src/auth/permissions.ts';
import { connectOverHttp, connectOverStdio, startMcpProcess } from '../support/mcp.ts';
import type { McpConnection, McpEra } from '../support/mcp.ts';
import { rawRequest } from '../support/raw-request.ts';
import { COMMAND, eventually, runCommand, startServer } from '../support/server-process.ts';
import type { ServerProcess } from '../support/server-process.ts';

const KEYS = {
  alice: 'ap_alice_0123456789abcdef0123456789abcdef',
  olga: 'ap_olga_0123456789abcdef0123456789abcdef',
  rita: 'ap_rita_0123456789abcdef0123456789abcdef',
  root: 'ap_root_0123456789abcdef0123456789abcdef',
};
type User = keyof typeof KEYS;

const initialize = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'raw', version: '1' } },
};
const JSON_HEADERS = {
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
};
/** Every one of a dozen processes takes seconds to start where many tests run at once. */
const TIMEOUT_MS = 120_000;

const startedSchema = z.object({ session_id: z.string() });
const auditSchema = z.object({ entries: z.array(z.looseObject({ action: z.string() })) });

let server: ServerProcess;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mcp-access-'));
  const entry = (user: User, role: 'admin' | 'user' | 'readonly') => ({
    key: KEYS[user],
    user_id: user,
    role,
    permissions: ROLE_PERMISSIONS[role],
  });
  server = await startServer({
    config: {
      auth: {
        enabled: true,
        api_keys: [
          entry('alice', 'user'),
          entry('olga', 'user'),
          entry('rita', 'readonly'),
          entry('root', 'admin'),
        ],
      },
    },
  });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

/** Connects to `/mcp` of the server. */
function inside(user: User, era: McpEra = '2025'): Promise<McpConnection> {
  return connectOverHttp(`${server.url}/mcp`, era, { 'x-api-key': KEYS[user] });
}

async function started(mcp: McpConnection, args: object = {}): Promise<string> {
  const { data } = await mcp.call('start_session', { user_id: 'somebody', ...args });
  return startedSchema.parse(data).session_id;
}

async function ownerOf(id: string): Promise<string> {
  return (await createClient({ baseUrl: server.url, apiKey: KEYS.root }).get(id)).user_id;
}

describe('/mcp of the server', () => {
  test.each(['2025', '2026'] as const)(
    'a key that may not start may look; what is another’s stays the other’s (%s)',
    async (era) => {
      await using alice = await inside('alice', era);
      await using olga = await inside('olga', era);
      await using rita = await inside('rita', era);
      const id = await started(alice);

      expect(await rita.call('list_sessions')).toMatchObject({ failed: false, data: { sessions: [] } });
      expect(await rita.call('start_session', { user_id: 'rita' })).toMatchObject({
        failed: true,
        text: expect.stringMatching(/^Failed to start session: Insufficient permissions/),
      });
      for (const [tool, args] of [
        ['get_session', {}],
        ['get_messages', {}],
        ['send_message', { message: 'x' }],
        ['wait_for_answer', {}],
        ['get_events', {}],
        ['get_logs', {}],
        ['delete_session', {}],
      ] as const) {
        expect([tool, await olga.call(tool, { session_id: id, ...args })]).toMatchObject([
          tool,
          { failed: true, text: expect.stringContaining('You can only') },
        ]);
      }
      await expect(
        olga.client.readResource({ uri: `agentapi-proxy://sessions/${id}/messages` }),
      ).rejects.toThrow('You can only');
      if (era === '2025') {
        const uri = `agentapi-proxy://sessions/${id}/messages`;
        await expect(olga.client.subscribeResource({ uri })).rejects.toThrow('You can only');
      }
      expect((await alice.call('delete_session', { session_id: id })).failed).toBe(false);
    },
  );

  test('without a key, or with a wrong one: 401, and how to come with one', async () => {
    const body = JSON.stringify(initialize);
    const none = await rawRequest(server.port, { method: 'POST', path: '/mcp', headers: JSON_HEADERS, body });
    expect([none.status, none.headers['www-authenticate'], JSON.parse(none.body)]).toEqual([
      401,
      'Bearer realm="agentapi-proxy"',
      expect.objectContaining({ code: 'api_key_required' }),
    ]);
    const headers = { ...JSON_HEADERS, authorization: 'Bearer wrong' };
    const wrong = await rawRequest(server.port, { method: 'POST', path: '/mcp', headers, body });
    expect([wrong.status, wrong.headers['www-authenticate']]).toEqual([
      401,
      'Bearer realm="agentapi-proxy", error="invalid_token"',
    ]);
  });

  test('an MCP session is there only for the key that opened it', async () => {
    await using bearer = await connectOverHttp(`${server.url}/mcp`, '2025', {
      authorization: `Bearer ${KEYS.alice}`,
    });
    expect((await bearer.call('list_sessions')).failed).toBe(false);
    const open = (user: User) =>
      server.request('/mcp', {
        method: 'POST',
        headers: { ...JSON_HEADERS, 'x-api-key': KEYS[user] },
        body: JSON.stringify(initialize),
      });
    const id = (await open('alice')).headers.get('mcp-session-id') ?? '';
    expect(id).toMatch(/^mcp-session-[0-9a-f-]{36}$/);
    const statusOf = async (user: User, method: string): Promise<number> => {
      const headers = { ...JSON_HEADERS, 'x-api-key': KEYS[user], 'mcp-session-id': id };
      const list = JSON.stringify({ jsonrpc: '2.0', id: 2, method: 'tools/list' });
      const answer = await server.request('/mcp', {
        method,
        headers,
        ...(method === 'POST' ? { body: list } : {}),
      });
      await answer.body?.cancel();
      return answer.status;
    };
    expect(await statusOf('olga', 'POST')).toBe(404);
    expect(await statusOf('olga', 'GET')).toBe(404);
    expect(await statusOf('olga', 'DELETE')).toBe(404);
    expect(await statusOf('alice', 'POST')).toBe(200);
    expect(await statusOf('alice', 'DELETE')).toBe(200);
    expect(await statusOf('alice', 'POST')).toBe(404);
  });

  test('what was opened with a key ends when the key is revoked', async () => {
    const admin = createClient({ baseUrl: server.url, apiKey: KEYS.root });
    const issued = await admin.apiKeys.create({ user_id: 'alice', name: 'for a while' });
    const headers = { ...JSON_HEADERS, 'x-api-key': issued.key };
    const body = JSON.stringify(initialize);
    const opened = await server.request('/mcp', { method: 'POST', headers, body });
    await opened.text();
    const id = opened.headers.get('mcp-session-id') ?? '';
    const stream = await server.request('/mcp', { headers: { ...headers, 'mcp-session-id': id } });
    expect(stream.status).toBe(200);
    await admin.apiKeys.revoke(issued.id);
    // Its end is what the test waits for.
    await stream.text();
    const after = await server.request('/mcp', {
      method: 'POST',
      headers: { ...headers, 'mcp-session-id': id },
      body,
    });
    expect(after.status).toBe(401);
  });

  test('bodies that are none are refused in the words of the protocol', async () => {
    const send = async (body: string, headers: Record<string, string> = {}) => {
      const all = { ...JSON_HEADERS, 'x-api-key': KEYS.alice, ...headers };
      const answer = await rawRequest(server.port, { method: 'POST', path: '/mcp', headers: all, body });
      return [answer.status, z.looseObject({ jsonrpc: z.literal('2.0') }).parse(JSON.parse(answer.body))];
    };
    expect(await send('{')).toMatchObject([400, { error: { code: -32_700 } }]);
    expect(await send('{"jsonrpc":"2.0","id":1,"method":"tools/list"}')).toMatchObject([400, {}]);
    // Some of what is nested is looked at by functions that call themselves.
    const deep = '{"a":'.repeat(100_000) + '1' + '}'.repeat(100_000);
    const refused = {
      error: { code: -32_600, message: expect.stringContaining('more than 100 levels deep') },
    };
    const meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1' },
      'io.modelcontextprotocol/clientCapabilities': { experimental: { x: 'DEEP' } },
    };
    const call = { jsonrpc: '2.0', id: 2, method: 'tools/list', params: { _meta: meta } };
    const modern = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/list' };
    const { params } = initialize;
    const opening = { ...initialize, params: { ...params, capabilities: { experimental: { x: 'DEEP' } } } };
    const filled = (message: object): string => JSON.stringify(message).replace('"DEEP"', deep);
    expect(await send(filled(call), modern)).toMatchObject([400, refused]);
    expect(await send(filled(opening))).toMatchObject([400, refused]);
    expect(await send('['.repeat(100_000))).toMatchObject([400, refused]);
    expect(await send('x'.repeat(1024 ** 2 + 1))).toMatchObject([413, {}]);
    expect(await send(JSON.stringify(initialize), { 'content-type': 'text/plain' })).toMatchObject([415, {}]);
  });

  test('what is done over MCP is audited like everything else, with the address of whoever asked', async () => {
    await using mcp = await inside('olga');
    const id = await started(mcp);
    await mcp.call('delete_session', { session_id: id });
    const answer = await server.request('/audit?user_id=olga', { headers: { 'x-api-key': KEYS.root } });
    const { entries } = auditSchema.parse(await answer.json());
    expect(entries.filter(({ target_id }) => target_id === id)).toMatchObject([
      { action: 'session.delete', user_id: 'olga', remote_address: '127.0.0.1', outcome: 'allowed' },
      { action: 'session.start', user_id: 'olga', remote_address: '127.0.0.1', outcome: 'allowed' },
    ]);
  });

  test('PX-225: a user_id makes nobody act as somebody else, not even an administrator', async () => {
    for (const user of ['alice', 'root'] as const) {
      await using mcp = await inside(user);
      const id = await started(mcp, { user_id: 'olga' });
      expect(await ownerOf(id)).toBe(user);
      const found = await mcp.call('search_sessions', { user_id: 'olga' });
      expect(found.text).toContain(id);
      await mcp.call('delete_session', { session_id: id });
    }
  });

  test('a server that stops ends the waits of its MCP clients and leaves nothing', async () => {
    await using other = await startServer({ config: { on_shutdown: 'terminate' } });
    await using mcp = await connectOverHttp(`${other.url}/mcp`, '2025');
    const id = await started(mcp);
    await mcp.call('wait_for_answer', { session_id: id });
    const { data } = await mcp.call('get_events', { session_id: id });
    const waiting = mcp.call('get_events', { session_id: id, since: data['cursor'], timeout_seconds: 600 });
    // Behind it on the same connection or not: when this one is answered, the other one has arrived.
    await mcp.call('get_status', { session_id: id });
    expect(await other.stop()).toEqual({ code: 0, signal: null });
    expect(await waiting).toMatchObject({ failed: true, text: 'The server is shutting down' });
    expect(await other.sessionProcesses()).toEqual([]);
  });
});

describe('agentapi-proxy mcp', { timeout: TIMEOUT_MS }, () => {
  test('PX-218: HTTP at /mcp, the port 3000 of the reference, its name and its kind of session', async () => {
    await using mcp = await startMcpProcess({ AGENTAPI_PROXY_ENDPOINT: server.url });
    const body = JSON.stringify(initialize);
    const answer = await rawRequest(mcp.port, { method: 'POST', path: '/mcp', headers: JSON_HEADERS, body });
    expect([answer.status, answer.headers['mcp-session-id']]).toEqual([
      200,
      expect.stringMatching(/^mcp-session-/),
    ]);
    expect(answer.body).toContain('"name":"agentapi-proxy-mcp"');
    expect(await rawRequest(mcp.port, { path: '/other' })).toMatchObject({ status: 404 });
    expect(await rawRequest(mcp.port, { path: '/health' })).toMatchObject({
      status: 200,
      body: '{"status":"ok"}\n',
    });

    // Somebody else may have it on this machine: then it says so.
    const child = spawn(COMMAND, ['mcp', '--port'], { stdio: ['ignore', 'ignore', 'pipe'], cwd: folder });
    child.stderr.setEncoding('utf8');
    const [line] = await once(child.stderr, 'data');
    child.kill('SIGTERM');
    await once(child, 'exit');
    expect(line).toMatch(
      /MCP is ready at http:\/\/127\.0\.0\.1:3000\/mcp|cannot listen on 127\.0\.0\.1 port 3000/,
    );
  });

  test('PX-224: the key comes from the option, the environment, a file, or the caller', async () => {
    const file = join(folder, 'key');
    await writeFile(file, `${KEYS.alice}\n`, { mode: 0o600 });
    const endpoint = { AGENTAPI_PROXY_ENDPOINT: server.url };
    const ways: readonly (readonly [string, () => Promise<McpConnection>])[] = [
      ['option', () => connectOverStdio('2025', {}, ['--proxy-url', server.url, '--api-key', KEYS.alice])],
      ['file', () => connectOverStdio('2025', endpoint, ['--api-key-file', file])],
      ['variable', () => connectOverStdio('2025', { ...endpoint, AGENTAPI_PROXY_API_KEY: KEYS.alice })],
      [
        'file of a variable',
        () => connectOverStdio('2025', { ...endpoint, AGENTAPI_PROXY_API_KEY_FILE: file }),
      ],
    ];
    for (const [name, connect] of ways) {
      await using mcp = await connect();
      expect([name, await mcp.call('list_sessions')]).toMatchObject([name, { failed: false }]);
    }
    await using keyless = await connectOverStdio('2025', endpoint);
    expect(await keyless.call('list_sessions')).toMatchObject({
      failed: true,
      text: 'Failed to list sessions: API key required (api_key_required)',
    });

    await using http = await startMcpProcess({ ...endpoint, AGENTAPI_PROXY_API_KEY: KEYS.alice });
    for (const headers of [
      {},
      { 'x-api-key': KEYS.olga },
      { authorization: `Bearer ${KEYS.olga}` },
    ] as const) {
      for (const era of ['2025', '2026'] as const) {
        await using mcp = await connectOverHttp(http.url, era, headers);
        const id = await started(mcp);
        expect(await ownerOf(id)).toBe(Object.keys(headers).length === 0 ? 'alice' : 'olga');
        await mcp.call('delete_session', { session_id: id });
      }
    }
  });

  test('PX-226: HTTP is for this machine, and not for web pages of others', async () => {
    await using mcp = await startMcpProcess({
      AGENTAPI_PROXY_ENDPOINT: server.url,
      AGENTAPI_PROXY_API_KEY: KEYS.alice,
    });
    expect(new URL(mcp.url).hostname).toBe('127.0.0.1');
    const statusWith = async (headers: Record<string, string>): Promise<number> => {
      const all = { ...JSON_HEADERS, ...headers };
      const body = JSON.stringify(initialize);
      return (await rawRequest(mcp.port, { method: 'POST', path: '/mcp', headers: all, body })).status;
    };
    expect(await statusWith({ origin: 'https://evil.example' })).toBe(403);
    expect(await statusWith({ origin: 'null' })).toBe(403);
    expect(await statusWith({ host: `evil.example:${mcp.port}` })).toBe(403);
    expect(await statusWith({ origin: 'http://localhost:6274' })).toBe(200);
    expect(await statusWith({ host: `localhost:${mcp.port}` })).toBe(200);
  });

  test('PX-226, PX-229: to other machines the own key is not lent', async () => {
    const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
    const outer =
      addresses.find(({ internal, family }) => !internal && family === 'IPv4')?.address ?? '0.0.0.0';
    await using mcp = await startMcpProcess(
      { AGENTAPI_PROXY_ENDPOINT: server.url, AGENTAPI_PROXY_API_KEY: KEYS.alice },
      ['--host', outer],
    );
    const url = mcp.url.replace('0.0.0.0', '127.0.0.1');
    const answer = await fetch(url, {
      method: 'POST',
      headers: JSON_HEADERS,
      body: JSON.stringify(initialize),
    });
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([
      401,
      'Bearer realm="agentapi-proxy"',
    ]);
    await using olga = await connectOverHttp(url, '2025', { 'x-api-key': KEYS.olga });
    expect((await olga.call('list_sessions')).failed).toBe(false);
    expect(await readFile(`/proc/${mcp.pid}/cmdline`, 'utf8')).not.toContain(KEYS.alice);
  });

  test('PX-226: it ends with 0 at the end of its input, and cleanly at a signal', async () => {
    const asked = `${JSON.stringify(initialize)}\n`;
    const ended = await runCommand(['mcp'], { input: asked });
    expect(ended.code).toBe(0);
    const lines = ended.stdout.split('\n').filter((line) => line !== '');
    for (const line of lines) expect(JSON.parse(line)).toMatchObject({ jsonrpc: '2.0' });

    for (const [signal, code] of [
      ['SIGTERM', 143],
      ['SIGINT', 130],
    ] as const) {
      const child = spawn(COMMAND, ['mcp'], { stdio: ['pipe', 'pipe', 'ignore'], cwd: folder });
      child.stdin.write(asked);
      await once(child.stdout, 'data');
      child.kill(signal);
      expect(await once(child, 'exit')).toEqual([code, null]);
      await using mcp = await startMcpProcess({});
      await using _client = await connectOverHttp(mcp.url, '2025');
      expect(await mcp.end(signal)).toBe(code);
    }
  });

  test('PX-223: an unreachable server is an answer with the cause, and the MCP server lives on', async () => {
    await using target = await startServer();
    await using mcp = await connectOverStdio('2025', { AGENTAPI_PROXY_ENDPOINT: target.url });
    expect((await mcp.call('list_sessions')).failed).toBe(false);
    await target.stop();
    for (const tool of ['list_sessions', 'list_profiles']) {
      const { failed, text } = await mcp.call(tool);
      expect([failed, text]).toEqual([
        true,
        expect.stringMatching(/^Failed to list .*(ECONNREFUSED|fetch failed)/),
      ]);
    }
  });

  test('wrong options are refused with what would be right', async () => {
    const outcomes = await Promise.all([
      runCommand(['mcp', '--port', '70000']),
      runCommand(['mcp', '--session-timeout', 'soon']),
      runCommand(['mcp', '--max-sessions', '0']),
      runCommand(['mcp', '--api-key-file', '-']),
      runCommand(['mcp', '--proxy-url', 'not a url']),
    ]);
    expect(outcomes.map(({ code, stdout }) => [code, stdout])).toEqual(outcomes.map(() => [2, '']));
    expect(outcomes.map(({ stderr }) => stderr)).toEqual([
      expect.stringContaining('from 0 to 65535'),
      expect.stringContaining('such as 30m'),
      expect.stringContaining('whole number above 0'),
      expect.stringContaining('standard input belongs to the protocol'),
      expect.stringContaining('must be a URL'),
    ]);
  });

  test('a cancelled call ends the wait at the server, also when the client goes without a word', async () => {
    await using agent = await startSilentAgent();
    for (const era of ['2025', '2026'] as const) {
      await using http = await startMcpProcess({ AGENTAPI_PROXY_ENDPOINT: agent.url });
      const ways = [
        () => connectOverStdio(era, { AGENTAPI_PROXY_ENDPOINT: agent.url }),
        () => connectOverHttp(http.url, era),
      ];
      for (const connect of ways) {
        await using mcp = await connect();
        const stop = new AbortController();
        const call = mcp.call('wait_for_answer', { session_id: 'x' }, { signal: stop.signal });
        const outcome = call.catch((error: unknown) => error);
        await eventually('the wait has begun', () => agent.streams === 1);
        stop.abort(new Error('enough'));
        expect(await outcome).toMatchObject({ message: expect.stringContaining('enough') });
        await eventually('the wait has ended', () => agent.streams === 0);
      }
      const leaving = await connectOverStdio(era, { AGENTAPI_PROXY_ENDPOINT: agent.url });
      const lost = leaving.call('wait_for_answer', { session_id: 'x' }).catch(() => 'lost');
      await eventually('the wait has begun', () => agent.streams === 1);
      await leaving.client.close();
      expect(await lost).toBe('lost');
      await eventually('the wait has ended', () => agent.streams === 0);
      expect(await http.end('SIGTERM')).toBe(143);
    }
  });

  test('MCP sessions are bounded in number and in idle time', async () => {
    const endpoint = { AGENTAPI_PROXY_ENDPOINT: server.url };
    const open = (url: string) =>
      fetch(url, { method: 'POST', headers: JSON_HEADERS, body: JSON.stringify(initialize) });
    const statusOf = async (url: string, id: string): Promise<number> => {
      const headers = { ...JSON_HEADERS, 'mcp-session-id': id };
      const body = JSON.stringify({ jsonrpc: '2.0', id: 2, method: 'ping' });
      const answer = await fetch(url, { method: 'POST', headers, body });
      await answer.text();
      return answer.status;
    };
    const idOf = async (answer: Response): Promise<string> => {
      await answer.text();
      return answer.headers.get('mcp-session-id') ?? '';
    };

    await using few = await startMcpProcess(endpoint, ['--max-sessions', '1']);
    const first = await idOf(await open(few.url));
    expect(await statusOf(few.url, first)).toBe(200);
    const second = await eventually(
      'the first one is unused',
      async () => (await idOf(await open(few.url))) || false,
    );
    expect([await statusOf(few.url, first), await statusOf(few.url, second)]).toEqual([404, 200]);
    // One that is in use makes no room.
    const held = await fetch(few.url, { headers: { ...JSON_HEADERS, 'mcp-session-id': second } });
    const refused = await open(few.url);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '10']);
    await held.body?.cancel();

    await using brief = await startMcpProcess(endpoint, ['--session-timeout', '1s']);
    const id = await idOf(await open(brief.url));
    await eventually('the unused session has ended', async () => {
      // Each look at it is a use.
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      return (await statusOf(brief.url, id)) === 404;
    });
  });

  test('nothing of it is left in the folder it ran in', async () => {
    const empty = await mkdtemp(join(tmpdir(), 'mcp-empty-'));
    expect((await runCommand(['mcp'], { cwd: empty })).code).toBe(0);
    expect(await readdir(empty)).toEqual([]);
    await rm(empty, { recursive: true });
  });
});

/** A server with one session, whose agent works for ever and says nothing. */
async function startSilentAgent(): Promise<{ url: string; readonly streams: number } & AsyncDisposable> {
  const streams = new Set<ServerResponse>();
  const http = createServer((req, res) => {
    const path = req.url ?? '';
    if (path.endsWith('/events')) {
      streams.add(res);
      res.on('close', () => streams.delete(res));
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write('event: status_change\ndata: {"status":"running"}\n\n');
      return;
    }
    res.setHeader('content-type', 'application/json');
    res.end(JSON.stringify(path.endsWith('/status') ? { status: 'running' } : { messages: [] }));
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const address = http.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    get streams() {
      return streams.size;
    },
    [Symbol.asyncDispose]: async () => {
      http.closeAllConnections();
      http.close();
      await once(http, 'close');
    },
  };
}
