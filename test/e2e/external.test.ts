import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findPart } from '../../tools/src/outside-parts.ts';
import { ROOT } from '../support/documents.ts';
import { eventually, runCommand, startServer } from '../support/server-process.ts';
import type { ServerProcess } from '../support/server-process.ts';
import {
  ask,
  getSession,
  messagesOf,
  remove,
  say,
  search,
  start,
  untilStable,
  untilState,
} from '../support/wire.ts';

/** A simple agent without a screen of its own, so that every agent server reads it alike. */
const LINE_AGENT = {
  command: 'sh',
  args: [
    '-c',
    `while :; do printf '> '; read -r line || exit 0; case $line in leave*) exit "\${line#leave }";; esac; echo "got $line"; done`,
  ],
};

const real = findPart('agentapi');

describe.concurrent.each([
  ['our own agent server by the command line of agentapi', 'drop-in', 22_000, false],
  ['the real agentapi [needs agentapi]', real ?? '', 23_000, real === null],
])('agent_server: external, %s', (_name, program, startPort, skip) => {
  let folder: string;
  let server: ServerProcess;
  let occupied: Server | null = null;

  beforeAll(async () => {
    if (skip) return;
    folder = await mkdtemp(join(tmpdir(), 'agentapi-proxy-external-'));
    const agentapiPath = program === 'drop-in' ? await writeDropIn(folder) : program;
    server = await startServer({
      config: {
        agent_server: 'external',
        agentapi_path: agentapiPath,
        // No server of another test file takes a port here that a test has just seen free.
        start_port: startPort,
        default_agent: 'line',
        agents: { line: LINE_AGENT, absent: { command: 'no-such-agent-program' } },
      },
    });
  });
  afterAll(async () => {
    if (skip) return;
    occupied?.close();
    await server[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  /** Waits until the first message is delivered, which also means that the proxy knows the agent to be ready. */
  async function untilDelivered(id: string): Promise<void> {
    const message = await eventually('the first message is dealt with', async () => {
      const { initial_message: message } = await getSession(server, id);
      return message?.state !== 'pending' && message;
    });
    if (message.state !== 'delivered') throw new Error(`not delivered: ${message.reason}`);
    await untilStable(server, id);
  }

  test.skipIf(skip)(
    'PX-106: a session starts, takes its first message and answers further ones',
    async () => {
      const id = await start(server, { message: 'hello' });
      const session = await untilState(server, id, 'running', 'failed');
      expect(session).toMatchObject({ state: 'running', agent_server: 'external', agent: 'line' });
      await untilDelivered(id);
      await eventually('it is answered', async () =>
        (await messagesOf(server, id)).some(({ content }) => content.includes('got hello')),
      );
      expect(await ask(server, id, 'how are you?')).toContain('got how are you?');
      const users = (await messagesOf(server, id)).filter(({ role }) => role === 'user');
      expect(users.map(({ content }) => content)).toEqual(['hello', 'how are you?']);

      // PX-124, PX-126: nothing is left when DELETE answers.
      expect(await server.sessionProcesses(id)).not.toEqual([]);
      expect(await (await remove(server, id)).json()).toMatchObject({ status: 'terminated' });
      expect(await server.sessionProcesses(id)).toEqual([]);
    },
  );

  test.skipIf(skip)('events, the OpenAPI document and errors of the agent server come through', async () => {
    const id = await start(server);
    await untilStable(server, id);
    const stop = new AbortController();
    const events = await server.request(`/${id}/events`, { signal: stop.signal });
    expect(events.headers.get('content-type')).toMatch(/^text\/event-stream/);
    const reader = events.body?.getReader();
    const first = await reader?.read();
    expect(Buffer.from(first?.value ?? []).toString()).toContain('event: ');
    stop.abort();
    expect((await server.request(`/${id}/openapi.json`)).status).toBe(200);
    const refused = await server.request(`/${id}/message`, { method: 'POST', body: '{}' });
    expect([400, 415, 422]).toContain(refused.status);
    expect(refused.headers.get('content-type')).toBe('application/problem+json');
    await remove(server, id);
  });

  test.skipIf(skip)('PX-132: an agent that ends by itself ends the session', async () => {
    const [good, bad] = [await start(server, { message: 'hi' }), await start(server, { message: 'hi' })];
    await Promise.all([untilDelivered(good), untilDelivered(bad)]);
    await Promise.all([
      say(server, good, 'leave 0').catch(() => undefined),
      say(server, bad, 'leave 3').catch(() => undefined),
    ]);
    expect(await untilState(server, good, 'stopped', 'failed')).toMatchObject({ state: 'stopped' });
    // agentapi itself ends with 1, whatever its agent's code was.
    expect(await untilState(server, bad, 'stopped', 'failed')).toMatchObject({
      state: 'stopped',
      exit_code: 1,
      reason: expect.stringMatching(/^The agent exited/),
    });
    expect((await search(server)).map(({ session_id }) => session_id)).not.toContain(good);
    for (const id of [good, bad]) expect(await server.sessionProcesses(id)).toEqual([]);
  });

  test.skipIf(skip)(
    'PX-088: a missing agent is a failed session that says which program is not there',
    async () => {
      const id = await start(server, { agent: 'absent' });
      const session = await untilState(server, id, 'failed');
      expect(session.reason).toMatch(/no-such-agent-program.*PATH$/);
      expect(await server.sessionProcesses(id)).toEqual([]);
    },
  );

  test.skipIf(skip)(
    'PX-094: a port that another program takes is passed over',
    { concurrent: false },
    async () => {
      const first = await getSession(server, await start(server));
      await remove(server, first.session_id);
      occupied = createServer((socket) => socket.destroy()).listen(first.port, '127.0.0.1');
      await once(occupied, 'listening');
      const id = await start(server);
      const session = await untilState(server, id, 'running', 'failed');
      expect(session).toMatchObject({ state: 'running' });
      expect(session.port).not.toBe(first.port);
      expect((await server.request(`/${id}/status`)).status).toBe(200);
      await remove(server, id);
    },
  );

  test.skipIf(skip)(
    'a killed agent server ends its session with a reason, and leaves no agent behind',
    async () => {
      const id = await start(server);
      await untilState(server, id, 'running');
      const [first = ''] = await server.sessionProcesses(id);
      process.kill(Number(first.replace('pid ', '')), 'SIGKILL');
      const session = await untilState(server, id, 'failed', 'stopped');
      expect(session).toMatchObject({ state: 'failed', exit_signal: 'SIGKILL' });
      await eventually('nothing is left', async () => (await server.sessionProcesses(id)).length === 0);
    },
  );
});

describe('agent_server: external', () => {
  test('without the program the server does not start: exit code 2 and what to do', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'agentapi-proxy-external-'));
    await writeFile(
      join(folder, 'config.json'),
      JSON.stringify({
        agent_server: 'external',
        agentapi_path: './no/agentapi',
        data_dir: './data',
        port: 0,
      }),
    );
    const { code, stderr } = await runCommand(['server'], { cwd: folder });
    expect(code).toBe(2);
    expect(stderr).toMatch(/agentapi_path: .*no\/agentapi.*(?:install agentapi|agent_server "embedded")/);
    await rm(folder, { recursive: true });
  });
});

/** A program named agentapi, which is our agent server under that command line. */
async function writeDropIn(folder: string): Promise<string> {
  const path = join(folder, 'agentapi');
  const bin = join(ROOT, 'packages', 'agent-server', 'dist', 'program', 'bin.js');
  await writeFile(path, `#!/bin/sh\nexec '${process.execPath}' '${bin}' "$@"\n`);
  await chmod(path, 0o755);
  return path;
}
