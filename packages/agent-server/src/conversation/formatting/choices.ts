import type { AgentFormat, ChoiceShape } from './agent-format.ts';
import { isBorder, isOuterBorder, lowestLine, rowContent } from './input-box.ts';
import type { LineRange } from '../text-lines.ts';
import { isBlank, withoutOuterBlankLines } from '../text-lines.ts';

/** A dialog is looked for in this many last rows: enough for one that shows a command or a change. */
export const DIALOG_REACH = 60;
/** Choices may have this many rows of description between them. */
const MAX_CHOICE_GAP = 8;
/** Below the last choice of a dialog stand a few hints at most, else it is part of a text. */
const MAX_ROWS_BELOW = 6;
/** The question of a dialog is within this many rows above its choices. */
const MAX_QUESTION_ROWS = 30;

const FRAME_GLYPH = /[│┃║╭╰┌└├┏┗┣╔╚]/;
const FRAME_EDGE = /^\s*[╭╰┌└├┏┗┣╔╚]/;

/** Numbered choices of which one has one of `marks` in front: `❯ 1. Yes`, `2. No`. */
export function numberedChoices(marks: string): ChoiceShape {
  return { chosen: new RegExp(`^[${marks}]\\s*(\\d{1,2})[.)]\\s`, 'u'), other: /^(\d{1,2})[.)]\s/ };
}

/** The number of the choice in `row`, 0 for a shape without numbers, `null` when it is no choice. */
function choiceIn(pattern: RegExp, row: string | undefined): number | null {
  const match = pattern.exec(row ?? '');
  return match === null ? null : Number(match[1] ?? 0);
}

/** The last choice of the list that goes on from `from` in `direction`; `from` itself when there is none. */
function followChoices(
  rows: readonly string[],
  shape: ChoiceShape,
  from: number,
  number: number,
  direction: 1 | -1,
): number {
  let last = from;
  let expected = number === 0 ? 0 : number + direction;
  for (
    let i = from + direction;
    Math.abs(i - last) <= MAX_CHOICE_GAP && rows[i] !== undefined;
    i += direction
  ) {
    if (choiceIn(shape.other, rows[i]) !== expected) continue;
    last = i;
    if (expected !== 0) expected += direction;
  }
  return last;
}

/** The rows of the lowest list of choices of one shape; `null` when there is none or it is not a dialog. */
function choiceRows(
  lines: readonly string[],
  rows: readonly string[],
  format: AgentFormat,
): LineRange | null {
  const box = format.inputBox(lines);
  for (const shape of format.choices) {
    const chosen = lowestLine(rows, rows.length, (i) => choiceIn(shape.chosen, rows[i]) !== null);
    if (chosen === -1) continue;
    const number = choiceIn(shape.chosen, rows[chosen]) ?? 0;
    const start = followChoices(rows, shape, chosen, number, -1);
    const end = followChoices(rows, shape, chosen, number, 1) + 1;
    if (end - start < 2) continue;
    // With an input box below, the list is a part of the conversation; right under a border, it is typed text.
    if ((box !== null && box.start >= end) || isOuterBorder(lines[start - 1])) continue;
    const below = lines.slice(end).filter((line) => !isBlank(line) && !FRAME_EDGE.test(line));
    if (below.length <= MAX_ROWS_BELOW) return { start, end };
  }
  return null;
}

/** The rows of the dialog around its choices: its frame or frames, or down from the last gap or rule above. */
function dialogRows(lines: readonly string[], choices: LineRange): readonly string[] {
  const column = (lines[choices.start] ?? '').search(/\S/);
  const isFramed = (line: string | undefined): boolean => FRAME_GLYPH.test(line?.[column] ?? '');
  const top = Math.max(choices.start - MAX_QUESTION_ROWS, 0);
  let start = choices.start;
  if (isFramed(lines[start])) {
    while (start > top && isFramed(lines[start - 1])) start -= 1;
    let end = choices.end;
    while (isFramed(lines[end])) end += 1;
    const edgeless = lines.slice(start, end).map((line) => (FRAME_EDGE.test(line) ? '' : line));
    return edgeless.map((line) => line.slice(column + 1).replace(/[│┃║]\s*$/, ''));
  }
  const isGap = (i: number): boolean => isBlank(lines[i] ?? '') && isBlank(lines[i - 1] ?? '');
  while (start > top && !isBorder(lines[start - 1]) && !isGap(start - 1)) start -= 1;
  return lines.slice(start).filter((line) => !isBorder(line));
}

/** `lines` as a text without the indentation they share, trailing spaces and blank lines at the ends. */
function plainText(lines: readonly string[]): string {
  const rows = withoutOuterBlankLines(lines).map((line) => line.trimEnd());
  const indents = rows.filter((row) => row !== '').map((row) => row.search(/\S/));
  const indent = Math.min(...indents);
  return rows.map((row) => row.slice(indent)).join('\n');
}

/**
 * What the dialog at the end of `lines` says, without its frame; `null` when none is up. A dialog is a list of
 * choices of the agent's shape with nothing but hints below it and no input box.
 */
export function dialogText(lines: readonly string[], format: AgentFormat): string | null {
  const lower = lines.slice(-DIALOG_REACH);
  const choices = choiceRows(lower, lower.map(rowContent), format);
  return choices === null ? null : plainText(dialogRows(lower, choices));
}
