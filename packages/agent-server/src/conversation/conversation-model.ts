import type { AgentType } from '../agent-type.ts';

/** What the API reports: `running` while the agent works or is not ready, `stable` when it waits for input. */
export type AgentStatus = 'running' | 'stable';

/** What an agent asks: something that is answered in keys, or an ACP permission request. */
export type Question = 'dialog' | 'permission';

/** What an agent that does not work waits for: a message, or the answer to a question. */
export type WaitingFor = 'message' | Question;

export interface Message {
  /** Index in the history in PTY mode; ascending, possibly with gaps, in ACP mode. */
  readonly id: number;
  readonly role: 'agent' | 'user';
  readonly content: string;
  /** Last change of an agent message, moment of sending of a user message. */
  readonly time: Date;
}

export interface AgentError {
  readonly message: string;
  readonly level: 'warning' | 'error';
  readonly time: Date;
}

export type ConversationEvent =
  | { readonly kind: 'message'; readonly message: Message }
  | { readonly kind: 'status'; readonly status: AgentStatus }
  /** The agent has asked something, or asks nothing any more (`null`); shown to those who want it (AA-173). */
  | { readonly kind: 'question'; readonly question: Question | null }
  | { readonly kind: 'error'; readonly error: AgentError }
  | { readonly kind: 'screen'; readonly screen: string };

/** Why a message was refused or not delivered; `message` is the REASON text of agentapi section 2.6. */
export class SendError extends Error {
  override readonly name = 'SendError';
  readonly reason: 'empty' | 'busy' | 'dialog' | 'untrimmed' | 'delivery' | 'closed';

  constructor(reason: SendError['reason'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/** One conversation with one agent, whatever the transport. The HTTP layer knows only this. */
export interface Conversation {
  readonly agentType: AgentType;
  readonly transport: 'pty' | 'acp';
  /** Never blocks (AA-050). */
  status(): AgentStatus;
  /** `null` while the agent works or is being started. Goes beyond agentapi's interface (AA-173). */
  waitingFor(): WaitingFor | null;
  /** What the last event `question` has said: a dialog counts once it stands still. */
  question(): Question | null;
  /** A copy, ascending by id (AA-089). */
  messages(): readonly Message[];
  /** The retained errors, oldest first; the last 100 (AA-066). */
  errors(): readonly AgentError[];
  /** The raw screen: one line per row, padded to the width (PTY); the answer so far (ACP). */
  screen(): string;
  /**
   * Delivers a user message, or writes raw bytes at once.
   * @throws {SendError} when refused or not delivered.
   */
  send(type: 'user' | 'raw', content: string): Promise<void>;
  /**
   * Calls `listener` for every event after this call, in order. Taking `messages()`, `status()`,
   * `errors()` and subscribing in the same tick of the event loop is atomic (AA-067).
   * @returns a function that ends the subscription.
   */
  subscribe(listener: (event: ConversationEvent) => void): () => void;
}
