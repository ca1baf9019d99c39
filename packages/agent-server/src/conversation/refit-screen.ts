/**
 * A screen as it looks after a change of the terminal's width: rows padded to the new width, longer
 * ones wrapped. Rows that the terminal joins again when it gets wider are not recognised.
 */
export function refitScreen(screen: string, oldColumns: number, columns: number): string {
  if (columns === oldColumns) return screen;
  const rows = screen.split('\n');
  // What follows the last LF is no row.
  const rest = rows.pop() ?? '';
  return [...rows.flatMap((row) => refitRow(row, columns - oldColumns, columns)), rest].join('\n');
}

function refitRow(row: string, growth: number, columns: number): string[] {
  if (growth >= 0) return [row + ' '.repeat(growth)];
  const ink = row.trimEnd();
  // Counting only the padding keeps this right for wide characters.
  if (row.length - ink.length >= -growth) return [row.slice(0, growth)];
  const parts: string[] = [];
  for (let at = 0; at < ink.length; at += columns) parts.push(ink.slice(at, at + columns).padEnd(columns));
  return parts;
}
