import { MalformedMessage } from './malformed.ts';

const HTAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SP = 0x20;
const ZERO = 0x30;
const COLON = 0x3a;
const DEL = 0x7f;

/** More would not be exact any more. */
const MAX_LENGTH_DIGITS = 15;

/** Characters of a token (RFC 9110 section 5.6.2): 1 for each of them. */
const TOKEN = tableOf(
  "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".split(''),
);

/**
 * Looks for the end of a head: the blank line after its lines. Searching goes on where the last call stopped, so that
 * a head that trickles in costs no more than one that comes at once.
 */
export class HeadEnd {
  /** Where the line begins that is being read. */
  #lineStart = 0;
  #searched = 0;

  /**
   * Index behind the blank line; -1 while it has not come. `bytes` must begin like in the calls before.
   * @throws MalformedMessage for a line feed without carriage return: some would take it for the end of a line.
   */
  find(bytes: Buffer): number {
    for (;;) {
      const at = bytes.indexOf(LF, this.#searched);
      if (at === -1) {
        this.#searched = bytes.length;
        return -1;
      }
      if (at === 0 || bytes[at - 1] !== CR)
        throw new MalformedMessage('A line ends without a carriage return');
      this.#searched = at + 1;
      if (at - 1 === this.#lineStart) return at + 1;
      this.#lineStart = at + 1;
    }
  }

  /** Whether the first line has ended. */
  get hasFirstLine(): boolean {
    return this.#lineStart > 0;
  }

  /** For the next head. */
  reset(): void {
    this.#lineStart = 0;
    this.#searched = 0;
  }
}

/**
 * Reads header lines up to the blank line, which must be the last two characters of `text`, and adds names and values
 * in turn to `raw`. Values lose the white space around them and nothing else.
 * @param text - bytes as Latin-1.
 * @param at - where the first line begins.
 * @throws MalformedMessage
 */
export function parseFields(text: string, at: number, raw: string[]): void {
  const end = text.length - 2;
  let i = at;
  while (i < end) {
    const nameStart = i;
    while (TOKEN[text.charCodeAt(i)] === 1) i += 1;
    if (text.charCodeAt(i) !== COLON || i === nameStart) {
      const first = text.charCodeAt(nameStart);
      throw new MalformedMessage(
        first === SP || first === HTAB
          ? 'A header line is folded'
          : 'A header line does not begin with a name and a colon',
      );
    }
    const name = text.substring(nameStart, i);
    i += 1;
    let code = text.charCodeAt(i);
    while (code === SP || code === HTAB) code = text.charCodeAt((i += 1));
    const valueStart = i;
    let valueEnd = i;
    for (;;) {
      if (code > SP && code !== DEL) {
        valueEnd = i + 1;
      } else if (code !== SP && code !== HTAB) {
        break;
      }
      code = text.charCodeAt((i += 1));
    }
    if (code !== CR || text.charCodeAt(i + 1) !== LF) {
      throw new MalformedMessage('A header value holds a control character');
    }
    raw.push(name, text.substring(valueStart, valueEnd));
    i += 2;
  }
}

/** Whether every character of a non-empty text may stand in a token. */
export function isToken(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) if (TOKEN[text.charCodeAt(i)] !== 1) return false;
  return text.length > 0;
}

/**
 * The length that a message announces: its only `Content-Length`.
 * @throws MalformedMessage for anything but digits, and for more than fits in a number.
 */
export function parseLength(value: string): number {
  let length = 0;
  for (let i = 0; i < value.length; i += 1) {
    const digit = value.charCodeAt(i) - ZERO;
    if (!(digit >= 0 && digit <= 9)) throw new MalformedMessage('Content-Length is not a number');
    length = length * 10 + digit;
  }
  if (value === '' || value.length > MAX_LENGTH_DIGITS)
    throw new MalformedMessage('Content-Length is not a number');
  return length;
}

function tableOf(characters: readonly string[]): Uint8Array {
  const table = new Uint8Array(256);
  for (const character of characters) table[character.charCodeAt(0)] = 1;
  return table;
}
