/** Some neighbouring rows of a text: `[start, end)`. */
export interface LineRange {
  readonly start: number;
  readonly end: number;
}

/**
 * A character that is not white space in Unicode's sense (UNI-WS of agentapi section 0). JavaScript's own `\s`
 * also takes U+FEFF and leaves U+0085.
 */
const INK = /[^\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;

/** The lines of a text: split at LF only, so CR stays and n LFs give n + 1 lines. */
export function linesOf(text: string): string[] {
  return text.split('\n');
}

/** Whether a line holds nothing but white space. */
export function isBlank(line: string): boolean {
  return !INK.test(line);
}

/** The two characters on which JavaScript and Unicode disagree. */
const DISPUTED = /[\ufeff\u0085]/;

/** `line` without white space at both ends. */
export function trimmed(line: string): string {
  if (!DISPUTED.test(line)) return line.trim();
  const start = line.search(INK);
  let end = line.length;
  while (end > start && isBlank(line.charAt(end - 1))) end -= 1;
  return start === -1 ? '' : line.slice(start, end);
}

/** The index behind the last line that is not blank, 0 when all are. */
export function inkEnd(lines: readonly string[]): number {
  let blank = '';
  let end = lines.length;
  for (; end > 0; end -= 1) {
    const line = lines[end - 1] ?? '';
    // Hundreds of rows of a screen are the same blank row, which compares faster than it is searched.
    if (line === blank) continue;
    if (!isBlank(line)) break;
    blank = line;
  }
  return end;
}

/** `lines` without blank lines at both ends; inner ones, indentation and trailing spaces stay (AA-130). */
export function withoutOuterBlankLines(lines: readonly string[]): readonly string[] {
  const end = inkEnd(lines);
  let start = 0;
  while (start < end && isBlank(lines[start] ?? '')) start += 1;
  return lines.slice(start, end);
}

/** The last `count` lines of a text down to its last line that is not blank; fewer when it has fewer. */
export function lastLines(text: string, count: number): string[] {
  const lines = linesOf(text);
  const end = inkEnd(lines);
  return lines.slice(Math.max(end - count, 0), end);
}
