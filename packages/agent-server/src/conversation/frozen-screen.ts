/** Strings for the terminal itself (titles, colours), also one whose beginning was in an earlier piece. */
const STRING_SEQUENCE = /^[^\x1b]*?(?:\x07|\x1b\\)|\x1b[\]PX^_][^]*?(?:\x07|\x1b\\|$)/g;
const CONTROL_SEQUENCE = /\x1b(?:\[[0-?]*[ -/]*[@-~]?|[ -/]*[0-~]?)/g;
/** Fewer characters could be the rest of a sequence whose beginning was in an earlier piece. */
const MIN_WORD_LENGTH = 8;

/**
 * Whether a piece of a program's output prints a text that is not on the screen, ignoring white space: the sign
 * of an emulator that no longer follows the program (AA-171). Output that paints the same picture again, or
 * moves the cursor, is none.
 */
export function printsUnseenText(output: string, screen: string): boolean {
  const words = output
    .replaceAll(STRING_SEQUENCE, '\0')
    .replaceAll(CONTROL_SEQUENCE, '\0')
    .split(/[\0-\x20\x7f]+/);
  const longest = words.reduce((best, word) => (word.length > best.length ? word : best), '');
  return longest.length >= MIN_WORD_LENGTH && !screen.replaceAll(/\s/g, '').includes(longest);
}
