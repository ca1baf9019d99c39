import { linesOf } from '../text-lines.ts';

/** The user's text is found by at most this many runes of its first line (AA-122). */
const PREFIX_RUNES = 6;
/** … in the first rows of the message, */
const WINDOW_LINES = 6;
/** … and in at least this many runes. */
const WINDOW_RUNES = 25;
/** So far is looked ahead on both sides for the next match: four foreign runes are passed (AA-123). */
const LOOK_AHEAD = 5;

/** The six characters that wrap, indent and pad a text on a terminal (ASCII-WS of agentapi section 0). */
function isAsciiWhitespace(rune: number): boolean {
  return rune === 0x20 || (rune >= 0x09 && rune <= 0x0d);
}

/**
 * The runes of some lines without ASCII white space, read only as far as somebody asks: the echo is at the
 * head of a message, and the rest of a screen of 80,000 cells must cost nothing.
 */
class InkReader {
  readonly #lines: readonly string[];
  #line = 0;
  #offset = 0;
  readonly #runes: number[] = [];
  readonly #lineOf: number[] = [];

  constructor(lines: readonly string[]) {
    this.#lines = lines;
  }

  /** The rune at `index`, `undefined` past the end. */
  at(index: number): number | undefined {
    while (this.#runes.length <= index) {
      if (!this.#readRune()) return undefined;
    }
    return this.#runes[index];
  }

  /** The line of the rune at `index`, `undefined` past the end. */
  lineAt(index: number): number | undefined {
    this.at(index);
    return this.#lineOf[index];
  }

  #readRune(): boolean {
    for (; this.#line < this.#lines.length; this.#line += 1, this.#offset = 0) {
      const text = this.#lines[this.#line] ?? '';
      while (this.#offset < text.length) {
        const rune = text.codePointAt(this.#offset) ?? 0;
        this.#offset += rune > 0xffff ? 2 : 1;
        if (isAsciiWhitespace(rune)) continue;
        this.#runes.push(rune);
        this.#lineOf.push(this.#line);
        return true;
      }
    }
    return false;
  }
}

/** The number of runes at the head of `ink` that stand on one of the first `lines` lines. */
function runesWithin(ink: InkReader, lines: number, atMost: number): number {
  let count = 0;
  while (count < atMost && (ink.lineAt(count) ?? lines) < lines) count += 1;
  return count;
}

/** The first rune of the echo in `message`, -1 when it is not there. */
function findEcho(message: InkReader, user: InkReader): number {
  const prefix = runesWithin(user, 1, PREFIX_RUNES);
  if (prefix === 0) return -1;
  const window = Math.max(runesWithin(message, WINDOW_LINES, Infinity), WINDOW_RUNES);
  for (let start = 0; start + prefix <= window && message.at(start) !== undefined; start += 1) {
    let matched = 0;
    while (matched < prefix && message.at(start + matched) === user.at(matched)) matched += 1;
    if (matched === prefix) return start;
  }
  return -1;
}

/** The next pair of equal runes after `m` and `u`, `null` where the echo ends. */
function nextMatch(message: InkReader, m: number, user: InkReader, u: number): [number, number] | null {
  for (let du = 1; du <= LOOK_AHEAD; du += 1) {
    const wanted = user.at(u + du);
    if (wanted === undefined) return null;
    for (let dm = 1; dm <= LOOK_AHEAD; dm += 1) {
      const found = message.at(m + dm);
      if (found === undefined) return null;
      if (found === wanted) return [m + dm, u + du];
    }
  }
  return null;
}

/**
 * The last line of the echo of `userText` at the head of `lines`, -1 when there is none (agentapi section 5.2,
 * steps 1–6; AA-121 … AA-124).
 *
 * Linear: the window is passed once with at most 6 comparisons a rune, each step of the walk moves forward
 * after at most 25 comparisons, and no rune is read twice.
 */
export function lastEchoLine(lines: readonly string[], userText: string): number {
  if (userText === '') return -1;
  const message = new InkReader(lines);
  const user = new InkReader(linesOf(userText));
  let m = findEcho(message, user);
  if (m === -1) return -1;
  let u = 0;
  for (let next = nextMatch(message, m, user, u); next !== null; next = nextMatch(message, m, user, u)) {
    [m, u] = next;
  }
  return message.lineAt(m) ?? -1;
}

/** Ends an echo with the bottom row of its box, which holds both corners (AA-125). */
export function echoBoxBottom(leftCorner: string, rightCorner: string) {
  return (lines: readonly string[], last: number): number => {
    const below = lines[last + 1] ?? '';
    return below.includes(leftCorner) && below.includes(rightCorner) ? last + 1 : last;
  };
}
