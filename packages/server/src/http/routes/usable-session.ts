import type { SessionUse } from '../../auth/authorize.ts';
import type { Principal } from '../../auth/principal.ts';
import type { SessionAccess } from '../../auth/session-access.ts';
import { AppError } from '../../errors.ts';
import type { Sessions } from '../../sessions/manager.ts';
import type { SessionView } from '../../sessions/session.ts';

/** Finds the session of a request for a caller who may use it so. */
export type FindUsable = (id: string, principal: Principal, use: SessionUse) => Promise<SessionView>;

/**
 * The one way in which routes come to a session that somebody wants to look at or work with.
 * @returns a function that rejects with AppError `session_not_found`, or as {@link SessionAccess.check} does.
 */
export function usableSessions(sessions: Sessions, access: SessionAccess): FindUsable {
  return async (id, principal, use) => {
    const session = await sessions.get(id);
    if (session === null) throw new AppError('session_not_found');
    access.check(principal, session.facts, use);
    return session;
  };
}
