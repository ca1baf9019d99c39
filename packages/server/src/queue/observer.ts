/** Told of what becomes of queued messages. Nothing that it does may fail, or hold anybody up. */
export interface QueueObserver {
  /** A message was left. */
  queued(): void;
  /** A message does not wait any more; `ms` counts from the moment when it was left. */
  settled(outcome: 'delivered' | 'failed' | 'cancelled', ms: number): void;
}

/** Messages to sessions that live. */
export interface QueueFigures {
  readonly pending: number;
  readonly sending: number;
}
