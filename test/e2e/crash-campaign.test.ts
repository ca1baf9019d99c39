import { randomInt } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { HAS_POSTGRES, PostgresServer } from '../../tools/src/postgres-server.ts';
import { lineAgent } from '../support/line-agent.ts';
import { eventually } from '../support/server-process.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { ServerSeries } from '../support/server-series.ts';
import { getSession, jsonRequest, search } from '../support/wire.ts';

/** `make e2e` runs the long form, 100; CRASH_CAMPAIGN_SEED repeats a run. */
const KILLS = Number(process.env['CRASH_CAMPAIGN_KILLS'] ?? 6);
const SEED = Number(process.env['CRASH_CAMPAIGN_SEED'] ?? randomInt(2 ** 31));

/** Living sessions at a time; what is to be shown does not depend on their number. */
const MOST_SESSIONS = 6;
/** A kill comes at any moment within one of these times after the server is ready: starts, and also talks, are hit. */
const LIVES_MS = [1_000, 3_000, 10_000] as const;

const startReply = z.object({ session_id: z.string() });
const profileReply = z.object({ profile: z.object({ id: z.string() }) });

/** The same sequence for the same seed, as far as chance decides. */
class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** From 0 up to 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }
}

/** Sessions as their users know them: by what was answered. */
class Ledger {
  /** Number of the start by session id. */
  readonly started = new Map<string, number>();
  readonly deleted = new Set<string>();
  /** Whose DELETE was sent and perhaps not answered. */
  readonly deleting = new Set<string>();
  /** Whose processes were killed, agent and all. */
  readonly killed = new Set<string>();
  readonly said: { id: string; text: string }[] = [];
  readonly profiles = new Set<string>();
  starts = 0;

  living(): string[] {
    return [...this.started.keys()].filter((id) => !this.deleting.has(id));
  }
}

/** Uses the server like its clients do, whatever happens to it. */
class Clients {
  readonly #servers: ServerSeries;
  readonly #ledger: Ledger;
  readonly #chance: Chance;
  #over = false;
  #work: Promise<void> = Promise.resolve();

  constructor(servers: ServerSeries, ledger: Ledger, chance: Chance) {
    this.#servers = servers;
    this.#ledger = ledger;
    this.#chance = chance;
  }

  begin(count: number): void {
    this.#work = Promise.all(Array.from({ length: count }, async () => this.#use())).then(() => undefined);
  }

  async end(): Promise<void> {
    this.#over = true;
    await this.#work;
  }

  async #use(): Promise<void> {
    while (!this.#over) {
      // A connection that breaks, and a server that is not there, are what this is about.
      await this.#act().catch(() => undefined);
      await pause(20 + this.#chance.below(100));
    }
  }

  async #act(): Promise<void> {
    const living = this.#ledger.living();
    const one = living[this.#chance.below(living.length)];
    const wish = this.#chance.next();
    if (one === undefined || (wish < 0.35 && living.length < MOST_SESSIONS)) await this.#start();
    else if (wish < 0.75) await this.#say(one);
    else if (wish < 0.85) await this.#makeProfile();
    else if (living.length >= MOST_SESSIONS) await this.#delete(one);
  }

  async #start(): Promise<void> {
    const number = (this.#ledger.starts += 1);
    const body = { user_id: `user-${number}`, tags: { n: String(number) }, message: `first-${number}` };
    const response = await this.#servers.server.request('/start', jsonRequest(body));
    if (response.status !== 200) return;
    this.#ledger.started.set(startReply.parse(await response.json()).session_id, number);
  }

  async #say(id: string): Promise<void> {
    const text = `said-${this.#ledger.said.length}-${this.#chance.below(1_000_000)}`;
    const body = { type: 'user', content: text };
    const response = await this.#servers.server.request(`/${id}/message`, jsonRequest(body));
    await response.text();
    if (response.status === 200) this.#ledger.said.push({ id, text });
  }

  async #makeProfile(): Promise<void> {
    const response = await this.#servers.server.request(
      '/profiles',
      jsonRequest({ name: 'p', environment: { A: 'b' } }),
    );
    if (response.status === 201)
      this.#ledger.profiles.add(profileReply.parse(await response.json()).profile.id);
  }

  async #delete(id: string): Promise<void> {
    this.#ledger.deleting.add(id);
    const response = await this.#servers.server.request(`/sessions/${id}`, { method: 'DELETE' });
    await response.text();
    if (response.status === 200) this.#ledger.deleted.add(id);
  }
}

async function linesReceived(servers: ServerSeries, id: string): Promise<string[]> {
  const text = await readFile(servers.sessionPath(id, 'workspace', 'received'), 'utf8').catch(() => '');
  return text.split('\n').filter((line) => line !== '');
}

/** What must be true whenever a server says that it is ready. */
async function checkAfterStart(servers: ServerSeries, ledger: Ledger): Promise<void> {
  const { server } = servers;
  const shown = await search(server);
  expect(new Set(shown.map(({ session_id: id }) => id)).size).toBe(shown.length);
  for (const { session_id: id, state } of shown) {
    // Nobody else uses this server yet: what starts is what the kill has interrupted.
    if (state === 'creating' || state === 'starting') continue;
    expect([id, state]).toEqual([id, 'running']);
    const status = await server.request(`/${id}/status`);
    // An agent may end at any time, but whoever is shown as running answers.
    expect([id, status.status]).toEqual([id, 200]);
    await status.text();
  }
  for (const [id, number] of ledger.started) {
    if (ledger.deleting.has(id)) continue;
    expect(await getSession(server, id)).toMatchObject({
      user_id: `user-${number}`,
      tags: { n: String(number) },
    });
  }
  for (const id of ledger.deleted) {
    expect([id, (await server.request(`/sessions/${id}`)).status]).toEqual([id, 404]);
    expect(await servers.pidsOf(id)).toEqual([]);
  }
  for (const id of ledger.profiles) expect((await server.request(`/profiles/${id}`)).status).toBe(200);
  for (const { id, text } of ledger.said) {
    if (ledger.deleting.has(id)) continue;
    const received = (await linesReceived(servers, id)).filter((line) => line === text);
    expect(received).toEqual(ledger.killed.has(id) && received.length === 0 ? [] : [text]);
  }
}

/** Every process belongs to a session that is shown. */
async function checkNoOrphans(servers: ServerSeries): Promise<void> {
  await eventually('every process belongs to a session that lives', async () => {
    const shown = await search(servers.server);
    const counted = await Promise.all(
      shown.map(async ({ session_id: id }) => (await servers.pidsOf(id)).length),
    );
    const total = (await servers.server.sessionProcesses()).length;
    return counted.reduce((sum, count) => sum + count, 0) === total;
  });
}

/** Waits until all first messages have come to an end, after the interrupted starts were resumed. */
async function settleMessages(server: ServerProcess, ledger: Ledger): Promise<void> {
  for (const { session_id: id } of await search(server, '?state=failed,stopped')) {
    // A DELETE that was interrupted may have taken the workspace along.
    if (ledger.deleting.has(id)) continue;
    const { initial_message: message, reason } = await getSession(server, id);
    if (message?.state !== 'pending') continue;
    const resumed = await server.request(`/sessions/${id}/resume`, { method: 'POST' });
    expect([id, reason, resumed.status, await resumed.text()]).toMatchObject([
      id,
      reason,
      200,
      expect.any(String),
    ]);
  }
  await eventually(
    'no first message is waiting',
    async () => {
      const all = (await search(server, '?state=all')).filter(
        ({ session_id: id }) => !ledger.deleting.has(id),
      );
      const details = await Promise.all(all.map(async ({ session_id: id }) => getSession(server, id)));
      return details.every(({ initial_message: message }) => message?.state !== 'pending');
    },
    60_000,
  );
}

describe.each([
  ['SQLite', false],
  ['PostgreSQL [needs postgresql]', true],
])(`crash campaign, store in %s, seed ${SEED}`, (name, onPostgres) => {
  const skip = onPostgres && !HAS_POSTGRES;
  let postgres: PostgresServer | null = null;
  beforeAll(async () => {
    if (onPostgres && !skip) postgres = await PostgresServer.start({ durable: true });
  }, 120_000);
  afterAll(async () => postgres?.[Symbol.asyncDispose]());

  test.skipIf(skip)(
    `PX-109, PX-169, PX-174, PX-176: ${KILLS} kills at any moment lose nothing, and leave nothing behind`,
    { timeout: 120_000 + KILLS * 30_000 },
    async () => {
      const chance = new Chance(SEED);
      const ledger = new Ledger();
      const store = postgres === null ? {} : { store: { url: await postgres.createDatabase() } };
      await using servers = await ServerSeries.start({
        config: {
          agents: { line: lineAgent() },
          default_agent: 'line',
          limits: { starts_per_minute: 0 },
          ...store,
        },
      });
      const startMs: number[] = [];
      for (let kill = 0; kill < KILLS; kill += 1) {
        const clients = new Clients(servers, ledger, chance);
        clients.begin(4);
        await pause(chance.below(LIVES_MS[chance.below(LIVES_MS.length)] ?? 0));
        await servers.crash();
        await clients.end();
        // Now and then the whole machine goes down, as far as a session can tell.
        const victim = ledger.living()[chance.below(MOST_SESSIONS * 4)];
        if (victim !== undefined) {
          await servers.killSession(victim);
          ledger.killed.add(victim);
        }
        const began = performance.now();
        await servers.next();
        startMs.push(performance.now() - began);
        await checkAfterStart(servers, ledger);
        await checkNoOrphans(servers);
      }

      await settleMessages(servers.server, ledger);
      const all = await search(servers.server, '?state=all');
      const fates: Record<string, number> = { delivered: 0 };
      for (const { session_id: id, tags } of all) {
        if (ledger.deleting.has(id)) continue;
        const first = `first-${tags['n']}`;
        const { initial_message: message } = await getSession(servers.server, id);
        const received = (await linesReceived(servers, id)).filter((line) => line === first).length;
        if (message?.state === 'delivered') {
          // What an agent had been given when it was killed, it may not have looked at.
          if (!ledger.killed.has(id)) expect([id, received]).toEqual([id, 1]);
          expect(received).toBeLessThanOrEqual(1);
          fates['delivered'] = (fates['delivered'] ?? 0) + 1;
        } else {
          // Only where the agent was killed while the message was on its way.
          expect(message).toMatchObject({
            state: 'failed',
            reason: expect.stringMatching(/not known|session ended/),
          });
          expect(received).toBeLessThanOrEqual(1);
          const why = String(message?.reason);
          fates[why] = (fates[why] ?? 0) + 1;
        }
      }
      const slowest = Math.round(Math.max(...startMs));
      console.log(
        `${name}: ${KILLS} kills, ${ledger.starts} starts, ${all.length} sessions left, ${ledger.said.length} messages, first messages ${JSON.stringify(fates)}, slowest start ${slowest} ms`,
      );

      for (const { session_id: id } of all) {
        expect((await servers.server.request(`/sessions/${id}`, { method: 'DELETE' })).status).toBe(200);
      }
      expect(await search(servers.server, '?state=all')).toEqual([]);
      expect(await servers.server.sessionProcesses()).toEqual([]);
      expect(await readdir(`${servers.server.dataDir}/sessions`).catch(() => [])).toEqual([]);
    },
  );
});
