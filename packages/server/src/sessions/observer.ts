import type { Session } from './session.ts';

/** Is told of sessions; what it does with that is none of their business, and must not throw. */
export interface SessionObserver {
  /** A session lives from now on: it was started, resumed, or found again after a restart. */
  onLife(session: Session): void;
  /** A session and everything of it was deleted. */
  onDeleted(id: string): void;
}
