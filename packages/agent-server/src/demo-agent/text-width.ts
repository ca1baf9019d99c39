/** Escape sequences (CSI, OSC, two-character ones) that a command may have printed. */
const ESCAPE_SEQUENCE = /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])/g;
const CONTROL_CHARACTER = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/g;
const TAB_WIDTH = 8;

const ZERO_WIDTH = /^[\p{Mn}\p{Me}\p{Cf}]$/u;
const WIDE =
  /^[\p{Emoji_Presentation}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]$/u;
const REGIONAL_INDICATOR = /^\p{Regional_Indicator}$/u;
const HALF_WIDTH_FORM = /^[\uff61-\uffdc\uffe8-\uffee]$/u;
const FULL_WIDTH_FORM = /^[\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]$/u;

/** Terminal cells that a character (one code point) takes: 0 for marks and joiners, 2 for East Asian and emoji. */
export function charWidth(char: string): 0 | 1 | 2 {
  if (char < '\u0300') return char === '\u00ad' ? 1 : char < ' ' ? 0 : 1;
  if (ZERO_WIDTH.test(char)) return 0;
  if (HALF_WIDTH_FORM.test(char) || REGIONAL_INDICATOR.test(char)) return 1;
  return WIDE.test(char) || FULL_WIDTH_FORM.test(char) ? 2 : 1;
}

/** Terminal cells that a text takes. */
export function textWidth(text: string): number {
  let width = 0;
  for (const char of text) width += charWidth(char);
  return width;
}

/** A text without escape sequences and control characters, tabs expanded; line feeds stay. */
export function plainText(text: string): string {
  return text
    .replaceAll(ESCAPE_SEQUENCE, '')
    .replaceAll(/\r+\n/g, '\n')
    .split('\n')
    .map((line) => expandTabs(line.slice(line.lastIndexOf('\r') + 1)).replaceAll(CONTROL_CHARACTER, ''))
    .join('\n');
}

/**
 * Splits a line into rows of at most `width` cells, after a blank or beside a wide character where there is
 * one. Nothing is lost but a blank that falls on the edge, so that the rows put together are the line again.
 */
export function wrapLine(line: string, width: number): readonly string[] {
  const rows: string[] = [];
  let row = '';
  let rowWidth = 0;
  let breakAt = 0;
  for (const char of line) {
    const charCells = charWidth(char);
    if (charCells === 2) breakAt = row.length;
    const isOver = rowWidth + charCells > width && row !== '';
    if (isOver && char === ' ') {
      rows.push(row);
      [row, rowWidth, breakAt] = ['', 0, 0];
      continue;
    }
    // The last word may fill a row of its own: then it is broken, too.
    while (rowWidth + charCells > width && row !== '') {
      const cut = breakAt > 0 ? breakAt : row.length;
      rows.push(row.slice(0, cut));
      row = row.slice(cut);
      rowWidth = textWidth(row);
      breakAt = 0;
    }
    row += char;
    rowWidth += charCells;
    if (char === ' ' || charCells === 2) breakAt = row.length;
  }
  rows.push(row);
  return rows;
}

/** The longest beginning of a text that fits into `width` cells. */
export function fit(text: string, width: number): string {
  let end = 0;
  let cells = 0;
  for (const char of text) {
    cells += charWidth(char);
    if (cells > width) break;
    end += char.length;
  }
  return text.slice(0, end);
}

function expandTabs(line: string): string {
  if (!line.includes('\t')) return line;
  let out = '';
  let column = 0;
  for (const char of line) {
    const piece = char === '\t' ? ' '.repeat(TAB_WIDTH - (column % TAB_WIDTH)) : char;
    out += piece;
    column += char === '\t' ? piece.length : charWidth(char);
  }
  return out;
}
