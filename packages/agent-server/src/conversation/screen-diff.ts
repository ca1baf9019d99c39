import type { AgentType } from '../agent-type.ts';
import { isBlank, linesOf, withoutOuterBlankLines } from './text-lines.ts';

/** opencode shows changing token counts in this many rows at the top; they do not make a screen new (AA-106). */
const OPENCODE_HEADER_ROWS = 3;
/** At the end of a screen so many rows may be redrawn while the rest scrolls: input box, hints, indicator. */
const REDRAWN_ROWS = 12;
/** Fewer equal rows are no evidence that a screen has scrolled. */
const MIN_SCROLLED_ROWS = 3;

/** Gives equal lines equal numbers, so that each line is hashed once and then compared at no cost. */
class LineNumbers {
  readonly #numbers = new Map<string, number>();

  of(lines: readonly string[]): number[] {
    return lines.map((line) => {
      const known = this.#numbers.get(line);
      if (known !== undefined) return known;
      this.#numbers.set(line, this.#numbers.size);
      return this.#numbers.size - 1;
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
  const inkEnd = oldLines.findLastIndex((line) => !isBlank(line)) + 1;
  const separator = -1;
  const matches = headMatches([...newIds, separator, ...oldIds]).slice(newIds.length + 1);
  const unmoved = matches[0] ?? 0;
  for (let scrolled = 1; scrolled < inkEnd; scrolled += 1) {
    const rows = matches[scrolled] ?? 0;
    const inked = Math.min(rows, inkEnd - scrolled);
    if (rows > unmoved && inked >= MIN_SCROLLED_ROWS && scrolled + rows >= inkEnd - REDRAWN_ROWS)
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

  const unseen = new Map<number, number>();
  for (const id of oldIds.slice(rowsScrolledAway(oldLines, oldIds, newIds))) {
    unseen.set(id, (unseen.get(id) ?? 0) + 1);
  }
  const isNew = (line: string, id: number): boolean => {
    const left = unseen.get(id);
    if (left === undefined) return true;
    // Blank rows say nothing, however many there are.
    if (left === 0) return !isBlank(line);
    unseen.set(id, left - 1);
    return false;
  };
  const skip = type === 'opencode' && newLines.length >= OPENCODE_HEADER_ROWS ? OPENCODE_HEADER_ROWS : 0;
  // The reference counts the first new row without the header and cuts there, which adds rows above it.
  const first = newLines.slice(skip).findIndex((line, i) => isNew(line, newIds[i + skip] ?? -1));
  if (first === -1) return '';
  const added = newLines.slice(first);
  const inked = withoutOuterBlankLines(added);
  return (inked.length === 0 ? added : inked).join('\n');
}
