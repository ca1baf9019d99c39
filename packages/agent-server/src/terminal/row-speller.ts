import type { IBufferCell, IBufferLine } from '@xterm/headless';

/** Room for an ordinary row; one with many combining characters gets more. */
const FIRST_CAPACITY = 512;
const BLANK = 0x20;

/**
 * Spells the rows of a screen as `translateToString(false)` does, but leaves nothing to be collected
 * except the text itself: that function joins a row cell by cell, which made up two thirds of all
 * memory that a busy server allocated.
 */
export class RowSpeller {
  readonly #cell: IBufferCell;
  /** The row in UTF-16, little-endian. */
  #bytes = Buffer.alloc(FIRST_CAPACITY);

  /** @param cell - any cell of the terminal; it is overwritten. */
  constructor(cell: IBufferCell) {
    this.#cell = cell;
  }

  /** The whole row, with blanks for cells without a character; a wide character stands once. */
  spell(line: IBufferLine): string {
    const cell = this.#cell;
    let length = 0;
    let isAscii = true;
    for (let column = 0; column < line.length; column += cell.getWidth() || 1) {
      line.getCell(column, cell);
      const code = cell.getCode();
      // Of several characters in one cell this is the last, which is a combining one and hence not ASCII.
      if (code < 0x80) {
        this.#put(length, code || BLANK);
        length += 1;
      } else {
        isAscii = false;
        const chars = cell.getChars();
        for (let index = 0; index < chars.length; index += 1) {
          this.#put(length + index, chars.charCodeAt(index));
        }
        length += chars.length;
      }
    }
    if (!isAscii) return this.#bytes.toString('utf16le', 0, length * 2);
    // One byte a character also in the text, which is what most of a server's memory holds.
    for (let index = 1; index < length; index += 1) this.#bytes[index] = this.#bytes[index * 2] ?? BLANK;
    return this.#bytes.toString('latin1', 0, length);
  }

  #put(index: number, unit: number): void {
    const at = index * 2;
    if (at + 2 > this.#bytes.length) this.#bytes = Buffer.concat([this.#bytes], this.#bytes.length * 2);
    this.#bytes[at] = unit & 0xff;
    this.#bytes[at + 1] = unit >> 8;
  }
}
