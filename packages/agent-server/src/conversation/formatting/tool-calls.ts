import type { ToolCallRemoval } from './agent-format.ts';
import type { LineRange } from '../text-lines.ts';

/** `text` without the LFs at its head. */
export function withoutLeadingLineFeeds(text: string): string {
  let start = 0;
  while (text[start] === '\n') start += 1;
  return text.slice(start);
}

/** `text` without the LFs at its end. */
export function withoutTrailingLineFeeds(text: string): string {
  let end = text.length;
  while (end > 0 && text[end - 1] === '\n') end -= 1;
  return text.slice(0, end);
}

/**
 * Takes ranges out of `lines`: `complete` calls, ascending and apart from each other, which are returned last
 * one first, and the `partial` one that is only hidden.
 */
export function withoutRanges(
  lines: readonly string[],
  complete: readonly LineRange[],
  partial: LineRange | null = null,
): ToolCallRemoval {
  const kept: string[] = [];
  let next = 0;
  for (const { start, end } of partial === null ? complete : [...complete, partial]) {
    for (; next < start; next += 1) kept.push(lines[next] ?? '');
    next = end;
  }
  for (; next < lines.length; next += 1) kept.push(lines[next] ?? '');
  const calls = complete.map(({ start, end }) => lines.slice(start, end).join('\n')).toReversed();
  return { text: kept.join('\n'), calls };
}
