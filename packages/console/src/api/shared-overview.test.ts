import { signal } from '@preact/signals';
import type { OverviewEvent, StreamOptions } from '@agentapi-proxy/client';
import { describe, expect, test } from 'vitest';
import { ChannelLocks } from './channel-locks.ts';
import { OverviewState } from './overview-state.ts';
import { SharedOverview } from './shared-overview.ts';
import { groupNameOf, type TabChannel, type TabGroup, type TabLocks } from './tab-group.ts';

/** Locks as browsers have them, for the tabs of a test. */
class Locks implements TabLocks {
  #holder: ((reason: Error) => void) | null = null;
  readonly #waiting: (() => void)[] = [];

  async request(_name: string, options: LockOptions, work: () => Promise<void>): Promise<void> {
    if (options.steal === true) this.#holder?.(new DOMException('taken away', 'AbortError'));
    else if (this.#holder !== null) {
      await new Promise<void>((resolve, reject) => {
        this.#waiting.push(resolve);
        options.signal?.addEventListener('abort', () => {
          const place = this.#waiting.indexOf(resolve);
          if (place !== -1) this.#waiting.splice(place, 1);
          reject(new DOMException('not wanted', 'AbortError'));
        });
      });
    }
    let lose: (reason: Error) => void = () => undefined;
    const lost = new Promise<never>((_resolve, reject) => {
      lose = reject;
    });
    this.#holder = lose;
    try {
      await Promise.race([work(), lost]);
    } finally {
      if (this.#holder === lose) {
        this.#holder = null;
        this.#waiting.shift()?.();
      }
    }
  }
}

/** A server whose stream says what the test wants. */
class Server {
  readonly streams = new Set<StreamOptions & { push: (event: OverviewEvent) => void }>();
  state: readonly OverviewEvent[] = [];

  client() {
    return {
      events: (options: StreamOptions = {}) => this.#events(options),
      search: async () => ({ sessions: [] }),
      searchAll: async function* () {},
    };
  }

  tell(name: string, data: object): void {
    for (const { push } of this.streams) push({ name, data });
  }

  async *#events(options: StreamOptions): AsyncGenerator<OverviewEvent, void, undefined> {
    const waiting = [...this.state];
    let wake: () => void = () => undefined;
    const push = (event: OverviewEvent): void => {
      waiting.push(event);
      wake();
    };
    options.signal?.addEventListener('abort', () => wake());
    const stream = { ...options, push };
    this.streams.add(stream);
    options.onConnect?.();
    try {
      for (;;) {
        options.signal?.throwIfAborted();
        const event = waiting.shift();
        if (event !== undefined) yield event;
        else
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
      }
    } finally {
      this.streams.delete(stream);
    }
  }
}

/** A tab that writes down what it hears. */
class Tab {
  readonly heard: string[] = [];
  readonly isSeen = signal(true);
  readonly #life = new AbortController();
  readonly over: Promise<unknown>;

  constructor(server: Server, tabs: TabGroup | null, groupName: string) {
    const { isSeen } = this;
    const overview = new SharedOverview({
      client: server.client(),
      isSeen,
      tabs,
      groupName: async () => groupName,
    });
    this.over = this.#listen(overview);
  }

  async #listen(overview: SharedOverview): Promise<unknown> {
    try {
      const events = overview.events({
        signal: this.#life.signal,
        onConnect: () => this.heard.push('connected'),
        onReconnect: () => this.heard.push('lost'),
      });
      for await (const { name, data } of events) this.heard.push(`${name} ${JSON.stringify(data)}`);
      return null;
    } catch (error) {
      return error;
    }
  }

  /** @returns why it hears no more */
  async close(): Promise<unknown> {
    this.#life.abort(new Error('closed'));
    return await this.over;
  }
}

const openChannel = (name: string): TabChannel => new BroadcastChannel(name);
const LOCKS: readonly (readonly [string, () => TabLocks])[] = [
  ['of the browser', () => new Locks()],
  ['over a channel', () => new ChannelLocks(openChannel, new EventTarget())],
];
const said = (text: string) => `message_created ${JSON.stringify({ session_id: 'one', text })}`;

describe.each(LOCKS)('one overview stream for all tabs, with locks %s', (_kind, newLocks) => {
  const tabsOf = (): TabGroup => ({ locks: newLocks(), openChannel });

  test('every tab hears everything in order, one that comes later how things are; the next takes over', async () => {
    const [server, tabs, name] = [new Server(), tabsOf(), crypto.randomUUID()];
    const session = { session_id: 'one', user_id: 'alice', state: 'running', status: 'running' };
    server.state = [{ name: 'session', data: session }];
    const first = new Tab(server, tabs, name);
    await expect.poll(() => first.heard).toEqual(['connected', `session ${JSON.stringify(session)}`]);
    server.tell('session_status', { session_id: 'one', status: 'stable' });
    await expect.poll(() => first.heard.length).toBe(3);
    const now = `session ${JSON.stringify({ ...session, status: 'stable' })}`;
    const others = [new Tab(server, tabs, name), new Tab(server, tabs, name)];
    for (const { heard } of others) await expect.poll(() => heard).toEqual(['connected', now]);
    const texts = Array.from({ length: 50 }, (_none, index) => `word ${index}`);
    for (const text of texts) server.tell('message_created', { session_id: 'one', text });
    for (const { heard } of [first, ...others]) {
      await expect.poll(() => heard.slice(-50)).toEqual(texts.map(said));
    }
    await expect.poll(() => server.streams.size).toBe(1);
    await first.close();
    await expect.poll(() => server.streams.size).toBe(1);
    for (const { heard } of others) {
      await expect.poll(() => heard.slice(-2)).toEqual(['connected', `session ${JSON.stringify(session)}`]);
    }
    server.tell('message_created', { session_id: 'one', text: 'after' });
    for (const { heard } of others) await expect.poll(() => heard.at(-1)).toBe(said('after'));
    for (const tab of others) expect(await tab.close()).toEqual(new Error('closed'));
    expect(server.streams.size).toBe(0);
  });

  test('a tab that somebody sees takes over from one that nobody sees and that has lost its connection', async () => {
    const [server, tabs, name] = [new Server(), tabsOf(), crypto.randomUUID()];
    const hidden = new Tab(server, tabs, name);
    await expect.poll(() => hidden.heard).toEqual(['connected']);
    hidden.isSeen.value = false;
    const seen = new Tab(server, tabs, name);
    await expect.poll(() => seen.heard).toEqual(['connected']);
    const [stream] = server.streams;
    stream?.onReconnect?.({ attempt: 1, delayMs: 60_000, cause: expect.anything() });
    await expect.poll(() => seen.heard).toEqual(['connected', 'lost', 'connected']);
    await expect.poll(() => hidden.heard).toEqual(['connected', 'lost', 'connected']);
    await expect.poll(() => server.streams.size).toBe(1);
    server.tell('message_created', { session_id: 'one', text: 'both' });
    for (const { heard } of [seen, hidden]) await expect.poll(() => heard.at(-1)).toBe(said('both'));
    await seen.close();
    await hidden.close();
    expect(server.streams.size).toBe(0);
  });

  test('tabs of others, and those that the browser keeps apart, have streams of their own', async () => {
    const [server, tabs] = [new Server(), tabsOf()];
    const names = await Promise.all(['key-1', 'key-2'].map(async (key) => await groupNameOf(['base', key])));
    expect(names.join()).not.toContain('key-1');
    // Locks with different names do not know of each other.
    const all = [
      new Tab(server, tabs, names[0] ?? ''),
      new Tab(server, tabsOf(), names[1] ?? ''),
      new Tab(server, null, ''),
    ];
    for (const { heard } of all) await expect.poll(() => heard).toEqual(['connected']);
    expect(server.streams.size).toBe(3);
    for (const tab of all) await tab.close();
  });
});

test('who comes later hears of a new life nothing of the one before', () => {
  const state = new OverviewState();
  const at = { session_id: 'one', user_id: 'alice' };
  state.take({ name: 'session', data: { ...at, state: 'running', status: 'stable' } });
  state.take({ name: 'session_state', data: { ...at, state: 'stopped' } });
  state.take({ name: 'session_state', data: { ...at, state: 'running' } });
  expect(state.events()).toEqual([{ name: 'session', data: { ...at, state: 'running', status: null } }]);
  state.take({ name: 'session_status', data: { session_id: 'one', status: 'running' } });
  expect(state.events()).toEqual([{ name: 'session', data: { ...at, state: 'running', status: 'running' } }]);
  state.take({ name: 'session_deleted', data: { session_id: 'one' } });
  expect(state.events()).toEqual([]);
});
