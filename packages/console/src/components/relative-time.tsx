import { signal, type ReadonlySignal } from '@preact/signals';
import { createContext } from 'preact';
import { useContext, useEffect } from 'preact/hooks';
import { COMMON } from '../texts/common.ts';

/** The present, for texts like "3 min ago": one clock for the whole page, in steps. */
export class Clock {
  readonly #now = signal(Date.now());
  #users = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  get now(): ReadonlySignal<number> {
    return this.#now;
  }

  /** Lets the clock run until the returned function is called. */
  use(): () => void {
    this.#users += 1;
    this.#timer ??= setInterval(() => {
      if (!document.hidden) this.#now.value = Date.now();
    }, STEP_MS);
    return () => {
      this.#users -= 1;
      if (this.#users > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    };
  }
}

/** Texts change once a minute; twice as often nobody sees one that is wrong by much. */
const STEP_MS = 30_000;

/** The clock of the page. */
export const ClockContext = createContext(new Clock());

const UNITS = [
  { unit: 'year', ms: 365 * 86_400_000 },
  { unit: 'month', ms: 30 * 86_400_000 },
  { unit: 'day', ms: 86_400_000 },
  { unit: 'hour', ms: 3_600_000 },
  { unit: 'minute', ms: 60_000 },
] as const;

/** How long ago, in a few characters: `now`, `5m`, `3h`, `2d`, `4mo`, `1y`. */
export function shortAge(ms: number): string {
  const found = UNITS.find((each) => ms >= each.ms);
  if (found === undefined) return COMMON.now;
  const letters = found.unit === 'month' ? 'mo' : found.unit.slice(0, 1);
  return `${Math.floor(ms / found.ms)}${letters}`;
}

/** How long ago, in words: `just now`, `5 minutes ago`, `in 2 days`. */
export function longAge(ms: number): string {
  const found = UNITS.find((each) => Math.abs(ms) >= each.ms);
  if (found === undefined) return COMMON.justNow;
  const count = Math.trunc(ms / found.ms);
  return new Intl.RelativeTimeFormat('en', { numeric: 'always' }).format(-count, found.unit);
}

interface RelativeTimeProps {
  /** ISO 8601, or milliseconds since 1970. */
  readonly at: string | number;
  readonly short?: boolean;
}

/** How long ago something was; the exact time when the pointer rests on it. */
export function RelativeTime({ at, short = false }: RelativeTimeProps) {
  const clock = useContext(ClockContext);
  useEffect(() => clock.use(), [clock]);
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return <span>{String(at)}</span>;
  // What has just happened is not in the future, whatever the clocks say.
  const raw = clock.now.value - date.getTime();
  const ms = raw < 0 && raw > -STEP_MS * 4 ? 0 : raw;
  const full = date.toLocaleString('en', { dateStyle: 'medium', timeStyle: 'medium' });
  return (
    <time dateTime={date.toISOString()} title={full}>
      {short ? shortAge(ms) : longAge(ms)}
    </time>
  );
}
