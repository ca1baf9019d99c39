const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const precise = new Intl.NumberFormat('en', { maximumSignificantDigits: 2 });

/** A number in few characters: `0.25`, `3.2`, `48`, `1,250`. */
export function shortNumber(value: number): string {
  return Math.abs(value) >= 10 ? whole.format(value) : precise.format(value);
}

const SIZES = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** `512 B`, `3.4 MiB`. */
export function sizeText(bytes: number): string {
  let value = bytes;
  let unit: string = SIZES[0];
  for (const next of SIZES.slice(1)) {
    if (Math.abs(value) < 1024) break;
    value /= 1024;
    unit = next;
  }
  return `${shortNumber(value)} ${unit}`;
}

/** `80 µs`, `3.4 ms`, `1.2 s`. */
export function durationText(seconds: number): string {
  if (seconds === 0) return '0 ms';
  if (seconds < 0.001) return `${shortNumber(seconds * 1e6)} µs`;
  if (seconds < 1) return `${shortNumber(seconds * 1e3)} ms`;
  return `${shortNumber(seconds)} s`;
}
