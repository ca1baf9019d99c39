import pino from 'pino';
import { expect, test, vi } from 'vitest';
import { Refresher } from './refresher.ts';

const LOG = pino({ level: 'silent' });

/** A store whose readings end when they are told to, each with what was in it when the reading began. */
class SlowStore {
  content: readonly string[] = [];
  /** What is in memory. */
  known: readonly string[] = [];
  readonly #readings: { readonly end: () => void; readonly fail: () => void }[] = [];
  begun = 0;
  readonly refresher = new Refresher('it', async () => this.#read(), LOG);

  /** Ends the reading under way. */
  async end(how: 'end' | 'fail' = 'end'): Promise<void> {
    await vi.waitUntil(() => this.#readings.length === 1);
    this.#readings.shift()?.[how]();
  }

  /** Takes something out of the store, then out of memory. */
  remove(one: string): Promise<void> {
    const without = (all: readonly string[]): readonly string[] => all.filter((other) => other !== one);
    this.content = without(this.content);
    return this.refresher.changed(() => {
      this.known = without(this.known);
    });
  }

  #read(): Promise<() => void> {
    this.begun += 1;
    const { content } = this;
    return new Promise((resolve, reject) => {
      const keep = (): void => {
        this.known = content;
      };
      this.#readings.push({ end: () => resolve(keep), fail: () => reject(new Error('disk gone')) });
    });
  }
}

test('any number of callers waits for two readings at most: the one under way and one that begins after it', async () => {
  const store = new SlowStore();
  const first = store.refresher.now();
  store.content = ['a'];
  const others = Promise.all(Array.from({ length: 50 }, () => store.refresher.now()));
  await store.end();
  await first;
  expect(store.known).toEqual([]);
  await store.end();
  await others;
  expect([store.known, store.begun]).toEqual([['a'], 2]);
});

test('a change holds at once, also against a reading that began before it, and while nothing can be read', async () => {
  const store = new SlowStore();
  store.content = store.known = ['a', 'b', 'c'];
  const early = store.refresher.now();
  const removed = store.remove('a');
  expect(store.known).toEqual(['b', 'c']);
  await store.end();
  await early;
  expect(store.known).toEqual(['b', 'c']);
  await store.end('fail');
  await removed;
  expect(store.known).toEqual(['b', 'c']);
  // From then on the store alone counts.
  store.content = ['a', 'c'];
  const late = store.refresher.now();
  await store.end();
  await late;
  expect(store.known).toEqual(['a', 'c']);
});
