import { expect, test } from 'vitest';
import { DEFAULT_TIMING, stabilityThreshold, stillnessMs } from './timing.ts';

test.each([
  [25, 2_000, 81],
  [1_000, 2_000, 3],
  [2_000, 3_000, 3],
  [6_000, 14_000, 4],
  [25, 0, 1],
])(
  'AA-072: snapshots every %d ms and a stable time of %d ms make a threshold of %d',
  (interval, stable, threshold) => {
    expect(stabilityThreshold(interval, stable)).toBe(threshold);
  },
);

test('AA-074: so many equal snapshots span the stable time, rounded up to the interval', () => {
  expect(stillnessMs(DEFAULT_TIMING.intervalMs, DEFAULT_TIMING.stabilityMs)).toBe(2_000);
  expect(stillnessMs(6_000, 14_000)).toBe(18_000);
});
