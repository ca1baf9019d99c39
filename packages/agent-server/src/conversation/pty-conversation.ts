import type { AgentType } from '../agent-type.ts';
import type { LiveScreen } from '../terminal/agent-terminal.ts';
import type { PtyExit } from '../terminal/pty.ts';
import type { Conversation } from './conversation-model.ts';
import type { DialogAnswer, NamedDialog } from './answering.ts';
import type { ConversationTiming } from './timing.ts';

export interface PtyConversationOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** Working directory of the agent; absolute. */
  readonly cwd: string;
  /** The agent's whole environment; `TERM` is replaced. */
  readonly env: Readonly<Record<string, string>>;
  readonly agentType: AgentType;
  /** Size of the terminal; 80 × 1000 by default. */
  readonly columns?: number;
  readonly rows?: number;
  /** Value of the agent's `TERM`; `vt100` by default (AA-020). */
  readonly terminalName?: string;
  /** Sent once as soon as the agent is ready; one of only white space counts as none (AA-092). */
  readonly initialPrompt?: string;
  /** Where the conversation is kept over restarts; nowhere without it. */
  readonly stateFile?: string;
  /** Whether an existing state file is restored, and whether it is written; both only with `stateFile`. */
  readonly loadState: boolean;
  readonly saveState: boolean;
  readonly timing?: Partial<ConversationTiming>;
  /** Receives what an operator may want to know; never anything of the agent's environment. */
  readonly log?: (level: 'info' | 'warn' | 'error', text: string, fields?: Record<string, string>) => void;
}

/** A conversation with an agent that runs in a terminal. */
export interface PtyConversation extends Conversation, AsyncDisposable {
  readonly transport: 'pty';
  /** Process id of the agent; it leads its own process group and terminal session. */
  readonly agentPid: number;
  /** The screen as it is, with colours and cursor. */
  readonly liveScreen: LiveScreen;
  /** Resolves when the agent has ended and its last output is in `messages()` and `screen()`; never rejects. */
  readonly exited: Promise<PtyExit>;
  /** Resolves when the status is `stable` for the first time; stays pending when the agent ends before. */
  readonly firstReady: Promise<void>;
  /** The question that the agent waits for an answer to in keys, `null` when there is none. */
  dialog(): NamedDialog | null;
  /**
   * Takes a choice of the dialog that is up. Resolves when the dialog is gone.
   * @throws {DialogError} when it is not up (any more), has no such choice, or the agent does not react.
   */
  answerDialog(answer: DialogAnswer): Promise<void>;
  /** The window title that the agent has set, empty without one. */
  title(): string;
  /** The last `max` rows of the screen that are not blank, oldest first, without trailing blanks. */
  lastScreenLines(max: number): string[];
  /** Changes the size of the terminal (AA-169). */
  resize(columns: number, rows: number): void;
  /**
   * Saves the conversation now, if saving is on, something has changed and the old file has been read.
   * Rejects when the file cannot be written.
   */
  saveState(): Promise<void>;
  /**
   * Saves, refuses waiting senders (AA-096), signals the agent's process group (default SIGINT) and kills
   * it after `graceMs` (default 5 s). Resolves when the agent is gone; never rejects; idempotent.
   */
  close(options?: { readonly signal?: NodeJS.Signals; readonly graceMs?: number }): Promise<void>;
}
