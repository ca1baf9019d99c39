/** One number of the text format of Prometheus. */
export interface Sample {
  /** The name of the metric, with `_bucket`, `_sum` or `_count` where it is a histogram's. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Family {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: readonly Sample[];
}

const METRIC = String.raw`[a-zA-Z_:][a-zA-Z0-9_:]*`;
const LABEL = String.raw`([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"`;
const SAMPLE = new RegExp(String.raw`^(${METRIC})(?:\{((?:${LABEL},?)*)\})? (\S+)$`);

/**
 * Reads the text format of Prometheus strictly.
 * @throws Error for anything that a server of Prometheus would refuse or misread.
 */
export function parseExposition(text: string): ReadonlyMap<string, Family> {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const families = new Map<string, Family & { samples: Sample[] }>();
  let current: (Family & { samples: Sample[] }) | null = null;
  let help: [string, string] | null = null;
  const seen = new Set<string>();
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const [, kind, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? [];
    if (kind === 'HELP') {
      help = [name, rest];
    } else if (kind === 'TYPE') {
      if (help?.[0] !== name || families.has(name)) throw new Error(`unexpected: ${line}`);
      if (!/^(counter|gauge|histogram)$/.test(rest)) throw new Error(`unknown type: ${line}`);
      if ((rest === 'counter') !== name.endsWith('_total'))
        throw new Error(`counters end in _total: ${name}`);
      current = { name, type: rest, help: help[1], samples: [] };
      families.set(name, current);
    } else {
      const sample = sampleOf(line);
      if (current === null || !belongs(sample.name, current)) throw new Error(`without its type: ${line}`);
      const key = sample.name + keyOf(sample.labels);
      if (seen.has(key)) throw new Error(`twice: ${line}`);
      seen.add(key);
      current.samples.push(sample);
    }
  }
  for (const family of families.values()) if (family.type === 'histogram') checkHistogram(family);
  return families;
}

/** The sum of all samples with these labels; histograms by the full name, such as `x_seconds_count`. */
export function valueOf(
  families: ReadonlyMap<string, Family>,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number {
  return [...families.values()]
    .flatMap(({ samples }) => samples)
    .filter((sample) => sample.name === name)
    .filter((sample) => Object.entries(labels).every(([label, value]) => sample.labels[label] === value))
    .reduce((sum, { value }) => sum + value, 0);
}

function keyOf(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map((pair) => JSON.stringify(pair));
  return pairs.sort().join(' ');
}

function sampleOf(line: string): Sample {
  const match = SAMPLE.exec(line);
  const [name = '', labels = ''] = match?.slice(1) ?? [];
  const value = Number(match?.at(-1) ?? Number.NaN);
  if (Number.isNaN(value)) throw new Error(`no sample: ${line}`);
  const pairs = [...labels.matchAll(new RegExp(LABEL, 'g'))].map(([, label = '', text = '']) => [
    label,
    text,
  ]);
  return { name, labels: Object.fromEntries(pairs), value };
}

function belongs(sample: string, { name, type }: Family): boolean {
  return type === 'histogram'
    ? [`${name}_bucket`, `${name}_sum`, `${name}_count`].includes(sample)
    : sample === name;
}

/** Buckets only grow, and the last one counts everything. */
function checkHistogram({ name, samples }: Family): void {
  const series = new Map<string, Sample[]>();
  for (const sample of samples) {
    const { le: _, ...labels } = sample.labels;
    const key = keyOf(labels);
    series.set(key, [...(series.get(key) ?? []), sample]);
  }
  for (const [labels, its] of series) {
    const buckets = its.filter((sample) => sample.name === `${name}_bucket`);
    const count = its.find((sample) => sample.name === `${name}_count`)?.value;
    const bounds = buckets.map(({ labels: { le } }) =>
      le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le),
    );
    const isOrdered = bounds.every((bound, at) => at === 0 || bound > (bounds[at - 1] ?? 0));
    const grows = buckets.every(({ value }, at) => at === 0 || value >= (buckets[at - 1]?.value ?? 0));
    const isWhole = bounds.at(-1) === Number.POSITIVE_INFINITY && buckets.at(-1)?.value === count;
    const hasSum = its.some((sample) => sample.name === `${name}_sum`);
    if (!isOrdered || !grows || !isWhole || !hasSum) throw new Error(`no histogram: ${name} ${labels}`);
  }
}
