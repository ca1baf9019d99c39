import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { eventually, startServer } from '../support/server-process.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { remove, search, start, untilState } from '../support/wire.ts';

const SESSIONS = 50;

/** 50 cold starts of Node share the processors with everything else that runs. */
const LIMIT_MS = 120_000;

/** Beyond the ports that servers of other test files give out at the same time. */
const OWN_PORTS = 21_000;

/** How many descriptors of each kind the server has, without its connections to clients. */
async function descriptors(server: ServerProcess): Promise<Readonly<Record<string, number>>> {
  const clients = await inodesOnPort(server.port);
  const folder = `/proc/${server.pid}/fd`;
  const counts: Record<string, number> = {};
  for (const name of await readdir(folder)) {
    const target = await readlink(join(folder, name)).catch(() => '');
    const [, kind = target, inode = ''] = /^(\w+):\[(\w+)\]$/.exec(target) ?? [];
    if (kind === '' || clients.has(inode)) continue;
    counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return counts;
}

/** The sockets whose own end is a TCP port of this machine. */
async function inodesOnPort(port: number): Promise<ReadonlySet<string>> {
  const tables = await Promise.all(['tcp', 'tcp6'].map((name) => readFile(`/proc/net/${name}`, 'utf8')));
  const rows = tables.flatMap((table) => table.split('\n').map((line) => line.trim().split(/\s+/)));
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return new Set(rows.filter(([, local]) => local?.endsWith(suffix)).map((fields) => fields[9] ?? ''));
}

describe('50 sessions at once', () => {
  test(
    'all are started and reachable; all are deleted in parallel; nothing is left',
    { timeout: LIMIT_MS },
    async () => {
      await using server = await startServer();
      // The first session makes what is made once.
      await remove(server, await start(server));
      const before = await descriptors(server);

      const ids = await Promise.all(Array.from({ length: SESSIONS }, () => start(server)));
      expect(new Set(ids).size).toBe(SESSIONS);
      // A request to a starting session is held until it is ready: no waiting of our own is needed.
      const answers = await Promise.all(ids.map((id) => server.request(`/${id}/status`)));
      expect(answers.map(({ status }) => status)).toEqual(ids.map(() => 200));
      const bodies = await Promise.all(answers.map((answer) => answer.json()));
      for (const body of bodies) expect(body).toMatchObject({ agent_type: 'custom', transport: 'pty' });
      const rows = await search(server);
      expect(new Set(rows.map(({ session_id }) => session_id))).toEqual(new Set(ids));
      expect(new Set(rows.map(({ port }) => port)).size).toBe(SESSIONS);
      expect(rows.every(({ state }) => state === 'running')).toBe(true);
      await eventually(
        'every agent server has its agent',
        async () => (await server.sessionProcesses()).length >= SESSIONS * 2,
      );

      const deletions = await Promise.all(ids.map((id) => remove(server, id)));
      expect(deletions.map(({ status }) => status)).toEqual(ids.map(() => 200));
      for (const deletion of deletions) expect(await deletion.json()).toMatchObject({ status: 'terminated' });
      expect(await server.sessionProcesses()).toEqual([]);
      expect(await search(server, '?state=all')).toEqual([]);
      expect(await readdir(join(server.dataDir, 'sessions'))).toEqual([]);
      await eventually('the server has no more descriptors than before', async () => {
        const now = await descriptors(server);
        return Object.entries(now).every(([kind, count]) => count <= (before[kind] ?? 0));
      });
      expect(await server.stop()).toEqual({ code: 0, signal: null });
    },
  );
});

describe('sessions one after another', () => {
  test('PX-093: ports are used again, and nothing is left', { timeout: LIMIT_MS }, async () => {
    await using server = await startServer({ config: { start_port: OWN_PORTS, port_count: 3 } });
    const ports = new Set<number>();
    for (let round = 0; round < 8; round += 1) {
      const id = await start(server);
      ports.add((await untilState(server, id, 'running')).port);
      await remove(server, id);
    }
    expect(ports.size).toBeLessThanOrEqual(3);
    expect(await server.sessionProcesses()).toEqual([]);
    expect(await readdir(join(server.dataDir, 'sessions'))).toEqual([]);
  });
});
