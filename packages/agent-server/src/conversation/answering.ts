import { createHash } from 'node:crypto';
import type { TerminalView } from '../terminal/agent-terminal.ts';
import type { ScreenImage } from '../terminal/screen.ts';
import { untilScreen } from '../terminal/until-screen.ts';
import type { Dialog } from './formatting/choices.ts';

/**
 * The agent's reaction to one key; a program that needs longer is given up. Patient, because a busy machine may hold the
 * agent up for seconds, and a key that it reads after it was given up answers what nobody expects to be answered any more.
 */
const KEY_REACTION_MS = 10_000;
/** An arrow that has moved nothing for so long is pressed again. */
const KEY_AGAIN_MS = 1_500;
/**
 * Before Enter the mark must have stood still for so long. A person is no faster, and agents lose a key that comes while
 * they still work off the one before (seen with Gemini CLI on a busy machine).
 */
const STILL_MS = 150;
/** The same after an arrow was pressed again: if the agent has only been held up, it moves the mark once more. */
const STILL_AGAIN_MS = 1_000;
/** Of the mark; more than any dialog needs, even if arrows that were pressed twice take it too far. */
const MAX_MOVES = 100;
/** A dialog that is missing in the middle of a redraw is back after this time. */
const REDRAW_MS = 200;
/** A mark that stands in front of a choice, or at the place of one. */
const MARK = /[→❯›●○>]/g;

/** A dialog together with the name under which it can be answered. */
export interface NamedDialog extends Dialog {
  /** Another dialog has another one, so that nobody answers a question that he has not seen. */
  readonly id: string;
}

/** Which choice of which dialog to take; choices count from 0. */
export interface DialogAnswer {
  readonly id: string;
  readonly choice: number;
}

/** Why a dialog was not answered; `message` is for the caller. */
export class DialogError extends Error {
  override readonly name = 'DialogError';
  readonly reason: 'no_dialog' | 'unknown_choice' | 'no_reaction';

  constructor(reason: DialogError['reason'], message: string) {
    super(message);
    this.reason = reason;
  }
}

/** Names a dialog by what it says, wherever its mark stands. */
export function named(dialog: Dialog): NamedDialog {
  return { id: createHash('sha256').update(essence(dialog)).digest('hex').slice(0, 16), ...dialog };
}

/**
 * Takes the choice `index` of the dialog `id`, as a person would: moves the mark, looks where it stands,
 * and presses Enter once it stands still there. One key at a time, because some agents read keys that arrive together
 * as one unknown key. Resolves when the dialog is gone or another one is up.
 * @throws {DialogError} when it is not up (any more), has no such choice, or does not react.
 */
export async function answerDialog(
  terminal: TerminalView,
  find: (screen: ScreenImage) => Dialog | null,
  { id, choice: index }: DialogAnswer,
  signal: AbortSignal,
): Promise<void> {
  const isUp = (screen: ScreenImage): boolean => {
    const shown = find(screen);
    return shown !== null && named(shown).id === id;
  };
  await untilScreen(terminal, isUp, REDRAW_MS, signal);
  const dialog = find(terminal.read());
  if (dialog === null) throw new DialogError('no_dialog', 'no dialog is up');
  if (named(dialog).id !== id) throw new DialogError('no_dialog', 'another dialog is up');
  if (dialog.choices[index] === undefined)
    throw new DialogError('unknown_choice', noSuchChoice(dialog, index));
  const shown = (screen: ScreenImage): Dialog | null => sameDialog(dialog, find(screen));
  // No dialog only means that the agent is painting it again.
  const movedFrom = (mark: number) => (screen: ScreenImage) => {
    const next = shown(screen);
    return next !== null && markedIn(next) !== mark;
  };
  let marked = -1;
  let untilMs = 0;
  let stillMs = STILL_MS;
  for (let moves = 0; moves <= MAX_MOVES;) {
    const now = shown(terminal.read());
    const key = now?.choices[index]?.keys[0];
    if (now === null || key === undefined) break;
    if (markedIn(now) !== marked) {
      marked = markedIn(now);
      moves += 1;
      untilMs = performance.now() + KEY_REACTION_MS;
    }
    if (marked === index) {
      if (await untilScreen(terminal, movedFrom(marked), stillMs, signal)) continue;
      if (!(await untilScreen(terminal, isUp, REDRAW_MS, signal))) break;
      // Once only: a second Enter might answer the next dialog.
      terminal.write(key);
      if (await untilScreen(terminal, (screen) => shown(screen) === null, KEY_REACTION_MS, signal)) return;
      break;
    }
    terminal.write(key);
    if (await untilScreen(terminal, movedFrom(marked), KEY_AGAIN_MS, signal)) continue;
    if (performance.now() > untilMs) break;
    // A program may show a dialog before it listens. It does no harm that an arrow comes twice: it is looked where the
    // mark stands.
    stillMs = STILL_AGAIN_MS;
  }
  if (shown(terminal.read()) === null) {
    throw new DialogError('no_dialog', 'the dialog went away before it was answered');
  }
  throw new DialogError('no_reaction', 'the dialog did not react to the keys');
}

/** Takes the answers to the dialogs of one terminal one after another, so that their keys do not mix. */
export class DialogAnswers {
  readonly #terminal: TerminalView;
  readonly #find: (screen: ScreenImage) => Dialog | null;
  readonly #signal: AbortSignal;
  readonly #waiting = new Set<{ readonly id: string; isLate: boolean }>();
  #last: Promise<void> = Promise.resolve();

  constructor(terminal: TerminalView, find: (screen: ScreenImage) => Dialog | null, signal: AbortSignal) {
    this.#terminal = terminal;
    this.#find = find;
    this.#signal = signal;
  }

  /**
   * See {@link answerDialog}. Of several answers to one dialog only the first presses Enter.
   * @throws {DialogError} also when another answer to the dialog came first.
   */
  answer(answer: DialogAnswer): Promise<void> {
    const entry = { id: answer.id, isLate: false };
    this.#waiting.add(entry);
    const answered = this.#last.then(() => this.#take(entry, answer));
    this.#last = answered.catch(() => {});
    return answered;
  }

  async #take(entry: { readonly id: string; readonly isLate: boolean }, answer: DialogAnswer): Promise<void> {
    this.#waiting.delete(entry);
    // A dialog that asks the same again has the same id.
    if (entry.isLate) throw new DialogError('no_dialog', 'another answer to the dialog came first');
    let isTried = true;
    try {
      await answerDialog(this.#terminal, this.#find, answer, this.#signal);
    } catch (error) {
      isTried = !(error instanceof DialogError && error.reason === 'unknown_choice');
      throw error;
    } finally {
      if (isTried) for (const other of this.#waiting) other.isLate ||= other.id === entry.id;
    }
  }
}

function noSuchChoice({ choices }: Dialog, index: number): string {
  const range = choices.length === 0 ? 'cannot be told apart' : `have the numbers 0 to ${choices.length - 1}`;
  return `the dialog has no choice ${index}: its choices ${range}`;
}

function markedIn(dialog: Dialog): number {
  return dialog.choices.findIndex(({ isChosen }) => isChosen);
}

/** `now` if it is the dialog that was asked about, wherever its mark stands. */
function sameDialog(asked: Dialog, now: Dialog | null): Dialog | null {
  return now !== null && essence(now) === essence(asked) ? now : null;
}

function essence({ text }: Dialog): string {
  return text.replaceAll(MARK, ' ').replaceAll(/\s+/g, ' ').trim();
}
