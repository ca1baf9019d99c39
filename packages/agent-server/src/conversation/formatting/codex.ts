import type { AgentFormat, ToolCallRemoval } from './agent-format.ts';
import { numberedChoices } from './choices.ts';
import { withoutRanges, withoutTrailingLineFeeds } from './tool-calls.ts';
import type { LineRange } from '../text-lines.ts';
import { isBlank, linesOf, trimmed } from '../text-lines.ts';

const CALL_HEAD = '•Called';
const CALL_NAME = 'Coder.coder_report_task';
const CALL_RESULT = '{"message": "Thanks for reporting!"}';

/** Takes out the calls of `coder_report_task` with the blank lines after them; an unfinished one stays (AA-132). */
function removeReports(text: string): ToolCallRemoval {
  if (!text.includes(CALL_NAME)) return { text: withoutTrailingLineFeeds(text), calls: [] };
  const lines = linesOf(text);
  const complete: LineRange[] = [];
  let start = -1;
  for (let i = 0; i < lines.length; i += 1) {
    const row = trimmed(lines[i] ?? '');
    if (row.replaceAll(' ', '') === CALL_HEAD && (lines[i + 1] ?? '').includes(CALL_NAME)) {
      start = i;
    } else if (start !== -1 && row === CALL_RESULT) {
      let end = i + 1;
      while (end < lines.length && isBlank(lines[end] ?? '')) end += 1;
      complete.push({ start, end });
      start = -1;
    }
  }
  const removal = withoutRanges(lines, complete);
  return { text: withoutTrailingLineFeeds(removal.text), calls: removal.calls };
}

/** The prompt and the row below it; the status row at the end stays visible (AA-128). */
function promptAboveStatus(lines: readonly string[]): LineRange | null {
  const start = lines.length - 3;
  const prompt = lines[start] ?? '';
  // The same mark stands in front of the chosen one of numbered choices.
  return prompt.includes('›') && !/›\s*\d{1,2}\.\s/.test(prompt) ? { start, end: start + 2 } : null;
}

/** OpenAI Codex. */
export const codex: AgentFormat = {
  inputBox: promptAboveStatus,
  removeToolCalls: removeReports,
  busy: {
    // `• Working (3s • esc to interrupt)`, `▌ • Working (3s • Ctrl C to interrupt)`; the word may be any heading.
    row: /^[\s▌]*[•◦·] \S.*\((?:\d+[hms]\s?)+[•·][^()]*\b(?:esc|ctrl[ +-]c) to interrupt\b/i,
    reach: 4,
  },
  choices: [numberedChoices('›>')],
};
