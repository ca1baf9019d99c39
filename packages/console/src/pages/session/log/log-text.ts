/** Colours and movements of a terminal, which a page cannot show. */
const TERMINAL_CODES =
  /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[PX^_][^\u001b]*(?:\u001b\\)?|[ -/]*[0-~])/g;
/** What else is no text; tabs stay. */
const OTHER_CODES = /[\u0000-\u0008\u000b-\u001f\u007f]/g;

/** The lines of a log as people read them. */
export function logLines(text: string): string[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines.map((line) => line.replaceAll(TERMINAL_CODES, '').replaceAll(OTHER_CODES, ''));
}

/** Places of a text in a line, without regard to capitals: `[from, to]` each. */
export function occurrences(line: string, wanted: string): (readonly [number, number])[] {
  const found: (readonly [number, number])[] = [];
  if (wanted === '') return found;
  // Lower case may be longer than the original; then places would be wrong.
  const lower = line.toLowerCase();
  const [text, word] = lower.length === line.length ? [lower, wanted.toLowerCase()] : [line, wanted];
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + word.length)) {
    found.push([at, at + word.length]);
  }
  return found;
}

/** Numbers of the lines that contain a text. */
export function matchingLines(lines: readonly string[], wanted: string): number[] {
  if (wanted === '') return [];
  return lines.flatMap((line, index) => (occurrences(line, wanted).length > 0 ? [index] : []));
}
