import { setTimeout as delay } from 'node:timers/promises';
import type { AgentType } from '../agent-type.ts';
import type { TerminalView } from '../terminal/agent-terminal.ts';
import type { ScreenImage } from '../terminal/screen.ts';
import { untilScreen } from '../terminal/until-screen.ts';
import type { ConversationTiming } from './timing.ts';

/** Stops Claude Code from echoing the paste marker; anywhere else it may end up in the prompt. */
const TYPING_TRICK = 'x\b';
const PASTE_START = '\x1b[200~';
const PASTE_END = '\x1b[201~';
const ENTER = '\r';
/**
 * Editors that take a paste take Enter after a backslash for a line break. They trim what they send, so a blank
 * after the backslash is lost on the way, as it was typed behind the paste and not as a part of it.
 */
const AFTER_BACKSLASH = ' ';
/** End of line, then kill to its start: understood by cooked terminals and by every line editor. */
const CLEAR_LINE = '\x05\x15';
/** From the start of an empty line back into the line above. */
const JOIN_LINE_ABOVE = '\x7f';
/** A message of more lines is cleared only partly. */
const MAX_LINES_TO_CLEAR = 200;
/** How long the agent may take to show that its input line is empty again. */
const CLEAR_SETTLE_MS = 200;

/** The agent has not taken the message; `message` completes "failed to send message: ". */
export class DeliveryError extends Error {
  override readonly name = 'DeliveryError';
}

/**
 * What of a message is typed: the text without outer ASCII white space, line ends as LF, and without
 * control characters. Those are keys, not text: they could leave the paste or stop the agent. Whoever
 * wants keys sends a raw message.
 */
export function typedText(content: string): string {
  return content
    .replaceAll(/\r\n?/g, '\n')
    .replaceAll(/[\0-\x08\v\f\x0e-\x1f\x7f-\x9f]/g, '')
    .replaceAll(/^[ \t\n]+|[ \t\n]+$/g, '');
}

/**
 * Types a message and presses Enter until the agent reacts (agentapi section 3.5). Marks the text as a
 * paste only while the agent asks for it; otherwise inner line ends are typed as LF (Ctrl+J), which
 * terminal editors take as a new line, and plain line readers as Enter.
 * @throws {DeliveryError} when nothing happens on the screen after Enter; the typed text has then been
 * cleared from the input line (AA-094). Also when so much waits for the agent that nothing was typed. The signal's reason when aborted.
 */
export async function deliverMessage(
  terminal: TerminalView,
  agentType: AgentType,
  text: string,
  timing: ConversationTiming,
  signal: AbortSignal,
): Promise<void> {
  const empty = terminal.read();
  if (agentType === 'claude') {
    terminal.write(TYPING_TRICK);
    await delay(timing.typingPauseMs, undefined, { signal });
  }
  if (!terminal.write(terminal.bracketedPaste ? pasted(text) : text)) {
    throw new DeliveryError('the agent does not read, and too much waits for it already');
  }
  await echo(terminal, empty, timing, signal);
  if (await reaction(terminal, timing, signal)) return;
  await clearInput(terminal, text, signal);
  throw new DeliveryError('failed to wait for processing to start: timeout waiting for condition');
}

function pasted(text: string): string {
  return `${PASTE_START}${text}${PASTE_END}${text.endsWith('\\') ? AFTER_BACKSLASH : ''}`;
}

/** Waits for the typed text to appear and to stand still. That it never does is no error (AA-085). */
async function echo(
  terminal: TerminalView,
  before: ScreenImage,
  timing: ConversationTiming,
  signal: AbortSignal,
): Promise<void> {
  const limit = performance.now() + timing.echoTimeoutMs;
  if (!(await screenLeaves(terminal, before, timing.echoTimeoutMs, signal))) return;
  do {
    if (!(await screenLeaves(terminal, terminal.read(), timing.echoSettleMs, signal))) return;
  } while (performance.now() < limit);
}

/** Presses Enter, again after a while, until the screen changes; `false` when it never does. */
async function reaction(
  terminal: TerminalView,
  timing: ConversationTiming,
  signal: AbortSignal,
): Promise<boolean> {
  const before = terminal.read();
  for (let spent = 0; spent < timing.reactionTimeoutMs; spent += timing.enterRepeatMs) {
    terminal.write(ENTER);
    const wait = Math.min(timing.enterRepeatMs, timing.reactionTimeoutMs - spent);
    if (await screenLeaves(terminal, before, wait, signal)) return true;
  }
  return false;
}

async function clearInput(terminal: TerminalView, text: string, signal: AbortSignal): Promise<void> {
  const lines = Math.min(text.split('\n').length, MAX_LINES_TO_CLEAR);
  terminal.write(CLEAR_LINE + (JOIN_LINE_ABOVE + CLEAR_LINE).repeat(lines - 1));
  await screenLeaves(terminal, terminal.read(), CLEAR_SETTLE_MS, signal);
}

/** Resolves with `true` as soon as the screen differs from `before`, with `false` after `limitMs`. */
async function screenLeaves(
  terminal: TerminalView,
  before: ScreenImage,
  limitMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  return untilScreen(terminal, (screen) => !screen.equals(before), limitMs, signal);
}
