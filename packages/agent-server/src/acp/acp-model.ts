import type {
  PermissionOptionKind,
  PlanEntry,
  StopReason,
  ToolCallContent,
  ToolCallLocation,
  ToolCallStatus,
  ToolKind,
} from '@agentclientprotocol/sdk';
import type { Conversation } from '../conversation/conversation-model.ts';

/** One tool call of the agent, as far as its updates have told; content and locations are the agent's own. */
export interface ToolCall {
  /** The agent's id of the call, unique within the session. */
  readonly id: string;
  readonly title: string;
  /** `other` when the agent names none. */
  readonly kind: ToolKind;
  readonly status: ToolCallStatus;
  readonly content: readonly ToolCallContent[];
  readonly locations: readonly ToolCallLocation[];
  readonly rawInput?: unknown;
  readonly rawOutput?: unknown;
  readonly startedAt: Date;
  readonly updatedAt: Date;
}

export interface PermissionOption {
  readonly id: string;
  /** The agent's own label. */
  readonly name: string;
  readonly kind: PermissionOptionKind;
}

/** A question of the agent that waits for an answer. */
export interface PermissionRequest {
  /** Ours, unique within the conversation; what `answerPermission` takes. */
  readonly id: string;
  /** The call that the agent asks for; it also stands in `toolCalls()`. */
  readonly toolCall: ToolCall;
  readonly options: readonly PermissionOption[];
  readonly requestedAt: Date;
  /** When an unanswered request is answered `cancelled`. */
  readonly expiresAt: Date;
}

export type PermissionOutcome =
  | { readonly outcome: 'selected'; readonly optionId: string }
  | { readonly outcome: 'cancelled' };

/**
 * Who ended a permission request: the configured policy, a caller, the end of the turn, the
 * deadline, the agent itself, or the limit of waiting requests.
 */
export type PermissionResolver = 'policy' | 'caller' | 'turn' | 'deadline' | 'agent' | 'limit';

/**
 * What happens to a permission request: `ask` holds it for a caller, `allow` and `reject` answer at
 * once with an offered option of that kind (AA-157).
 */
export type PermissionPolicy = 'ask' | 'allow' | 'reject';

/** What an ACP agent reports beyond text; served on `/acp/events`, never on `/events`. */
export type AcpEvent =
  | { readonly kind: 'tool-call'; readonly toolCall: ToolCall }
  | { readonly kind: 'permission-request'; readonly request: PermissionRequest }
  | {
      readonly kind: 'permission-resolved';
      readonly id: string;
      readonly toolCallId: string;
      readonly outcome: PermissionOutcome;
      readonly resolvedBy: PermissionResolver;
    }
  | { readonly kind: 'plan'; readonly entries: readonly PlanEntry[] }
  | { readonly kind: 'turn-started' }
  /** `error` when the agent failed the prompt or died. */
  | { readonly kind: 'turn-ended'; readonly stopReason: StopReason | 'error' };

/** How the agent process ended; exactly one of the two is not null. */
export interface AgentExit {
  /** 127 when the program could not be started. */
  readonly code: number | null;
  readonly signal: string | null;
}

/** The text of agentapi section 1.5 for an agent that has ended. */
export function textOfExit(exit: AgentExit): string {
  const how = exit.signal === null ? `exit status ${exit.code}` : `signal ${exit.signal}`;
  return `ACP process exited: ${how}`;
}

/** Why {@link AcpConversation.answerPermission} refused. */
export class PermissionError extends Error {
  override readonly name = 'PermissionError';
  readonly reason: 'unknown_request' | 'unknown_option';

  constructor(reason: PermissionError['reason'], message: string) {
    super(message);
    this.reason = reason;
  }
}

/** A conversation with an agent that speaks the Agent Client Protocol over stdio (agentapi section 7). */
export interface AcpConversation extends Conversation, AsyncDisposable {
  readonly transport: 'acp';
  /** `undefined` when the program could not be started. */
  readonly agentPid: number | undefined;
  /**
   * The agent has answered `initialize` and `session/new`.
   * @throws {AcpStartError} when it did not; the agent process has been ended then.
   */
  readonly started: Promise<void>;
  /** Resolves when the status becomes `stable` for the first time; stays pending if it never does. */
  readonly firstReady: Promise<void>;
  /** Resolves once the agent process has ended and its output has been read; never rejects. */
  readonly exited: Promise<AgentExit>;
  /** The last non-blank lines of the agent's stderr (and of stdout lines that are no protocol), oldest first. */
  lastScreenLines(max: number): readonly string[];
  /** The latest tool calls in order of their start; at most 500. */
  toolCalls(): readonly ToolCall[];
  /** The requests that wait for an answer, oldest first. */
  permissionRequests(): readonly PermissionRequest[];
  /** The agent's latest plan; empty without one. */
  plan(): readonly PlanEntry[];
  /**
   * Answers a waiting request.
   * @throws {PermissionError} when no such request waits, or it offers no such option.
   */
  answerPermission(requestId: string, answer: PermissionOutcome): void;
  /**
   * Asks the agent to end its turn and answers its waiting permission requests `cancelled`. The
   * pending `send` resolves when the agent has ended the turn.
   * @returns whether a turn was running.
   */
  cancelTurn(): Promise<boolean>;
  /** Like `subscribe`, for what is specific to this transport. */
  subscribeAcp(listener: (event: AcpEvent) => void): () => void;
  /**
   * Ends the agent with its children: SIGTERM, then SIGKILL to what is left after `graceMs`, 5 s by
   * default (AA-158). Waiting sends are refused. Resolves when the process is gone; never rejects;
   * idempotent.
   */
  close(options?: { readonly graceMs?: number }): Promise<void>;
}

/** The agent could not be brought to a session; `message` says at which step and why. */
export class AcpStartError extends Error {
  override readonly name = 'AcpStartError';
}
