/** Introducers of sequences: ESC, and the C1 characters of DCS, SOS, CSI, OSC, PM and APC. */
const INTRODUCER = /[\x1b\x90\x98\x9b\x9d-\x9f](?=[^\x1b\x90\x98\x9b\x9d-\x9f]*$)/;

/** Control strings that nothing has ended or broken off yet. */
const UNFINISHED = {
  osc: /^(?:\x1b\]|\x9d)[^\x07\x18\x1a\x9c]*$/,
  string: /^(?:\x1b[PX^_]|[\x90\x98\x9e\x9f])[^\x18\x1a\x9c]*$/,
} as const;

/**
 * The control string at the end of a text that an emulator has seen the beginning of only; empty when there is none. An
 * emulator that is shown a copy of the screen needs it before whatever comes next. Other sequences come as a whole.
 */
export function unfinishedString(text: string): string {
  const start = text.search(INTRODUCER);
  if (start < 0) return '';
  const rest = text.slice(start);
  return UNFINISHED.osc.test(rest) || UNFINISHED.string.test(rest) ? rest : '';
}
