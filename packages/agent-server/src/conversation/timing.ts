/** Every time constant of the conversation engine, in milliseconds (agentapi appendix A). */
export interface ConversationTiming {
  /** Two snapshots of the screen are at least this far apart. */
  readonly intervalMs: number;
  /** A screen that has not changed for this long means that the agent waits. */
  readonly stabilityMs: number;
  /** A pause in the output this long means that the screen is complete … */
  readonly quietGapMs: number;
  /** … but it is waited for only so many times. */
  readonly quietTries: number;
  /** Pause after the typing trick: keys that arrive together with a paste end up inside the prompt. */
  readonly typingPauseMs: number;
  /** How long the echo of a typed message may take to appear; many agents show none. */
  readonly echoTimeoutMs: number;
  /** The echo must have stood still for this long before Enter: agents take an earlier one as part of a paste. */
  readonly echoSettleMs: number;
  /** How long the agent may take to react to Enter, and how often Enter is repeated meanwhile. */
  readonly reactionTimeoutMs: number;
  readonly enterRepeatMs: number;
  /** An agent of type custom that shows no prompt counts as ready after this time. */
  readonly readyTimeoutMs: number;
  /**
   * Stillness demanded instead of `stabilityMs` while the prompt that was there before the turn is
   * missing, or the window title says that the agent works: agents pause in the middle of an answer.
   */
  readonly pauseMs: number;
  /** The same while a busy indicator is on the screen. Limited, because an answer may quote an indicator. */
  readonly busyPauseMs: number;
  /** A screen that has not changed for this long although text was printed is out of order (AA-171). */
  readonly frozenAfterMs: number;
  /** A change is on disk at the latest after this time (AA-172). */
  readonly saveDelayMs: number;
}

export const DEFAULT_TIMING: ConversationTiming = {
  intervalMs: 25,
  stabilityMs: 2_000,
  quietGapMs: 16,
  quietTries: 3,
  typingPauseMs: 50,
  echoTimeoutMs: 2_000,
  echoSettleMs: 1_000,
  reactionTimeoutMs: 15_000,
  enterRepeatMs: 3_000,
  readyTimeoutMs: 10_000,
  pauseMs: 10_000,
  busyPauseMs: 60_000,
  frozenAfterMs: 30_000,
  saveDelayMs: 5_000,
};

/** T of agentapi section 3.1: so many equal snapshots in a row mean that the screen is stable (AA-072). */
export function stabilityThreshold(intervalMs: number, stabilityMs: number): number {
  return Math.ceil(stabilityMs / intervalMs) + 1;
}

/**
 * How long the screen must not change until T snapshots are equal: T snapshots span T − 1 intervals.
 * Counting time instead of keeping the snapshots makes a still screen cost nothing.
 */
export function stillnessMs(intervalMs: number, stabilityMs: number): number {
  return (stabilityThreshold(intervalMs, stabilityMs) - 1) * intervalMs;
}
