/** A promise about one statistic of a measurement. */
export interface Target {
  readonly statistic: Statistic;
  readonly atMost: number;
}

export type Statistic = 'p50' | 'p95' | 'max';

/** One line of a table: what was measured, how often, and what was promised. */
export interface Measurement {
  readonly name: string;
  readonly unit: 'ms' | 'µs' | 'MB' | 'KB' | 'MB/h' | '% of a core' | '% of the time' | '×' | '';
  readonly samples: readonly number[];
  readonly targets?: readonly Target[];
}

export interface BenchResult {
  readonly measurements: readonly Measurement[];
  /** Sentences that belong below the table, such as what could not be measured here. */
  readonly notes?: readonly string[];
}

export interface BenchContext {
  /** Whether there is time for the long form of a bench. */
  readonly long: boolean;
  /** How long a bench should take whose length can be chosen; `null`: its usual time. */
  readonly minutes: number | null;
  /** Tells a waiting person what happens. */
  readonly progress: (text: string) => void;
}

/** One program that measures one property. */
export interface Bench {
  /** How it is named on the command line and in docs/performance.md. */
  readonly name: string;
  readonly title: string;
  run(context: BenchContext): Promise<BenchResult>;
}

/** Runs `work` so many times, one after another, and collects what it returns. */
export async function repeat(
  times: number,
  work: (index: number) => Promise<number>,
): Promise<readonly number[]> {
  const samples: number[] = [];
  for (let index = 0; index < times; index += 1) samples.push(await work(index));
  return samples;
}

/** Looks until `condition` holds; for states that nobody reports. */
export async function until(
  what: string,
  condition: () => Promise<boolean>,
  { everyMs, limitMs }: { readonly everyMs: number; readonly limitMs: number },
): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`waited in vain for ${limitMs / 1000} s until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
