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

const UP = '\x1b[A';
const DOWN = '\x1b[B';
const ENTER = '\r';

/** What stands in front of the text of a choice. */
const MARK = /^[→❯›●○>]\s*/;
const NUMBER = /^\d{1,2}[.)]\s*/;

/** One answer that a dialog offers. */
export interface DialogChoice {
  /** What it says, without mark and number. */
  readonly label: string;
  /** The mark stands in front of it. */
  readonly isChosen: boolean;
  /**
   * The keys that move the mark to it and take it, to be sent one after the other. Arrows even where choices
   * have numbers: not every agent takes those.
   */
  readonly keys: readonly string[];
}

/** A question that takes keys instead of text. */
export interface Dialog {
  /** What it says, without its frame. */
  readonly text: string;
  /** In the order of the screen; empty where they cannot be told apart. */
  readonly choices: readonly DialogChoice[];
}

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

/** The choices of the list that goes on from `from` in `direction`, nearest first. */
function followChoices(
  rows: readonly string[],
  shape: ChoiceShape,
  from: number,
  number: number,
  direction: 1 | -1,
): readonly number[] {
  const found: number[] = [];
  let expected = number === 0 ? 0 : number + direction;
  for (
    let i = from + direction;
    Math.abs(i - (found.at(-1) ?? from)) <= MAX_CHOICE_GAP && rows[i] !== undefined;
    i += direction
  ) {
    if (choiceIn(shape.other, rows[i]) !== expected) continue;
    found.push(i);
    if (expected !== 0) expected += direction;
  }
  return found;
}

/** A list of choices on the screen. */
interface ChoiceList {
  readonly shape: ChoiceShape;
  /** From the first choice to the last one, with what stands between them. */
  readonly range: LineRange;
  /** The row of each choice, in order. */
  readonly rows: readonly number[];
  /** The row of the chosen one. */
  readonly chosen: number;
}

/** The lowest list of choices of one shape; `null` when there is none or it is not a dialog. */
function findChoices(
  lines: readonly string[],
  rows: readonly string[],
  format: AgentFormat,
): ChoiceList | null {
  const box = format.inputBox(lines);
  for (const shape of format.choices) {
    const chosen = lowestLine(rows, rows.length, (i) => choiceIn(shape.chosen, rows[i]) !== null);
    if (chosen === -1) continue;
    const number = choiceIn(shape.chosen, rows[chosen]) ?? 0;
    const above = followChoices(rows, shape, chosen, number, -1).toReversed();
    const found = [...above, chosen, ...followChoices(rows, shape, chosen, number, 1)];
    if (found.length < 2) continue;
    const start = found[0] ?? chosen;
    const end = (found.at(-1) ?? chosen) + 1;
    // With an input box below, the list is a part of the conversation; right under a border, it is typed text.
    if ((box !== null && box.start >= end) || isOuterBorder(lines[start - 1])) continue;
    const below = rows.slice(end).filter((row) => row !== '' && !FRAME_EDGE.test(row));
    if (below.length <= MAX_ROWS_BELOW) return { shape, range: { start, end }, rows: found, chosen };
  }
  return null;
}

/** The choice `index` of the list, and how a person would take it. */
function choiceAt(list: ChoiceList, rows: readonly string[], index: number): DialogChoice {
  const row = list.rows[index] ?? list.chosen;
  const steps = index - list.rows.indexOf(list.chosen);
  const moves: readonly string[] = Array.from({ length: Math.abs(steps) }, () => (steps < 0 ? UP : DOWN));
  return {
    label: (rows[row] ?? '').replace(MARK, '').replace(NUMBER, ''),
    isChosen: row === list.chosen,
    keys: [...moves, ENTER],
  };
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
 * The dialog at the end of `lines`; `null` when none is up. A dialog is a list of choices of the agent's shape
 * with nothing but hints below it and no input box.
 */
export function dialogIn(lines: readonly string[], format: AgentFormat): Dialog | null {
  const lower = lines.slice(-DIALOG_REACH);
  const rows = lower.map(rowContent);
  const list = findChoices(lower, rows, format);
  if (list === null) return null;
  return {
    text: plainText(dialogRows(lower, list.range)),
    choices: list.shape.isOneRow === true ? [] : list.rows.map((_, index) => choiceAt(list, rows, index)),
  };
}
