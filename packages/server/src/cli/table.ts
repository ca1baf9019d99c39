import stringWidth from 'string-width';

const GAP = '  ';
const ELLIPSIS = '…';
/** A column that is made narrower keeps so many cells, so that its rows can still be told apart. */
const MIN_COLUMN_WIDTH = 6;

/** How a table is laid out. */
export interface TableLayout {
  /** Cells of a terminal's row; without it nothing is cut. */
  readonly columns?: number | undefined;
  /** Dresses the text of a cell, which must not change its width. */
  readonly style?: (text: string, row: number, column: number) => string;
}

/**
 * Rows as aligned lines; the first row are the titles. What does not fit a terminal is cut: the widest column first,
 * then the end of the lines. Characters that are two cells wide count as two.
 */
export function tableOf(rows: readonly (readonly string[])[], layout: TableLayout = {}): readonly string[] {
  const { columns = Infinity, style = (text: string) => text } = layout;
  const cells = rows.map((row) => row.map(onOneLine));
  const widths = fittingWidths(naturalWidths(cells), columns);
  return cells.map((row, rowAt) => {
    let room = columns;
    const parts: string[] = [];
    row.forEach((text, at) => {
      const width = Math.min(widths[at] ?? 0, room);
      room -= width + GAP.length;
      // What stands to the right of a narrow terminal is left out.
      if (width < 0) return;
      const cut = cutToWidth(text, width);
      const isLast = at === row.length - 1;
      parts.push(style(cut, rowAt, at) + (isLast ? '' : ' '.repeat(width - stringWidth(cut))));
    });
    return parts.join(GAP).trimEnd();
  });
}

/** The text without what could move the cursor or change colours, on one line. */
export function onOneLine(text: string): string {
  return text.replaceAll(/[\x00-\x1f\x7f-\x9f]+/gu, ' ').trim();
}

function cutToWidth(text: string, width: number): string {
  if (width < 1) return '';
  if (stringWidth(text) <= width) return text;
  let room = width - 1;
  let kept = '';
  for (const { segment } of new Intl.Segmenter('en').segment(text)) {
    room -= stringWidth(segment);
    if (room < 0) break;
    kept += segment;
  }
  return `${kept}${ELLIPSIS}`;
}

function naturalWidths(rows: readonly (readonly string[])[]): number[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, at) => {
      widths[at] = Math.max(widths[at] ?? 0, stringWidth(cell));
    });
  }
  return widths;
}

function fittingWidths(natural: readonly number[], columns: number): readonly number[] {
  const widths = [...natural];
  const gaps = GAP.length * (widths.length - 1);
  const total = (): number => widths.reduce((sum, width) => sum + width, gaps);
  while (total() > columns) {
    const widest = Math.max(...widths);
    if (widest <= MIN_COLUMN_WIDTH) break;
    widths[widths.lastIndexOf(widest)] = widest - 1;
  }
  return widths;
}
