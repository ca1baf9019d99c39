/** One figure of a metric. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const LINE = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)(?:\s+-?\d+)?\s*$/;
const LABEL = /([A-Za-z_]\w*)="((?:[^"\\]|\\.)*)"/g;

/** Figures in the text format of Prometheus; lines that are none are left out. */
export class MetricsText {
  readonly #samples = new Map<string, Sample[]>();

  constructor(text: string) {
    for (const line of text.split('\n')) {
      if (line === '' || line.startsWith('#')) continue;
      const found = LINE.exec(line);
      if (found === null) continue;
      const [, name = '', labels = '', number = ''] = found;
      const value = numberOf(number);
      if (value === null) continue;
      const known = this.#samples.get(name);
      const sample = { labels: labelsOf(labels), value };
      if (known === undefined) this.#samples.set(name, [sample]);
      else known.push(sample);
    }
  }

  /** All figures of a name; empty without any. */
  all(name: string): readonly Sample[] {
    return this.#samples.get(name) ?? [];
  }

  /** Sum of the figures whose labels have these values; 0 without any. */
  sum(name: string, where: Readonly<Record<string, string | RegExp>> = {}): number {
    let sum = 0;
    for (const { labels, value } of this.all(name)) if (fits(labels, where)) sum += value;
    return sum;
  }

  /** Sums by the value of a label. */
  by(name: string, label: string): ReadonlyMap<string, number> {
    const sums = new Map<string, number>();
    for (const { labels, value } of this.all(name)) {
      const key = labels[label] ?? '';
      sums.set(key, (sums.get(key) ?? 0) + value);
    }
    return sums;
  }

  /** Buckets of a histogram, all series added: bound in seconds and how many were within. */
  buckets(name: string): Buckets {
    const sums = new Map<number, number>();
    for (const { labels, value } of this.all(`${name}_bucket`)) {
      const bound = numberOf(labels['le'] ?? '');
      if (bound !== null) sums.set(bound, (sums.get(bound) ?? 0) + value);
    }
    return [...sums].sort(([a], [b]) => a - b).map(([bound, count]) => ({ bound, count }));
  }
}

/** Bounds, rising, each with the number of all that were not beyond it. */
export type Buckets = readonly { readonly bound: number; readonly count: number }[];

/** What has been counted between two readings. */
export function bucketsBetween(before: Buckets, after: Buckets): Buckets {
  const known = new Map(before.map(({ bound, count }) => [bound, count]));
  return after.map(({ bound, count }) => ({ bound, count: Math.max(0, count - (known.get(bound) ?? 0)) }));
}

/** Below which value this share of all lies, estimated within its bucket; `null` when nothing was counted. */
export function quantileOf(buckets: Buckets, share: number): number | null {
  const total = buckets.at(-1)?.count ?? 0;
  if (total === 0) return null;
  const rank = share * total;
  let below = { bound: 0, count: 0 };
  for (const bucket of buckets) {
    if (bucket.count >= rank && bucket.count > below.count) {
      // Nothing is known of what is beyond the last bound but that it is.
      if (!Number.isFinite(bucket.bound)) return below.bound;
      const part = (rank - below.count) / (bucket.count - below.count);
      return below.bound + (bucket.bound - below.bound) * part;
    }
    below = bucket;
  }
  return below.bound;
}

function fits(
  labels: Readonly<Record<string, string>>,
  where: Readonly<Record<string, string | RegExp>>,
): boolean {
  return Object.entries(where).every(([name, wanted]) =>
    typeof wanted === 'string' ? labels[name] === wanted : wanted.test(labels[name] ?? ''),
  );
}

function labelsOf(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const [, name = '', value = ''] of text.matchAll(LABEL)) {
    labels[name] = value.replaceAll(/\\(.)/g, (_all, sign: string) => (sign === 'n' ? '\n' : sign));
  }
  return labels;
}

function numberOf(text: string): number | null {
  if (text === '+Inf') return Infinity;
  if (text === '-Inf') return -Infinity;
  const value = Number(text);
  return text === '' || Number.isNaN(value) ? null : value;
}
