import { randomInt } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { HAS_POSTGRES, PostgresServer } from '../../tools/src/postgres-server.ts';
import { readEvents } from '../support/event-reader.ts';
import type { EventReader, SeenEvent } from '../support/event-reader.ts';
import { lineAgent } from '../support/line-agent.ts';
import { eventually, lastingPort } from '../support/server-process.ts';
import { ServerSeries } from '../support/server-series.ts';
import { getSession, jsonRequest, start, untilState } from '../support/wire.ts';

/** `make e2e` runs the long form, 10. */
const KILLS = Number(process.env['REPLAY_CAMPAIGN_KILLS'] ?? 4);

const keyOf = (name: string): string => `ap_${name}_0123456789abcdef`;
const as = (name: string): Record<string, string> => ({ 'x-api-key': keyOf(name) });

const queued = z.looseObject({
  id: z.string(),
  state: z.string(),
  content: z.string(),
  position: z.int(),
  reason: z.string().nullable(),
});
const queueReply = z.object({ messages: z.array(queued), next_cursor: z.string().optional() });
const messagesReply = z.object({
  messages: z.array(z.looseObject({ id: z.int(), role: z.string(), content: z.string() })),
  next_cursor: z.string().optional(),
});
const matchesReply = z.object({
  matches: z.array(z.looseObject({ session_id: z.string(), snippet: z.string() })),
  next_cursor: z.string().optional(),
});
const waitReply = z.looseObject({ result: z.string(), event_id: z.int(), message: z.unknown().optional() });

const engines = [
  { name: 'SQLite', available: true },
  { name: 'PostgreSQL [needs postgresql]', available: HAS_POSTGRES },
] as const;

for (const engine of engines) {
  describe.skipIf(!engine.available)(`conversations on ${engine.name}`, () => {
    let postgres: PostgresServer | null = null;
    let series: ServerSeries;

    beforeAll(async () => {
      postgres = engine.name === 'SQLite' ? null : await PostgresServer.start();
      series = await ServerSeries.start({
        config: {
          ...(postgres === null ? {} : { store: { url: await postgres.createDatabase() } }),
          agents: {
            line: { ...lineAgent(), type: 'custom' },
            waiting: { ...lineAgent({ waits: true }), type: 'custom' },
          },
          limits: { queued_messages: 2 * KILLS },
        },
      });
    });
    afterAll(async () => {
      await series[Symbol.asyncDispose]();
      await postgres?.[Symbol.asyncDispose]();
    });

    const ask = async (path: string, init?: RequestInit): Promise<Response> =>
      series.server.request(path, init);
    const read = async <S extends z.ZodType>(schema: S, path: string, init?: RequestInit) =>
      schema.parse(await (await ask(path, init)).json());
    const leave = async (id: string, content: string, headers: Record<string, string> = {}) =>
      read(queued, `/sessions/${id}/messages`, jsonRequest({ content }, headers));
    const stateOf = async (id: string, messageId: string): Promise<string> =>
      (await read(queued, `/sessions/${id}/queue/${messageId}`)).state;
    const untilDelivered = async (id: string, messageId: string): Promise<void> => {
      await eventually(
        'the message is delivered',
        async () => (await stateOf(id, messageId)) === 'delivered',
        90_000,
      );
    };
    const said = async (id: string): Promise<readonly string[]> => {
      const { messages } = await read(messagesReply, `/sessions/${id}/messages?limit=1000`);
      return messages.filter(({ role }) => role === 'user').map(({ content }) => content);
    };
    const ready = async (id: string): Promise<void> =>
      writeFile(join(series.sessionPath(id, 'workspace'), 'ready'), '');

    test('what was said is readable page by page, while the session lives, after its end, and found by its words', async () => {
      const id = await start(series.server, { agent: 'line', message: 'zebra über 接続' });
      const wait = `/sessions/${id}/wait?for=stable&timeout=60`;
      await eventually(
        'the agent has answered',
        async () => {
          await read(waitReply, wait);
          const { messages } = await read(messagesReply, `/sessions/${id}/messages`);
          return messages.some(({ role, content }) => role === 'agent' && content.includes('got zebra'));
        },
        60_000,
      );
      const whole = await read(messagesReply, `/sessions/${id}/messages`);
      expect(whole.messages.map((message) => message.id)).toEqual(whole.messages.map((_one, n) => n));
      const live = await read(messagesReply, `/${id}/messages`);
      expect(whole.messages.map(({ content }) => content)).toEqual(
        live.messages.map(({ content }) => content),
      );
      const first = await read(messagesReply, `/sessions/${id}/messages?limit=1`);
      expect(first.next_cursor).toBe('1');
      const rest = await read(messagesReply, `/sessions/${id}/messages?limit=1000&cursor=1`);
      expect([...first.messages, ...rest.messages]).toEqual(whole.messages);
      await series.killSession(id);
      await untilState(series.server, id, 'stopped', 'failed');
      expect((await read(messagesReply, `/sessions/${id}/messages`)).messages).toEqual(whole.messages);
      for (const query of ['ZEBRA', 'uber zebra', '接続', '"zebra über"']) {
        const { matches } = await read(matchesReply, `/search/messages?q=${encodeURIComponent(query)}`);
        expect([query, matches.map(({ session_id: of }) => of)]).toEqual([query, [id, id]]);
      }
      const one = await read(matchesReply, '/search/messages?q=zebra&limit=1');
      const two = await read(matchesReply, `/search/messages?q=zebra&limit=1&cursor=${one.next_cursor}`);
      expect([...one.matches, ...two.matches]).toHaveLength(2);
    });

    test.each(['"', '*', 'a" OR "b', "'; drop table sessions; --", 'NEAR(', '\u202e(((', '-^:'])(
      'a search for %j is no failure',
      async (query) => {
        const answer = await ask(`/search/messages?q=${encodeURIComponent(query)}`);
        expect(answer.status).toBe(200);
        await answer.text();
      },
    );

    test('messages wait for a session that starts, are delivered in order, and can be changed until then', async () => {
      const id = await start(series.server, { agent: 'waiting' });
      const a = await leave(id, 'one');
      const b = await leave(id, 'two');
      const c = await leave(id, ' three\n');
      expect([a, b, c].map(({ position }) => position)).toEqual([1, 2, 3]);
      expect(c.content).toBe('three');
      const edit = { ...jsonRequest({ content: 'TWO' }), method: 'PATCH' };
      expect(await read(queued, `/sessions/${id}/queue/${b.id}`, edit)).toMatchObject({ content: 'TWO' });
      const cancelled = await read(queued, `/sessions/${id}/queue/${a.id}`, { method: 'DELETE' });
      expect(cancelled.state).toBe('cancelled');
      await untilState(series.server, id, 'running');
      await ready(id);
      await untilDelivered(id, c.id);
      expect(await said(id)).toEqual(['TWO', 'three']);
      const late = await ask(`/sessions/${id}/queue/${b.id}`, { method: 'DELETE' });
      expect([late.status, await late.json()]).toMatchObject([409, { code: 'message_not_pending' }]);
      const { messages } = await read(queueReply, `/sessions/${id}/queue`);
      expect(messages.map(({ state }) => state)).toEqual(['cancelled', 'delivered', 'delivered']);
      expect((await read(queueReply, `/sessions/${id}/queue?state=cancelled`)).messages).toHaveLength(1);
    }, 120_000);

    test('one idempotency key is one message; a full queue and one to an ended session are refused', async () => {
      const id = await start(series.server, { agent: 'waiting' });
      const key = { 'idempotency-key': 'k1' };
      const first = await leave(id, 'once', key);
      const again = await ask(`/sessions/${id}/messages`, jsonRequest({ content: 'once' }, key));
      expect([again.status, queued.parse(await again.json()).id]).toEqual([200, first.id]);
      const other = await ask(`/sessions/${id}/messages`, jsonRequest({ content: 'other' }, key));
      expect([other.status, await other.json()]).toMatchObject([409, { code: 'idempotency_key_reused' }]);
      for (let more = 1; more < 2 * KILLS; more += 1) await leave(id, `more ${more}`);
      const full = await ask(`/sessions/${id}/messages`, jsonRequest({ content: 'e' }));
      expect([full.status, await full.json()]).toMatchObject([429, { code: 'queue_full' }]);
      const empty = await ask(`/sessions/${id}/messages`, jsonRequest({ content: ' \n' }));
      expect(empty.status).toBe(400);
      await empty.text();
      await untilState(series.server, id, 'running');
      await series.killSession(id);
      await untilState(series.server, id, 'stopped', 'failed');
      const ended = await ask(`/sessions/${id}/messages`, jsonRequest({ content: 'e' }));
      expect([ended.status, await ended.json()]).toMatchObject([409, { code: 'session_ended' }]);
    });

    test(`every message is delivered once, also equal ones, and although the server is killed ${KILLS} times at any moment`, async () => {
      const id = await start(series.server, { agent: 'line' });
      await untilState(series.server, id, 'running');
      const texts = Array.from({ length: 2 * KILLS }, (_one, index) =>
        index % 3 === 2 ? `other ${index}` : 'go on',
      );
      const sent: string[] = [];
      for (const text of texts) sent.push((await leave(id, text)).id);
      for (let kill = 0; kill < KILLS; kill += 1) {
        await pause(randomInt(1_500));
        await series.crashAndRestart();
      }
      await untilDelivered(id, sent.at(-1) ?? '');
      expect(await said(id)).toEqual(texts);
      for (const one of sent) expect(await stateOf(id, one)).toBe('delivered');
    }, 300_000);

    test('a wait ends when it is so, and with the time-out', async () => {
      const id = await start(series.server, { agent: 'line' });
      await read(waitReply, `/sessions/${id}/wait?for=stable&timeout=60`);
      const nothing = await read(waitReply, `/sessions/${id}/wait?for=message&timeout=0.1`);
      expect(nothing.result).toBe('timeout');
      const answer = read(waitReply, `/sessions/${id}/wait?for=message&timeout=60&after=${nothing.event_id}`);
      await leave(id, 'hello');
      const rest = await read(waitReply, `/sessions/${id}/wait?for=stable&timeout=60`);
      expect(rest.result).toBe('stable');
      // It is at rest only after it has answered.
      expect(await said(id)).toEqual(['hello']);
      expect(await answer).toMatchObject({ result: 'message', message: { role: 'agent' } });
      await series.killSession(id);
      expect((await read(waitReply, `/sessions/${id}/wait?for=message&timeout=60`)).result).toBe('ended');
    }, 120_000);

    test('whoever looks on uses the session, over either stream', async () => {
      const id = await start(series.server, { agent: 'line' });
      await read(waitReply, `/sessions/${id}/wait?for=stable&timeout=60`);
      for (const path of [`/sessions/${id}/events?after=now`, `/${id}/events`]) {
        const stream = await readEvents(`${series.server.url}${path}`);
        const { updated_at: before } = await getSession(series.server, id);
        const used = await eventually(
          'the session was used',
          async () => (await getSession(series.server, id)).updated_at > before,
          30_000,
        );
        expect(used).toBe(true);
        stream.cut();
      }
    }, 120_000);

    test('one connection to the agent server serves many viewers, and all see the same', async () => {
      const id = await start(series.server, { agent: 'line' });
      const viewers = await Promise.all(
        Array.from({ length: 100 }, async () => readEvents(`${series.server.url}/sessions/${id}/events`)),
      );
      const message = await leave(id, 'for all');
      await untilDelivered(id, message.id);
      await series.killSession(id);
      await Promise.all(viewers.map(async ({ ended }) => ended));
      const [first, ...others] = viewers;
      expect(first?.events.at(-1)).toMatchObject({ name: 'state_change' });
      for (const { events } of others) expect(events).toEqual(first?.events);
      const gone = await readEvents(`${series.server.url}/sessions/${id}/events`, {
        'last-event-id': String(first?.events.at(-1)?.id),
      });
      expect(gone.status).toBe(204);
      const beyond = await readEvents(`${series.server.url}/sessions/${id}/events?after=100000`);
      await beyond.ended;
      expect(beyond.events[0]).toMatchObject({
        name: 'journal_gap',
        data: { reason: 'unknown_position', first: 1 },
      });
      expect(beyond.events.slice(1)).toEqual(first?.events);
    }, 120_000);
  });
}

describe('the client', () => {
  test('follows a journal over a restart, leaves messages and finds them again', async () => {
    await using series = await ServerSeries.start({ config: { port: await lastingPort() } });
    const { server } = series;
    const session = await server.client.start();
    const message = await session.conversation.queue('platypus', { idempotencyKey: 'one' });
    expect(await session.conversation.queue('platypus', { idempotencyKey: 'one' })).toMatchObject({
      id: message.id,
    });
    const ids: number[] = [];
    const following = (async () => {
      for await (const { id } of session.conversation.events()) ids.push(id);
    })();
    await eventually('there is something', () => ids.length > 2, 60_000);
    await series.crashAndRestart();
    await eventually(
      'the message is delivered',
      async () => (await session.conversation.queuedMessage(message.id)).state === 'delivered',
      60_000,
    );
    expect((await session.conversation.wait('stable', { timeoutSeconds: 60 })).result).toBe('stable');
    const later = await session.conversation.queue('/exit');
    await expect(session.conversation.edit(later.id, 'x').catch(() => 'late')).resolves.toBeDefined();
    await session.conversation.cancel(later.id).catch(() => undefined);
    await series.killSession(session.id);
    await following;
    expect(ids).toEqual(ids.map((_id, index) => index + 1));
    const said: string[] = [];
    for await (const { content } of session.conversation.allMessages({ limit: 1 })) said.push(content);
    expect(said).toContain('platypus');
    const backwards: string[] = [];
    for (let cursor: string | undefined; ;) {
      const page = await session.conversation.messages({ order: 'newest', limit: 2, cursor });
      backwards.unshift(...page.messages.map(({ content }) => content));
      cursor = page.next_cursor;
      if (cursor === undefined) break;
    }
    expect(backwards).toEqual(said);
    const { matches } = await series.server.client.searchMessages('platypus');
    expect(matches.map(({ session_id: id }) => id)).toContain(session.id);
    expect((await session.conversation.queued({ state: 'delivered' })).messages).not.toEqual([]);
  }, 180_000);
});

describe('with keys', () => {
  test('GET /events shows what its caller may see, and follows shares as they come and go', async () => {
    const api_keys = ['alice', 'bob', 'root'].map((name) => ({
      key: keyOf(name),
      user_id: name,
      role: name === 'root' ? 'admin' : 'user',
      permissions: ['*'],
    }));
    await using series = await ServerSeries.start({ config: { auth: { enabled: true, api_keys } } });
    const { server } = series;
    const watch = async (name: string): Promise<EventReader> => readEvents(`${server.url}/events`, as(name));
    const [alice, bob, root] = await Promise.all([watch('alice'), watch('bob'), watch('root')]);
    const id = await start(server, {}, as('alice'));
    const of = ({ events }: EventReader, name: string): SeenEvent | undefined =>
      events.find((event) => event.name === name);
    await eventually(
      'the owner and the admin see it',
      () => [alice, root].every((one) => of(one, 'message_created') !== undefined),
      60_000,
    );
    expect(bob.events).toEqual([]);
    const share = await server.request(
      `/sessions/${id}/shares`,
      jsonRequest({ user_id: 'bob', access: 'read' }, as('alice')),
    );
    const { id: shareId } = z.looseObject({ id: z.string() }).parse(await share.json());
    await eventually('it is shown', () => of(bob, 'session') !== undefined);
    const stream = await readEvents(`${server.url}/sessions/${id}/events`, as('bob'));
    const search = await server.request('/search/messages?q=demo', { headers: as('bob') });
    expect(await search.json()).toEqual({ matches: [] });
    await server.request(`/sessions/${id}/shares/${shareId}`, { method: 'DELETE', headers: as('alice') });
    await eventually('it is hidden', () => of(bob, 'session_hidden') !== undefined);
    await stream.ended;
    await series.killSession(id);
    await eventually('it has ended', () => alice.events.some(({ data }) => Object(data).state === 'failed'));
    // Who looks only now is shown what lives, and has the others from a list.
    const late = await watch('alice');
    await server.request(`/sessions/${id}`, { method: 'DELETE', headers: as('alice') });
    await eventually('it is gone', () =>
      [alice, root, late].every((one) => of(one, 'session_deleted') !== undefined),
    );
    expect(late.events.map(({ name }) => name)).toEqual(['session_deleted']);
    expect(bob.events.at(-1)?.name).toBe('session_hidden');
    for (const one of [alice, bob, root, late]) one.cut();
  }, 120_000);
});
