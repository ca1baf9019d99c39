import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { backoffMs } from './backoff.ts';

test('pauses lie in the upper half of a bound that doubles up to its maximum', () => {
  const backoff = { initialMs: 250, maxMs: 15_000 };
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 10_000 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (attempt, random) => {
        const bound = attempt > 6 ? 15_000 : 250 * 2 ** (attempt - 1);
        const pause = backoffMs(attempt, backoff, () => random);
        expect(pause).toBeGreaterThanOrEqual(bound / 2);
        expect(pause).toBeLessThanOrEqual(bound);
      },
    ),
  );
});
