/** How pauses between attempts grow. */
export interface Backoff {
  /** Upper bound of the first pause, in milliseconds. */
  readonly initialMs: number;
  /** Upper bound of every pause, in milliseconds. */
  readonly maxMs: number;
}

/**
 * Pause before the given attempt (from 1): the bound doubles with each attempt, and the pause is drawn from
 * its upper half so that many clients of a restarted server do not come back in step.
 */
export function backoffMs(attempt: number, { initialMs, maxMs }: Backoff, random = Math.random): number {
  const bound = Math.min(maxMs, initialMs * 2 ** Math.min(attempt - 1, 30));
  return bound / 2 + (bound / 2) * random();
}
