import type { Responder } from '../wire/responder.ts';
import type { Wish } from './admit.ts';
import type { Cancellable, CancelReason } from './cancellable.ts';

/** A request that waits for its session to start. Its body is not read meanwhile. */
export class HeldRequest implements Responder, Cancellable {
  readonly endless = true;
  readonly wish: Wish;
  /** Aborted when the wait is over, whatever the reason. */
  readonly wait = new AbortController();
  /** Why the wait ended early; `null` when it did not. */
  ended: CancelReason | 'client-gone' | null = null;

  constructor(wish: Wish) {
    this.wish = wish;
  }

  cancel(reason: CancelReason): void {
    this.ended = reason;
    this.wait.abort();
  }

  onGone(): void {
    this.ended = 'client-gone';
    this.wait.abort();
  }

  onRequestBody(): void {
    // Nobody has asked for it.
  }

  onRequestEnd(): void {
    // Nobody has asked for the body.
  }

  onClientDrain(): void {
    // Nothing has been written.
  }
}
