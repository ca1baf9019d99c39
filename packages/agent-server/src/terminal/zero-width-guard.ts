/** Marks, joiners, and vowels and finals of Hangul: all that an emulator puts into the cell of the character before. */
const ZERO_WIDTH = String.raw`\p{M}\p{Cf}\u1160-\u11ff`;
const SOME = new RegExp(`[${ZERO_WIDTH}]`, 'u');
const EACH = new RegExp(`[${ZERO_WIDTH}]`, 'gu');

/** Control characters need not end a run: emulators drop some. */
const RUN = new RegExp(String.raw`[${ZERO_WIDTH}\x00-\x1f\x7f-\x9f]+`, 'gu');
const PRINTABLE = /[^\x00-\x1f\x7f-\x9f]/;

/** More than any script or emoji needs, and enough for text that is heaped with marks for fun. */
const MAX_RUN = 32;

/** Drops characters without width after 32 in a row, which would make a single cell of many megabytes. */
export class ZeroWidthGuard {
  /** How many of them stand at the end of what has come. */
  #count = 0;

  /** Everything else is unchanged and in order, wherever the output is cut into chunks between characters. */
  filter(chunk: string): string {
    if (!SOME.test(chunk)) {
      if (PRINTABLE.test(chunk)) this.#count = 0;
      return chunk;
    }
    let end = 0;
    const output = chunk.replaceAll(RUN, (run, start: number) => {
      if (start > end) this.#count = 0;
      end = start + run.length;
      return run.replaceAll(EACH, (character) => {
        this.#count += 1;
        return this.#count > MAX_RUN ? '' : character;
      });
    });
    if (end < chunk.length) this.#count = 0;
    return output;
  }
}
