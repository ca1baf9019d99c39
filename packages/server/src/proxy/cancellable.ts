import type { Wish } from './admit.ts';

/** Something in progress that ends early when its session goes or its client may not use it any more. */
export interface Cancellable {
  /** Whether it has no end of its own: an event stream, an upgraded connection, a wait. */
  readonly endless: boolean;
  /** What whoever is served has asked for. */
  readonly wish: Wish;
  /** Ends it; `reason` says why. Called at most once, and not after it finished by itself. */
  cancel(reason: CancelReason): void;
}

export type CancelReason = 'session-ended' | 'shutdown';

/** Cancels everything in a set, which is empty afterwards. */
export function cancelAll(active: Set<Cancellable>, reason: CancelReason): void {
  for (const one of active) {
    active.delete(one);
    one.cancel(reason);
  }
}
