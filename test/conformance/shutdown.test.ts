import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { eventually, startServer } from '../support/server-process.ts';
import { start, untilState } from '../support/wire.ts';

/** Without persistence nothing of a session outlives the server; recovery.test.ts has the other way. */
const IN_MEMORY = { persistence: { enabled: false } };

const STUBBORN = { command: 'sh', args: ['-c', 'trap "" TERM INT HUP; while :; do sleep 0.2; done'] };

describe('shutdown', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)(
    'PX-182, PX-184: %s ends every session, leaves no process and no folder, and exits 0',
    async (signal) => {
      await using server = await startServer({ config: IN_MEMORY });
      const ids = await Promise.all([start(server), start(server), start(server)]);
      await Promise.all(ids.map((id) => untilState(server, id, 'running')));
      server.kill(signal);
      expect(await server.exited).toEqual({ code: 0, signal: null });
      expect(await server.sessionProcesses()).toEqual([]);
      expect(await readdir(join(server.dataDir, 'sessions')).catch(() => [])).toEqual([]);
    },
  );

  test(
    'PX-183: 20 sessions, one of which ignores SIGTERM, end within the limit',
    { timeout: 90_000 },
    async () => {
      await using server = await startServer({ config: { ...IN_MEMORY, agents: { stubborn: STUBBORN } } });
      const ids = await Promise.all([
        start(server, { agent: 'stubborn' }),
        ...Array.from({ length: 19 }, () => start(server)),
      ]);
      await Promise.all(ids.map((id) => untilState(server, id, 'running')));
      expect(await server.stop()).toEqual({ code: 0, signal: null });
      expect(await server.sessionProcesses()).toEqual([]);
    },
  );

  test('PX-185: open event streams do not block the shutdown', async () => {
    await using server = await startServer({ config: IN_MEMORY });
    const id = await start(server);
    await untilState(server, id, 'running');
    const streams = await Promise.all(Array.from({ length: 5 }, () => server.request(`/${id}/events`)));
    const ends = streams.map((stream) => stream.text().catch(() => ''));
    expect(await server.stop()).toEqual({ code: 0, signal: null });
    await Promise.all(ends);
  });

  test('PX-186: a second signal ends at once', async () => {
    await using server = await startServer({
      config: { ...IN_MEMORY, agents: { stubborn: STUBBORN }, stop_grace_seconds: 20 },
    });
    await untilState(server, await start(server, { agent: 'stubborn' }), 'running');
    server.kill('SIGTERM');
    await eventually('the shutdown has begun', () => server.output().includes('shutting down'));
    server.kill('SIGTERM');
    const { code, signal } = await server.exited;
    expect(code === 0 && signal === null).toBe(false);
    // What the forced end left is found by the next start.
    await using next = await startServer({ config: IN_MEMORY, folder: server.folder });
    await eventually('nothing is left', async () => (await next.sessionProcesses()).length === 0);
  });

  test('GET /readyz is 503 "shutting_down" while the server ends, which the client tells as unavailable', async () => {
    await using server = await startServer({
      config: { ...IN_MEMORY, agents: { stubborn: STUBBORN }, stop_grace_seconds: 3 },
    });
    await untilState(server, await start(server, { agent: 'stubborn' }), 'running');
    server.kill('SIGTERM');
    const refused = await eventually('the server is not ready any more', async () =>
      server.client.ready().then(
        () => undefined,
        (error: unknown) => error,
      ),
    );
    expect(refused).toMatchObject({
      kind: 'unavailable',
      status: 503,
      body: { status: 'shutting_down' },
    });
    expect((await server.request('/livez')).status).toBe(200);
    expect(await server.exited).toEqual({ code: 0, signal: null });
  });

  test('new sessions are refused while the server ends', async () => {
    await using server = await startServer({
      config: { ...IN_MEMORY, agents: { stubborn: STUBBORN }, stop_grace_seconds: 2 },
    });
    await untilState(server, await start(server, { agent: 'stubborn' }), 'running');
    server.kill('SIGTERM');
    const refused = await eventually('a start is refused', async () => {
      const response = await server.request('/start', { method: 'POST' }).catch(() => null);
      return response === null || response.status === 503;
    });
    expect(refused).toBe(true);
    expect(await server.exited).toEqual({ code: 0, signal: null });
  });
});
