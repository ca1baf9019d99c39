import { AppError } from '../errors.ts';
import { canUseSession, checkProof } from './authorize.ts';
import type { GrantedAccess, SessionUse } from './authorize.ts';
import type { Principal } from './principal.ts';

/** What a caller may do with a session: decide about it (end it, share it), talk to the agent, or look on. */
export const ACCESS_LEVELS = ['own', 'write', 'read'] as const;
export type AccessLevel = (typeof ACCESS_LEVELS)[number];

/** A session as far as access to it goes. */
export interface OwnedSession {
  readonly id: string;
  readonly ownerId: string;
}

/** Decides who may do what with which session; both planes ask it. */
export class SessionAccess {
  readonly #granted: GrantedAccess;

  constructor(granted: GrantedAccess) {
    this.#granted = granted;
  }

  /** Whether the caller may use a session that way. */
  allows(principal: Principal, session: OwnedSession, use: SessionUse): boolean {
    return canUseSession(principal, session, use, this.#granted);
  }

  /** The most that a caller who may see a session may do with it. */
  levelOf(principal: Principal, session: OwnedSession): AccessLevel {
    if (this.allows(principal, session, 'manage')) return 'own';
    return this.allows(principal, session, 'write') ? 'write' : 'read';
  }

  /**
   * Returns when the caller may use a session that way.
   * @throws AppError `foreign_session_access`, `shared_for_reading` for those who may look on only, or `csrf`.
   */
  check(principal: Principal, session: OwnedSession, use: SessionUse): void {
    if (use !== 'read') checkProof(principal);
    if (this.allows(principal, session, use)) return;
    const looksOn = use === 'write' && this.allows(principal, session, 'read');
    throw new AppError(looksOn ? 'shared_for_reading' : 'foreign_session_access');
  }
}
