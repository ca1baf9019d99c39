import type { AgentType } from '../agent-type.ts';
import type { Dialog } from './formatting/choices.ts';
import { findDialog, isBusy, isReady } from './readiness.ts';
import { type ConversationTiming, stillnessMs } from './timing.ts';

/** What the rules of an agent type say about one screen; each question is asked at most once. */
export class ScreenFacts {
  readonly #type: AgentType;
  readonly #screen: string;
  #prompt: boolean | undefined;
  #busy: boolean | undefined;
  #dialog: Dialog | null | undefined;

  constructor(type: AgentType, screen: string) {
    this.#type = type;
    this.#screen = screen;
  }

  /** The agent's input box or prompt is visible (agentapi section 5.6). */
  get prompt(): boolean {
    return (this.#prompt ??= isReady(this.#type, this.#screen));
  }

  /** The agent's own working indicator is visible. */
  get busy(): boolean {
    return (this.#busy ??= isBusy(this.#type, this.#screen));
  }

  /** A question that must be answered before the agent takes a message. */
  get dialog(): Dialog | null {
    if (this.#dialog === undefined) this.#dialog = findDialog(this.#type, this.#screen);
    return this.#dialog;
  }
}

/**
 * Titles that agents set while they work: a spinner first (Claude Code, opencode, codex), or the signs
 * of Gemini CLI.
 */
const WORKING_TITLE = /^\s*[\u2800-\u28ff\u25d0-\u25d3\u2726\u23f2]/;

export function isWorkingTitle(title: string): boolean {
  return WORKING_TITLE.test(title);
}

/**
 * How long the screen must have stood still before it means that the agent waits for input, in
 * milliseconds. The reference's fixed time is too short for an agent that pauses in the middle of an
 * answer, so what the agent itself shows counts too; each sign for a limited time, because none is proof.
 */
export function stillnessNeededMs(
  facts: ScreenFacts,
  turn: { readonly promptBefore: boolean; readonly title: string },
  timing: ConversationTiming,
): number {
  const needed = stillnessMs(timing.intervalMs, timing.stabilityMs);
  if (facts.dialog !== null) return needed;
  if (facts.busy) return Math.max(needed, timing.busyPauseMs);
  const promptGone = turn.promptBefore && !facts.prompt;
  return promptGone || isWorkingTitle(turn.title) ? Math.max(needed, timing.pauseMs) : needed;
}
