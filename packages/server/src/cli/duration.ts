const UNITS_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

function isUnit(text: string): text is keyof typeof UNITS_MS {
  return Object.hasOwn(UNITS_MS, text);
}

/** Reads `90d`, `12h`, `30m`, `45s` or `2w`; milliseconds, or `null` for anything else. */
export function parseDuration(text: string): number | null {
  const [, amount = '', unit = ''] = /^(\d{1,6})([a-z])$/.exec(text) ?? [];
  return isUnit(unit) ? Number(amount) * UNITS_MS[unit] : null;
}
