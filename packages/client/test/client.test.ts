import { describe, expect, test } from 'vitest';
import {
  ApiError,
  ConnectionError,
  InvalidArgumentError,
  InvalidResponseError,
  TimeoutError,
  createClient,
} from '../src/index.ts';
import { TestProxy, json, notFound } from './test-proxy.ts';

const KEY = 'ak-secret-0123456789';

async function setUp() {
  const proxy = await TestProxy.start();
  return { proxy, client: createClient({ baseUrl: `${proxy.baseUrl}/`, apiKey: KEY }) };
}

async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.unreachable('should have failed'),
    (error: unknown) => error,
  );
}

describe('calls', () => {
  test('PX-213: start sends the request as it is and returns a handle', async () => {
    const { proxy, client } = await setUp();
    await using _ = proxy;
    const request = {
      agent: 'demo',
      environment: { A: '1' },
      tags: { repository: 'o/r' },
      message: 'Hi',
      user_id: 'u',
      agent_args: ['-x'],
    };
    const session = await client.start(request);
    expect(session.id).toMatch(/^[0-9a-f-]{36}$/);
    expect(JSON.parse(proxy.requests[0]!.body)).toEqual(request);
    expect(proxy.requests[0]!.headers).toMatchObject({
      'content-type': 'application/json',
      'x-api-key': KEY,
    });
    expect((await session.details()).session_id).toBe(session.id);
  });

  test('PX-213: search sends every condition, encoded, and reads rows with null tags and additional members', async () => {
    const { proxy, client } = await setUp();
    await using _ = proxy;
    proxy.session();
    const page = await client.search({
      status: 'active',
      state: 'running',
      user_id: 'a&b',
      tags: { 'x y': 'ü=1' },
      limit: 5,
      cursor: 'c+/=',
    });
    const query = new URL(proxy.requests[0]!.url, proxy.baseUrl).searchParams;
    expect(Object.fromEntries(query)).toEqual({
      status: 'active',
      state: 'running',
      user_id: 'a&b',
      'tag.x y': 'ü=1',
      limit: '5',
      cursor: 'c+/=',
    });
    expect(page.sessions[0]).toMatchObject({
      session_id: 's1',
      tags: {},
      port: 9000,
      state: 'running',
      agent_type: 'custom',
    });
    expect(proxy.requests[0]!.headers['content-type']).toBeUndefined();
    await client.search({ status: undefined });
    expect(proxy.requests[1]!.url).toBe('/search');
  });

  test('searchAll follows the cursor to the last page, and refuses to go round in circles', async () => {
    const { proxy, client } = await setUp();
    await using _ = proxy;
    const row = (id: string) => ({ ...proxy.session(id).details() });
    proxy.override('GET /search', (_request, response) =>
      json(response, 200, { sessions: [row('a'), row('b')], next_cursor: 'n1' }),
    );
    proxy.override('GET /search', (_request, response) => json(response, 200, { sessions: [row('c')] }));
    const ids: string[] = [];
    for await (const session of client.searchAll({ state: 'running', limit: 2 }))
      ids.push(session.session_id);
    expect(ids).toEqual(['a', 'b', 'c']);
    expect(proxy.requests[1]!.url).toBe('/search?limit=2&cursor=n1&state=running');

    proxy.override(
      'GET /search',
      (_request, response) => json(response, 200, { sessions: [], next_cursor: 'n1' }),
      2,
    );
    expect(await failure(client.searchAll().next())).toBeInstanceOf(InvalidResponseError);
  });

  test('PX-213: get, log, delete, health and version', async () => {
    const { proxy, client } = await setUp();
    await using _ = proxy;
    proxy.session().record = {
      reason: 'why',
      exit_code: null,
      exit_signal: 'SIGKILL',
      initial_message: { state: 'delivered', at: 't' },
    };
    expect(await client.get('s1')).toMatchObject({
      reason: 'why',
      exit_code: null,
      exit_signal: 'SIGKILL',
      environment_names: ['A'],
    });
    expect(await client.log('s1', { lines: 2 })).toBe('line 1\nline 2\n');
    expect(proxy.requests.at(-1)!.url).toBe('/sessions/s1/log?lines=2');
    expect(await client.delete('s1')).toMatchObject({ session_id: 's1', status: 'terminated' });
    expect(await client.health()).toEqual({ status: 'ok', sessions: 1 });
    expect((await client.version()).version).toBe('0.1.0');
  });

  test('PX-213: status and send; raw keys arrive byte for byte', async () => {
    const { proxy, client } = await setUp();
    await using _ = proxy;
    const agent = proxy.session();
    const taken: string[] = [];
    agent.onMessage = (content) => taken.push(content);
    const session = client.session('s1');
    expect(await session.status()).toMatchObject({ status: 'stable', agent_type: 'demo', transport: 'pty' });
    await session.send('Größe?\nzwei 😀');
    await session.sendRaw('\u001b[A\r');
    expect(taken).toEqual(['Größe?\nzwei 😀']);
    expect(agent.keys).toBe('\u001b[A\r');
    expect(JSON.parse(proxy.requests.at(-1)!.body)).toEqual({ content: '\u001b[A\r', type: 'raw' });
  });

  test('PX-214: messages have numbers as ids, and their time', async () => {
    const { proxy, client } = await setUp();
    await using _ = proxy;
    const agent = proxy.session();
    agent.say('agent', 'Hello');
    agent.say('user', 'Hi');
    const messages = await client.session('s1').messages();
    expect(messages.map(({ id, role, content }) => [id, role, content])).toEqual([
      [0, 'agent', 'Hello'],
      [1, 'user', 'Hi'],
    ]);
    expect(Date.parse(messages[0]!.time)).toBe(Date.UTC(2026, 0, 1, 10, 0, 0, 355));
  });

  test('upload sends one part named "file" with the given name, from every kind of data', async () => {
    const { proxy, client } = await setUp();
    await using _ = proxy;
    proxy.session();
    const session = client.session('s1');
    const bytes = new TextEncoder().encode('content');
    for (const data of ['content', bytes, bytes.buffer, new Blob(['content']), Buffer.from('content')]) {
      expect((await session.upload('näme.txt', data)).filePath).toBe('/tmp/x/name.txt');
      const { headers, body } = proxy.requests.at(-1)!;
      expect(headers['content-type']).toMatch(/^multipart\/form-data; boundary=/);
      expect(Buffer.from(body, 'latin1').toString()).toMatch(
        /name="file"; filename="näme.txt"[^]*\r\n\r\ncontent\r\n--/,
      );
    }
  });

  test('a base URL may carry a path prefix; ready-made headers and fetch are used', async () => {
    const { proxy } = await setUp();
    await using _ = proxy;
    const seen: string[] = [];
    const client = createClient({
      baseUrl: new URL(`${proxy.baseUrl}/prefix//?x=1#y`),
      headers: { Accept: 'text/plain', 'X-Team': 'a' },
      fetch: (url, init) => {
        seen.push(url);
        return fetch(url.replace('/prefix', ''), init);
      },
    });
    await client.health();
    expect(seen).toEqual([`${proxy.baseUrl}/prefix/health`]);
    expect(proxy.requests[0]!.headers).toMatchObject({
      'x-team': 'a',
      accept: 'application/json, application/problem+json',
    });
  });
});

describe('ids', () => {
  test('PX-216: an id is one encoded path segment, whatever it contains', async () => {
    const { proxy, client } = await setUp();
    await using _ = proxy;
    for (const id of ['a/b', '../x', 'a?b#c', 'ü %2F', '...']) {
      const error = await failure(client.session(id).status());
      expect(error).toMatchObject({ kind: 'not_found' });
      expect(proxy.requests.at(-1)!.url).toBe(`/${encodeURIComponent(id)}/status`);
    }
  });

  test('PX-217: an empty id, or one that would change the path, fails before any request', async () => {
    const { proxy, client } = await setUp();
    await using _ = proxy;
    for (const id of ['', '.', '..', '\ud800']) {
      expect(() => client.session(id)).toThrow(InvalidArgumentError);
      for (const call of [client.get(id), client.log(id), client.delete(id)]) {
        expect(await failure(call)).toBeInstanceOf(InvalidArgumentError);
      }
    }
    expect(await failure(client.session('s1').send(' \n'))).toBeInstanceOf(InvalidArgumentError);
    expect(await failure(client.session('s1').sendAndWait(''))).toBeInstanceOf(InvalidArgumentError);
    expect(proxy.requests).toEqual([]);
  });
});

describe('errors', () => {
  test('PX-217: deleting an unknown session is a "not found" error', async () => {
    const { proxy, client } = await setUp();
    await using _ = proxy;
    const error = await failure(client.delete('unknown'));
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({
      kind: 'not_found',
      status: 404,
      code: 'session_not_found',
      requestId: 'r-404',
      message: 'Session not found',
    });
  });

  test('PX-216: a refusal has status, code, message and request id', async () => {
    const { proxy, client } = await setUp();
    await using _ = proxy;
    proxy.override('GET /search', (_request, response) =>
      json(response, 401, { message: 'Invalid API key', code: 'invalid_api_key', request_id: 'r1' }),
    );
    expect(await failure(client.search())).toMatchObject({
      kind: 'unauthorized',
      status: 401,
      code: 'invalid_api_key',
      requestId: 'r1',
      message: 'Invalid API key',
    });
  });

  test('PX-216: a busy agent is told apart from other failures', async () => {
    const { proxy, client } = await setUp();
    await using _ = proxy;
    proxy.session().status = 'running';
    expect(await failure(client.session('s1').send('Hi'))).toMatchObject({ kind: 'agent_busy', status: 500 });
  });

  test('an answer of another kind is no success: the error names place and reason', async () => {
    const { proxy, client } = await setUp();
    await using _ = proxy;
    proxy.override('GET /search', (_request, response) =>
      json(response, 200, { sessions: [{ session_id: 1 }] }),
    );
    const error = await failure(client.search());
    expect(error).toBeInstanceOf(InvalidResponseError);
    expect(String(error)).toContain('sessions.0.session_id');
    proxy.override('GET /health', (_request, response) => response.end('<html>'));
    expect(await failure(client.health())).toBeInstanceOf(InvalidResponseError);
  });

  test('PX-216: redirects are not followed, so the key reaches no other server', async () => {
    const { proxy, client } = await setUp();
    await using _ = proxy;
    await using other = await TestProxy.start();
    proxy.override('GET /health', (_request, response) =>
      response.writeHead(307, { location: `${other.baseUrl}/health` }).end(),
    );
    expect(await failure(client.health())).toMatchObject({ kind: 'redirect', status: 307 });
    expect(other.requests).toEqual([]);
  });

  test('PX-216: the key appears in no error and in no view of the client', async () => {
    const bad = 'ak-very-secret\n';
    for (const options of [
      { apiKey: bad },
      { headers: { 'x-other': bad + bad } },
      { headers: { 'b@d': bad } },
    ]) {
      const error = await failure((async () => createClient({ baseUrl: 'http://localhost', ...options }))());
      expect(error).toBeInstanceOf(InvalidArgumentError);
      expect(String(error)).not.toContain('very-secret');
    }
    const client = createClient({ baseUrl: 'http://127.0.0.1:1', apiKey: KEY });
    const { inspect } = await import('node:util');
    const error = await failure(client.start());
    expect(error).toBeInstanceOf(ConnectionError);
    for (const view of [
      inspect(client, { depth: 9, showHidden: true }),
      JSON.stringify(client),
      inspect(error, { depth: 9 }),
    ]) {
      expect(view).not.toContain(KEY);
    }
  });

  test('a base URL that cannot be right is refused at once', () => {
    for (const baseUrl of ['', 'localhost:8080', 'ftp://x', 'http://user:pw@host', '/api']) {
      expect(() => createClient({ baseUrl })).toThrow(InvalidArgumentError);
    }
    expect(() => createClient({ baseUrl: 'http://x', timeoutMs: 0 })).toThrow(InvalidArgumentError);
  });
});

describe('time limits and repetition', () => {
  test('a call that gets no answer ends with a TimeoutError, also in the middle of a body', async () => {
    const { proxy, client } = await setUp();
    await using _ = proxy;
    proxy.override('GET /health', () => undefined);
    expect(await failure(client.health({ timeoutMs: 50 }))).toMatchObject({ kind: 'timeout', timeoutMs: 50 });
    proxy.override('GET /health', (_request, response) => response.writeHead(200).write('{"sta'));
    expect(await failure(client.health({ timeoutMs: 50 }))).toBeInstanceOf(TimeoutError);
  });

  test('the limit given to the client holds for calls that name none', async () => {
    const { proxy } = await setUp();
    await using _ = proxy;
    proxy.override('POST /start', () => undefined);
    const client = createClient({ baseUrl: proxy.baseUrl, timeoutMs: 40 });
    expect(await failure(client.start())).toMatchObject({ kind: 'timeout', timeoutMs: 40 });
  });

  test('an abort ends the call with the reason of the signal, before and during it', async () => {
    const { proxy, client } = await setUp();
    await using _ = proxy;
    const reason = new Error('no longer wanted');
    expect(await failure(client.health({ signal: AbortSignal.abort(reason) }))).toBe(reason);
    expect(proxy.requests).toEqual([]);
    const stop = new AbortController();
    proxy.override('GET /health', () => stop.abort(reason));
    expect(await failure(client.health({ signal: stop.signal }))).toBe(reason);
  });

  test('a read is repeated after a broken connection and after a 503 that names a time, at most twice', async () => {
    const { proxy, client } = await setUp();
    await using _ = proxy;
    proxy.override('GET /health', (_request, response) => response.destroy());
    proxy.override('GET /health', (_request, response) =>
      json(response, 503, { message: 'starting' }, { 'retry-after': '0' }),
    );
    expect((await client.health()).status).toBe('ok');
    expect(proxy.count('GET /health')).toBe(3);

    proxy.override('GET /version', (_request, response) => response.destroy(), 3);
    expect(await failure(client.version())).toBeInstanceOf(ConnectionError);
    expect(proxy.count('GET /version')).toBe(3);
  });

  test('a 503 without a time, or with one beyond the limit, is the answer', async () => {
    const { proxy, client } = await setUp();
    await using _ = proxy;
    proxy.override('GET /health', (_request, response) => json(response, 503, { message: 'no' }));
    expect(await failure(client.health())).toMatchObject({ kind: 'unavailable', retryAfterMs: undefined });
    proxy.override('GET /health', (_request, response) =>
      json(response, 503, { message: 'no' }, { 'retry-after': '3600' }),
    );
    expect(await failure(client.health())).toMatchObject({ kind: 'unavailable', retryAfterMs: 3_600_000 });
    expect(proxy.count('GET /health')).toBe(2);
  });

  test('start, send and delete are never repeated', async () => {
    const { proxy, client } = await setUp();
    await using _ = proxy;
    proxy.session();
    const session = client.session('s1');
    for (const [route, call] of [
      ['POST /start', () => client.start()],
      ['POST /s1/message', () => session.send('x')],
      ['DELETE /sessions/s1', () => session.delete()],
    ] as const) {
      proxy.override(route, (_request, response) => response.destroy());
      expect(await failure(call())).toBeInstanceOf(ConnectionError);
      proxy.override(route, (_request, response) =>
        json(response, 503, { message: 'no' }, { 'retry-after': '0' }),
      );
      expect(await failure(call())).toMatchObject({ kind: 'unavailable' });
      expect(proxy.count(route)).toBe(2);
    }
  });

  test('a session that ended between two calls is "not found"', async () => {
    const { proxy, client } = await setUp();
    await using _ = proxy;
    proxy.session();
    proxy.override('GET /s1/messages', (_request, response) => notFound(response));
    expect(await failure(client.session('s1').messages())).toMatchObject({ kind: 'not_found' });
  });
});
