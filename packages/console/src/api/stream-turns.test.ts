import { signal } from '@preact/signals';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { sharesConnection, StreamTurns } from './stream-turns.ts';
import type { TabLocks } from './tab-group.ts';

interface Claim {
  readonly grant: () => void;
  readonly refuse: (reason: DOMException) => void;
}

/** Locks as browsers have them, for one page. */
class Locks implements TabLocks {
  readonly #claims = new Map<string, Claim[]>();

  async request(name: string, { signal: end, steal }: LockOptions, work: () => Promise<void>): Promise<void> {
    const claims = this.#claims.get(name) ?? [];
    this.#claims.set(name, claims);
    let refuse = (_reason: DOMException): void => undefined;
    const refused = new Promise<never>((_resolve, reject) => {
      refuse = reject;
    });
    let grant = (): void => undefined;
    const granted = new Promise<void>((resolve) => {
      grant = resolve;
    });
    const claim: Claim = { grant, refuse };
    const leave = (): void => {
      const at = claims.indexOf(claim);
      if (at >= 0) claims.splice(at, 1);
      claims[0]?.grant();
    };
    const giveUp = (): void => refuse(new DOMException('given up', 'AbortError'));
    end?.addEventListener('abort', giveUp);
    if (steal === true) {
      claims.shift()?.refuse(new DOMException('stolen', 'AbortError'));
      claims.unshift(claim);
    } else {
      claims.push(claim);
    }
    if (claims[0] === claim) grant();
    try {
      await Promise.race([granted, refused]);
      end?.removeEventListener('abort', giveUp);
      await Promise.race([work(), refused]);
    } finally {
      leave();
    }
  }
}

let life: AbortController;

beforeEach(() => {
  life = new AbortController();
  vi.useFakeTimers();
});
afterEach(() => {
  life.abort();
  vi.useRealTimers();
});

test('four streams are open at a time: another takes the place of one, soon where somebody writes', async () => {
  const locks = new Locks();
  const pageWith = (focused: boolean) =>
    new StreamTurns({ isSeen: signal(true), locks, page: { hasFocus: () => focused } });
  const other = pageWith(false);
  const open = await Promise.all([1, 2, 3, 4].map(() => other.next(life.signal)));
  const ended = (): number => open.filter(({ over }) => over.aborted).length;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(ended()).toBe(0);

  const fifth = pageWith(true).next(life.signal);
  await vi.advanceTimersByTimeAsync(499);
  expect(ended()).toBe(0);
  await vi.advanceTimersByTimeAsync(1);
  const writing = await fifth;
  expect(ended()).toBe(1);

  const sixth = other.next(life.signal);
  await vi.advanceTimersByTimeAsync(3_999);
  expect(ended()).toBe(1);
  writing.end();
  // Nobody has to go for it.
  expect((await sixth).over.aborted).toBe(false);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(ended()).toBe(1);
});

test('pages that nobody sees have no turn and no place', async () => {
  const locks = new Locks();
  const isSeen = signal(true);
  const page = { hasFocus: () => false };
  const turns = new StreamTurns({ isSeen, locks, page });
  const open = await Promise.all([1, 2, 3, 4].map(() => turns.next(life.signal)));
  const gone = new Error('gone');
  const closing = new AbortController();
  const waiting = turns.next(closing.signal).catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(1);
  isSeen.value = false;
  expect(open.map(({ over }) => over.aborted)).toEqual([true, true, true, true]);
  const others = new StreamTurns({ isSeen: signal(true), locks, page });
  const next = await Promise.all([1, 2, 3, 4].map(() => others.next(life.signal)));
  await vi.advanceTimersByTimeAsync(60_000);
  expect(next.some(({ over }) => over.aborted)).toBe(false);
  closing.abort(gone);
  expect(await waiting).toBe(gone);
});

test('where there are no locks to be had, streams do without', async () => {
  const locks: TabLocks = {
    request: async () => await Promise.reject(new DOMException('no', 'SecurityError')),
  };
  const turns = new StreamTurns({ isSeen: signal(true), locks, page: { hasFocus: () => false } });
  for (let count = 0; count < 6; count += 1) expect((await turns.next(life.signal)).over.aborted).toBe(false);
});

test.each([
  ['h2', true],
  ['h3', true],
  ['http/1.1', false],
  ['', false],
])('a page that came over %j: all requests share a connection: %j', (nextHopProtocol, isShared) => {
  const entry = { name: '', entryType: 'navigation', startTime: 0, duration: 0, toJSON: () => null };
  const page = { getEntriesByType: () => [{ ...entry, nextHopProtocol }] };
  expect(sharesConnection(page)).toBe(isShared);
});
