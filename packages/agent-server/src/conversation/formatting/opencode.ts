import type { AgentFormat } from './agent-format.ts';
import { lowestLine } from './input-box.ts';
import type { LineRange } from '../text-lines.ts';
import { trimmed } from '../text-lines.ts';

const BOTTOM_BAR = `╹${'▀'.repeat(17)}`;
/** Rows of the input box above its bottom bar. */
const BOX_ROWS = 4;
/** The row with author and time and the spacer row that follow the user's text. */
const ROWS_AFTER_ECHO = 2;

/** The box by its bottom bar, with everything below it (AA-128). */
function boxAboveBar(lines: readonly string[]): LineRange | null {
  const bar = lowestLine(lines, lines.length - BOX_ROWS, (i) =>
    trimmed(lines[i] ?? '').startsWith(BOTTOM_BAR),
  );
  return bar === -1 ? null : { start: bar - BOX_ROWS, end: lines.length };
}

/** opencode. */
export const opencode: AgentFormat = {
  echoEnd: (lines, last) => (last + ROWS_AFTER_ECHO < lines.length ? last + ROWS_AFTER_ECHO : last),
  inputBox: boxAboveBar,
  busy: {
    row: /^\s*(?:working\.\.\.|[■⬝]{3,}).*\besc (?:again to )?interrupt\b/,
    reach: 3,
    footer: /\besc (?:again to )?interrupt\b/,
  },
  choices: [
    {
      chosen: /^▏?\s*△ Permission required/,
      other: /^▏?\s*Allow once\s+Allow always\s+Reject/,
      isOneRow: true,
    },
  ],
};
