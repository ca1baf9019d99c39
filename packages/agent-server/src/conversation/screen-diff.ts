import type { AgentType } from '../agent-type.ts';
import { inkEnd, isBlank, linesOf, withoutOuterBlankLines } from './text-lines.ts';

/** opencode shows changing token counts in this many rows at the top; they do not make a screen new (AA-106). */
const OPENCODE_HEADER_ROWS = 3;
/** At the end of a screen so many rows may be redrawn while the rest scrolls: input box, hints, indicator. */
const REDRAWN_ROWS = 12;
/** Fewer equal rows are no evidence that a screen has scrolled. */
const MIN_SCROLLED_ROWS = 3;

/** Gives equal lines equal numbers from 0 on, so that each line is hashed once and then compared at no cost. */
class LineNumbers {
  readonly #numbers = new Map<string, number>();

  get count(): number {
    return this.#numbers.size;
  }

  of(lines: readonly string[]): number[] {
    let previous: string | undefined;
    let number = 0;
    return lines.map((line) => {
      // Most rows of a screen are blank like the row above.
      if (line === previous) return number;
      previous = line;
      number = this.#numbers.get(line) ?? this.#numbers.size;
      this.#numbers.set(line, number);
      return number;
    });
  }
}

/** For each index of `text`: how many of its items from there on equal the head of `text` (the Z function). */
function headMatches(text: readonly number[]): number[] {
  const matches: number[] = [text.length];
  let start = 0;
  let end = 0;
  for (let i = 1; i < text.length; i += 1) {
    let length = i < end ? Math.min(end - i, matches[i - start] ?? 0) : 0;
    while (i + length < text.length && text[length] === text[i + length]) length += 1;
    matches.push(length);
    if (i + length > end) [start, end] = [i, i + length];
  }
  return matches;
}

/**
 * How many rows of the old screen have left it at the top: what follows them is at the top of the new screen,
 * down to the rows that are redrawn at the end.
 */
function rowsScrolledAway(
  oldLines: readonly string[],
  oldIds: readonly number[],
  newIds: readonly number[],
): number {
  const end = inkEnd(oldLines);
  const separator = -1;
  const matches = headMatches([...newIds, separator, ...oldIds]).slice(newIds.length + 1);
  const unmoved = matches[0] ?? 0;
  for (let scrolled = 1; scrolled < end; scrolled += 1) {
    const rows = matches[scrolled] ?? 0;
    const inked = Math.min(rows, end - scrolled);
    if (rows > unmoved && inked >= MIN_SCROLLED_ROWS && scrolled + rows >= end - REDRAWN_ROWS)
      return scrolled;
  }
  return 0;
}

/**
 * What is new on a screen: from its first row that the old one did not have down to the end, without blank rows
 * at both ends (agentapi section 4.3, AA-105). A row is new when it stands there more often than before, so a
 * reply that repeats an earlier one is found (the reference knows only rows that were never there); rows that
 * have scrolled away no longer count as there.
 *
 * Linear: each line is hashed once, and the comparison of the screens works on numbers.
 */
export function screenDiff(oldScreen: string, newScreen: string, type: AgentType): string {
  if (oldScreen === newScreen) return '';
  const oldLines = linesOf(oldScreen);
  const newLines = linesOf(newScreen);
  const numbers = new LineNumbers();
  const oldIds = numbers.of(oldLines);
  const newIds = numbers.of(newLines);

  const shown = new Uint32Array(numbers.count);
  for (const id of oldIds.slice(rowsScrolledAway(oldLines, oldIds, newIds))) {
    shown[id] = (shown[id] ?? 0) + 1;
  }
  const isNew = (line: string, id: number): boolean => {
    const left = shown[id] ?? 0;
    // A blank row more or less says nothing.
    if (left > 0 && !isBlank(line)) shown[id] = left - 1;
    return left === 0;
  };
  const skip = type === 'opencode' && newLines.length >= OPENCODE_HEADER_ROWS ? OPENCODE_HEADER_ROWS : 0;
  // The reference counts the first new row without the header and cuts there, which adds rows above it.
  const first = newLines.slice(skip).findIndex((line, i) => isNew(line, newIds[i + skip] ?? -1));
  if (first === -1) return '';
  const added = newLines.slice(first);
  const inked = withoutOuterBlankLines(added);
  return (inked.length === 0 ? added : inked).join('\n');
}
