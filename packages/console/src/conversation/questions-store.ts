import { signal, type ReadonlySignal } from '@preact/signals';
import {
  ApiError,
  type AgentDialog,
  type AgentStatusReport,
  type PermissionRequest,
  type PlanEntry,
  type Session,
  type ToolCall,
} from '@agentapi-proxy/client';
import { interruptAgent } from '../api/interrupt-agent.ts';
import type { StreamTurns } from '../api/stream-turns.ts';
import { whileSeen } from '../api/while-seen.ts';

/** A dialog appears on the agent's screen a moment before or after what the journal tells of it. */
const LOOK_AFTER_NEWS_MS = 400;
/** While an agent works it may ask something that the journal does not show. */
const LOOK_WHILE_WORKING_MS = 4_000;
/** Tool calls that are kept; the agent server keeps as many. */
const MAX_TOOL_CALLS = 500;

/** What the agent asks, and what it does, besides what it says. */
export class QuestionsStore {
  readonly #session: Session;
  readonly #turns: StreamTurns;
  readonly #dialog = signal<AgentDialog | null>(null);
  readonly #permissions = signal<readonly PermissionRequest[]>([]);
  readonly #toolCalls = signal<readonly ToolCall[]>([]);
  readonly #plan = signal<readonly PlanEntry[]>([]);
  #life = new AbortController();
  #transport: AgentStatusReport['transport'];
  #isWorking = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #looks = 0;

  /** Of an agent in a terminal. */
  readonly dialog: ReadonlySignal<AgentDialog | null> = this.#dialog;
  /** Of an agent that speaks the Agent Client Protocol, as all below. */
  readonly permissions: ReadonlySignal<readonly PermissionRequest[]> = this.#permissions;
  readonly toolCalls: ReadonlySignal<readonly ToolCall[]> = this.#toolCalls;
  readonly plan: ReadonlySignal<readonly PlanEntry[]> = this.#plan;

  /** @param turns - while it has none nothing streams */
  constructor(session: Session, turns: StreamTurns) {
    this.#session = session;
    this.#turns = turns;
  }

  /** Begins to look; again when it is another transport than before. */
  begin(transport: 'pty' | 'acp'): void {
    if (this.#transport === transport) return;
    this.end();
    this.#life = new AbortController();
    this.#transport = transport;
    if (transport === 'acp') void this.#followAcp(this.#life.signal);
    else void this.look();
  }

  /** The agent is gone, and its questions with it; what it did stays in view. */
  end(): void {
    this.#life.abort();
    clearTimeout(this.#timer);
    this.#transport = undefined;
    this.#dialog.value = null;
    this.#permissions.value = [];
  }

  /** Something happened. */
  lookSoon(isWorking: boolean): void {
    this.#isWorking = isWorking;
    if (this.#transport === 'pty') this.#lookIn(LOOK_AFTER_NEWS_MS);
  }

  /** Asks for the dialog. */
  async look(): Promise<void> {
    const { signal } = this.#life;
    if (this.#transport !== 'pty' || signal.aborted) return;
    this.#looks += 1;
    const look = this.#looks;
    try {
      const dialog = await this.#session.agent.dialog({ signal });
      if (look !== this.#looks || signal.aborted) return;
      if (dialog?.id !== this.#dialog.value?.id) this.#dialog.value = dialog;
    } catch (error) {
      // Another agent server than ours knows of no dialogs.
      if (signal.aborted || (error instanceof ApiError && error.kind === 'not_found')) return;
    }
    if (this.#isWorking || this.#dialog.value !== null) this.#lookIn(LOOK_WHILE_WORKING_MS);
  }

  /** Takes a choice of the dialog. */
  async choose(dialog: AgentDialog, choice: number): Promise<void> {
    try {
      await this.#session.agent.choose(dialog.id, choice);
    } finally {
      this.#lookIn(0);
    }
  }

  /** Types keys, one after the other. */
  async press(keys: readonly string[]): Promise<void> {
    try {
      for (const key of keys) await this.#session.sendRaw(key);
    } finally {
      this.lookSoon(this.#isWorking);
    }
  }

  async answer(request: PermissionRequest, optionId: string | null): Promise<void> {
    try {
      await this.#session.agent.answer(request.id, optionId);
    } catch (error) {
      // Somebody else was faster, or it has expired: it is not there any more, as was wanted.
      if (!(error instanceof ApiError && error.kind === 'not_found')) throw error;
    }
    this.#permissions.value = this.#permissions.value.filter(({ id }) => id !== request.id);
  }

  /** Stops the agent at what it does. */
  async interrupt(): Promise<void> {
    try {
      await interruptAgent(this.#session, this.#transport);
    } finally {
      this.lookSoon(this.#isWorking);
    }
  }

  #lookIn(ms: number): void {
    if (this.#life.signal.aborted) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.look(), ms);
  }

  async #followAcp(signal: AbortSignal): Promise<void> {
    const onConnect = (): void => {
      this.#toolCalls.value = [];
      this.#permissions.value = [];
      this.#plan.value = [];
    };
    const open = (end: AbortSignal) => this.#session.agent.acpEvents({ signal: end, onConnect });
    try {
      for await (const event of whileSeen({ turns: this.#turns, signal, open })) {
        switch (event.kind) {
          case 'tool_call':
            this.#toolCalls.value = withToolCall(this.#toolCalls.value, event.toolCall);
            break;
          case 'permission_request':
            this.#permissions.value = [
              ...this.#permissions.value.filter(({ id }) => id !== event.request.id),
              event.request,
            ];
            break;
          case 'permission_resolved':
            this.#permissions.value = this.#permissions.value.filter(({ id }) => id !== event.id);
            break;
          case 'plan':
            this.#plan.value = event.entries;
            break;
          case 'turn_started':
          case 'turn_ended':
            break;
        }
      }
    } catch {
      // The session has ended, or its agent server has no such events; the conversation says what there is to say.
    }
  }
}

function withToolCall(calls: readonly ToolCall[], call: ToolCall): readonly ToolCall[] {
  const at = calls.findLastIndex(({ id }) => id === call.id);
  return at < 0 ? [...calls, call].slice(-MAX_TOOL_CALLS) : calls.with(at, call);
}
