import { finalOf, sequenceAt } from './sequence-guard.ts';

/** What may begin a sequence, and what may scroll. */
const NOTEWORTHY = /[\n\v\f\x84\x85\x1b\x9b]/g;

/**
 * Last characters of control sequences that may touch every cell of the screen, or every row as often as there are rows:
 * erasing, scrolling, moving rows and columns, repeating, going to tabs, switching buffers. On 1000 x 1000 cells each takes
 * from 4 to 40 ms.
 */
const HEAVY_FINALS = 'JLMSTIZbhl}~';
/** The same where a space stands before: scrolling sideways. */
const HEAVY_AFTER_SPACE = '@A';

/** Of anything else, so much takes up to 20 ms: a line end moves all rows when the first one does not scroll. */
const MAX_LIGHT_LENGTH = 1_024;

/**
 * Cuts output into pieces, each of which keeps an emulator busy for milliseconds only, so that it can pause in between. To be
 * called with whole sequences; none is cut, except that control strings may be.
 */
export function outputPieces(output: string): readonly string[] {
  const pieces: string[] = [];
  let start = 0;
  let at = 0;
  for (;;) {
    NOTEWORTHY.lastIndex = at;
    const found = NOTEWORTHY.exec(output);
    if (found === null) break;
    const sequence = sequenceAt(output, found.index);
    at = found.index + Math.max(sequence.length, 1);
    if (sequence !== '') {
      const final = finalOf(output, at);
      if (final === '') continue;
      at += 1;
      if (at - start <= MAX_LIGHT_LENGTH && !isHeavy(sequence, final)) continue;
    } else if (at - start <= MAX_LIGHT_LENGTH) continue;
    pieces.push(output.slice(start, at));
    start = at;
  }
  if (start < output.length || pieces.length === 0) pieces.push(output.slice(start));
  return pieces;
}

function isHeavy(sequence: string, final: string): boolean {
  if (sequence.startsWith('\x9b') || sequence.includes('[')) {
    return HEAVY_FINALS.includes(final) || (HEAVY_AFTER_SPACE.includes(final) && sequence.includes(' '));
  }
  // Reset, and filling the screen for its alignment.
  return final === 'c' || (final === '8' && sequence.includes('#'));
}
