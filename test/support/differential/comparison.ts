import type { Observation } from './observation.ts';

/** A place where our agent server is meant to differ from the reference. */
export interface DeliberateDifference {
  /** Names it in reports and in the documentation. */
  readonly id: string;
  /** The row of the specification, or its section. */
  readonly row: string;
  /**
   * Where it shows: scenario and path within its observation, joined by `/`. `*` stands for any name, a final `**`
   * for everything below.
   */
  readonly field: string;
  /** What the reference does, what we do, and why, for the documentation. */
  readonly reference: string;
  readonly ours: string;
  readonly why: string;
  /** Narrows it to these values; `undefined` stands for a field that is missing. */
  readonly explains?: (reference: Leaf, ours: Leaf) => boolean;
}

/** The end of a path; `undefined` where only the other side has it. */
export type Leaf = string | number | boolean | null | undefined;

/** A field that differs. */
export interface Difference {
  readonly field: string;
  readonly reference: Leaf;
  readonly ours: Leaf;
  /** The entry that explains it; `null` when none does. */
  readonly deliberate: string | null;
}

/** Compares two observations of one scenario field by field; equal fields are left out. */
export function differences(
  scenario: string,
  reference: Observation,
  ours: Observation,
  table: readonly DeliberateDifference[],
): readonly Difference[] {
  const theirLeaves = new Map(leaves(reference, scenario));
  const ourLeaves = new Map(leaves(ours, scenario));
  return [...new Set([...theirLeaves.keys(), ...ourLeaves.keys()])].flatMap((field) => {
    const pair = { field, reference: theirLeaves.get(field), ours: ourLeaves.get(field) };
    if (pair.reference === pair.ours) return [];
    const entry = table.find((candidate) => covers(candidate, pair));
    return [{ ...pair, deliberate: entry?.id ?? null }];
  });
}

/** The differences that no entry explains, one a line; empty when there is none. */
export function unexplained(found: readonly Difference[]): string {
  return found
    .filter(({ deliberate }) => deliberate === null)
    .map(
      ({ field, reference, ours }) =>
        `${field}\n  reference: ${shown(reference)}\n  ours:      ${shown(ours)}`,
    )
    .join('\n');
}

function shown(leaf: Leaf): string {
  return leaf === undefined ? '(missing)' : JSON.stringify(leaf);
}

function covers(entry: DeliberateDifference, pair: Omit<Difference, 'deliberate'>): boolean {
  return matches(entry.field, pair.field) && (entry.explains?.(pair.reference, pair.ours) ?? true);
}

/** Whether the pattern of a table entry covers a field. */
export function matches(pattern: string, field: string): boolean {
  const wanted = pattern.split('/');
  const names = field.split('/');
  const isOpen = wanted.at(-1) === '**';
  if (isOpen) wanted.pop();
  if (isOpen ? names.length < wanted.length : names.length !== wanted.length) return false;
  return wanted.every((name, i) => name === '*' || name === names[i]);
}

function emptiness(value: object): string {
  return Array.isArray(value) ? '(empty list)' : '(empty object)';
}

/** Every value with the path to it. An empty list or object is a leaf of its own, so that it is not overlooked. */
function leaves(value: Observation, path: string): readonly (readonly [string, Leaf])[] {
  if (typeof value !== 'object' || value === null) return [[path, value]];
  const entries = Object.entries(value);
  if (entries.length === 0) return [[path, emptiness(value)]];
  // A slash in a name would be taken for a step.
  return entries.flatMap(([name, item]) => leaves(item, `${path}/${name.replaceAll('/', '|')}`));
}
