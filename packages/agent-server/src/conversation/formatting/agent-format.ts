import type { LineRange } from '../text-lines.ts';

/** A text without an agent's reports to its own tool server, and those reports. */
export interface ToolCallRemoval {
  readonly text: string;
  /** The removed calls, the last one of the text first. */
  readonly calls: readonly string[];
}

/**
 * How an agent shows that it works: `row` matches the row of its indicator, which stands among the `reach`
 * lowest rows (blank ones not counted) above the input box, or of the screen while no box is shown. `footer`
 * matches in the rows of the box and below it.
 */
export interface BusySigns {
  readonly row: RegExp;
  readonly reach: number;
  readonly footer?: RegExp;
}

/**
 * How the rows of a list of choices look without frame, indentation and trailing space: the chosen one and the
 * others. Where both patterns have a group it holds the choice's number, and neighbours must count on.
 */
export interface ChoiceShape {
  readonly chosen: RegExp;
  readonly other: RegExp;
  /** All choices stand in one row, so that the patterns tell the dialog but not its choices. */
  readonly isOneRow?: true;
}

/** Everything that text handling must know about one agent's screen (agentapi section 5); one file per agent. */
export interface AgentFormat {
  /**
   * The last row that belongs to the echo of the user's message, given the row on which the message's text
   * ends; without it the echo ends there (AA-125).
   */
  readonly echoEnd?: (lines: readonly string[], last: number) => number;
  /** The rows of the input box with everything that belongs to it; `null` when none is shown. */
  readonly inputBox: (lines: readonly string[]) => LineRange | null;
  /**
   * Whether a `>` anywhere in the last rows shows that the agent is ready, as it does in the reference, where
   * the same sign cuts the message. A box is not asked for: an agent that never counts as ready is lost (AA-120).
   */
  readonly readyOnPromptSign?: true;
  /** What the agent has said in the rows of a message, which are without echo, input box and outer blank rows. */
  readonly answerText?: (lines: readonly string[]) => readonly string[];
  /** What stands for a message of which nothing is left (AA-129). */
  readonly emptyText?: string;
  /** Takes out the reports to the tool server (AA-131, AA-132). */
  readonly removeToolCalls?: (text: string) => ToolCallRemoval;
  readonly busy: BusySigns;
  /** The dialogs that take keys instead of text; the first that fits counts. */
  readonly choices: readonly ChoiceShape[];
  /** Keys to write once right after the start of the agent. */
  readonly keysOnSpawn?: string;
}
