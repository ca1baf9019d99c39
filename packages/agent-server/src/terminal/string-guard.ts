/** Openers of the control strings OSC, DCS, SOS, PM and APC, as escape sequence or as one C1 character. */
const OPENER = /\x1b[\]PX^_]|[\x90\x98\x9d\x9e\x9f]/g;

/**
 * What ends or breaks off a string: CAN, SUB, ST, ESC (of `ESC \` or of anything else), for OSC also BEL.
 * A line end means nothing inside a string (except for DCS: sixel pictures), so there the end was forgotten.
 */
const ENDS = {
  osc: /[\x07\x18\x1a\x1b\x9c\n]/g,
  dcs: /[\x18\x1a\x1b\x9c]/g,
  other: /[\x18\x1a\x1b\x9c\n]/g,
} as const;

const ESCAPE = '\x1b';
/** Breaks off a control string and shows nothing. */
const CANCEL = '\x18';

/** Longer than any title, link, clipboard text or picture line that an agent sends in one string. */
const MAX_STRING_LENGTH = 1_048_576;

/**
 * Ends control strings that the program forgot to end, which would otherwise swallow all further
 * output (AA-103): at the next line end, or after 1 Mi characters.
 */
export class StringGuard {
  #inside: keyof typeof ENDS | null = null;
  #length = 0;
  /** An ESC at the end of a chunk waits for what it introduces. */
  #held = '';

  /** The output with missing ends added; everything else is unchanged and in order. */
  filter(chunk: string): string {
    let data = this.#held + chunk;
    this.#held = data.endsWith(ESCAPE) ? ESCAPE : '';
    if (this.#held !== '') data = data.slice(0, -1);
    if (this.#inside === null && data.search(OPENER) < 0) return data;
    let output = '';
    let at = 0;
    while (at < data.length) {
      if (this.#inside === null) {
        const opener = find(OPENER, data, at);
        output += data.slice(at, opener.end);
        at = opener.end;
        if (opener.found) this.#open(data.charAt(at - 1));
      } else {
        const end = find(ENDS[this.#inside], data, at);
        const limit = Math.min(end.start, at + MAX_STRING_LENGTH - this.#length);
        output += data.slice(at, limit);
        this.#length += limit - at;
        at = limit;
        const tooLong = limit < end.start;
        if (tooLong || data.charAt(at) === '\n') output += CANCEL;
        if (tooLong || end.found) this.#inside = null;
      }
    }
    return output;
  }

  #open(opener: string): void {
    this.#inside = ']\x9d'.includes(opener) ? 'osc' : 'P\x90'.includes(opener) ? 'dcs' : 'other';
    this.#length = 0;
  }
}

/** The next match from `at` on; the end of the data when there is none. */
function find(pattern: RegExp, data: string, at: number): { start: number; end: number; found: boolean } {
  pattern.lastIndex = at;
  const match = pattern.exec(data);
  return match === null
    ? { start: data.length, end: data.length, found: false }
    : { start: match.index, end: pattern.lastIndex, found: true };
}
