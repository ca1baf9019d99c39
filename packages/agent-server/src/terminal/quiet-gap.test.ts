import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { QuietGap } from './quiet-gap.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A gap with the constants of production; `reads` are the milliseconds at which the screen was read. */
function gapOf(midRedraw: () => boolean = () => false) {
  const start = performance.now();
  const reads: number[] = [];
  const gap = new QuietGap({
    gapMs: 16,
    tries: 3,
    intervalMs: 25,
    midRedraw,
    read: () => reads.push(Math.round(performance.now() - start)),
  });
  return { gap, reads };
}

/** Output every `everyMs` milliseconds, for `ms` milliseconds. */
function outputs(gap: QuietGap, everyMs: number, ms: number): void {
  for (let at = 0; at < ms; at += everyMs) {
    gap.changed();
    vi.advanceTimersByTime(everyMs);
  }
}

test('AA-100: one change is read after a quiet gap of 16 ms', () => {
  const { gap, reads } = gapOf();
  gap.changed();
  vi.advanceTimersByTime(1_000);
  expect(reads).toEqual([16]);
});

test('AA-100: output without a gap is read after 48 ms', () => {
  const { gap, reads } = gapOf();
  outputs(gap, 5, 100);
  expect(reads).toEqual([48, 98]);
});

test('two reads are at least one interval apart', () => {
  const { gap, reads } = gapOf();
  gap.changed();
  vi.advanceTimersByTime(16);
  gap.changed();
  vi.advanceTimersByTime(100);
  expect(reads).toEqual([16, 41]);
});

test('a redraw that has been announced is not read before its end, but after a second at the latest', () => {
  let redrawing = true;
  const { gap, reads } = gapOf(() => redrawing);
  gap.changed();
  vi.advanceTimersByTime(200);
  redrawing = false;
  vi.advanceTimersByTime(20);
  expect(reads).toEqual([208]);
  redrawing = true;
  gap.changed();
  vi.advanceTimersByTime(1_500);
  expect(reads).toHaveLength(2);
});

test('no timer runs while nothing changes, after a read for another reason, and after the end', () => {
  const { gap } = gapOf();
  expect(vi.getTimerCount()).toBe(0);
  gap.changed();
  vi.advanceTimersByTime(100);
  expect(vi.getTimerCount()).toBe(0);
  gap.changed();
  gap.settled();
  expect(vi.getTimerCount()).toBe(0);
  gap.changed();
  gap.dispose();
  expect(vi.getTimerCount()).toBe(0);
});
