/** A variable as somebody has written it. */
export interface EnvironmentEntry {
  readonly name: string;
  readonly value: string;
}

const ASSIGNMENT = /^[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)=/;
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };

/**
 * Reads lines such as `NAME=value`, as in `.env` files: with `export` before them, comments, and values in quotes that
 * may go over several lines.
 *
 * @returns `null` when the text is anything else, so that it can be taken as it is
 */
export function parseEnvironmentLines(text: string): readonly EnvironmentEntry[] | null {
  const entries: EnvironmentEntry[] = [];
  let rest = text.replaceAll(/\r\n?/g, '\n');
  while (rest !== '') {
    const blank = /^[ \t]*(?:#[^\n]*)?(?:\n|$)/.exec(rest);
    if (blank !== null) {
      rest = rest.slice(blank[0].length);
      continue;
    }
    const assignment = ASSIGNMENT.exec(rest);
    if (assignment === null) return null;
    const [value, length] = valueOf(rest.slice(assignment[0].length));
    entries.push({ name: assignment[1] ?? '', value });
    rest = rest.slice(assignment[0].length + length);
  }
  return entries.length === 0 ? null : entries;
}

/** A value, and how many characters it takes with the end of its line. */
function valueOf(text: string): readonly [value: string, length: number] {
  const quoted = /^"((?:[^"\\]|\\[^])*)"[ \t]*(?:#[^\n]*)?(?:\n|$)/.exec(text);
  if (quoted !== null) {
    const value = (quoted[1] ?? '').replaceAll(
      /\\([^])/g,
      (_whole, letter: string) => ESCAPES[letter] ?? letter,
    );
    return [value, quoted[0].length];
  }
  const literal = /^'([^']*)'[ \t]*(?:#[^\n]*)?(?:\n|$)/.exec(text);
  if (literal !== null) return [literal[1] ?? '', literal[0].length];
  const line = /^[^\n]*\n?/.exec(text)?.[0] ?? '';
  return [line.replace(/(?:^|[ \t])#.*/, '').trim(), line.length];
}
