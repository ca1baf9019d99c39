import { expect, test } from 'vitest';
import { BusyPoll } from './busy-poll.ts';

const WINDOW_MS = 0.06;

/** An event loop of which each turn takes 10 µs, and whose turns are counted. */
class Loop {
  turns = 0;
  #now = 0;
  #look: (() => void) | null = null;
  readonly poll = new BusyPoll(WINDOW_MS, {
    now: () => this.#now,
    nextTurn: (look) => (this.#look = look),
  });

  /** Runs as long as nothing would make it sleep, at most so many turns. @returns how many those were. */
  run(atMost = 1_000): number {
    const before = this.turns;
    while (this.#look !== null && this.turns - before < atMost) {
      const look = this.#look;
      this.#look = null;
      this.turns += 1;
      this.#now += 0.01;
      look();
    }
    return this.turns - before;
  }

  /** Expects something that comes after so many turns. @returns how many turns the loop made. */
  wait(turnsUntilItComes: number): number {
    this.poll.expect();
    const before = this.run(turnsUntilItComes);
    this.poll.came();
    return before + this.run();
  }
}

test('the loop stays awake until what is expected has come, and no longer', () => {
  const loop = new Loop();
  expect(loop.run()).toBe(0);
  expect(loop.wait(3)).toBe(4);
  expect(loop.run()).toBe(0);
});

test('it gives up after its time', () => {
  const loop = new Loop();
  loop.poll.expect();
  expect(loop.run()).toBeLessThanOrEqual(7);
});

test('what never comes in time costs less and less', () => {
  const loop = new Loop();
  for (let i = 0; i < 6_500; i += 1) loop.wait(1_000);
  // 1 + 2 + 4 + … + 64, then once in 65.
  expect(loop.turns).toBeLessThan(7 * (7 + 6_500 / 65));
});

test('what came in time once is waited for again, and a late one does not count', () => {
  const loop = new Loop();
  for (let i = 0; i < 500; i += 1) loop.wait(1_000);
  const tries = Array.from({ length: 66 }, () => loop.wait(2));
  expect(tries.filter((turns) => turns > 0).length).toBeGreaterThan(1);
  expect(loop.wait(2)).toBe(3);
});

test('several expectations at once keep it awake once', () => {
  const loop = new Loop();
  loop.poll.expect();
  loop.poll.expect();
  expect(loop.run(3)).toBe(3);
  loop.poll.came();
  expect(loop.run()).toBe(1);
});

test('without a time nothing is waited for', () => {
  let turns = 0;
  const poll = new BusyPoll(0, { now: () => 0, nextTurn: () => (turns += 1) });
  poll.expect();
  expect(turns).toBe(0);
});
