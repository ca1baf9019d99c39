/** Introducers of sequences: ESC, and the C1 characters of DCS, SOS, CSI, OSC, PM and APC. */
const INTRODUCER = /[\x1b\x90\x98\x9b\x9d-\x9f](?=[^\x1b\x90\x98\x9b\x9d-\x9f]*$)/;

/** Sequences that nothing has ended or broken off yet. */
const UNFINISHED = {
  escape: /^\x1b[\x00-\x17\x19\x1c-\x2f\x7f]*$/,
  control: /^(?:\x1b\[|\x9b)[\x00-\x17\x19\x1c-\x3f\x7f]*$/,
  osc: /^(?:\x1b\]|\x9d)[^\x07\x18\x1a\x9c]*$/,
  string: /^(?:\x1b[PX^_]|[\x90\x98\x9e\x9f])[^\x18\x1a\x9c]*$/,
} as const;

/** Control characters have their effect at once, even in the middle of such a sequence. */
const IMMEDIATE = /[\x00-\x1a\x1c-\x1f]/g;

/**
 * The sequence at the end of a text that an emulator has seen the beginning of only; empty when there is none. An
 * emulator that is shown a copy of the screen needs it before whatever comes next.
 */
export function unfinishedSequence(text: string): string {
  const start = text.search(INTRODUCER);
  if (start < 0) return '';
  const rest = text.slice(start);
  if (UNFINISHED.escape.test(rest) || UNFINISHED.control.test(rest)) return rest.replaceAll(IMMEDIATE, '');
  return UNFINISHED.osc.test(rest) || UNFINISHED.string.test(rest) ? rest : '';
}
