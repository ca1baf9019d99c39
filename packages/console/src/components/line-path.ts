/** Size of the drawing, which is stretched to its frame; lines keep their width. */
export const WIDTH = 240;
export const HEIGHT = 48;
/** Room for the width of a line at the edges. */
const EDGE = 2;

/** Path of a line; where there is no figure it has a gap. */
export function linePath(values: readonly (number | null)[], most: number): string {
  const step = values.length < 2 ? 0 : WIDTH / (values.length - 1);
  const parts: string[] = [];
  let isDrawing = false;
  for (const [index, value] of values.entries()) {
    if (value === null) {
      isDrawing = false;
      continue;
    }
    const share = most === 0 ? 0 : value / most;
    const y = HEIGHT - EDGE - share * (HEIGHT - 2 * EDGE);
    parts.push(`${isDrawing ? 'L' : 'M'}${(index * step).toFixed(1)} ${y.toFixed(1)}`);
    isDrawing = true;
  }
  return parts.join('');
}
