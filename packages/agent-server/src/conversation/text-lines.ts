/** Some neighbouring rows of a text: `[start, end)`. */
export interface LineRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Whether a UTF-16 unit is white space in Unicode's sense (UNI-WS of agentapi section 0). JavaScript's own
 * `trim` also takes U+FEFF and leaves U+0085.
 */
function isWhitespace(unit: number): boolean {
  if (unit < 0x80) return unit === 0x20 || (unit >= 0x09 && unit <= 0x0d);
  return (
    unit === 0x85 ||
    unit === 0xa0 ||
    unit === 0x1680 ||
    (unit >= 0x2000 && unit <= 0x200a) ||
    unit === 0x2028 ||
    unit === 0x2029 ||
    unit === 0x202f ||
    unit === 0x205f ||
    unit === 0x3000
  );
}

/** The lines of a text: split at LF only, so CR stays and n LFs give n + 1 lines. */
export function linesOf(text: string): string[] {
  return text.split('\n');
}

/** Whether a line holds nothing but white space. */
export function isBlank(line: string): boolean {
  for (let i = 0; i < line.length; i += 1) {
    if (!isWhitespace(line.charCodeAt(i))) return false;
  }
  return true;
}

/** `line` without white space at both ends. */
export function trimmed(line: string): string {
  let start = 0;
  let end = line.length;
  while (start < end && isWhitespace(line.charCodeAt(start))) start += 1;
  while (end > start && isWhitespace(line.charCodeAt(end - 1))) end -= 1;
  return line.slice(start, end);
}

/** `lines` without blank lines at both ends; inner ones, indentation and trailing spaces stay (AA-130). */
export function withoutOuterBlankLines(lines: readonly string[]): readonly string[] {
  const start = lines.findIndex((line) => !isBlank(line));
  if (start === -1) return [];
  return lines.slice(start, lines.findLastIndex((line) => !isBlank(line)) + 1);
}

/**
 * The last `count` lines of a text down to its last line that is not blank; fewer when it has fewer. Touches
 * only the end of the text, so that looking at the bottom of a tall screen costs no splitting of it.
 */
export function lastLines(text: string, count: number): string[] {
  let ink = text.length;
  while (ink > 0 && isWhitespace(text.charCodeAt(ink - 1))) ink -= 1;
  if (ink === 0) return [];
  let start = text.lastIndexOf('\n', ink - 1) + 1;
  for (let found = 1; found < count && start > 0; found += 1) {
    start = start === 1 ? 0 : text.lastIndexOf('\n', start - 2) + 1;
  }
  const end = text.indexOf('\n', ink);
  return linesOf(text.slice(start, end === -1 ? text.length : end));
}
