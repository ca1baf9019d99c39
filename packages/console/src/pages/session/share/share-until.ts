/** How long something is shared. */
export const DURATIONS = ['session', 'hour', 'day', 'week', 'month'] as const;
export type Duration = (typeof DURATIONS)[number];

/** Links end by themselves; without a choice after a day. */
export const LINK_DURATIONS = ['hour', 'day', 'week', 'month'] as const;
export type LinkDuration = (typeof LINK_DURATIONS)[number];

/** In seconds. */
export const SECONDS: Readonly<Record<LinkDuration, number>> = {
  hour: 3_600,
  day: 86_400,
  week: 7 * 86_400,
  month: 30 * 86_400,
};

/** When something ends that begins now; `null` = with the session. */
export function endOf(duration: Duration, now: number): string | null {
  return duration === 'session' ? null : new Date(now + SECONDS[duration] * 1_000).toISOString();
}

/** A link to a session: the token is behind `#`, so no server and no log ever sees it. */
export function linkAddress(sessionAddress: string, token: string): string {
  return `${sessionAddress}#${new URLSearchParams({ token }).toString()}`;
}
