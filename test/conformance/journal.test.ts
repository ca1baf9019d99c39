import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { parseExposition, valueOf } from '../../packages/server/test/support/exposition.ts';
import { installNumberedEvents } from '../../tools/src/numbered-events.ts';
import { HAS_POSTGRES, PostgresServer } from '../../tools/src/postgres-server.ts';
import { readEvents } from '../support/event-reader.ts';
import type { EventReader, SeenEvent } from '../support/event-reader.ts';
import { lineAgent } from '../support/line-agent.ts';
import { eventually, startServer } from '../support/server-process.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { SmallDisk } from '../support/small-disk.ts';
import { getSession, jsonRequest, start, untilState } from '../support/wire.ts';

vi.setConfig({ testTimeout: 180_000 });

const LIMIT_MS = 90_000;
const update = z.looseObject({ message: z.string() });
const subscriptions = z.object({ open: z.int(), most: z.int(), total: z.int() });
const readiness = z.object({ status: z.string(), journal: z.string().optional() });

let bin: string;
let agentServer: Readonly<Record<string, unknown>>;
beforeAll(async () => {
  bin = await mkdtemp(join(tmpdir(), 'journal-test-'));
  agentServer = await installNumberedEvents(bin);
});
afterAll(async () => rm(bin, { recursive: true, force: true }));

/** Starts a session whose agent server tells what it is asked to. */
async function startNumbered(server: ServerProcess): Promise<string> {
  const id = await start(server);
  await untilState(server, id, 'running');
  return id;
}

async function tell(server: ServerProcess, id: string, count: number, everyMs: number, padding: number) {
  const body = jsonRequest({ type: 'user', content: `${count} ${everyMs} ${padding}` });
  const answer = await server.request(`/${id}/message`, body);
  expect([answer.status, await answer.text()]).toEqual([200, '{"ok":true}']);
}

async function watch(server: ServerProcess, id: string, query = ''): Promise<EventReader> {
  return readEvents(`${server.url}/sessions/${id}/events${query}`);
}

/** The numbers of the messages that were told, as they came. */
function numbersOf(events: readonly SeenEvent[]): readonly number[] {
  return events.flatMap(({ name, data }) =>
    name === 'message_update' ? [Number(update.parse(data).message.split('@')[0])] : [],
  );
}

function upTo(count: number): readonly number[] {
  return Array.from({ length: count }, (_one, index) => index + 1);
}

async function untilSeen(reader: EventReader, count: number): Promise<void> {
  await eventually(
    `${count} messages were seen`,
    () => (numbersOf(reader.events.slice(-1))[0] ?? 0) >= count,
    LIMIT_MS,
  );
}

async function metric(server: ServerProcess, name: string, labels = {}): Promise<number> {
  const text = await (await server.request('/metrics')).text();
  return valueOf(parseExposition(text), `agentapi_proxy_${name}`, labels);
}

/** Whether the server says that what happens is not written. */
async function isBehind(server: ServerProcess): Promise<boolean> {
  const answer = await server.request('/readyz');
  const { status, journal } = readiness.parse(await answer.json());
  expect([answer.status, status]).toEqual([200, 'ready']);
  return journal === 'behind';
}

test('one session with 200 viewers is one connection to its agent server; all see everything once, in order', async () => {
  await using server = await startServer({ config: agentServer });
  const id = await startNumbered(server);
  const viewers = await Promise.all(Array.from({ length: 200 }, async () => watch(server, id)));
  expect(await metric(server, 'journal_viewers')).toBe(200);
  await tell(server, id, 200, 10, 0);
  await Promise.all(viewers.map(async (viewer) => untilSeen(viewer, 200)));
  const [first] = viewers;
  expect(numbersOf(first?.events ?? [])).toEqual(upTo(200));
  expect(first?.events.map((event) => event.id)).toEqual(upTo(first?.events.length ?? 0));
  for (const { events } of viewers) expect(events).toEqual(first?.events);
  const asked = await (await server.request(`/${id}/subscriptions`)).json();
  expect(subscriptions.parse(asked)).toEqual({ open: 1, most: 1, total: 1 });
  expect(await metric(server, 'journal_events_total')).toBe(first?.events.length);
  expect(await metric(server, 'journal_waiting_events')).toBe(0);
  expect(await metric(server, 'journal_sessions')).toBe(1);
  for (const viewer of viewers) viewer.cut();
  await eventually('they are gone', async () => (await metric(server, 'journal_viewers')) === 0);
});

test('viewers who do not read hold nobody up, take no memory, and get everything later', async () => {
  await using server = await startServer({
    config: { ...agentServer, journal: { session_bytes: 256 * 1024 ** 2 } },
    // Less than what would wait for all of them; what nobody needs any more is collected the sooner.
    env: { NODE_OPTIONS: '--max-old-space-size=192' },
  });
  const id = await startNumbered(server);
  const quick = await watch(server, id);
  const memory = async (): Promise<number> => {
    const text = await (await server.request('/metrics')).text();
    return valueOf(parseExposition(text), 'process_resident_memory_bytes');
  };
  // What the events themselves cost for a moment.
  await tell(server, id, 400, 10, 40_000);
  await untilSeen(quick, 400);
  const before = await memory();
  const lame = await Promise.all(Array.from({ length: 20 }, async () => watch(server, id, '?after=now')));
  for (const viewer of lame) viewer.pause();
  // More than the buffers of a connection hold, and far more than is kept in memory.
  await tell(server, id, 400, 10, 40_000);
  await untilSeen(quick, 800);
  // Everything would be 320 MB for those who wait. What has been used is not given back at once.
  const most = before + 160 * 1024 ** 2;
  await eventually('the memory is as before', async () => (await memory()) < most);
  for (const viewer of lame) viewer.resume();
  await Promise.all(lame.map(async (viewer) => untilSeen(viewer, 800)));
  expect(numbersOf(quick.events)).toEqual(upTo(800));
  for (const { events } of lame) expect(events).toEqual(quick.events.slice(-400));
  for (const viewer of [quick, ...lame]) viewer.cut();
});

test('what an agent says is a use of its session, without any request', async () => {
  await using server = await startServer({
    config: { agents: { waiting: { ...lineAgent({ waits: true }), type: 'custom' } } },
  });
  // It says the time again and again.
  const id = await start(server, { agent: 'waiting' });
  await untilState(server, id, 'running');
  for (let time = 0; time < 3; time += 1) {
    const { updated_at: before } = await getSession(server, id);
    const used = await eventually(
      'it was used',
      async () => (await getSession(server, id)).updated_at > before,
    );
    expect(used).toBe(true);
  }
});

test('metrics tell what waits for agents, how long, and what became of it', async () => {
  await using server = await startServer({
    config: { agents: { waiting: { ...lineAgent({ waits: true }), type: 'custom' } } },
  });
  const id = await start(server, { agent: 'waiting' });
  const leave = async (content: string): Promise<string> => {
    const answer = await server.request(`/sessions/${id}/messages`, jsonRequest({ content }));
    return z.looseObject({ id: z.string() }).parse(await answer.json()).id;
  };
  await leave('one');
  const two = await leave('two');
  expect(await metric(server, 'queue_messages', { state: 'pending' })).toBe(2);
  await server.request(`/sessions/${id}/queue/${two}`, { method: 'DELETE' });
  const settled = async (outcome: string): Promise<number> =>
    metric(server, 'queue_wait_seconds_count', { outcome });
  expect([await settled('cancelled'), await settled('delivered')]).toEqual([1, 0]);
  await untilState(server, id, 'running');
  // As soon as there is this file the agent waits for input.
  await writeFile(join(server.dataDir, 'sessions', id, 'workspace', 'ready'), '');
  await eventually('it is delivered', async () => (await settled('delivered')) === 1, LIMIT_MS);
  expect(await metric(server, 'queue_messages')).toBe(0);
  expect(await metric(server, 'queue_messages_total')).toBe(2);
});

const engines = [
  { name: 'SQLite', available: true },
  { name: 'PostgreSQL [needs postgresql]', available: HAS_POSTGRES },
] as const;

for (const engine of engines) {
  describe.skipIf(!engine.available)(`bounds of the journal on ${engine.name}`, () => {
    let postgres: PostgresServer | null = null;
    beforeAll(async () => {
      postgres = engine.name === 'SQLite' ? null : await PostgresServer.start();
    });
    afterAll(async () => postgres?.[Symbol.asyncDispose]());

    const serverWith = async (journal: Readonly<Record<string, number>>): Promise<ServerProcess> =>
      startServer({
        config: {
          ...agentServer,
          ...(postgres === null ? {} : { store: { url: await postgres.createDatabase() } }),
          journal,
        },
      });
    const messagesOf = async (server: ServerProcess, id: string): Promise<readonly unknown[]> => {
      const answer = await server.request(`/sessions/${id}/messages?limit=1000`);
      return z.object({ messages: z.array(z.unknown()) }).parse(await answer.json()).messages;
    };

    test('journal.session_bytes: the oldest events go, a viewer is told, and messages stay', async () => {
      await using server = await serverWith({ session_bytes: 100_000 });
      const id = await startNumbered(server);
      const early = await watch(server, id);
      await tell(server, id, 300, 10, 4_000);
      await untilSeen(early, 300);
      expect(numbersOf(early.events)).toEqual(upTo(300));
      const late = await eventually('the first are gone', async () => {
        const reader = await watch(server, id);
        await eventually('something comes', () => reader.events.length > 0);
        if (reader.events[0]?.name === 'journal_gap') return reader;
        reader.cut();
        return false;
      });
      await untilSeen(late, 300);
      const [gap, ...rest] = late.events;
      const first = rest[0]?.id ?? 0;
      expect(gap).toMatchObject({ id: first - 1, data: { after: 0, first, reason: 'pruned' } });
      // Everything from there on, and nothing else.
      expect(rest).toEqual(early.events.filter(({ id: each }) => each >= first));
      expect(await metric(server, 'journal_gaps_total', { reason: 'pruned' })).toBeGreaterThan(0);
      expect(await metric(server, 'journal_pruned_bytes_total')).toBeGreaterThan(500_000);
      expect(await messagesOf(server, id)).toHaveLength(300);
      for (const viewer of [early, late]) viewer.cut();
    });

    test('journal.retention_hours: old events go, what comes is not touched, and messages stay', async () => {
      await using server = await serverWith({ retention_hours: 2 / 3_600 });
      const id = await startNumbered(server);
      const early = await watch(server, id);
      await tell(server, id, 100, 10, 100);
      await untilSeen(early, 100);
      const late = await eventually('all are gone', async () => {
        const reader = await watch(server, id);
        await eventually('something comes', () => reader.events.length > 0);
        if (reader.events[0]?.id === early.events.at(-1)?.id) return reader;
        reader.cut();
        return false;
      });
      const last = early.events.at(-1)?.id ?? 0;
      expect(late.events).toEqual([
        { id: last, name: 'journal_gap', data: { after: 0, first: last + 1, reason: 'pruned' } },
      ]);
      await tell(server, id, 300, 10, 100);
      await Promise.all([untilSeen(early, 400), untilSeen(late, 400)]);
      expect(numbersOf(early.events)).toEqual(upTo(400));
      expect(late.events.slice(1)).toEqual(early.events.filter(({ id: each }) => each > last));
      expect(await messagesOf(server, id)).toHaveLength(400);
      for (const viewer of [early, late]) viewer.cut();
    });
  });
}

test('DF-31: while the disk is full viewers wait and the server says so; with room again nothing is missing', async () => {
  await using disk = await SmallDisk.create();
  await using server = await startServer({ folder: disk.folder, config: agentServer });
  const id = await startNumbered(server);
  const viewer = await watch(server, id);
  let told = 0;
  const tellMore = async (): Promise<void> => {
    await tell(server, id, 20, 5, 4_000);
    told += 20;
  };
  await tellMore();
  await untilSeen(viewer, told);
  await disk.fill(server.pid);
  await eventually(
    'nothing can be written any more',
    async () => {
      await tellMore();
      return isBehind(server);
    },
    LIMIT_MS,
  );
  expect(await metric(server, 'journal_waiting_events')).toBeGreaterThan(0);
  expect(await metric(server, 'journal_write_failures_total')).toBeGreaterThan(0);
  expect((await server.request('/livez')).status).toBe(200);
  expect((await getSession(server, id)).state).toBe('running');
  const shown = numbersOf(viewer.events);
  expect(shown).toEqual(upTo(shown.length));
  await disk.free(server.pid);
  await untilSeen(viewer, told);
  expect(numbersOf(viewer.events)).toEqual(upTo(told));
  expect(await isBehind(server)).toBe(false);
  const again = await watch(server, id);
  await untilSeen(again, told);
  expect(again.events).toEqual(viewer.events);
  for (const one of [viewer, again]) one.cut();
});

describe.skipIf(!HAS_POSTGRES)('PostgreSQL [needs postgresql]', () => {
  test('DF-31: connections that are ended again and again, and a server that is away, cost no event', async () => {
    await using postgres = await PostgresServer.start();
    const url = await postgres.createDatabase();
    const database = new URL(url).pathname.slice(1);
    await using server = await startServer({
      config: { ...agentServer, journal: { session_bytes: 256 * 1024 ** 2 }, store: { url } },
    });
    const id = await startNumbered(server);
    const viewer = await watch(server, id);
    // It reads from the store when that is away.
    const lame = await watch(server, id);
    lame.pause();
    await tell(server, id, 400, 20, 30_000);
    const endAll = `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${database}'`;
    for (let seen = 20; seen <= 200; seen += 20) {
      await postgres.query(endAll);
      await untilSeen(viewer, seen);
    }
    await postgres.stop('SIGQUIT');
    await eventually('the server notices', async () => isBehind(server));
    lame.resume();
    expect((await server.request('/livez')).status).toBe(200);
    expect(await metric(server, 'journal_write_failures_total')).toBeGreaterThan(0);
    await postgres.launch();
    await Promise.all([untilSeen(viewer, 400), untilSeen(lame, 400)]);
    expect(numbersOf(viewer.events)).toEqual(upTo(400));
    expect(lame.events).toEqual(viewer.events);
    const again = await watch(server, id);
    await untilSeen(again, 400);
    expect(again.events).toEqual(viewer.events);
    expect(await metric(server, 'journal_abandoned_total')).toBe(0);
    for (const one of [viewer, lame, again]) one.cut();
  });
});
