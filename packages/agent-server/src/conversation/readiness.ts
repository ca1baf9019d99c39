import type { AgentType } from '../agent-type.ts';
import { dialogText } from './formatting/choices.ts';
import { hasPromptSign } from './formatting/input-box.ts';
import { AGENT_FORMATS } from './formatting/registry.ts';
import { isBlank, lastLines, linesOf, withoutOuterBlankLines } from './text-lines.ts';

/** Signs of work and dialogs are looked for in this many last rows: enough for a dialog that shows a command. */
const LOWER_ROWS = 60;

/** A dialog that is up. */
export interface Dialog {
  /** What it says, without its frame. */
  readonly text: string;
}

/**
 * Whether the agent is ready for input: it shows its input box (agentapi section 5.6), and no dialog is in
 * front of it. Unlike in the reference an empty screen never counts, of whatever type (AA-120, AA-136).
 */
export function isReady(type: AgentType, screen: string): boolean {
  const format = AGENT_FORMATS[type];
  const lines = withoutOuterBlankLines(linesOf(screen));
  const showsInput =
    format.inputBox(lines) !== null || (format.readyOnPromptSign === true && hasPromptSign(lines));
  return showsInput && findDialog(type, screen) === null;
}

/**
 * Whether the agent's own indicator of work is on the screen: beside or below its input box, never in a reply
 * further up. `false` says nothing where an agent has no indicator.
 */
export function isBusy(type: AgentType, screen: string): boolean {
  const { inputBox, busy } = AGENT_FORMATS[type];
  const lines = lastLines(screen, LOWER_ROWS);
  const boxStart = inputBox(lines)?.start ?? lines.length;
  if (busy.footer !== undefined) {
    for (const line of lines.slice(boxStart)) if (busy.footer.test(line)) return true;
  }
  const above = lines.slice(0, boxStart).filter((line) => !isBlank(line));
  return above.slice(-busy.reach).some((line) => busy.row.test(line));
}

/**
 * What the dialog says that is up, without its frame: one that takes keys instead of text (permission, trust,
 * a selection), so that a message typed now would be swallowed or would choose something. `null` when none is.
 */
export function findDialog(type: AgentType, screen: string): Dialog | null {
  const text = dialogText(lastLines(screen, LOWER_ROWS), AGENT_FORMATS[type]);
  return text === null ? null : { text };
}
