import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createClient } from '@agentapi-proxy/client';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { HAS_POSTGRES, PostgresServer } from '../../tools/src/postgres-server.ts';
import { lineAgent } from '../support/line-agent.ts';
import { COMMAND, eventually, lastingPort } from '../support/server-process.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { ServerSeries } from '../support/server-series.ts';
import {
  ask,
  errorOf,
  getSession,
  messagesOf,
  remove,
  search,
  start,
  untilStable,
  untilState,
} from '../support/wire.ts';
import type { Row } from '../support/wire.ts';

// Each test starts several servers, one after another.
vi.setConfig({ testTimeout: 120_000 });

const AGENTS = {
  line: lineAgent(),
  slow: lineAgent({ reactionSeconds: 1 }),
  waiting: lineAgent({ waits: true }),
};

async function userMessages(server: ServerProcess, id: string): Promise<string[]> {
  return (await messagesOf(server, id)).filter(({ role }) => role === 'user').map(({ content }) => content);
}

async function untilDelivered(server: ServerProcess, id: string): Promise<void> {
  await eventually('the first message is delivered', async () => {
    return (await getSession(server, id)).initial_message?.state === 'delivered';
  });
}

describe.each([
  ['SQLite', false],
  ['PostgreSQL [needs postgresql]', true],
])('after kill -9 of the server, store in %s', (_name, onPostgres) => {
  let postgres: PostgresServer | null = null;
  const skip = onPostgres && !HAS_POSTGRES;

  beforeAll(async () => {
    if (onPostgres && !skip) postgres = await PostgresServer.start();
  }, 120_000);
  afterAll(async () => postgres?.[Symbol.asyncDispose]());

  async function series(config: Record<string, unknown> = {}): Promise<ServerSeries> {
    const store = postgres === null ? {} : { store: { url: await postgres.createDatabase() } };
    return ServerSeries.start({ config: { agents: AGENTS, ...store, ...config } });
  }

  test.skipIf(skip)(
    'PX-174, PX-175: living sessions are there with the same id, owner, tags, port and start time, and answer',
    async () => {
      await using servers = await series();
      const before = servers.server;
      const ids = await Promise.all(
        ['alice', 'bob', 'bob'].map(async (user_id) => start(before, { user_id, tags: { of: user_id } })),
      );
      await Promise.all(ids.map(async (id) => untilStable(before, id)));
      expect(await ask(before, ids[0]!, 'remember this')).toContain('remember this');
      const known = await search(before);
      const after = await servers.crashAndRestart();
      // Nothing is waited for: a server that says that it is ready has them.
      const found = await search(after);
      const withoutUse = (rows: readonly Row[]): Row[] => rows.map((row) => ({ ...row, updated_at: '' }));
      expect(withoutUse(found)).toEqual(withoutUse(known));
      expect(found.every(({ status, state }) => status === 'active' && state === 'running')).toBe(true);
      expect(
        (await search(after, '?status=active&tag.of=bob&user_id=bob')).map(({ session_id: id }) => id),
      ).toHaveLength(2);
      expect(await userMessages(after, ids[0]!)).toEqual(['remember this']);
      expect(await ask(after, ids[1]!, 'still there?')).toContain('still there?');
    },
  );

  test.skipIf(skip)(
    'PX-176: sessions whose processes are gone too are shown as ended, with the reason',
    async () => {
      await using servers = await series();
      const id = await start(servers.server, { user_id: 'alice', tags: { a: 'b' } });
      await untilState(servers.server, id, 'running');
      await servers.crash();
      await servers.killSession(id);
      const after = await servers.next();
      expect(await search(after)).toEqual([]);
      expect(await search(after, '?state=stopped')).toMatchObject([{ session_id: id, status: 'stopped' }]);
      const session = await getSession(after, id);
      expect(session).toMatchObject({ state: 'stopped', user_id: 'alice', tags: { a: 'b' } });
      expect(session.reason).toBe('The agent server was not running any more');
      expect(await errorOf(await after.request(`/${id}/status`))).toMatchObject({ status: 404 });
    },
  );

  test.skipIf(skip)(
    'PX-178: such sessions can be deleted; their processes end and their folder goes',
    async () => {
      await using servers = await series();
      const id = await start(servers.server);
      await untilStable(servers.server, id);
      const after = await servers.crashAndRestart();
      expect((await servers.pidsOf(id)).length).toBeGreaterThan(1);
      expect((await remove(after, id)).status).toBe(200);
      expect(await servers.pidsOf(id)).toEqual([]);
      expect(await search(after, '?state=all')).toEqual([]);
      await expect(readFile(servers.sessionPath(id, 'session.log'))).rejects.toThrow('ENOENT');
      const again = await servers.crashAndRestart();
      expect(await errorOf(await again.request(`/sessions/${id}`))).toMatchObject({ status: 404 });
    },
  );

  test.skipIf(skip)('PX-109: a first message that was not sent yet is delivered once', async () => {
    await using servers = await series();
    const id = await start(servers.server, { agent: 'waiting', message: 'hello\r\nworld\t!' });
    await untilState(servers.server, id, 'running');
    const after = await servers.crashAndRestart();
    expect((await getSession(after, id)).initial_message).toEqual({ state: 'pending' });
    await writeFile(servers.sessionPath(id, 'workspace', 'ready'), '');
    await untilDelivered(after, id);
    const again = await servers.crashAndRestart();
    expect((await getSession(again, id)).initial_message?.state).toBe('delivered');
    expect(await userMessages(again, id)).toHaveLength(1);
  });

  test.skipIf(skip)('PX-109: a first message that was being sent is looked for, not sent again', async () => {
    await using servers = await series();
    const id = await start(servers.server, { agent: 'slow', message: 'only once' });
    const received = async (): Promise<string> =>
      readFile(servers.sessionPath(id, 'workspace', 'received'), 'utf8').catch(() => '');
    // The agent has it, but has not reacted: the server does not know yet that it has arrived.
    await eventually('the agent has got the message', async () => (await received()) !== '');
    const after = await servers.crashAndRestart();
    await untilDelivered(after, id);
    expect(await userMessages(after, id)).toEqual(['only once']);
    expect(await received()).toBe('only once\n');
    const answers = (await messagesOf(after, id)).map(({ content }) => content).join('\n');
    expect(answers.match(/got only once/g)).toHaveLength(1);
  });
});

describe('what is taken up, and what is not', () => {
  test('PX-177: a port that another program has taken gets nothing', async () => {
    // Between the end of the session and the stranger no other test may take the port.
    await using servers = await ServerSeries.start({ config: { start_port: 19_430, port_count: 3 } });
    const id = await start(servers.server);
    const { port } = await untilState(servers.server, id, 'running');
    await servers.crash();
    await servers.killSession(id);
    const asked: string[] = [];
    const stranger = createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      response.end('{"status":"stable"}');
    });
    stranger.listen(port, '127.0.0.1');
    await once(stranger, 'listening');
    try {
      const after = await servers.next();
      expect(await untilState(after, id, 'stopped')).toMatchObject({ state: 'stopped' });
      expect((await after.request(`/${id}/status`)).status).toBe(404);
      // And no other session is put there.
      const other = await start(after);
      expect((await untilState(after, other, 'running')).port).not.toBe(port);
      expect(asked).toEqual([]);
    } finally {
      stranger.close();
    }
  });

  test('PX-177, DF-27: a pid that is another program now is left alone', async () => {
    await using servers = await ServerSeries.start();
    const id = await start(servers.server);
    await untilState(servers.server, id, 'running');
    await servers.crash();
    await servers.killSession(id);
    const stranger = spawn('sleep', ['60']);
    try {
      servers.withDatabase((database) => database.prepare('update sessions set pid = ?').run(stranger.pid));
      const after = await servers.next();
      expect(await getSession(after, id)).toMatchObject({ state: 'stopped' });
      expect((await remove(after, id)).status).toBe(200);
      expect(stranger.exitCode).toBeNull();
    } finally {
      stranger.kill('SIGKILL');
    }
  });

  test('DF-22: an agent server that does not take the token of the session is not used, and is ended', async () => {
    await using servers = await ServerSeries.start();
    const ids = [await start(servers.server), await start(servers.server)];
    await Promise.all(ids.map(async (id) => untilState(servers.server, id, 'running')));
    await servers.crash();
    // As if each record named the process of the other session.
    servers.withDatabase((database) => {
      const columns = 'pid, start_time, boot_id, port';
      const rows = ids.map((id) => database.prepare(`select ${columns} from sessions where id = ?`).get(id));
      const update = database.prepare(
        'update sessions set pid = @pid, start_time = @start_time, boot_id = @boot_id, port = @port where id = @id',
      );
      ids.forEach((id, index) => update.run({ ...Object(rows[1 - index]), id }));
    });
    const after = await servers.next();
    expect(await search(after)).toEqual([]);
    for (const id of ids) {
      const session = await getSession(after, id);
      expect(session.state).toBe('stopped');
      expect(session.reason).toMatch(/was not that of the session/);
      await eventually('its processes are ended', async () => (await servers.pidsOf(id)).length === 0);
    }
  }, 60_000);

  test('PX-180: new sessions get other ports than those that go on, and the limits count them', async () => {
    await using servers = await ServerSeries.start({
      config: { start_port: 19_420, port_count: 3, limits: { sessions_total: 3 } },
    });
    const first = [await start(servers.server), await start(servers.server)];
    const taken = await Promise.all(
      first.map(async (id) => (await untilState(servers.server, id, 'running')).port),
    );
    const after = await servers.crashAndRestart();
    const third = await start(after);
    const { port } = await untilState(after, third, 'running');
    expect(taken).not.toContain(port);
    expect((await after.request('/start', { method: 'POST' })).status).toBe(429);
    await remove(after, first[0]!);
    const fourth = await start(after);
    expect((await untilState(after, fourth, 'running')).port).toBe(taken[0]);
  });

  test('an agent that ended while there was no server has told how', async () => {
    const script = `printf '> '; while [ ! -s leave ]; do sleep 0.1; done; echo "leaving now"; exit "$(cat leave)"`;
    await using servers = await ServerSeries.start({
      config: { default_agent: 'leaving', agents: { leaving: { command: 'sh', args: ['-c', script] } } },
    });
    const ids = [await start(servers.server), await start(servers.server)];
    await Promise.all(ids.map(async (id) => untilStable(servers.server, id)));
    await servers.crash();
    for (const [index, id] of ids.entries()) {
      await writeFile(servers.sessionPath(id, 'workspace', 'leave'), String(index * 7));
      await eventually('it has ended', async () => (await servers.pidsOf(id)).length === 0);
    }
    const after = await servers.next();
    for (const [index, id] of ids.entries()) {
      const session = await getSession(after, id);
      expect(session).toMatchObject({ state: 'stopped', exit_code: index * 7 });
      expect(session.reason).toBe(`The agent exited with code ${index * 7}`);
      expect(session.last_output.join('\n')).toContain('leaving now');
    }
  });

  test('the end of an agent that was taken up is noticed, with its code and last output', async () => {
    await using servers = await ServerSeries.start();
    const ids = [await start(servers.server), await start(servers.server)];
    await Promise.all(ids.map(async (id) => untilStable(servers.server, id)));
    const after = await servers.crashAndRestart();
    await after.request(`/${ids[0]}/message`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ type: 'user', content: '/exit 7' }),
    });
    const ended = await untilState(after, ids[0]!, 'stopped', 'failed');
    expect(ended).toMatchObject({ state: 'stopped', exit_code: 7, reason: 'The agent exited with code 7' });
    expect(ended.last_output.join('\n')).toContain('demo agent');
    process.kill((await servers.pidsOf(ids[1]!))[0]!, 'SIGKILL');
    expect(await untilState(after, ids[1]!, 'failed')).toMatchObject({
      reason: 'The agent server ended unexpectedly',
    });
    await eventually('nothing of it is left', async () => (await servers.pidsOf(ids[1]!)).length === 0);
  });

  test('PX-181: processes and empty folders of sessions that nobody knows are cleared away, files are not', async () => {
    await using servers = await ServerSeries.start();
    const [lost, work, kept] = [
      await start(servers.server),
      await start(servers.server),
      await start(servers.server),
    ];
    await Promise.all([lost, work, kept].map(async (id) => untilState(servers.server, id, 'running')));
    await servers.crash();
    await writeFile(servers.sessionPath(work, 'workspace', 'thesis.txt'), 'years of work');
    servers.withDatabase((database) => {
      database.pragma('foreign_keys = on');
      database.prepare('delete from sessions where id in (?, ?)').run(lost, work);
    });
    const after = await servers.next();
    expect((await search(after, '?state=all')).map(({ session_id: id }) => id)).toEqual([kept]);
    await eventually('the unknown processes are gone', async () => {
      const left = [...(await servers.pidsOf(lost)), ...(await servers.pidsOf(work))];
      return left.length === 0;
    });
    await eventually('the empty folder is gone', async () =>
      readFile(servers.sessionPath(lost, 'session.log')).then(
        () => false,
        () => true,
      ),
    );
    expect(await readFile(servers.sessionPath(work, 'workspace', 'thesis.txt'), 'utf8')).toBe(
      'years of work',
    );
    expect(await ask(after, kept, 'unharmed?')).toContain('unharmed?');
  });

  test('a start that the crash interrupted is made again; what ran of it is ended, its message arrives', async () => {
    await using servers = await ServerSeries.start({ config: { agents: AGENTS } });
    const program = join(servers.folder, 'never-listens');
    await writeFile(program, '#!/bin/sh\nexec sleep 600\n', { mode: 0o755 });
    await servers.stop();
    const external = { agent_server: 'external', agentapi_path: program, agents: AGENTS };
    const starting = await servers.next({ config: external });
    const id = await start(starting, { agent: 'line', message: 'later, then' });
    await untilState(starting, id, 'starting');
    await eventually('the program runs', async () => (await servers.pidsOf(id)).length > 0);
    const [stuck] = await servers.pidsOf(id);
    const after = await servers.crashAndRestart({ config: { agents: AGENTS } });
    await untilDelivered(after, id);
    expect(await servers.pidsOf(id)).not.toContain(stuck);
    expect(await readFile(servers.sessionPath(id, 'workspace', 'received'), 'utf8')).toBe('later, then\n');
    expect((await getSession(after, id)).history.map(({ state }) => state)).toEqual([
      'creating',
      'starting',
      'failed',
      'creating',
      'starting',
      'running',
    ]);
  });

  test('a start that is interrupted again and again is given up, and can be resumed', async () => {
    await using servers = await ServerSeries.start({ config: { agents: AGENTS } });
    const program = join(servers.folder, 'never-listens');
    await writeFile(program, '#!/bin/sh\nexec sleep 600\n', { mode: 0o755 });
    await servers.stop();
    const external = { agent_server: 'external', agentapi_path: program, agents: AGENTS };
    let server = await servers.next({ config: external });
    const id = await start(server, { agent: 'line', message: 'later, then' });
    for (let crash = 1; crash <= 3; crash += 1) {
      await untilState(server, id, 'starting');
      await eventually('the program runs', async () => (await servers.pidsOf(id)).length > 0);
      server = await servers.crashAndRestart({ config: crash === 3 ? { agents: AGENTS } : external });
    }
    await eventually('the program is ended', async () => (await servers.pidsOf(id)).length === 0);
    expect(await getSession(server, id)).toMatchObject({
      state: 'failed',
      reason: 'The server ended while the session was starting',
      initial_message: { state: 'pending' },
    });
    expect((await server.request(`/sessions/${id}/resume`, { method: 'POST' })).status).toBe(200);
    await untilDelivered(server, id);
    expect(await readFile(servers.sessionPath(id, 'workspace', 'received'), 'utf8')).toBe('later, then\n');
  });

  test('a message that was being sent when everything ended is not sent again', async () => {
    await using servers = await ServerSeries.start({ config: { agents: AGENTS } });
    const id = await start(servers.server, { agent: 'slow', message: 'maybe' });
    await eventually('the agent has got the message', async () =>
      readFile(servers.sessionPath(id, 'workspace', 'received'), 'utf8').catch(() => false),
    );
    await servers.crash();
    await servers.killSession(id);
    const after = await servers.next();
    const { initial_message: message } = await getSession(after, id);
    expect(message).toMatchObject({
      state: 'failed',
      reason: expect.stringMatching(/whether it arrived is not known/),
    });
  });

  test('PX-126: a session whose agent has outlived server and agent server is deleted when the agent has ended', async () => {
    const deaf = {
      command: 'sh',
      args: ['-c', 'trap "" TERM INT HUP; echo > deaf; while :; do sleep 0.2; done'],
    };
    await using servers = await ServerSeries.start({
      config: { agents: { deaf }, stop_grace_seconds: 2 },
    });
    const id = await start(servers.server, { agent: 'deaf' });
    await untilState(servers.server, id, 'running');
    await eventually('the agent hears nothing', async () =>
      readFile(servers.sessionPath(id, 'workspace', 'deaf'), 'utf8').catch(() => false),
    );
    const [agentServer] = await servers.pidsOf(id);
    await servers.crash();
    process.kill(agentServer!, 'SIGKILL');
    await eventually(
      'the agent server is gone',
      async () => !(await servers.pidsOf(id)).includes(agentServer!),
    );
    expect(await servers.pidsOf(id)).not.toEqual([]);
    const after = await servers.next();
    const answer = await remove(after, id);
    expect(await servers.pidsOf(id)).toEqual([]);
    expect(await answer.json()).toMatchObject({ status: 'terminated' });
  });

  test('an agent server of the command line of agentapi is taken up by its process and port', async () => {
    await using servers = await ServerSeries.start();
    const program = join(servers.folder, 'drop-in');
    await writeFile(program, `#!/bin/sh\nexec '${COMMAND}' agent "$@"\n`, { mode: 0o755 });
    await servers.stop();
    const config = {
      agent_server: 'external',
      agentapi_path: program,
      default_agent: 'line',
      agents: AGENTS,
    };
    const before = await servers.next({ config });
    const ids = [await start(before), await start(before)];
    await Promise.all(ids.map(async (id) => untilStable(before, id)));
    const after = await servers.crashAndRestart();
    expect(await search(after)).toHaveLength(2);
    expect(await ask(after, ids[0]!, 'still there?')).toContain('got still there?');
    for (const pid of await servers.pidsOf(ids[1]!)) process.kill(pid, 'SIGKILL');
    expect(await untilState(after, ids[1]!, 'failed')).toMatchObject({ state: 'failed' });
    expect((await remove(after, ids[0]!)).status).toBe(200);
    expect(await servers.pidsOf(ids[0]!)).toEqual([]);
  });
});

describe('an orderly stop', () => {
  test('PX-179, DF-29: keep – sessions run on, and the next start goes on with them', async () => {
    await using servers = await ServerSeries.start();
    const id = await start(servers.server);
    await untilStable(servers.server, id);
    await ask(servers.server, id, 'before the stop');
    const streamEnd = servers.server
      .request(`/${id}/events`)
      .then(async (stream) => stream.text().catch(() => ''));
    const before = await servers.pidsOf(id);
    const stopped = servers.server;
    expect(await servers.stop()).toEqual({ code: 0, signal: null });
    await streamEnd;
    await eventually('the server says that a session goes on', () =>
      stopped.output().includes('1 session goes on; the next start takes it up'),
    );
    expect(await servers.pidsOf(id)).toEqual(before);
    const after = await servers.next();
    expect(await servers.pidsOf(id)).toEqual(before);
    expect(await getSession(after, id)).toMatchObject({ state: 'running' });
    expect(await userMessages(after, id)).toEqual(['before the stop']);
    expect(await ask(after, id, 'after it')).toContain('after it');
  });

  test('PX-179, PX-184: terminate – nothing runs on; records, workspaces and waiting messages stay', async () => {
    await using servers = await ServerSeries.start({ config: { on_shutdown: 'terminate', agents: AGENTS } });
    const ids = [
      await start(servers.server),
      await start(servers.server, { agent: 'waiting', message: 'later' }),
    ];
    await Promise.all(ids.map(async (id) => untilState(servers.server, id, 'running')));
    await writeFile(servers.sessionPath(ids[0]!, 'workspace', 'work.txt'), 'work');
    expect(await servers.stop()).toEqual({ code: 0, signal: null });
    expect(await servers.server.sessionProcesses()).toEqual([]);
    const after = await servers.next();
    expect(await search(after)).toEqual([]);
    for (const id of ids) {
      const session = await getSession(after, id);
      expect(session).toMatchObject({ state: 'stopped', reason: 'The server was stopped (SIGTERM)' });
    }
    expect((await getSession(after, ids[1]!)).initial_message).toEqual({ state: 'pending' });
    expect(await readFile(servers.sessionPath(ids[0]!, 'workspace', 'work.txt'), 'utf8')).toBe('work');
  });

  test('keep – a start under way is finished first', async () => {
    await using servers = await ServerSeries.start();
    const ids = await Promise.all(Array.from({ length: 3 }, async () => start(servers.server)));
    expect(await servers.stop()).toEqual({ code: 0, signal: null });
    const after = await servers.next();
    expect((await search(after)).map(({ session_id: id }) => id).sort()).toEqual([...ids].sort());
    await Promise.all(ids.map(async (id) => untilStable(after, id)));
  });
});

describe('while the server starts', () => {
  test(
    'only the question whether it lives is answered; an unreachable store is fatal',
    { timeout: 60_000 },
    async () => {
      // Takes connections and says nothing, so that opening the store takes its time.
      const silent = createTcpServer().listen(0, '127.0.0.1');
      await once(silent, 'listening');
      const address = silent.address();
      const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
      await using servers = await ServerSeries.start();
      await servers.stop();
      const config = {
        port: 0,
        data_dir: servers.server.dataDir,
        store: { url: `postgres://u:hidden-pw@127.0.0.1:${port}/db` },
      };
      const folder = join(servers.folder, 'second');
      await mkdir(folder);
      // A port that is known beforehand: the server names it only when it is ready.
      const ownPort = await lastingPort();
      await writeFile(join(folder, 'config.json'), JSON.stringify({ ...config, port: ownPort }));
      const child = spawn(COMMAND, ['server', '--config', join(folder, 'config.json')], {
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const exited = once(child, 'exit');
      let output = '';
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
      try {
        const url = `http://127.0.0.1:${ownPort}`;
        await eventually(
          'the port answers',
          async () => (await fetch(`${url}/livez`).catch(() => null))?.status === 200,
        );
        const readiness = await fetch(`${url}/readyz`);
        expect([readiness.status, await readiness.json()]).toEqual([503, { status: 'starting' }]);
        await expect(createClient({ baseUrl: url }).ready()).rejects.toMatchObject({
          kind: 'unavailable',
          body: { status: 'starting' },
        });
        for (const path of ['/search', '/sessions/x', '/00000000-0000-4000-8000-000000000000/status']) {
          const refused = await fetch(`${url}${path}`);
          expect(refused.headers.get('retry-after')).toBe('1');
          expect(await errorOf(refused)).toMatchObject({ status: 503, code: 'server_starting' });
        }
        const [code] = await exited;
        expect(code).toBe(1);
        expect(output).toContain('agentapi-proxy: ');
        expect(output).not.toContain('hidden-pw');
      } finally {
        child.kill('SIGKILL');
        silent.close();
      }
    },
  );
});
