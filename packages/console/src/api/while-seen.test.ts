import { signal, type ReadonlySignal } from '@preact/signals';
import { ConnectionError } from '@agentapi-proxy/client';
import { expect, test } from 'vitest';
import { StreamTurns } from './stream-turns.ts';
import { whileSeen } from './while-seen.ts';

const turnsOf = (isSeen: ReadonlySignal<boolean>): StreamTurns =>
  new StreamTurns({ isSeen, locks: null, page: { hasFocus: () => true } });

/** A journal that grows by itself, and how often it was opened. */
class Journal {
  opened = 0;
  open = 0;
  isAway = false;
  readonly #entries: number[] = [];
  #wake: () => void = () => undefined;

  add(...entries: readonly number[]): void {
    this.#entries.push(...entries);
    this.#wake();
  }

  async *follow(after: number, end: AbortSignal): AsyncGenerator<number, void, undefined> {
    this.opened += 1;
    if (this.isAway) throw new ConnectionError('nobody is there');
    this.open += 1;
    end.addEventListener('abort', () => this.#wake());
    try {
      for (let next = after; ;) {
        end.throwIfAborted();
        const entry = this.#entries[next];
        if (entry === undefined)
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
        else {
          next += 1;
          yield entry;
        }
      }
    } finally {
      this.open -= 1;
    }
  }
}

test('a stream that nobody sees is closed, and goes on where it was: nothing is lost or doubled', async () => {
  const journal = new Journal();
  const isSeen = signal(true);
  const turns = turnsOf(isSeen);
  const life = new AbortController();
  const got: number[] = [];
  const read = async (): Promise<unknown> => {
    const open = (end: AbortSignal) => journal.follow(got.length, end);
    try {
      for await (const entry of whileSeen({ turns, signal: life.signal, open })) got.push(entry);
      return null;
    } catch (error) {
      return error;
    }
  };
  const reading = read();
  journal.add(1, 2);
  await expect.poll(() => got).toEqual([1, 2]);
  isSeen.value = false;
  await expect.poll(() => journal.open).toBe(0);
  journal.add(3, 4);
  expect(journal.opened).toBe(1);
  // The network comes back a moment later than the person.
  journal.isAway = true;
  isSeen.value = true;
  await expect.poll(() => journal.opened).toBe(2);
  journal.isAway = false;
  await expect.poll(() => got, { timeout: 10_000 }).toEqual([1, 2, 3, 4]);
  isSeen.value = false;
  await expect.poll(() => journal.open).toBe(0);
  const enough = new Error('enough');
  life.abort(enough);
  expect(await reading).toBe(enough);
});

test('a stream that cannot be opened in the beginning fails', async () => {
  const journal = new Journal();
  journal.isAway = true;
  const open = (end: AbortSignal) => journal.follow(0, end);
  const stream = whileSeen({ turns: turnsOf(signal(true)), signal: new AbortController().signal, open });
  await expect(stream.next()).rejects.toThrow(ConnectionError);
});
