import type { AgentFormat } from './agent-format.ts';
import { numberedChoices } from './choices.ts';
import { lowestLine } from './input-box.ts';
import type { LineRange } from '../text-lines.ts';
import { trimmed } from '../text-lines.ts';

/** The lowest rounded box whose corners are the outermost characters of their rows, and all below (AA-129). */
function roundedBox(lines: readonly string[]): LineRange | null {
  const isEdge = (i: number, left: string, right: string): boolean => {
    const row = trimmed(lines[i] ?? '');
    return row.startsWith(left) && row.endsWith(right);
  };
  const bottom = lowestLine(lines, lines.length, (i) => isEdge(i, '╰', '╯'));
  const top = lowestLine(lines, lines.length, (i) => i <= bottom && isEdge(i, '╭', '╮'));
  return top === -1 ? null : { start: top, end: lines.length };
}

/** Amp. */
export const amp: AgentFormat = {
  inputBox: roundedBox,
  emptyText: 'Welcome to Amp',
  busy: { row: /^\s*[~∼≈≋∿] \p{L}[^…]*(?:…|\.{3})/u, reach: 3 },
  choices: [numberedChoices('❯›●')],
  // A key ends the animation of the splash screen, which would never let the screen come to rest.
  keysOnSpawn: ' \b',
};
