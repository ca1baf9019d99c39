import { randomInt } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { HAS_POSTGRES, PostgresServer } from '../../tools/src/postgres-server.ts';
import { readEvents } from '../support/event-reader.ts';
import type { EventReader, SeenEvent } from '../support/event-reader.ts';
import { eventually } from '../support/server-process.ts';
import { ServerSeries } from '../support/server-series.ts';
import { getSession, jsonRequest, start, untilState } from '../support/wire.ts';

/** `make e2e` runs the long form, 10 kills and 40 viewers; REPLAY_CAMPAIGN_SEED repeats a run. */
const KILLS = Number(process.env['REPLAY_CAMPAIGN_KILLS'] ?? 3);
const VIEWERS = Number(process.env['REPLAY_CAMPAIGN_VIEWERS'] ?? 12);
const SEED = Number(process.env['REPLAY_CAMPAIGN_SEED'] ?? randomInt(2 ** 31));
const SESSIONS = 2;
const LIFE_MS = 3_000;

const update = z.looseObject({ id: z.int(), message: z.string() });

/** Comes back with the last id that it has, again and again, until the session is over. */
class Viewer {
  readonly events: SeenEvent[] = [];
  readonly #series: ServerSeries;
  readonly #sessionId: string;
  readonly #chance: () => number;
  readonly #slow: boolean;
  #over = false;

  constructor(series: ServerSeries, sessionId: string, chance: () => number, slow: boolean) {
    this.#series = series;
    this.#sessionId = sessionId;
    this.#chance = chance;
    this.#slow = slow;
  }

  get last(): number {
    return this.events.at(-1)?.id ?? 0;
  }

  stop(): void {
    this.#over = true;
  }

  /** Resolves when the server says that there is nothing more. */
  async watch(): Promise<void> {
    while (!this.#over) {
      const { last } = this;
      const query = this.#chance() < 0.5 ? `?after=${last}` : '';
      const headers: Record<string, string> = query === '' ? { 'last-event-id': String(last) } : {};
      const url = `${this.#series.server.url}/sessions/${this.#sessionId}/events${query}`;
      const reader = await readEvents(url, headers).catch(() => null);
      if (reader?.status === 204) return;
      if (reader !== null) await this.#read(reader);
      await pause(20);
    }
  }

  async #read(reader: EventReader): Promise<void> {
    const cut = setTimeout(() => reader.cut(), 200 + this.#chance() * 4_000);
    const lame = this.#slow ? setInterval(() => toggle(reader, this.#chance()), 50) : undefined;
    await reader.ended;
    clearTimeout(cut);
    clearInterval(lame);
    this.events.push(...reader.events);
  }
}

function toggle(reader: EventReader, chance: number): void {
  if (chance < 0.7) reader.pause();
  else reader.resume();
}

function chanceOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const engines = [
  { name: 'SQLite', available: true },
  { name: 'PostgreSQL [needs postgresql]', available: HAS_POSTGRES },
] as const;

for (const engine of engines) {
  describe.skipIf(!engine.available)(`the journal on ${engine.name}`, () => {
    let postgres: PostgresServer | null = null;
    let series: ServerSeries;

    beforeAll(async () => {
      postgres = engine.name === 'SQLite' ? null : await PostgresServer.start();
      const config = postgres === null ? {} : { store: { url: await postgres.createDatabase() } };
      series = await ServerSeries.start({ config });
    });
    afterAll(async () => {
      await series[Symbol.asyncDispose]();
      await postgres?.[Symbol.asyncDispose]();
    });

    test(`viewers who are cut off, slow, and whose server is killed ${KILLS} times miss nothing, and see nothing twice`, async () => {
      const chance = chanceOf(SEED);
      const sessions = await Promise.all(
        Array.from({ length: SESSIONS }, async () => start(series.server, { message: '/stream 10000' })),
      );
      const viewers = sessions.flatMap((id) =>
        Array.from(
          { length: VIEWERS / SESSIONS },
          (_one, index) => [id, new Viewer(series, id, chance, index % 3 === 0)] as const,
        ),
      );
      const watching = Promise.all(viewers.map(async ([, viewer]) => viewer.watch()));
      for (let kill = 0; kill < KILLS; kill += 1) {
        await pause(LIFE_MS * (0.5 + chance()));
        await series.crashAndRestart();
        for (const id of sessions) await untilState(series.server, id, 'running');
      }
      await pause(LIFE_MS);
      for (const id of sessions) {
        // A raw Escape interrupts the demo agent; `/exit` then ends it, and its session with it.
        await series.server.request(`/${id}/message`, jsonRequest({ type: 'raw', content: '\u001b' }));
        await eventually(
          'the agent takes its last message',
          async () => {
            const last = jsonRequest({ type: 'user', content: '/exit' });
            const reply = await series.server.request(`/${id}/message`, last);
            await reply.text();
            const { state } = await getSession(series.server, id);
            return reply.status === 200 || state !== 'running';
          },
          60_000,
        );
        await untilState(series.server, id, 'stopped');
      }
      await watching;

      for (const id of sessions) {
        const reader = await readEvents(`${series.server.url}/sessions/${id}/events`);
        await reader.ended;
        const { events: truth } = reader;
        expect(truth.map((event) => event.id)).toEqual(truth.map((_event, index) => index + 1));
        expect(truth.at(-1)).toMatchObject({ name: 'state_change', data: { state: 'stopped' } });
        // The longest answer is there line by line, whatever has happened meanwhile.
        const texts = truth.flatMap(({ name, data }) =>
          name === 'message_update' ? [update.parse(data)] : [],
        );
        expect(texts.length, `seed ${SEED}`).toBeGreaterThan(10);
        for (const [of, viewer] of viewers) {
          if (of !== id) continue;
          expect(viewer.events, `seed ${SEED}`).toEqual(truth);
        }
      }
      const seen = viewers.reduce((sum, [, viewer]) => sum + viewer.events.length, 0);
      console.log(
        `${engine.name}: ${seen} events to ${viewers.length} viewers of ${SESSIONS} sessions over ${KILLS} kills: 0 lost, 0 twice, in order (seed ${SEED})`,
      );
    }, 300_000);

    test('PX-173: with a session its journal goes', async () => {
      const id = await start(series.server);
      await untilState(series.server, id, 'running');
      await series.server.request(`/sessions/${id}`, { method: 'DELETE' });
      const answer = await series.server.request(`/sessions/${id}/events`);
      expect(answer.status).toBe(404);
    });
  });
}
