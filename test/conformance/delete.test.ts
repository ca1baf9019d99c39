import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually, startServer } from '../support/server-process.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { rawRequest } from '../support/raw-request.ts';
import { ask, errorOf, remove, search, start, untilStable, untilState } from '../support/wire.ts';

/** Asks for input; on SIGTERM it leaves a note where `NOTES` says, and ends or not. */
function trapper(onTerm: string): { command: string; args: string[] } {
  return {
    command: 'sh',
    args: ['-c', `trap '${onTerm}' TERM; trap "" INT HUP; printf '> '; while :; do sleep 0.2; done`],
  };
}

describe('DELETE /sessions/:sessionId', () => {
  let server: ServerProcess;
  beforeAll(async () => {
    server = await startServer({
      config: {
        agents: {
          polite: trapper('echo ended by itself > "$NOTES"; exit 0'),
          stubborn: trapper('echo heard > "$NOTES"'),
        },
      },
    });
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
  });

  test('PX-124, PX-125: answers in the reference’s shape, and then the session is gone', async () => {
    const id = await start(server);
    const response = await remove(server, id);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      message: 'Session terminated successfully',
      session_id: id,
      status: 'terminated',
    });
    expect((await search(server, '?state=all')).map((row) => row.session_id)).not.toContain(id);
    expect(await errorOf(await server.request(`/${id}/status`))).toMatchObject({
      status: 404,
      message: 'Session not found',
    });
    expect(await errorOf(await remove(server, id))).toMatchObject({
      status: 404,
      message: 'Session not found',
    });
  });

  test('PX-126, PX-104: when the answer arrives no process and no folder of the session is left', async () => {
    const id = await start(server);
    await untilState(server, id, 'running');
    expect(await server.sessionProcesses(id)).not.toEqual([]);
    await remove(server, id);
    expect(await server.sessionProcesses(id)).toEqual([]);
    await expect(access(join(server.dataDir, 'sessions', id))).rejects.toThrow(/ENOENT/);
  });

  test('PX-129: children and grandchildren are gone too, in groups and sessions of their own', async () => {
    const id = await start(server);
    const answer = await ask(
      server,
      id,
      '/run setsid sh -c "sleep 301 & wait" >/dev/null 2>&1 & (sleep 302 & ) ; nohup sleep 303 >/dev/null 2>&1 & setsid env -i sleep 304 >/dev/null 2>&1 & echo started',
    );
    expect(answer).toContain('started');
    const before = await server.sessionProcesses(id);
    expect(before.length).toBeGreaterThanOrEqual(6);
    await remove(server, id);
    expect(await server.sessionProcesses(id)).toEqual([]);
  });

  test('PX-127: the agent gets SIGTERM and may end by itself', async () => {
    const notes = join(server.folder, 'polite');
    const id = await start(server, { agent: 'polite', environment: { NOTES: notes } });
    await untilStable(server, id);
    await remove(server, id);
    expect(await readFile(notes, 'utf8')).toBe('ended by itself\n');
  });

  test('PX-128: an agent that ignores SIGTERM is killed after the grace period', async () => {
    const notes = join(server.folder, 'stubborn');
    const id = await start(server, { agent: 'stubborn', environment: { NOTES: notes } });
    await untilStable(server, id);
    expect((await remove(server, id)).status).toBe(200);
    expect(await readFile(notes, 'utf8')).toBe('heard\n');
    expect(await server.sessionProcesses(id)).toEqual([]);
  });

  test('PX-131: parallel deletes of one session never fail', async () => {
    const id = await start(server);
    const answers = await Promise.all(Array.from({ length: 5 }, () => remove(server, id)));
    const statuses = answers.map(({ status }) => status);
    expect(statuses).toContain(200);
    for (const status of statuses) expect([200, 404]).toContain(status);
  });

  test('PX-130: a session can be deleted while it starts', async () => {
    const ids = await Promise.all(Array.from({ length: 5 }, () => start(server)));
    const answers = await Promise.all(ids.map((id) => remove(server, id)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    for (const id of ids) expect(await server.sessionProcesses(id)).toEqual([]);
  });

  test('PX-132: an agent that ends by itself is stopped with its exit code, and off the list', async () => {
    const id = await start(server);
    await untilStable(server, id);
    await server.request(`/${id}/message`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ type: 'raw', content: '/exit 7\r' }),
    });
    const session = await untilState(server, id, 'stopped', 'failed');
    expect(session).toMatchObject({ state: 'stopped', exit_code: 7, exit_signal: null });
    expect((await search(server)).map((row) => row.session_id)).not.toContain(id);
    expect(await server.sessionProcesses(id)).toEqual([]);
  });

  test('PX-125: an unknown id is 404', async () => {
    for (const id of ['x', '00000000-0000-4000-8000-000000000000', '..%2f..', '%2e%2e']) {
      // Sent as it is: `fetch` would take `%2e%2e` for the folder above.
      const answer = await rawRequest(server.port, { method: 'DELETE', path: `/sessions/${id}` });
      expect([id, answer.status]).toEqual([id, 404]);
    }
  });

  test('PX-157: open event streams end with the session', async () => {
    const id = await start(server);
    await untilState(server, id, 'running');
    const stream = await server.request(`/${id}/events`);
    const ended = stream.text().then(
      () => 'ended',
      () => 'ended',
    );
    await remove(server, id);
    expect(await ended).toBe('ended');
  });
});

describe('sudden ends', () => {
  test('kill -9 of an agent, or of an agent server, ends that session with a reason and touches no other', async () => {
    await using server = await startServer();
    const [first, second, bystander] = [await start(server), await start(server), await start(server)];
    await Promise.all([first, second, bystander].map((id) => untilStable(server, id)));
    const pidsOf = async (id: string): Promise<number[]> =>
      (await server.sessionProcesses(id)).map((text) => Number(text.replace('pid ', '')));

    const agentPid = Number(/\d+/.exec(await ask(server, first, '/run echo $PPID'))?.[0]);
    process.kill(agentPid, 'SIGKILL');
    const killedAgent = await untilState(server, first, 'failed', 'stopped');
    expect(killedAgent).toMatchObject({ state: 'failed', exit_signal: 'SIGKILL' });
    expect(killedAgent.reason).toMatch(/agent.*SIGKILL/i);

    const [serverPid] = await pidsOf(second);
    process.kill(serverPid!, 'SIGKILL');
    const killedServer = await untilState(server, second, 'failed', 'stopped');
    expect(killedServer).toMatchObject({ state: 'failed', exit_signal: 'SIGKILL' });
    expect(killedServer.reason).toMatch(/agent server.*SIGKILL/i);

    await eventually('their processes are gone', async () => {
      const left = [...(await pidsOf(first)), ...(await pidsOf(second))];
      return left.length === 0;
    });
    expect(await ask(server, bystander, 'still there?')).toContain('still there?');
  });

  test('PX-181: without persistence, after kill -9 of the proxy the next start ends what was left', async () => {
    const config = { persistence: { enabled: false } };
    const crashed = await startServer({ config });
    const ids = [await start(crashed), await start(crashed)];
    await Promise.all(ids.map((id) => untilStable(crashed, id)));
    crashed.kill('SIGKILL');
    await crashed.exited;
    expect((await crashed.sessionProcesses()).length).toBeGreaterThanOrEqual(4);
    {
      await using next = await startServer({ config, folder: crashed.folder });
      await eventually('nothing is left', async () => (await next.sessionProcesses()).length === 0);
      expect(await search(next, '?state=all')).toEqual([]);
      const id = await start(next);
      expect(await untilState(next, id, 'running', 'failed')).toMatchObject({ state: 'running' });
    }
    await crashed[Symbol.asyncDispose]();
  });
});
