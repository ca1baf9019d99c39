import type * as Xterm from '@xterm/headless';
import type { Pen } from './emulator-state.ts';

/**
 * Output that shows the rows of a buffer on a blank screen of the same size, whose cursor is in
 * the first column of the first row and whose pen is plain.
 * Every part is put at its address, and every pen is told whole, so nothing depends on what stood before. A row that
 * goes on in the next one does so for the viewer, too, where its text reaches the last column.
 *
 * Not told, because the emulator does not tell either: forms and colours of underlines, and addresses of links.
 */
export function paintBuffer(buffer: Xterm.IBuffer, rows: number): string {
  const cell = buffer.getNullCell();
  const painter = new Painter();
  for (let y = 0; y < rows; y += 1) {
    const line = buffer.getLine(buffer.baseY + y);
    if (line !== undefined) painter.row(line, y, cell);
  }
  return painter.end();
}

/** The character in a column with its pen, for a cursor that only a written character brings beyond the last column. */
export function textOfCell(cell: Xterm.IBufferCell): string {
  return penText(cell) + (cell.getChars() === '' ? ' ' : cell.getChars());
}

/** What a pen is after a reset. */
export const PLAIN = '\x1b[0m';

class Painter {
  #text = '';
  #pen = PLAIN;
  /** Where the next character would go without being placed. */
  #x = 0;
  #y = 0;

  row(line: Xterm.IBufferLine, y: number, cell: Xterm.IBufferCell): void {
    const columns = line.length;
    const goesOn = line.isWrapped && this.#y === y - 1 && this.#x === columns;
    for (let x = 0; x < columns; x += 1) {
      line.getCell(x, cell);
      // The second half of a wide character.
      if (cell.getWidth() === 0) continue;
      if (cell.getChars() === '' && !showsWhenBlank(cell)) {
        if (!cell.isBgDefault()) x += this.#erase(line, x, y, cell);
        continue;
      }
      if (x > 0 || !goesOn) this.#place(x, y);
      this.#write(penText(cell), cell.getChars() === '' ? ' ' : cell.getChars());
      this.#x = x + cell.getWidth();
      this.#y = y;
    }
  }

  end(): string {
    this.#write(PLAIN, '');
    return this.#text;
  }

  /** Shows blanks of the colour of `cell` from a column on, as many as follow one another. @returns how many more than one. */
  #erase(line: Xterm.IBufferLine, x: number, y: number, cell: Xterm.IBufferCell): number {
    const ground = groundOf(cell);
    let end = x + 1;
    for (; end < line.length; end += 1) {
      line.getCell(end, cell);
      if (cell.getWidth() === 0 || cell.getChars() !== '' || showsWhenBlank(cell)) break;
      if (cell.isBgDefault() || groundOf(cell) !== ground) break;
    }
    this.#place(x, y);
    this.#write(`\x1b[0;${ground}m`, `\x1b[${end - x}X`);
    return end - x - 1;
  }

  #place(x: number, y: number): void {
    if (this.#x === x && this.#y === y) return;
    this.#text += this.#y === y ? `\x1b[${x + 1}G` : `\x1b[${y + 1};${x + 1}H`;
    this.#x = x;
    this.#y = y;
  }

  #write(pen: string, text: string): void {
    // From a plain pen on, nothing needs to be taken back.
    if (pen !== this.#pen) this.#text += this.#pen === PLAIN ? pen.replace('[0;', '[') : pen;
    this.#pen = pen;
    this.#text += text;
  }
}

/** Whether a cell without a character shows more than its ground: half of a wide character that was written over. */
function showsWhenBlank(cell: Xterm.IBufferCell): boolean {
  return cell.isInverse() + cell.isUnderline() + cell.isStrikethrough() + cell.isOverline() > 0;
}

/** Makes any pen this one. */
export function penText(cell: Pen): string {
  let codes = '0';
  if (cell.isBold() !== 0) codes += ';1';
  if (cell.isDim() !== 0) codes += ';2';
  if (cell.isItalic() !== 0) codes += ';3';
  if (cell.isUnderline() !== 0) codes += ';4';
  if (cell.isBlink() !== 0) codes += ';5';
  if (cell.isInverse() !== 0) codes += ';7';
  if (cell.isInvisible() !== 0) codes += ';8';
  if (cell.isStrikethrough() !== 0) codes += ';9';
  if (cell.isOverline() !== 0) codes += ';53';
  if (!cell.isFgDefault()) codes += `;${colourText(30, cell.getFgColor(), cell.isFgPalette())}`;
  if (!cell.isBgDefault()) codes += `;${groundOf(cell)}`;
  return `\x1b[${codes}m`;
}

function groundOf(cell: Pen): string {
  return colourText(40, cell.getBgColor(), cell.isBgPalette());
}

/** @param first - the code of the first colour of the palette: 30 for what is written, 40 for its ground. */
function colourText(first: number, colour: number, isPalette: boolean): string {
  if (!isPalette) return `${first + 8};2;${colour >> 16};${(colour >> 8) & 255};${colour & 255}`;
  if (colour < 8) return `${first + colour}`;
  if (colour < 16) return `${first + 60 + colour - 8}`;
  return `${first + 8};5;${colour}`;
}
