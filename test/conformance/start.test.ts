import { access, readdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually, startServer } from '../support/server-process.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { ask, errorOf, getSession, jsonRequest, remove, search, start, untilState } from '../support/wire.ts';

describe('POST /start', () => {
  let server: ServerProcess;
  beforeAll(async () => {
    server = await startServer({
      env: { OPERATOR_SECRET: 'operator-secret-value', GITHUB_TOKEN: 'token-of-the-operator' },
      config: {
        // Servers of other tests take ports from 9000 on, and one test asks for the lowest that is free.
        start_port: 19_340,
        environment: { pass: ['GITHUB_TOKEN'] },
        agents: {
          absent: { command: 'no-such-agent-program' },
          quitter: { command: 'sh', args: ['-c', 'echo last words; exit 3'] },
        },
      },
    });
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
  });

  async function sessionCount(): Promise<number> {
    return (await search(server, '?state=all')).length;
  }

  async function expectRefused(request: RequestInit, status: number, message: RegExp): Promise<void> {
    const before = await sessionCount();
    const error = await errorOf(await server.request('/start', { method: 'POST', ...request }));
    expect(error).toMatchObject({ status, message: expect.stringMatching(message) });
    expect(await sessionCount()).toBe(before);
  }

  test('PX-076: without a body answers 200 with a UUID and nothing else', async () => {
    const response = await server.request('/start', { method: 'POST' });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      session_id: expect.stringMatching(
        /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
      ),
    });
  });

  test('PX-077: {} and unknown members are fine; the ignored ones are named in a header', async () => {
    expect((await server.request('/start', jsonRequest({}))).status).toBe(200);
    const body = {
      metadata: { description: 'x' },
      scope: 'user',
      params: { message: '', colour: 'x' },
    };
    const response = await server.request('/start', jsonRequest(body));
    expect(response.status).toBe(200);
    expect(response.headers.get('x-ignored-members')).toBe('metadata, scope, params.colour');
  });

  test('PX-078: while authentication is off the owner is the named user, else anonymous', async () => {
    const named = await start(server, { user_id: 'alice' });
    const unnamed = await start(server);
    expect(await getSession(server, named)).toMatchObject({ user_id: 'alice' });
    expect(await getSession(server, unnamed)).toMatchObject({ user_id: 'anonymous' });
  });

  test('PX-079: the session is in /search at once, active, with its tags and a port', async () => {
    const id = await start(server, { tags: { k: 'v' } });
    const found = (await search(server)).find((row) => row.session_id === id);
    expect(found).toMatchObject({
      status: 'active',
      tags: { k: 'v' },
      agent: 'demo',
      port: expect.any(Number),
    });
    expect(found?.port).toBeGreaterThanOrEqual(9000);
  });

  test('PX-080, PX-081: 20 parallel starts give 20 ids, ports and processes, all reachable', async () => {
    const ids = await Promise.all(Array.from({ length: 20 }, () => start(server)));
    const details = await Promise.all(ids.map((id) => untilState(server, id, 'running', 'failed')));
    expect(details.map(({ state }) => state)).toEqual(Array.from({ length: 20 }, () => 'running'));
    expect(new Set(ids).size).toBe(20);
    expect(new Set(details.map(({ port }) => port)).size).toBe(20);
    const statuses = await Promise.all(ids.map((id) => server.request(`/${id}/status`)));
    expect(statuses.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
    await Promise.all(ids.map((id) => remove(server, id)));
  });

  test('PX-082, PX-083, PX-084: the agent gets the request’s variables, which win, and nothing foreign', async () => {
    const id = await start(server, {
      environment: { MINE: 'ünï "quoted" $HOME', GITHUB_TOKEN: 'token-of-the-user' },
    });
    expect(await ask(server, id, '/run printenv MINE')).toContain('ünï "quoted" $HOME');
    expect(await ask(server, id, '/run printenv GITHUB_TOKEN')).toContain('token-of-the-user');
    const environment = await ask(server, id, '/run printenv | cut -d= -f1 | sort | tr "\\n" " "');
    expect(environment).not.toContain('OPERATOR_SECRET');
    expect(environment).toContain('PATH');
  });

  test('DF-44: a variable that the operator passes is there when the request has none', async () => {
    const id = await start(server);
    expect(await ask(server, id, '/run printenv GITHUB_TOKEN')).toContain('token-of-the-operator');
  });

  test.each([
    [{ environment: { '1A': 'hidden-value' } }, /environment/],
    [{ environment: { 'A B': 'hidden-value' } }, /"A B"/],
    [{ environment: { LD_PRELOAD: '/hidden-value.so' } }, /LD_PRELOAD/],
    [{ environment: { AGENTAPI_PROXY_SESSION: 'hidden-value' } }, /AGENTAPI_PROXY_SESSION/],
    [{ environment: { A: 1 } }, /environment/],
    [{ environment: 'hidden-value' }, /environment/],
    [{ tags: { a: 1 } }, /tags/],
    [{ message: 1 }, /message/],
    [{ agent: 'nobody-knows-it' }, /nobody-knows-it.*demo/],
    [{ agent_args: [1] }, /agent_args/],
    ['a string', /./],
    [[1], /./],
  ])('PX-085, DF-13: %j is 400 naming the place, and starts nothing', async (body, message) => {
    await expectRefused(jsonRequest(body), 400, message);
    expect(server.output()).not.toContain('hidden-value');
  });

  test.each(['{', '{"a":}', 'user=alice&message=x', '{} trailing', 'nul'])(
    'PX-065, PX-086: the body %j is 400 with the place, and starts nothing',
    async (body) => {
      await expectRefused(
        { body, headers: { 'content-type': 'application/json' } },
        400,
        /line 1, column \d+/,
      );
      await expectRefused({ body, headers: { 'content-type': 'text/plain' } }, 400, /line 1, column \d+/);
    },
  );

  test('PX-065: a body of 20 MB is 413, and starts nothing', async () => {
    await expectRefused(jsonRequest({ message: 'x'.repeat(20 * 1024 ** 2) }), 413, /too large/);
  });

  test.each(['not-a-repo', 'a/b/c', '../x', 'a b/c', '-x/y', 'x/y;id', 'x/`id`'])(
    'PX-098: the repository %j is 400 naming the tag, and starts nothing',
    async (repository) => {
      await expectRefused(jsonRequest({ tags: { repository } }), 400, /tags\.repository/);
    },
  );

  test('PX-099: x/$(touch f) creates no file anywhere', async () => {
    const file = join(tmpdir(), `px-099-${process.pid}`);
    await expectRefused(jsonRequest({ tags: { repository: `x/$(touch ${file})` } }), 400, /tags\.repository/);
    await expect(access(file)).rejects.toThrow(/ENOENT/);
  });

  test('PX-087: each session has a private workspace of its own', async () => {
    const [one, two] = [await start(server), await start(server)];
    const first = await ask(
      server,
      one,
      '/run echo secret > note.txt; basename $(dirname $PWD); stat -c %a .',
    );
    expect(first).toContain(one);
    expect(first).toMatch(/\b700\b/);
    expect(await ask(server, two, '/run ls -A | wc -l')).toMatch(/\b0\b/);
    await Promise.all([one, two].map((id) => remove(server, id)));
  });

  test('PX-088: a missing agent program is a failed session that says which; where it was looked up is in the log', async () => {
    const id = await start(server, { agent: 'absent' });
    const session = await untilState(server, id, 'failed');
    expect(session.reason).toBe(
      'Agent "absent" cannot be started. The program "no-such-agent-program" is not on the server\'s PATH',
    );
    await eventually('the log says where', async () =>
      server.logLines().some(({ msg, sessionId, reason }) => {
        return msg === 'agent not installed' && sessionId === id && / PATH \(\/.+\)$/.test(String(reason));
      }),
    );
    const folder = '/private-folder-of-the-request';
    const own = await start(server, { agent: 'absent', environment: { PATH: folder } });
    expect((await untilState(server, own, 'failed')).reason).toContain("is not on the request's PATH");
    expect(server.output()).not.toContain(folder);
    expect(session).toMatchObject({ status: 'failed', exit_code: null });
    // Its port is free again: the next session takes the lowest number.
    const next = await getSession(server, await start(server));
    expect(next.port).toBeLessThanOrEqual(session.port);
  });

  test('PX-089: an agent that exits at once is a failed session with its code and its last output', async () => {
    const id = await start(server, { agent: 'quitter' });
    const session = await untilState(server, id, 'failed');
    expect(session).toMatchObject({
      exit_code: 3,
      exit_signal: null,
      reason: expect.stringMatching(/exited with code 3/),
    });
    expect(session.last_output.join('\n')).toContain('last words');
    expect(session.history.map(({ state }) => state)).toContain('failed');
    const log = await server.request(`/sessions/${id}/log`);
    expect(log.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(await log.text()).toContain('last words');
    expect(await (await server.request(`/${id}/status`)).json()).toMatchObject({
      message: 'Session not found',
    });
  });

  test('PX-096: the agent server is not reachable from another address', async () => {
    const id = await start(server);
    const { port } = await untilState(server, id, 'running');
    const foreign = Object.values(networkInterfaces())
      .flat()
      .find((address) => address !== undefined && !address.internal && address.family === 'IPv4');
    for (const address of foreign === undefined ? ['[::1]'] : ['[::1]', foreign.address]) {
      await expect(fetch(`http://${address}:${port}/status`)).rejects.toThrow();
    }
    // And on loopback it answers nobody who lacks the session's token.
    for (const path of ['/status', '/messages', '/events', '/openapi.json', '/chat', '/']) {
      expect((await fetch(`http://127.0.0.1:${port}${path}`)).status).toBe(401);
    }
  });
});

describe('ports', () => {
  async function listenOn(port: number): Promise<Server> {
    const holder = createServer();
    await new Promise<void>((resolve, reject) => {
      holder.once('error', reject).listen(port, '127.0.0.1', resolve);
    });
    return holder;
  }

  test('PX-094: a port that another program holds is passed over', async () => {
    const holder = await listenOn(19_300);
    try {
      await using server = await startServer({ config: { start_port: 19_300, port_count: 3 } });
      const session = await untilState(server, await start(server), 'running', 'failed');
      expect(session).toMatchObject({ state: 'running', port: 19_301 });
    } finally {
      holder.close();
    }
  });

  test('PX-095: no port left is 503, and a freed one is taken again', async () => {
    await using server = await startServer({ config: { start_port: 19_310, port_count: 2 } });
    const [one] = [await start(server), await start(server)];
    const error = await errorOf(await server.request('/start', { method: 'POST' }));
    expect(error).toMatchObject({ status: 503, message: 'Failed to allocate port' });
    await remove(server, one ?? '');
    const session = await untilState(server, await start(server), 'running', 'failed');
    expect(session.state).toBe('running');
  });

  test(
    'PX-093: 200 sessions one after another in a range of 5 ports leave nothing behind',
    { timeout: 240_000 },
    async () => {
      await using server = await startServer({
        config: { start_port: 19_320, port_count: 5, limits: { starts_per_minute: 0 } },
      });
      const descriptors = async (): Promise<number> => (await readdir(`/proc/${server.pid}/fd`)).length;
      let settled = 0;
      for (let round = 0; round < 200; round += 1) {
        const id = await start(server);
        const session = await untilState(server, id, 'running', 'failed');
        expect(session).toMatchObject({ state: 'running' });
        expect((await remove(server, id)).status).toBe(200);
        if (round === 9) settled = await descriptors();
      }
      expect(await server.sessionProcesses()).toEqual([]);
      expect(await readdir(join(server.dataDir, 'sessions')).catch(() => [])).toEqual([]);
      // Sockets of finished requests may linger for a moment; growth with the number of sessions may not.
      await eventually(
        'the descriptors are those of the beginning',
        async () => (await descriptors()) <= settled + 5,
      );
    },
  );
});

describe('limits', () => {
  test('PX-092: sessions per user and in total, and the rate of starts, are 429 with Retry-After', async () => {
    const limits = { sessions_per_user: 1, sessions_total: 2, starts_per_minute: 3 };
    await using server = await startServer({ config: { limits } });
    const first = await start(server, { user_id: 'alice' });
    const refuse = async (userId: string): Promise<void> => {
      const response = await server.request('/start', jsonRequest({ user_id: userId }));
      expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(await errorOf(response)).toMatchObject({ status: 429 });
    };
    await refuse('alice');
    await start(server, { user_id: 'bob' });
    await refuse('carol');
    await remove(server, first);
    for (let round = 0; round < 2; round += 1)
      await remove(server, await start(server, { user_id: 'alice' }));
    await refuse('alice');
  });

  test('DF-21: too many tags, too long tags and too many variables are 400', async () => {
    const limits = { tags: 1, tag_value_chars: 5, environment_entries: 1 };
    await using server = await startServer({ config: { limits } });
    for (const body of [
      { tags: { a: '1', b: '2' } },
      { tags: { a: '123456' } },
      { environment: { A: '1', B: '2' } },
    ]) {
      expect(await errorOf(await server.request('/start', jsonRequest(body)))).toMatchObject({ status: 400 });
    }
    expect(await search(server, '?state=all')).toEqual([]);
  });
});
