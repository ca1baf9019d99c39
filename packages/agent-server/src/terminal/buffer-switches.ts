/** Switches to the alternate buffer and back (DECSET 47, 1047, 1049), and the reset of the terminal. */
const SWITCH = /\x1b(?:c|\[\?([\d;]*)([hl]))/g;
/** The beginning of one at the end of a piece of output. */
const UNFINISHED = /\x1b(?:\[(?:\?[\d;]{0,64})?)?$/;
const ALTERNATE_MODES: readonly string[] = ['47', '1047', '1049'];

/** Follows in the output of a program which of the terminal's two buffers it draws on. */
export class BufferSwitches {
  #alternate = false;
  #unfinished = '';

  get alternate(): boolean {
    return this.#alternate;
  }

  /** Takes the next piece of output. */
  follow(output: string): void {
    const text = this.#unfinished + output;
    for (const [, modes, final] of text.matchAll(SWITCH)) {
      if (modes === undefined) this.#alternate = false;
      else if (modes.split(';').some((mode) => ALTERNATE_MODES.includes(mode)))
        this.#alternate = final === 'h';
    }
    this.#unfinished = UNFINISHED.exec(text)?.[0] ?? '';
  }
}
