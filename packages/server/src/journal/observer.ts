import type { StoreErrorKind } from '../store/store-error.ts';

/** Told of what the journal does. Nothing that it does may fail, or hold anybody up. */
export interface JournalObserver {
  /** So many events of all sessions are written; the store took `ms` for them. */
  written(events: number, ms: number): void;
  /** The store did not take what happened. */
  writeFailed(kind: StoreErrorKind): void;
  /** Nothing of a session is written any more, because its journal cannot be. */
  abandoned(): void;
  /** A viewer was told that events are not kept any more, or that a position is not known. */
  gapShown(reason: 'pruned' | 'unknown_position'): void;
  /** Events of so many bytes, as they were stored, are forgotten. */
  pruned(bytes: number): void;
}

/** How the journal is at a moment. */
export interface JournalFigures {
  /** Agent servers that are listened to. */
  readonly sessions: number;
  /** Events that have happened and are not written yet, of all sessions. */
  readonly waitingEvents: number;
  /** How long the oldest of them waits, in milliseconds. */
  readonly waitingMs: number;
  readonly viewers: number;
  /** Those of them who read from the store, because what they want is not in memory any more. */
  readonly storeReaders: number;
}
