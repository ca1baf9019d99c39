import type { LiveSession } from '../../api/live-session.ts';

/** The sessions of one user in numbers. */
export interface UserSummary {
  readonly user: string;
  readonly active: number;
  readonly waiting: number;
  readonly failed: number;
  readonly all: number;
  /** Milliseconds since 1970. */
  readonly lastActivity: number;
}

/** Users with their numbers, those with most at work first. */
export function userSummaries(
  sessions: Iterable<LiveSession>,
  isActive: (session: LiveSession) => boolean,
): UserSummary[] {
  const users = new Map<string, UserSummary>();
  for (const session of sessions) {
    const { ownerId: user, phase, lastActivity } = session;
    const known = users.get(user) ?? { user, active: 0, waiting: 0, failed: 0, all: 0, lastActivity: 0 };
    users.set(user, {
      user,
      active: known.active + (isActive(session) ? 1 : 0),
      waiting: known.waiting + (phase === 'waiting' ? 1 : 0),
      failed: known.failed + (phase === 'failed' ? 1 : 0),
      all: known.all + 1,
      lastActivity: Math.max(known.lastActivity, lastActivity),
    });
  }
  return [...users.values()].sort(
    (a, b) => b.active - a.active || b.all - a.all || a.user.localeCompare(b.user),
  );
}
