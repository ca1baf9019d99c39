import { readFile, rm, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { lineAgent } from '../support/line-agent.ts';
import { eventually } from '../support/server-process.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { ServerSeries } from '../support/server-series.ts';
import {
  ask,
  errorOf,
  getSession,
  jsonRequest,
  messagesOf,
  remove,
  say,
  search,
  start,
  untilStable,
  untilState,
} from '../support/wire.ts';

// Each test starts several servers, one after another.
vi.setConfig({ testTimeout: 120_000 });

/** Tells its arguments and a variable, then waits for input. */
const TELLING = {
  command: 'sh',
  args: [
    '-c',
    `echo "args: $* value: $VALUE"; while :; do printf '> '; read -r line || exit 0; case $line in leave) exit 0;; esac; echo "got $line"; done`,
    'telling',
  ],
  resume_args: ['--go-on'],
};

/** Notes every line that it gets in the file `received`, and shows nothing of it before there is a file `go`. */
const HOLDING = {
  command: 'sh',
  args: [
    '-c',
    `while :; do printf '> '; read -r line || exit 0; printf '%s\\n' "$line" >> received; while [ ! -e go ]; do sleep 0.1; done; echo "got $line"; done`,
    'holding',
  ],
};

async function resume(
  server: ServerProcess,
  id: string,
  headers: Record<string, string> = {},
): Promise<Response> {
  return server.request(`/sessions/${id}/resume`, { method: 'POST', headers });
}

async function textOf(server: ServerProcess, id: string): Promise<string> {
  return (await messagesOf(server, id)).map(({ content }) => content).join('\n');
}

describe('POST /sessions/:id/resume', () => {
  let servers: ServerSeries;
  let server: ServerProcess;
  beforeAll(async () => {
    servers = await ServerSeries.start({
      config: { agents: { telling: TELLING, line: lineAgent() }, limits: { sessions_per_user: 10 } },
    });
    server = servers.server;
  });
  afterAll(async () => servers[Symbol.asyncDispose]());

  async function ended(body: Record<string, unknown>, lastWord = 'leave'): Promise<string> {
    const id = await start(server, body);
    await untilStable(server, id);
    await say(server, id, lastWord).catch(() => undefined);
    await untilState(server, id, 'stopped');
    return id;
  }

  test('starts a stopped session again: same id, owner, tags and start time, its workspace and its conversation', async () => {
    const id = await start(server, { user_id: 'alice', tags: { a: 'b' } });
    await ask(server, id, 'remember me');
    await ask(server, id, '/run echo content > file.txt');
    const before = await getSession(server, id);
    const conversation = await messagesOf(server, id);
    await say(server, id, '/exit 0').catch(() => undefined);
    await untilState(server, id, 'stopped');
    expect((await server.request(`/${id}/messages`)).status).toBe(404);

    const response = await resume(server, id);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ session_id: id });
    expect(await search(server, '?user_id=alice')).toMatchObject([{ session_id: id, status: 'active' }]);
    await untilStable(server, id);
    const after = await getSession(server, id);
    expect(after).toMatchObject({
      user_id: 'alice',
      tags: { a: 'b' },
      started_at: before.started_at,
      exit_code: null,
    });
    expect(after.history.map(({ state }) => state)).toEqual([
      ...['creating', 'starting', 'running', 'stopping', 'stopped'],
      ...['creating', 'starting', 'running'],
    ]);
    const restored = await messagesOf(server, id);
    expect(restored.slice(0, conversation.length - 1)).toEqual(conversation.slice(0, -1));
    expect(await ask(server, id, '/run cat file.txt')).toContain('content');
  });

  test('the agent gets its own option to continue, once there is something to continue, and its variables', async () => {
    const environment = { VALUE: 'of the first start' };
    const silent = await start(server, { agent: 'telling', environment, agent_args: ['-x'] });
    await untilStable(server, silent);
    for (const pid of await servers.pidsOf(silent)) process.kill(pid, 'SIGKILL');
    await untilState(server, silent, 'failed');
    expect((await resume(server, silent)).status).toBe(200);
    await untilStable(server, silent);
    expect(await textOf(server, silent)).toContain('args: -x value: of the first start');

    const used = await start(server, { agent: 'telling', environment });
    await ask(server, used, 'hello');
    await say(server, used, 'leave').catch(() => undefined);
    await untilState(server, used, 'stopped');
    expect((await resume(server, used)).status).toBe(200);
    await eventually('the agent has the option', async () => {
      const pids = await servers.pidsOf(used);
      const lines = await Promise.all(
        pids.map(async (pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
      );
      return lines.some((line) => line.includes('--go-on'));
    });
    expect(await readFile(servers.sessionPath(used, 'conversation.json'), 'utf8')).toContain('got hello');
  });

  test('a session that has not ended is 409, an unknown one 404', async () => {
    const id = await start(server);
    await untilState(server, id, 'running');
    expect(await errorOf(await resume(server, id))).toMatchObject({ status: 409, code: 'session_not_ended' });
    expect((await remove(server, id)).status).toBe(200);
    for (const gone of [id, 'x', '00000000-0000-4000-8000-000000000000']) {
      expect(await errorOf(await resume(server, gone))).toMatchObject({ status: 404 });
    }
  });

  test('of several resumes at the same time one starts the session', async () => {
    const id = await ended({ agent: 'telling' });
    const answers = await Promise.all(Array.from({ length: 5 }, async () => resume(server, id)));
    expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([200, 409, 409, 409, 409]);
    await untilStable(server, id);
    // The agent server and its agent, once.
    expect(await servers.pidsOf(id)).toHaveLength(2);
  });

  test('a session without its workspace cannot be resumed', async () => {
    const id = await ended({ agent: 'telling' });
    await rm(servers.sessionPath(id, 'workspace'), { recursive: true });
    const refused = await errorOf(await resume(server, id));
    expect(refused).toMatchObject({ status: 409, code: 'session_not_resumable' });
    expect(refused.message).toContain('workspace');
    expect((await remove(server, id)).status).toBe(200);
  });

  test('PX-092: the limits apply', async () => {
    const user = { user_id: 'busy', agent: 'telling' };
    const id = await ended(user);
    const others = await Promise.all(Array.from({ length: 10 }, async () => start(server, user)));
    expect((await resume(server, id)).status).toBe(429);
    expect(await getSession(server, id)).toMatchObject({ state: 'stopped' });
    await remove(server, others[0]!);
    expect((await resume(server, id)).status).toBe(200);
    await Promise.all([id, ...others.slice(1)].map(async (one) => remove(server, one)));
  });

  test('works after restarts of the server, and after a crash of everything', async () => {
    const id = await start(server, { agent: 'line' });
    await ask(server, id, 'one');
    await eventually('the conversation is on disk', async () =>
      (await readFile(servers.sessionPath(id, 'conversation.json'), 'utf8').catch(() => '')).includes(
        'got one',
      ),
    );
    await servers.crash();
    await servers.killSession(id);
    await writeFile(servers.sessionPath(id, 'workspace', 'more.txt'), 'more');
    server = await servers.next();
    expect(await getSession(server, id)).toMatchObject({ state: 'stopped' });
    expect((await resume(server, id)).status).toBe(200);
    await untilStable(server, id);
    expect(await textOf(server, id)).toContain('got one');
    expect(await ask(server, id, 'two')).toContain('got two');
    server = await servers.crashAndRestart();
    expect(await ask(server, id, 'three')).toContain('got three');
  });
});

describe('a first message that was being sent when the server was stopped', () => {
  test('has failed for a session that ended with the server, and what is queued after a resume is delivered', async () => {
    await using servers = await ServerSeries.start({
      config: { on_shutdown: 'terminate', agents: { holding: HOLDING, line: lineAgent() } },
    });
    const ids = [
      await start(servers.server, { agent: 'holding', message: 'maybe' }),
      await start(servers.server, { agent: 'line', message: 'maybe' }),
    ];
    const stateOf = async (id: string): Promise<string | undefined> =>
      (await getSession(servers.server, id)).initial_message?.state;
    const received = async (id: string): Promise<string> =>
      readFile(servers.sessionPath(id, 'workspace', 'received'), 'utf8').catch(() => '');
    await eventually('the agent has got the message', async () => (await received(ids[0]!)) !== '');
    expect(await stateOf(ids[0]!)).toBe('pending');
    await eventually('it is delivered', async () => (await stateOf(ids[1]!)) === 'delivered');
    await servers.stop();
    // As an earlier version has left it.
    servers.withDatabase((database) =>
      database.prepare(`update sessions set message_state = 'sending' where id = ?`).run(ids[1]),
    );
    const server = await servers.next();
    expect(await stateOf(ids[0]!)).toBe('failed');
    const goOn = async (id: string): Promise<void> => {
      await writeFile(servers.sessionPath(id, 'workspace', 'go'), '');
      expect((await resume(server, id)).status).toBe(200);
      const { conversation } = server.client.session(id);
      const queued = await conversation.queue('and now');
      await eventually(
        'the queued message is delivered',
        async () => (await conversation.queuedMessage(queued.id)).state === 'delivered',
      );
      expect(await getSession(server, id)).toMatchObject({
        initial_message: {
          state: 'failed',
          reason: 'The session ended while the message was being sent; whether it arrived is not known',
        },
      });
      expect(await received(id)).toBe('maybe\nand now\n');
    };
    await Promise.all(ids.map(goOn));
  });
});

describe('who may resume', () => {
  test('PX-047, PX-052: it takes session:create and the session', async () => {
    const keys = [
      {
        key: 'key-of-alice',
        user_id: 'alice',
        permissions: ['session:create', 'session:access', 'session:list'],
      },
      { key: 'key-of-bob', user_id: 'bob', permissions: ['session:create', 'session:access'] },
      { key: 'key-to-look', user_id: 'alice', permissions: ['session:access', 'session:list'] },
      { key: 'key-of-admin', user_id: 'root', role: 'admin', permissions: ['*'] },
    ];
    await using servers = await ServerSeries.start({
      config: { auth: { enabled: true, api_keys: keys }, on_shutdown: 'terminate' },
    });
    const as = (name: string): Record<string, string> => ({ 'x-api-key': `key-${name}` });
    const id = await start(servers.server, {}, as('of-alice'));
    await servers.stop();
    const server = await servers.next();
    expect((await search(server, '?state=all', as('of-alice'))).map(({ state }) => state)).toEqual([
      'stopped',
    ]);
    expect((await server.request(`/search?state=all`, { headers: as('of-bob') })).status).toBe(403);
    expect(await errorOf(await resume(server, id))).toMatchObject({ status: 401 });
    expect(await errorOf(await resume(server, id, as('to-look')))).toMatchObject({ status: 403 });
    expect(await errorOf(await resume(server, id, as('of-bob')))).toMatchObject({
      status: 403,
      message: 'You can only access your own sessions',
    });
    expect((await resume(server, id, as('of-admin'))).status).toBe(200);
    const row = (await search(server, '', as('of-alice')))[0];
    expect(row).toMatchObject({ session_id: id, user_id: 'alice' });
  });
});

describe('the workspace of a session that has ended', () => {
  test('workspace_retention: delete – goes with the session; its record and its log stay', async () => {
    await using servers = await ServerSeries.start({
      config: { workspace_retention: 'delete', agents: { telling: TELLING }, default_agent: 'telling' },
    });
    const { server } = servers;
    const id = await start(server);
    await untilStable(server, id);
    await writeFile(servers.sessionPath(id, 'workspace', 'file.txt'), 'x');
    await say(server, id, 'leave').catch(() => undefined);
    await untilState(server, id, 'stopped');
    await eventually('the workspace is gone', async () =>
      readFile(servers.sessionPath(id, 'workspace', 'file.txt')).then(
        () => false,
        () => true,
      ),
    );
    expect((await server.request(`/sessions/${id}/log`)).status).toBe(200);
    expect(await errorOf(await resume(server, id))).toMatchObject({ status: 409 });
    expect((await server.request(`/start`, jsonRequest({}))).status).toBe(200);
  });
});
