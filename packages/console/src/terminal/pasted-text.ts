const BEGIN = '\u001b[200~';
const END = '\u001b[201~';

/**
 * What a terminal sends for pasted text. Control characters do not go along: an Escape in it could end the paste, and
 * what follows would be keys.
 *
 * @param bracketed - the program wants to know what was pasted (DECSET 2004)
 */
export function pastedText(text: string, bracketed: boolean): string {
  const clean = text
    .replaceAll(/\r\n|\n/g, '\r')
    .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/g, '');
  return bracketed ? `${BEGIN}${clean}${END}` : clean;
}
