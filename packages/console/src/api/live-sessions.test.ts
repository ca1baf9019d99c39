import { describe, expect, test } from 'vitest';
import type { OverviewEvent, SessionSummary, StreamOptions } from '@agentapi-proxy/client';
import type { SessionPhase } from './live-session.ts';
import { LiveSessions, type SessionsClient } from './live-sessions.ts';

const row = (id: string): SessionSummary => ({
  session_id: id,
  user_id: 'alice',
  status: 'active',
  state: 'running',
  agent: 'demo',
  port: 9000,
  started_at: '2026-01-01T00:00:00.000Z',
  created_at: '2026-01-01T00:00:00.000Z',
  updated_at: '2026-01-01T00:00:00.000Z',
  tags: {},
});

/** A server of which the test decides what it tells. */
class Script implements SessionsClient {
  rows: SessionSummary[] = [];
  #options: StreamOptions = {};
  #push: (event: OverviewEvent) => void = () => undefined;

  async *events(options: StreamOptions = {}): AsyncGenerator<OverviewEvent, void, undefined> {
    this.#options = options;
    options.onConnect?.();
    for (;;) {
      yield await new Promise<OverviewEvent>((resolve) => {
        this.#push = resolve;
      });
    }
  }

  /** Answers are on their way until it is called. */
  arrive: () => void = () => undefined;
  #way: Promise<void> | null = null;
  #onAsked: () => void = () => undefined;

  async search() {
    const sessions = this.rows;
    this.#onAsked();
    await this.#way;
    return { sessions };
  }

  async *searchAll() {
    const { rows } = this;
    await this.#way;
    yield* rows;
  }

  /** Resolves with the next search. */
  async untilAsked(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#onAsked = resolve;
    });
  }

  /** From now on answers take a while. */
  delay(): void {
    this.#way = new Promise((resolve) => {
      this.arrive = resolve;
    });
  }

  async tell(name: string, data: object): Promise<void> {
    this.#push({ name, data });
    // The generator has to come round for the next one.
    await new Promise((resolve) => setTimeout(resolve, 0));
  }

  reconnect(): void {
    this.#options.onConnect?.();
  }
}

describe('the live list of sessions', () => {
  test('shows what the search has, how the stream says it is, and what begins and goes', async () => {
    const server = new Script();
    server.rows = [row('one')];
    const sessions = new LiveSessions(server);
    const phases = (): Record<string, SessionPhase> =>
      Object.fromEntries([...sessions.list.value].map(([id, { phase }]) => [id, phase]));
    const changes: string[] = [];
    sessions.onPhase((session, before) => changes.push(`${session.id}: ${before.phase} → ${session.phase}`));
    sessions.start();
    await expect.poll(phases).toEqual({ one: 'starting' });
    await server.tell('session', {
      session_id: 'one',
      user_id: 'alice',
      state: 'running',
      status: 'running',
    });
    await expect.poll(phases).toEqual({ one: 'working' });
    await server.tell('session_status', { session_id: 'one', status: 'running', waiting_for: 'permission' });
    await expect.poll(phases).toEqual({ one: 'waiting' });
    await server.tell('session_status', { session_id: 'one', status: 'running' });
    await expect.poll(phases).toEqual({ one: 'working' });
    await server.tell('session_status', { session_id: 'one', status: 'stable' });
    await expect.poll(phases).toEqual({ one: 'waiting' });
    server.rows = [row('one'), row('two')];
    await server.tell('session_state', {
      session_id: 'two',
      state: 'starting',
      at: '2026-01-01T00:00:00.000Z',
    });
    await expect.poll(phases).toEqual({ one: 'waiting', two: 'starting' });
    server.rows = [row('two')];
    await server.tell('session_deleted', { session_id: 'one' });
    await expect.poll(phases).toEqual({ two: 'starting' });
    // While the connection was lost, everything may have changed.
    server.rows = [row('three')];
    server.reconnect();
    await expect.poll(phases).toEqual({ three: 'starting' });
    expect(changes).toEqual([
      'one: starting → working',
      'one: working → waiting',
      'one: waiting → working',
      'one: working → waiting',
    ]);
    sessions.stop();
    expect(phases()).toEqual({});
  });

  test('a session that goes while a list with it is on its way does not come back', async () => {
    const server = new Script();
    server.rows = [row('one'), row('two')];
    const sessions = new LiveSessions(server);
    const ids = () => [...sessions.list.value.keys()].toSorted();
    sessions.start();
    await expect.poll(ids).toEqual(['one', 'two']);
    server.delay();
    const reloaded = sessions.reload();
    await server.tell('session_deleted', { session_id: 'one' });
    await expect.poll(ids).toEqual(['two']);
    server.arrive();
    await reloaded;
    expect(ids()).toEqual(['two']);
    // A session that nobody knows has the rows of the last ones fetched, too.
    server.rows = [row('two'), row('three')];
    server.delay();
    const state = { state: 'starting', at: '2026-01-01T00:00:00.000Z' };
    const asked = server.untilAsked();
    await server.tell('session_state', { session_id: 'three', ...state });
    await asked;
    await server.tell('session_deleted', { session_id: 'two' });
    server.arrive();
    await expect.poll(ids).toEqual(['three']);
    sessions.stop();
  });
});
