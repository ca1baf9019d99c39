import { readFileSync, writeFileSync } from 'node:fs';
import { arch, cpus, platform, totalmem } from 'node:os';
import type { Bench, BenchResult, Measurement } from './bench.ts';
import { meets, summarize } from './statistics.ts';

const DOCUMENT = new URL('../../docs/performance.md', import.meta.url);
const HEADER = ['', 'n', 'min', 'p50', 'p95', 'max', 'unit', 'target', 'met'];
/** Columns of words; the others hold numbers. */
const LEFT_ALIGNED: ReadonlySet<number> = new Set([0, 6, 7, 8]);

/** The result as a Markdown table, aligned so that it also reads well in a terminal. */
export function resultTable(result: BenchResult): string {
  const rows = [HEADER, ...result.measurements.map(rowOf)];
  const widths = HEADER.map((_, column) => Math.max(3, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const [header = '', ...body] = rows.map((row) =>
    line(
      widths.map((width, column) => {
        const cell = row[column] ?? '';
        return LEFT_ALIGNED.has(column) ? cell.padEnd(width) : cell.padStart(width);
      }),
    ),
  );
  const rule = line(
    widths.map((width, column) =>
      LEFT_ALIGNED.has(column) ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`,
    ),
  );
  const notes = (result.notes ?? []).flatMap((note) => ['', note]);
  return [header, rule, ...body, ...notes].join('\n');
}

/** What the figures depend on. */
export function machineLine(): string {
  const gigabytes = Math.round(totalmem() / 1024 ** 3);
  const model = cpus()[0]?.model.trim() ?? 'unknown processor';
  return `${cpus().length} cores (${model}), ${gigabytes} GB, ${platform()} ${arch()}, Node ${process.version}`;
}

/**
 * Puts results into docs/performance.md, between the markers of their bench.
 * @throws {Error} when the document has no place for one of them.
 */
export function writeDocument(results: ReadonlyMap<Bench, BenchResult>): void {
  let text = readFileSync(DOCUMENT, 'utf8');
  text = replaceBlock(text, 'machine', machineLine());
  for (const [bench, result] of results) text = replaceBlock(text, bench.name, resultTable(result));
  writeFileSync(DOCUMENT, text);
}

/** Puts a text into docs/performance.md, between the markers of that name. @throws {Error} when there are none. */
export function writeBlock(name: string, content: string): void {
  writeFileSync(DOCUMENT, replaceBlock(readFileSync(DOCUMENT, 'utf8'), name, content));
}

function replaceBlock(text: string, name: string, content: string): string {
  const [begin, end] = [`<!-- begin: ${name} -->\n`, `\n<!-- end: ${name} -->`];
  const from = text.indexOf(begin);
  const to = text.indexOf(end, from);
  if (from === -1 || to === -1) throw new Error(`docs/performance.md has no markers for "${name}"`);
  return text.slice(0, from + begin.length) + content + text.slice(to);
}

function rowOf({ name, unit, samples, targets = [] }: Measurement): readonly string[] {
  const summary = summarize(samples);
  const { n, min, p50, p95, max } = summary;
  const met = meets(summary, targets);
  return [
    name,
    String(n),
    ...[min, p50, p95, max].map(figure),
    unit,
    targets.map(({ statistic, atMost }) => `${statistic} ≤ ${atMost}`).join(', '),
    met === null ? '' : met ? 'yes' : 'NO',
  ];
}

/** Three significant digits, as far as a measurement means anything. */
function figure(value: number): string {
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
}
