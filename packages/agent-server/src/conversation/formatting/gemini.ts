import type { AgentFormat } from './agent-format.ts';
import { numberedChoices } from './choices.ts';
import { echoBoxBottom } from './echo.ts';
import { framedInput, isBorder, lowestLine, rowContent } from './input-box.ts';
import type { LineRange } from '../text-lines.ts';

/** The prompt row is among this many last rows, also with some typed lines and the footer below. */
const PROMPT_REACH = 12;
/** Newer versions have the row of the approval mode and blank rows between border and prompt. */
const MAX_ROWS_TO_BORDER = 4;
/** `*` is the prompt while everything is approved, `!` the one of the shell mode. */
const PROMPT = /^[>*!](?:\s|$)/;
/** Above the border: the indicator of work and the hint at the right. */
const ROW_ABOVE_BORDER = /^\s*(?:[⠁-⣿]\s.*|\([^()]*\besc to cancel\b.*|\? for shortcuts\s*)$/;

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

/** Gemini CLI, and Qwen Code which descends from it. */
export const gemini: AgentFormat = {
  echoEnd: echoBoxBottom('╰', '╯'),
  inputBox: promptUnderBorder,
  readyOnPromptSign: true,
  busy: {
    // `⠏ Thinking... (esc to cancel, 3s)`; on a narrow screen the parenthesis has a row of its own.
    row: /^\s*(?:[⠁-⣿]\s.*)?\([^()]*\besc to cancel\b/,
    reach: 3,
    footer: /^\s*(?:[⠁-⣿]\s.*)?\([^()]*\besc to cancel\b/,
  },
  choices: [numberedChoices('●›')],
};
