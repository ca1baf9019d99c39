import type { LineRange } from '../text-lines.ts';
import { isBlank, trimmed } from '../text-lines.ts';

/** A `>` counts as a prompt in this many last lines (AA-126). */
const PROMPT_REACH = 6;
/** A slim box starts within this many last lines (AA-127). */
const SLIM_BOX_REACH = 9;
/** A prompt's label, as in `architect>` or `( O)>`, is at most this long. */
const MAX_LABEL_LENGTH = 30;

const BORDER = /─{15}|╌{15}/;
/** The top of a frame too narrow for that. */
const FRAME_TOP = /^[╭┌┏╔][─━═╌]+[╮┐┓╗]$/;
/** A border with one of these is a part of a table. */
const JUNCTION = /[├┼┤┬┴]/;
const FRAME_BAR = /^[│┃║|]+/;

/** Whether a row is the border of a box or a rule across the screen: 15 horizontal strokes in a run. */
export function isBorder(line: string | undefined): boolean {
  return line !== undefined && BORDER.test(line);
}

/** Whether a row is a border that is not inside another frame. */
export function isOuterBorder(line: string | undefined): boolean {
  return isBorder(line) && !/^\s*[│┃║|]/.test(line ?? '');
}

/** What a row of a box holds: the row without white space, and without the bars of the frame. */
export function rowContent(line: string): string {
  return trimmed(
    trimmed(line)
      .replace(FRAME_BAR, '')
      .replace(/[│┃║|]$/, ''),
  );
}

/** Whether a row holds the character `>` in the reach of the reference's box rule, whatever it stands for. */
export function hasPromptSign(lines: readonly string[]): boolean {
  return lines.slice(-PROMPT_REACH).some((line) => line.includes('>'));
}

/** The rows from `start` to the end; `null` for -1. */
function fromLine(lines: readonly string[], start: number): LineRange | null {
  return start === -1 ? null : { start, end: lines.length };
}

/** The lowest of the last `reach` lines that fits; -1 when none does. */
export function lowestLine(
  lines: readonly string[],
  reach: number,
  fits: (index: number) => boolean,
): number {
  for (let i = lines.length - 1; i >= Math.max(lines.length - reach, 0); i -= 1) {
    if (fits(i)) return i;
  }
  return -1;
}

/**
 * The box of a `>` prompt: the row starts with `>` (behind the bar of a frame) and a border is above it. A `>`
 * anywhere else in the row is prose (AA-135). The border goes with the box (AA-126).
 */
export function framedPrompt(lines: readonly string[]): LineRange | null {
  const prompt = lowestLine(lines, PROMPT_REACH, (i) => {
    const above = lines[i - 1];
    return (
      above !== undefined &&
      rowContent(lines[i] ?? '').startsWith('>') &&
      ((isBorder(above) && !JUNCTION.test(above)) || FRAME_TOP.test(trimmed(above)))
    );
  });
  return fromLine(lines, prompt === -1 ? -1 : prompt - 1);
}

/** A row that is nothing but a prompt: `>`, or `>>>` as interpreters write it. */
const LONE_PROMPT = /^>{1,3}$/;
/** A prompt behind a label: `goose>`, `[agent] >`, `( O)>`, `ask multi>`. Not `->`, `=>` nor `<b>`. */
const LABELLED_PROMPT = /^(?:[\p{L}\p{N}_.:@~*!/]+|\[[^<>\]]*\]|\([^<>)]*\))(?: [\p{L}\p{N}_]+)? ?>$/u;

function isBarePrompt(lines: readonly string[], index: number): boolean {
  const row = trimmed(lines[index] ?? '');
  const isLast = lines.slice(index + 1).every(isBlank);
  if (!LONE_PROMPT.test(row)) return isLast && row.length <= MAX_LABEL_LENGTH && LABELLED_PROMPT.test(row);
  // Between other rows a single `>` is the end of a tag or an empty line of a quotation: a prompt stands apart.
  const above = lines[index - 1];
  const below = lines[index + 1];
  const quoteGoesOn = below !== undefined && trimmed(below).startsWith('>');
  const standsApart =
    isLast ||
    above === undefined ||
    isBlank(above) ||
    isBorder(above) ||
    below === undefined ||
    isBlank(below);
  return standsApart && !quoteGoesOn;
}

/** A prompt without a frame, as line-oriented programs have it (AA-126, AA-135). */
export function barePrompt(lines: readonly string[]): LineRange | null {
  return fromLine(
    lines,
    lowestLine(lines, PROMPT_REACH, (i) => isBarePrompt(lines, i)),
  );
}

/**
 * A box of a single row: a border, a row that holds a bar or `❯` or starts with a mark of a prompt, and a
 * border; the hints below go with it (AA-127). A box inside another frame shows something, it asks for nothing.
 */
export function slimBox(lines: readonly string[]): LineRange | null {
  const top = lowestLine(
    lines,
    SLIM_BOX_REACH,
    (i) =>
      isOuterBorder(lines[i]) &&
      isOuterBorder(lines[i + 2]) &&
      (/[|│❯]/.test(lines[i + 1] ?? '') || /^\s?[>›*!](?:\s|$)/.test(lines[i + 1] ?? '')),
  );
  return fromLine(lines, top);
}

/** The box of a program that frames its input. */
export function framedInput(lines: readonly string[]): LineRange | null {
  return framedPrompt(lines) ?? slimBox(lines);
}

/** The box of a program of which no more is known: a frame if it has one, else a bare prompt. */
export function genericInput(lines: readonly string[]): LineRange | null {
  return framedPrompt(lines) ?? barePrompt(lines) ?? slimBox(lines);
}
