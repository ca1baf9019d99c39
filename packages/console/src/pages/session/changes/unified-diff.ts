/** What a line of a difference is. */
export type DiffLineKind = 'hunk' | 'context' | 'added' | 'removed' | 'note';

/** One line of a difference. */
export interface DiffLine {
  readonly kind: DiffLineKind;
  /** Without the sign in front. */
  readonly text: string;
  /** Number in the file before and after; `null` where the file has no such line. */
  readonly before: number | null;
  readonly after: number | null;
}

/** What a difference says of one file. */
export interface DiffSection {
  /** Path after the change, or of the file that is gone. */
  readonly path: string;
  readonly lines: readonly DiffLine[];
  readonly isBinary: boolean;
  /** Mode of the file before and after, when it has changed. */
  readonly mode: { readonly before: string; readonly after: string } | null;
}

const HUNK = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/;
/** Differences between more than two files have more signs. */
const COMBINED_HUNK = /^@@@+ /;

/** Reads what `git diff` prints; never fails, whatever the text is. */
export function parseUnifiedDiff(text: string): DiffSection[] {
  const sections: DiffSection[] = [];
  let section: SectionReader | null = null;
  const lines = text.split('\n');
  // Behind the last line end is nothing.
  if (lines.at(-1) === '') lines.pop();
  for (const line of lines) {
    // Within a hunk every line has a sign in front, so this cannot be content.
    if (line.startsWith('diff --git ') || line.startsWith('diff --cc ')) {
      if (section !== null) sections.push(section.result());
      section = new SectionReader(line);
    } else {
      section?.add(line);
    }
  }
  if (section !== null) sections.push(section.result());
  return sections;
}

class SectionReader {
  readonly #lines: DiffLine[] = [];
  #path: string;
  #isBinary = false;
  #modes: { before?: string; after?: string } = {};
  #before = 0;
  #after = 0;
  #isInHunk = false;
  #isCombined = false;

  constructor(head: string) {
    this.#path = pathOfHead(head);
  }

  add(line: string): void {
    const hunk = HUNK.exec(line);
    if (hunk !== null) {
      this.#before = Number(hunk[1]);
      this.#after = Number(hunk[3]);
      this.#isInHunk = true;
      this.#push('hunk', line, null, null);
    } else if (COMBINED_HUNK.test(line)) {
      this.#isInHunk = true;
      this.#isCombined = true;
      this.#push('hunk', line, null, null);
    } else if (this.#isInHunk) {
      this.#addContent(line);
    } else {
      this.#addHeader(line);
    }
  }

  result(): DiffSection {
    const { before, after } = this.#modes;
    return {
      path: this.#path,
      lines: this.#lines,
      isBinary: this.#isBinary,
      mode: before === undefined || after === undefined ? null : { before, after },
    };
  }

  #addContent(line: string): void {
    const sign = this.#isCombined ? /[+-]/.exec(line.slice(0, 2))?.[0] : line[0];
    const text = line.slice(this.#isCombined ? 2 : 1);
    if (sign === '+') this.#push('added', text, null, this.#isCombined ? null : this.#after++);
    else if (sign === '-') this.#push('removed', text, this.#isCombined ? null : this.#before++, null);
    else if (sign === '\\') this.#push('note', text.trim(), null, null);
    else if (this.#isCombined) this.#push('context', text, null, null);
    else this.#push('context', text, this.#before++, this.#after++);
  }

  #addHeader(line: string): void {
    if (line.startsWith('Binary files ') || line === 'GIT binary patch') this.#isBinary = true;
    else if (line.startsWith('old mode ')) this.#modes.before = line.slice(9);
    else if (line.startsWith('new mode ')) this.#modes.after = line.slice(9);
    else if (line.startsWith('rename to ')) this.#path = unquoted(line.slice(10));
    else if (line.startsWith('copy to ')) this.#path = unquoted(line.slice(8));
    else if (line.startsWith('+++ ') || line.startsWith('--- ')) {
      const path = pathOfSide(line.slice(4));
      if (path !== null) this.#path = path;
    }
  }

  #push(kind: DiffLineKind, text: string, before: number | null, after: number | null): void {
    this.#lines.push({ kind, text, before, after });
  }
}

/** `a/x b/x`: both halves name the same file, else there are lines below that tell. */
function pathOfHead(head: string): string {
  const names = head.replace(/^diff --(?:git|cc) /, '');
  if (head.startsWith('diff --cc ')) return unquoted(names);
  const half = names.slice(0, (names.length - 1) / 2);
  return unquoted(half).replace(/^[a-z]\//, '');
}

function pathOfSide(side: string): string | null {
  // Names with spaces have a tab behind them.
  const name = unquoted(side.replace(/\t$/, ''));
  return name === '/dev/null' ? null : name.replace(/^[a-z]\//, '');
}

const ESCAPES: Readonly<Record<string, number>> = {
  a: 7,
  b: 8,
  t: 9,
  n: 10,
  v: 11,
  f: 12,
  r: 13,
  '"': 34,
  '\\': 92,
};

/** A name as git prints it: in quotes, with the bytes of unusual letters as octal numbers. */
function unquoted(name: string): string {
  if (name.length < 2 || !name.startsWith('"') || !name.endsWith('"')) return name;
  const bytes: number[] = [];
  const encoder = new TextEncoder();
  for (const [part] of name.slice(1, -1).matchAll(/\\[0-7]{3}|\\.|[^\\]+|\\/gu)) {
    if (!part.startsWith('\\')) bytes.push(...encoder.encode(part));
    else if (part.length === 4) bytes.push(Number.parseInt(part.slice(1), 8) & 0xff);
    else bytes.push(ESCAPES[part.slice(1)] ?? 92);
  }
  return new TextDecoder().decode(new Uint8Array(bytes));
}
