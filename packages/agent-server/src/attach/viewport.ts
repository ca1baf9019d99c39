import { fit } from '../demo-agent/text-width.ts';

/** Size of a terminal in cells. */
export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** Alternate screen, no cursor (the remote one's place is unknown), long rows cut instead of wrapped. */
export const ENTER_VIEW = '\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J';
export const LEAVE_VIEW = '\x1b[?7h\x1b[?25h\x1b[?1049l';

/** What a remote screen may not do to the local terminal. */
const CONTROL_CHARACTERS = /[\x00-\x1f\x7f-\x9f]/gu;

/** The part of a remote screen that fits: its last rows, each cut at the right edge; always `rows` many. */
export function visibleRows(screen: string, size: TerminalSize): readonly string[] {
  const lines = screen.split('\n').slice(-size.rows);
  const shown = lines.map((line) => fit(line.replaceAll(CONTROL_CHARACTERS, ' ').trimEnd(), size.columns));
  return [...shown, ...Array.from({ length: size.rows - shown.length }, () => '')];
}

/** The output that turns the shown rows `before` into `after`; `before` is `null` when nothing is known. */
export function repaint(before: readonly string[] | null, after: readonly string[]): string {
  const clear = before === null ? '\x1b[2J' : '';
  const changed = after.flatMap((row, index) =>
    row === (before?.[index] ?? '') ? [] : [`\x1b[${index + 1};1H\x1b[2K${row}`],
  );
  return clear + changed.join('');
}
