import { access, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { lineAgent } from '../support/line-agent.ts';
import { eventually, startServer } from '../support/server-process.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { ServerSeries } from '../support/server-series.ts';
import {
  ask,
  getSession,
  jsonRequest,
  remove,
  search,
  start,
  untilStable,
  untilState,
} from '../support/wire.ts';

const CONFIG = { agents: { line: lineAgent() }, default_agent: 'line', stop_grace_seconds: 1 };

function folderOf(server: ServerProcess, id: string, ...parts: readonly string[]): string {
  return join(server.dataDir, 'sessions', id, ...parts);
}

async function startNamed(server: ServerProcess, name: string): Promise<string> {
  return start(server, { environment: { WORKSPACE_NAME: name } });
}

test('WORKSPACE_NAME names the folder of the workspace, and is shown', async () => {
  await using server = await startServer({ config: CONFIG });
  const ids = [await startNamed(server, 'Fix the login!'), await startNamed(server, 'Fix the login!')];
  const names = ids.map((id) => `Fix-the-login-${id.slice(0, 8)}`);
  const found = await search(server);
  for (const [index, id] of ids.entries()) {
    await untilStable(server, id);
    expect(await ask(server, id, 'hello')).toContain('got hello');
    await access(folderOf(server, id, names[index] ?? '', 'received'));
    await expect(access(folderOf(server, id, 'workspace'))).rejects.toThrow('ENOENT');
    expect((await stat(folderOf(server, id, names[index] ?? ''))).mode & 0o777).toBe(0o700);
    expect(await getSession(server, id)).toMatchObject({ workspace_name: names[index] });
    expect(found.find((row) => row.session_id === id)).toMatchObject({ workspace_name: names[index] });
  }
  await remove(server, ids[0] ?? '');
  expect(await readdir(join(server.dataDir, 'sessions'))).toEqual([ids[1]]);
});

test('a name is never a path', async () => {
  await using server = await startServer({ config: CONFIG });
  for (const name of ['../../outside', '/tmp/outside', '..', '$(touch made)', 'a\nb', '-rf']) {
    const id = await startNamed(server, name);
    await untilStable(server, id);
    const folders = (await readdir(folderOf(server, id), { withFileTypes: true }))
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
    expect(folders).toEqual([expect.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]*-[0-9a-f]{8}$/)]);
  }
});

test('without a name, or with a blank one, nothing is shown', async () => {
  await using server = await startServer({ config: CONFIG });
  for (const id of [await start(server), await startNamed(server, ' ')]) {
    await untilStable(server, id);
    await access(folderOf(server, id, 'workspace'));
    expect(await getSession(server, id)).not.toHaveProperty('workspace_name');
    expect((await search(server)).find((row) => row.session_id === id)).not.toHaveProperty('workspace_name');
  }
});

test('a named workspace is found again by the next server, by a resume, and by whoever clears it away', async () => {
  await using servers = await ServerSeries.start({ config: { ...CONFIG, workspace_retention: 'delete' } });
  const id = await startNamed(servers.server, 'kept');
  await untilStable(servers.server, id);
  await ask(servers.server, id, 'before');
  const after = await servers.crashAndRestart({ config: CONFIG });
  const name = `kept-${id.slice(0, 8)}`;
  expect(await search(after)).toMatchObject([{ session_id: id, workspace_name: name }]);
  expect(await ask(after, id, 'between')).toContain('got between');
  await servers.killSession(id);
  await untilState(after, id, 'failed');
  expect(await search(after, '?state=failed')).toMatchObject([{ workspace_name: name }]);
  const resumed = await after.request(`/sessions/${id}/resume`, jsonRequest({}));
  expect(resumed.status).toBe(200);
  await untilStable(after, id);
  await ask(after, id, 'resumed');
  const lines = (await readFile(folderOf(after, id, name, 'received'), 'utf8')).split('\n');
  expect(lines).toEqual(['before', 'between', 'resumed', '']);
  await servers.crash();
  const last = await servers.next({ config: { ...CONFIG, workspace_retention: 'delete' } });
  await servers.killSession(id);
  await untilState(last, id, 'failed');
  await eventually('the files are gone', async () => !(await readdir(folderOf(last, id))).includes(name));
});
