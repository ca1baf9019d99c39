import type * as acp from '@agentclientprotocol/sdk';
import {
  PermissionError,
  type PermissionOutcome,
  type PermissionPolicy,
  type PermissionRequest,
  type PermissionResolver,
  type ToolCall,
} from './acp-model.ts';

/** Requests that may wait at the same time; an agent asks for one tool at a time, rarely for a few. */
const MAX_WAITING = 64;

export interface PermissionDeskOptions {
  readonly policy: PermissionPolicy;
  /** An unanswered request is answered `cancelled` after this long. */
  readonly timeoutMs: number;
  readonly onRequest: (request: PermissionRequest) => void;
  readonly onResolved: (
    request: PermissionRequest,
    outcome: PermissionOutcome,
    resolvedBy: PermissionResolver,
  ) => void;
}

interface Waiting {
  readonly request: PermissionRequest;
  readonly resolve: (outcome: PermissionOutcome, resolvedBy: PermissionResolver) => void;
}

/** Holds the agent's permission requests until policy, a caller, the deadline or the end of the turn answers. */
export class PermissionDesk {
  readonly #options: PermissionDeskOptions;
  readonly #waiting = new Map<string, Waiting>();
  #lastId = 0;

  constructor(options: PermissionDeskOptions) {
    this.#options = options;
  }

  /** The waiting requests, oldest first. */
  waiting(): readonly PermissionRequest[] {
    return [...this.#waiting.values()].map((entry) => entry.request);
  }

  /** Resolves with the answer; an abort of `signal` (the agent took the request back) cancels it. */
  ask(
    toolCall: ToolCall,
    options: readonly acp.PermissionOption[],
    signal: AbortSignal,
  ): Promise<PermissionOutcome> {
    const now = Date.now();
    const request: PermissionRequest = {
      id: String(++this.#lastId),
      toolCall,
      options: options.map(({ optionId, name, kind }) => ({ id: optionId, name, kind })),
      requestedAt: new Date(now),
      expiresAt: new Date(now + this.#options.timeoutMs),
    };
    return new Promise((settle) => {
      const timer = setTimeout(() => resolve({ outcome: 'cancelled' }, 'deadline'), this.#options.timeoutMs);
      const onAbort = () => resolve({ outcome: 'cancelled' }, 'agent');
      const resolve = (outcome: PermissionOutcome, resolvedBy: PermissionResolver) => {
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
        this.#waiting.delete(request.id);
        this.#options.onResolved(request, outcome, resolvedBy);
        settle(outcome);
      };
      signal.addEventListener('abort', onAbort);
      this.#options.onRequest(request);
      if (this.#options.policy !== 'ask') resolve(answerByPolicy(this.#options.policy, request), 'policy');
      else if (this.#waiting.size >= MAX_WAITING) resolve({ outcome: 'cancelled' }, 'limit');
      else this.#waiting.set(request.id, { request, resolve });
    });
  }

  /** @throws {PermissionError} when no such request waits, or it offers no such option. */
  answer(requestId: string, outcome: PermissionOutcome): void {
    const entry = this.#waiting.get(requestId);
    if (entry === undefined) {
      throw new PermissionError('unknown_request', `no permission request ${requestId} waits for an answer`);
    }
    const offered = entry.request.options.map((option) => option.id);
    if (outcome.outcome === 'selected' && !offered.includes(outcome.optionId)) {
      throw new PermissionError(
        'unknown_option',
        `option ${outcome.optionId} is not offered; the options are ${offered.join(', ')}`,
      );
    }
    entry.resolve(outcome, 'caller');
  }

  /** Answers everything that waits `cancelled`: the turn was cancelled, or the agent is gone. */
  cancelAll(): void {
    for (const entry of this.#waiting.values()) entry.resolve({ outcome: 'cancelled' }, 'turn');
  }
}

/** The narrowest offered option of the policy's kind; `cancelled` when the agent offers none (AA-157). */
function answerByPolicy(policy: 'allow' | 'reject', request: PermissionRequest): PermissionOutcome {
  const option =
    request.options.find(({ kind }) => kind === `${policy}_once`) ??
    request.options.find(({ kind }) => kind === `${policy}_always`);
  return option ? { outcome: 'selected', optionId: option.id } : { outcome: 'cancelled' };
}
