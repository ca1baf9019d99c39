import type { AgentFormat } from './agent-format.ts';
import { genericInput, lowestLine } from './input-box.ts';
import type { LineRange } from '../text-lines.ts';

/** The prompt is within this many last rows. */
const PROMPT_REACH = 6;
const PROMPT = /^\s*\( O\)>/;

/** `( O)> ` with whatever is typed or hinted behind it. */
function goosePrompt(lines: readonly string[]): LineRange | null {
  const start = lowestLine(lines, PROMPT_REACH, (i) => PROMPT.test(lines[i] ?? ''));
  return start === -1 ? genericInput(lines) : { start, end: lines.length };
}

/** Goose. */
export const goose: AgentFormat = {
  inputBox: goosePrompt,
  readyOnPromptSign: true,
  busy: { row: /^\s*[◐◓◑◒]\s+\S|\(ctrl\+c to interrupt\)\s*$/i, reach: 2 },
  choices: [{ chosen: /^● \S/, other: /^○ \S/ }],
};
