import type { ApiKey } from '@agentapi-proxy/client';

/** Whether a key is good, and if not, why. */
export type KeyState = 'active' | 'expired' | 'revoked';

/** @param now - milliseconds since 1970 */
export function keyState(key: Pick<ApiKey, 'revoked_at' | 'expires_at'>, now: number): KeyState {
  if (key.revoked_at !== null) return 'revoked';
  return key.expires_at !== null && Date.parse(key.expires_at) <= now ? 'expired' : 'active';
}

/** When new keys end. */
export const EXPIRIES = ['never', 'week', 'month', 'quarter', 'year'] as const;
export type Expiry = (typeof EXPIRIES)[number];

const DAYS: Readonly<Record<Exclude<Expiry, 'never'>, number>> = {
  week: 7,
  month: 30,
  quarter: 90,
  year: 365,
};

/** The end of a key that is made now; `null` = never. @param now - milliseconds since 1970 */
export function expiryTime(expiry: Expiry, now: number): string | null {
  return expiry === 'never' ? null : new Date(now + DAYS[expiry] * 86_400_000).toISOString();
}

/** How long the old key of a replacement is good, in seconds. */
export const OVERLAPS = { none: 0, hour: 3_600, day: 86_400, week: 7 * 86_400 } as const;
export type Overlap = keyof typeof OVERLAPS;
