import type { AgentFormat, ToolCallRemoval } from './agent-format.ts';
import { numberedChoices } from './choices.ts';
import { framedInput } from './input-box.ts';
import { withoutLeadingLineFeeds, withoutRanges } from './tool-calls.ts';
import type { LineRange } from '../text-lines.ts';
import { linesOf, trimmed } from '../text-lines.ts';

const CALL_HEAD = 'coder - coder_report_task (MCP)';
const CALL_RESULT = '"message": "Thanks for reporting!"';

/**
 * Takes out the calls of `coder_report_task` (AA-131). A call that is still being drawn is taken out down to
 * the last blank line after its head, and not returned: it will be when it is complete.
 */
function removeReports(text: string): ToolCallRemoval {
  if (!text.includes(CALL_HEAD)) return { text: withoutLeadingLineFeeds(text), calls: [] };
  const lines = linesOf(text);
  const rows = lines.map(trimmed);
  const complete: LineRange[] = [];
  let start = -1;
  let cutAfter = -1;
  // The last row cannot decide anything: a result needs the closing brace below it.
  for (let i = 0; i < rows.length - 1; i += 1) {
    const row = rows[i] ?? '';
    if (row.includes(CALL_HEAD)) {
      start = i;
      cutAfter = -1;
    } else if (start === -1) {
      continue;
    } else if (row === CALL_RESULT && rows[i + 1] === '}' && (rows[i - 1] ?? '').endsWith('{')) {
      complete.push({ start, end: i + 2 });
      start = -1;
      cutAfter = -1;
    } else if (row === '') {
      cutAfter = i + 1;
    }
  }
  const removal = withoutRanges(
    lines,
    complete,
    start === -1 ? null : { start, end: cutAfter === -1 ? lines.length : cutAfter },
  );
  return { text: withoutLeadingLineFeeds(removal.text), calls: removal.calls };
}

/** Claude Code. */
export const claude: AgentFormat = {
  inputBox: framedInput,
  readyOnPromptSign: true,
  removeToolCalls: removeReports,
  busy: {
    // `✻ Pondering… (3s · ↑ 24 tokens · esc to interrupt)`; once done it reads `✻ Brewed for 3s`. A list of tasks
    // may stand between it and the box.
    row: /^ ?[·✢✳✶✻✼✽∗*] \S.*(?:…\s*(?:\(|$)|\besc to interrupt\b)/u,
    reach: 14,
    footer: /(?:^\s*|[·•(] ?)esc to interrupt\b/,
  },
  choices: [numberedChoices('❯')],
};
