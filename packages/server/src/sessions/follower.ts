import type { Session } from './session.ts';

/** Follows sessions from the moment when they live; what it does with that is its own business, and must not throw. */
export interface SessionFollower {
  /** A session lives from now on: it was started, resumed, or found again after a restart. */
  onLife(session: Session): void;
  /** A session and everything of it is gone: somebody has deleted it, or its time was over. */
  onDeleted(id: string, ownerId: string): void;
}
