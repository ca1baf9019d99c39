import { charWidth, fit, textWidth, wrapLine } from './text-width.ts';

/** How a row is shown; colours are left to the terminal's user. */
export type RowStyle = 'plain' | 'dim' | 'bold';

/** One row of the screen, no wider than the terminal and without control characters. */
export interface Row {
  readonly text: string;
  readonly style: RowStyle;
}

/** A part of the screen; the cursor is at a row and a cell of it, both from 0. */
export interface Block {
  readonly rows: readonly Row[];
  readonly cursor: { readonly row: number; readonly column: number };
}

/** A question with numbered answers. */
export interface Dialog {
  readonly title: string;
  readonly question: string;
  readonly choices: readonly string[];
  /** Index of the marked choice. */
  readonly selected: number;
}

/**
 * Rows of a message shown at once. The row with the prompt must stay among the last six of the screen:
 * there an agentapi server looks for it (agentapi section 5.3).
 */
const MAX_INPUT_ROWS = 3;
const PROMPT = '> ';
const INDENT = '  ';
const SUPERSCRIPTS = '⁰¹²³⁴⁵⁶⁷⁸⁹';

export function row(text: string, style: RowStyle = 'plain'): Row {
  return { text, style };
}

/** Breaks lines into rows. */
export function wrapText(text: string, columns: number, style: RowStyle = 'plain'): readonly Row[] {
  return text.split('\n').flatMap((line) => wrapLine(line, columns).map((part) => row(part, style)));
}

/**
 * The user's message above its answer. The number of the turn stands at the end of the first row: without
 * it a message that was sent before would change nothing on the screen that a reader of it can see.
 */
export function layoutEcho(text: string, turn: number, columns: number): readonly Row[] {
  const mark = ` ${Array.from(String(turn), (digit) => SUPERSCRIPTS[Number(digit)]).join('')}`;
  const width = Math.max(1, columns - PROMPT.length - mark.length);
  const parts = text.split('\n').flatMap((line) => wrapLine(line, width));
  return parts.map((part, index) => {
    if (index > 0) return row(INDENT + part, 'dim');
    return row(PROMPT + part + ' '.repeat(Math.max(0, width - textWidth(part))) + mark, 'dim');
  });
}

/** The box in which messages are written, with a hint below it. */
export function layoutInputBox(text: string, cursor: number, hint: string, columns: number): Block {
  const width = Math.max(1, columns - PROMPT.length - 1);
  const parts = [''];
  let cells = 0;
  let index = 0;
  let at = { row: 0, column: 0 };
  for (const char of text) {
    const isNewline = char === '\n';
    if (isNewline || cells + charWidth(char) > width) {
      if (isNewline && index === cursor) at = { row: parts.length - 1, column: cells };
      parts.push('');
      cells = 0;
    }
    if (!isNewline) {
      if (index === cursor) at = { row: parts.length - 1, column: cells };
      parts[parts.length - 1] += char;
      cells += charWidth(char);
    }
    index += char.length;
  }
  if (cursor >= index) at = { row: parts.length - 1, column: cells };

  const first = Math.max(0, Math.min(at.row - MAX_INPUT_ROWS + 1, parts.length - MAX_INPUT_ROWS));
  const shown = parts.slice(first, first + MAX_INPUT_ROWS);
  const border = row('─'.repeat(columns), 'dim');
  const rows = [
    border,
    ...shown.map((part, place) => row((place === 0 ? PROMPT : INDENT) + part)),
    border,
    row(fit(INDENT + hint, columns), 'dim'),
  ];
  return { rows, cursor: { row: 1 + at.row - first, column: PROMPT.length + at.column } };
}

/** A dialog in place of the input box; it has no prompt, so a reader of the screen keeps all of it. */
export function layoutDialog(dialog: Dialog, columns: number): Block {
  const border = row('─'.repeat(columns), 'dim');
  const choices = dialog.choices.map((choice, index) =>
    row(fit(`${index === dialog.selected ? '❯' : ' '} ${index + 1}. ${choice}`, columns)),
  );
  const head = [
    border,
    ...wrapText(dialog.title, columns, 'bold'),
    row(''),
    ...wrapText(dialog.question, columns),
  ];
  const rows = [...head, ...choices, row(''), row(fit('Enter to confirm · Esc to cancel', columns), 'dim')];
  return { rows, cursor: { row: head.length + dialog.selected, column: 0 } };
}
