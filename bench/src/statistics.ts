import type { Target } from './bench.ts';

export interface Summary {
  readonly n: number;
  readonly min: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** Nearest-rank quantiles: every figure is one that was measured. */
export function summarize(samples: readonly number[]): Summary {
  const sorted = [...samples].sort((a, b) => a - b);
  const at = (fraction: number): number => {
    const value = sorted[Math.max(0, Math.ceil(fraction * sorted.length) - 1)];
    if (value === undefined) throw new Error('there is nothing to summarize');
    return value;
  };
  return { n: sorted.length, min: at(0), p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) };
}

/** Whether all targets are met; `null` without any. */
export function meets(summary: Summary, targets: readonly Target[]): boolean | null {
  if (targets.length === 0) return null;
  return targets.every(({ statistic, atMost }) => summary[statistic] <= atMost);
}

/** Slope of the straight line that fits best (least squares); 0 for fewer than two points. */
export function slopeOf(points: readonly { readonly x: number; readonly y: number }[]): number {
  const meanOf = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const meanX = meanOf(points.map(({ x }) => x));
  const meanY = meanOf(points.map(({ y }) => y));
  let [above, below] = [0, 0];
  for (const { x, y } of points) {
    above += (x - meanX) * (y - meanY);
    below += (x - meanX) ** 2;
  }
  return below === 0 ? 0 : above / below;
}
