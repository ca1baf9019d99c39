/** What an emulator executes, or drops, in the middle of a sequence without leaving it. */
const WITHIN = String.raw`\x00-\x17\x19\x1c-\x1f\x7f`;

const INTRODUCER = /[\x1b\x9b]/g;

/** A control sequence, or else an escape sequence, without its last character. */
const SEQUENCE = new RegExp(
  String.raw`(?:\x1b[${WITHIN}]*\[|\x9b)[${WITHIN}\x20-\x3f]*|\x1b[${WITHIN}\x20-\x2f]*`,
  'y',
);

/** The digits of one parameter. */
const PARAMETER = new RegExp(`[0-9][0-9${WITHIN}]*`, 'g');

/** More columns and repetitions than any screen has, and above the number of every mode and colour. */
const MAX_PARAMETER = 9_999;

/** Control sequences that do something again and again, with their last characters: scroll, insert and delete rows, go to tabs. */
const REPEATED = new RegExp(String.raw`^(?:\x1b[${WITHIN}]*\[|\x9b)[${WITHIN}0-9;:]*[STLMIZ]$`);

/** Emulators read 32 parameters. */
const MAX_SEQUENCE_LENGTH = 4_096;

/** Breaks off a sequence and shows nothing. */
const CANCEL = '\x18';

/**
 * Takes the force out of escape and control sequences that would keep an emulator busy for minutes or fill its memory:
 * a parameter above 9,999 becomes 9,999, how often to scroll becomes the number of rows or columns at most, which has the
 * same effect (`CSI 2147483647 S` scrolls two billion times), and a sequence that has no end after 4 Ki characters is
 * broken off. Sequences are passed on as a whole.
 */
export class SequenceGuard {
  /** The beginning of a sequence, at the end of what has come. */
  #held = '';

  /**
   * Everything else is unchanged and in order, wherever the output is cut into chunks.
   * @param extent - rows or columns of the screen, whichever are more.
   */
  filter(chunk: string, extent: number): string {
    const data = this.#held + chunk;
    this.#held = '';
    let output = '';
    let at = 0;
    while (at < data.length) {
      INTRODUCER.lastIndex = at;
      const start = INTRODUCER.exec(data)?.index ?? data.length;
      output += data.slice(at, start);
      const sequence = sequenceAt(data, start);
      at = start + Math.min(sequence.length, MAX_SEQUENCE_LENGTH);
      if (sequence.length >= MAX_SEQUENCE_LENGTH) {
        output += capped(data.slice(start, at), MAX_PARAMETER) + CANCEL;
      } else if (at < data.length) {
        const isRepeated = REPEATED.test(sequence + finalOf(data, at));
        output += capped(sequence, isRepeated ? Math.min(extent, MAX_PARAMETER) : MAX_PARAMETER);
      } else this.#held = sequence;
    }
    return output;
  }
}

/** The sequence that begins at a place, without its last character; empty when none does. */
export function sequenceAt(data: string, start: number): string {
  SEQUENCE.lastIndex = start;
  return SEQUENCE.exec(data)?.[0] ?? '';
}

/** The last character of a sequence of which the rest ends at a place; empty when something else breaks it off. */
export function finalOf(data: string, at: number): string {
  const character = data.charAt(at);
  return character >= '0' && character <= '~' ? character : '';
}

function capped(sequence: string, cap: number): string {
  return sequence.replaceAll(PARAMETER, (digits) => {
    const within = digits.replaceAll(/[0-9]/g, '');
    const value = Number(within === '' ? digits : digits.replaceAll(/[^0-9]/g, ''));
    return value > cap ? `${within}${cap}` : digits;
  });
}
