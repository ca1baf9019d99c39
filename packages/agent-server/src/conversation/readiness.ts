import type { AgentType } from '../agent-type.ts';
import { type Dialog, DIALOG_REACH, dialogIn } from './formatting/choices.ts';
import { hasPromptSign } from './formatting/input-box.ts';
import { AGENT_FORMATS } from './formatting/registry.ts';
import { isBlank, lastLines, linesOf, withoutOuterBlankLines } from './text-lines.ts';

/** Signs of work are looked for in this many last rows. */
const LOWER_ROWS = 40;
/** An input box starts within this many last rows; one further up is a picture of one in a text. */
const BOX_REACH = 16;

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
  const found = inputBox(lines)?.start ?? lines.length;
  const boxStart = found < lines.length - BOX_REACH ? lines.length : found;
  const above = lines.slice(0, boxStart).filter((line) => !isBlank(line));
  return (
    above.slice(-busy.reach).some((line) => busy.row.test(line)) ||
    lines.slice(boxStart).some((line) => busy.footer?.test(line) === true)
  );
}

/**
 * The dialog that is up: one that takes keys instead of text (permission, trust,
 * a selection), so that a message typed now would be swallowed or would choose something. `null` when none is.
 */
export function findDialog(type: AgentType, screen: string): Dialog | null {
  return dialogIn(lastLines(screen, DIALOG_REACH), AGENT_FORMATS[type]);
}
