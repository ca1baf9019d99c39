import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startServer } from '../support/server-process.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { errorOf, remove, search, start, untilState } from '../support/wire.ts';

describe('GET /search', () => {
  let server: ServerProcess;
  let tagged = '';
  let foreign = '';
  beforeAll(async () => {
    server = await startServer({ config: { agents: { quitter: { command: 'false' } } } });
    tagged = await start(server, {
      tags: { team: 'a', 'odd name': 'ü/1' },
      environment: { HIDDEN_NAME: 'hidden-value' },
    });
    foreign = await start(server, { user_id: 'bob', tags: { team: 'a' } });
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
  });

  async function idsOf(query: string): Promise<string[]> {
    return (await search(server, query)).map((row) => row.session_id);
  }

  test('PX-113: no result is an empty list', async () => {
    const response = await server.request('/search?status=zzz');
    expect(await response.json()).toEqual({ sessions: [] });
  });

  test('PX-114, PX-232: a row has the members that clients read, never the environment, and tags are never null', async () => {
    const untagged = await start(server);
    const rows = await search(server);
    const row = rows.find(({ session_id: id }) => id === untagged);
    expect(row).toMatchObject({ tags: {}, status: 'active', agent: 'demo' });
    expect(Object.keys(row ?? {})).toEqual(
      expect.arrayContaining([
        'session_id',
        'user_id',
        'status',
        'started_at',
        'port',
        'tags',
        'state',
        'agent',
        'created_at',
        'updated_at',
        'access',
      ]),
    );
    expect(JSON.stringify(rows)).not.toMatch(/HIDDEN_NAME|hidden-value|environment/);
    await remove(server, untagged);
  });

  test('PX-115, PX-123: newest first, times in UTC', async () => {
    expect(await idsOf('')).toEqual([foreign, tagged]);
    for (const row of await search(server)) expect(row.started_at).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
  });

  test('PX-116: status filters exactly', async () => {
    expect(await idsOf('?status=active')).toHaveLength(2);
    expect(await idsOf('?status=')).toHaveLength(2);
    expect(await idsOf('?status=ACTIVE')).toEqual([]);
  });

  test('PX-117, PX-118, PX-119: tags filter by name and value, combined and decoded', async () => {
    expect(await idsOf('?tag.team=a')).toEqual([foreign, tagged]);
    expect(await idsOf('?tag.team=a&tag.odd%20name=%C3%BC%2F1')).toEqual([tagged]);
    expect(await idsOf('?tag.team=a&tag.team=b')).toHaveLength(2);
    expect(await idsOf('?tag.unknown=a')).toEqual([]);
  });

  test('PX-120: parameters of other clients neither fail nor hide sessions', async () => {
    expect(await idsOf('?limit=1000&page=1&scope=user')).toHaveLength(2);
  });

  test('DD-02: user_id filters by owner', async () => {
    expect(await idsOf('?user_id=bob')).toEqual([foreign]);
  });

  test('DF-69: limit and cursor page through everything', async () => {
    const first = await (await server.request('/search?limit=1')).json();
    expect(first).toMatchObject({ sessions: [{ session_id: foreign }], next_cursor: expect.any(String) });
    const second = await (await server.request(`/search?limit=1&cursor=${first.next_cursor}`)).json();
    expect(second.sessions.map((row: { session_id: string }) => row.session_id)).toEqual([tagged]);
    expect(second.next_cursor).toBeUndefined();
    expect(await errorOf(await server.request('/search?limit=0'))).toMatchObject({
      status: 400,
      field: 'limit',
    });
    expect(await errorOf(await server.request('/search?cursor=x'))).toMatchObject({
      status: 400,
      field: 'cursor',
    });
  });

  test('PX-122: the order is the same in every call', async () => {
    const created = await Promise.all(Array.from({ length: 5 }, () => start(server)));
    const once = await idsOf('');
    for (let round = 0; round < 3; round += 1) expect(await idsOf('')).toEqual(once);
    await Promise.all(created.map((id) => remove(server, id)));
  });

  test('PX-107: the message tag stays visible', async () => {
    const id = await start(server, { tags: { message: 'from the tag' }, message: 'from the member' });
    expect((await search(server)).find((row) => row.session_id === id)?.tags).toEqual({
      message: 'from the tag',
    });
    await remove(server, id);
  });

  test('PX-132: a failed session is listed only when its state is asked for', async () => {
    const id = await start(server, { agent: 'quitter' });
    await untilState(server, id, 'failed');
    expect(await idsOf('')).not.toContain(id);
    expect(await idsOf('?state=failed,stopped')).toContain(id);
    await remove(server, id);
    expect(await idsOf('?state=all')).not.toContain(id);
  });
});
