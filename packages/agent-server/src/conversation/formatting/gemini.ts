import type { AgentFormat } from './agent-format.ts';
import { numberedChoices } from './choices.ts';
import { echoBoxBottom } from './echo.ts';
import { framedInput, isBorder, lowestLine, rowContent } from './input-box.ts';
import type { LineRange } from '../text-lines.ts';
import { isBlank } from '../text-lines.ts';

/** The prompt row is among this many last rows, also with some typed lines and the footer below. */
const PROMPT_REACH = 12;
/** Newer versions have the row of the approval mode and blank rows between border and prompt. */
const MAX_ROWS_TO_BORDER = 4;
/** `*` is the prompt while everything is approved, `!` the one of the shell mode. */
const PROMPT = /^[>*!](?:\s|$)/;
/**
 * `⠏ Thinking... (esc to cancel, 3s)`; on a narrow screen the parenthesis has a row of its own, or its end has,
 * right under its beginning.
 */
const INDICATOR = /^\s*(?:[⠁-⣿]\s?.*)?\([^()]*\besc to cancel\b|^\s*[⠁-⣿].*\([^()]*\besc to\s*$/;
/** Above the border: the indicator of work and the hint at the right. */
const ROW_ABOVE_BORDER = /^\s*(?:[⠁-⣿].*|\([^()]*\besc to cancel\b.*|cancel\)|\? for shortcuts)\s*$/;
/** In front of what the model says; the rows below are set in by as much. */
const ANSWER_SIGN = /^\s*✦ /;
/** Where there are colours, the lower end of the frame around the echo is a row of these. */
const ECHO_FRAME_END = /^\s*▀{10,}\s*$/;

/** The prompt with the border above it, what stands right above the border, and the footer. */
function promptUnderBorder(lines: readonly string[]): LineRange | null {
  let border = -1;
  lowestLine(lines, PROMPT_REACH, (prompt) => {
    if (!PROMPT.test(rowContent(lines[prompt] ?? ''))) return false;
    const above = lines.slice(Math.max(prompt - MAX_ROWS_TO_BORDER, 0), prompt);
    const nearest = above.findLastIndex(isBorder);
    if (nearest !== -1) border = prompt - above.length + nearest;
    return nearest !== -1;
  });
  if (border === -1) return framedInput(lines);
  let start = border;
  while (ROW_ABOVE_BORDER.test(lines[start - 1] ?? '')) start -= 1;
  return { start, end: lines.length };
}

const roundedBoxBottom = echoBoxBottom('╰', '╯');

/**
 * Takes off the signs, and what sets the rows below them in, so that a text is what the model has said. A message
 * that begins with something else, such as the box of a tool, stays as it is on the screen (AA-112).
 */
function withoutAnswerSigns(lines: readonly string[]): readonly string[] {
  const sign = ANSWER_SIGN.exec(lines[0] ?? '')?.[0];
  if (sign === undefined) return lines;
  const indentation = ' '.repeat(sign.length);
  let isAnswer = true;
  return lines.map((line) => {
    if (line.startsWith(sign)) isAnswer = true;
    else if (!isBlank(line) && !line.startsWith(indentation)) isAnswer = false;
    return isAnswer ? line.slice(sign.length) : line;
  });
}

/** Gemini CLI, and Qwen Code which descends from it. */
export const gemini: AgentFormat = {
  echoEnd: (lines, last) =>
    ECHO_FRAME_END.test(lines[last + 1] ?? '') ? last + 1 : roundedBoxBottom(lines, last),
  inputBox: promptUnderBorder,
  readyOnPromptSign: true,
  answerText: withoutAnswerSigns,
  busy: { row: INDICATOR, reach: 3, footer: INDICATOR },
  choices: [numberedChoices('●›')],
};
