import type * as acp from '@agentclientprotocol/sdk';
import type { Writable } from 'node:stream';
import type { AgentType } from '../agent-type.ts';
import { SendError } from '../conversation/conversation-model.ts';
import { AcpHistory } from './acp-history.ts';
import type { AcpConversation, AcpEvent, PermissionOutcome, PermissionPolicy } from './acp-model.ts';
import { AcpStartError, textOfExit } from './acp-model.ts';
import { startAgentProcess, type AgentProcess } from './agent-process.ts';
import type { SkippedLine } from './json-lines.ts';
import { PermissionDesk } from './permission-desk.ts';
import { rawInput, userPrompt } from './prompt-text.ts';
import { exitOf, openSession, textOfError, type SessionLink } from './session-link.ts';
import { textOfUpdate, ToolCallLog } from './tool-call-log.ts';
import { Turn } from './turn.ts';

export interface AcpConversationOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** Absolute; working directory of the process and of the session. */
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly agentType: AgentType;
  /** Sent as the first user message as soon as the session is open; blank text is ignored. */
  readonly initialPrompt?: string;
  /** Default `allow`, which is what the reference means to do. */
  readonly permissionPolicy?: PermissionPolicy;
  /** How long policy `ask` holds a request before it is answered `cancelled`; default one hour. */
  readonly permissionTimeoutMs?: number;
  /** How long the agent may take to open a session; default two minutes. */
  readonly startTimeoutMs?: number;
  /** Where the agent's stderr goes; default our own stderr. */
  readonly stderr?: Writable;
}

/** Agents load a whole runtime, and some fetch their configuration first. */
const START_TIMEOUT_MS = 120_000;
/** A person may be away; an agent must not hang for ever. */
const PERMISSION_TIMEOUT_MS = 3_600_000;
/** The grace of agentapi section 1.5. */
const CLOSE_GRACE_MS = 5_000;
/** Raw messages that may wait for the running turn. */
const MAX_WAITING_RAW = 32;

/** Starts the agent and opens a session; problems show in `started`. */
export function createAcpConversation(options: AcpConversationOptions): AcpConversation {
  return new StdioAcpConversation(options);
}

class StdioAcpConversation implements AcpConversation {
  readonly transport = 'acp';
  readonly agentType: AgentType;
  readonly started: Promise<void>;
  readonly firstReady: Promise<void>;
  readonly exited: AcpConversation['exited'];
  readonly agentPid: number | undefined;
  readonly #agent: AgentProcess;
  readonly #history = new AcpHistory();
  readonly #toolCalls = new ToolCallLog();
  readonly #permissions: PermissionDesk;
  readonly #listeners = new Set<(event: AcpEvent) => void>();
  #plan: readonly acp.PlanEntry[] = [];
  #link: SessionLink | null = null;
  #turn: Turn | null = null;
  #lastTurn: Turn | null = null;
  #waitingRaw: string[] = [];
  /** The agent is gone or going; nothing is sent any more. */
  #ended = false;
  #stopped = false;
  #closing: Promise<void> | undefined;

  constructor(options: AcpConversationOptions) {
    this.agentType = options.agentType;
    this.#permissions = new PermissionDesk({
      policy: options.permissionPolicy ?? 'allow',
      timeoutMs: options.permissionTimeoutMs ?? PERMISSION_TIMEOUT_MS,
      onRequest: (request) => this.#emit({ kind: 'permission-request', request }),
      onResolved: (request, outcome, resolvedBy) => {
        this.#emit({
          kind: 'permission-resolved',
          id: request.id,
          toolCallId: request.toolCall.id,
          outcome,
          resolvedBy,
        });
        this.#history.setQuestion(this.question());
      },
    });
    this.#agent = startAgentProcess({ ...options, stderr: options.stderr ?? process.stderr });
    this.agentPid = this.#agent.pid;
    this.exited = this.#agent.exited.then((exit) => {
      // What the agent started in its group must not outlive it.
      void this.#endAgent(CLOSE_GRACE_MS);
      return exit;
    });
    this.firstReady = new Promise((resolve) => {
      this.#history.subscribe((event) => {
        if (event.kind === 'status' && event.status === 'stable') resolve();
      });
    });
    this.started = this.#start(options);
    // The owner may look at `started` later, or only at `exited`.
    this.started.catch(() => {});
  }

  status = () => this.#history.status();
  waitingFor = () => this.question() ?? (this.status() === 'stable' ? 'message' : null);
  question = () => (this.permissionRequests().length > 0 ? 'permission' : null);
  messages = () => this.#history.messages();
  errors = () => this.#history.errors();
  screen = () => this.#history.screen();
  toolCalls = () => this.#toolCalls.list();
  permissionRequests = () => this.#permissions.waiting();
  plan = () => this.#plan;
  lastScreenLines = (max: number) => this.#agent.lastLines(max);
  subscribe: AcpConversation['subscribe'] = (listener) => this.#history.subscribe(listener);

  subscribeAcp(listener: (event: AcpEvent) => void): () => void {
    const entry = (event: AcpEvent) => listener(event);
    this.#listeners.add(entry);
    return () => void this.#listeners.delete(entry);
  }

  answerPermission(requestId: string, answer: PermissionOutcome): void {
    this.#permissions.answer(requestId, answer);
  }

  async send(type: 'user' | 'raw', content: string): Promise<void> {
    if (type === 'raw') {
      await this.#sendRaw(content);
      return;
    }
    const text = userPrompt(content);
    const link = this.#openLink();
    if (this.#turn !== null || this.#waitingRaw.length > 0) throw busy();
    await this.#converse(link, text);
  }

  async cancelTurn(): Promise<boolean> {
    if (this.#turn === null || this.#link === null) return false;
    this.#turn.cancelled = true;
    this.#waitingRaw = [];
    // The protocol wants the notification first, then the answers of the requests that wait.
    const sent = this.#link.cancel();
    this.#permissions.cancelAll();
    await sent.catch(() => {});
    return true;
  }

  close(options: { readonly graceMs?: number } = {}): Promise<void> {
    this.#stopped = true;
    return this.#endAgent(options.graceMs ?? CLOSE_GRACE_MS);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
    await this.started.catch(() => {});
    await this.exited;
  }

  async #start(options: AcpConversationOptions): Promise<void> {
    try {
      this.#link = await openSession({
        agent: this.#agent,
        cwd: options.cwd,
        startTimeoutMs: options.startTimeoutMs ?? START_TIMEOUT_MS,
        onUpdate: (update) => this.#onUpdate(update),
        onPermission: (request, signal) => this.#onPermission(request, signal),
        onSkipped: (line) => this.#onSkipped(line),
      });
    } catch (error) {
      await this.close();
      throw error;
    }
    if (this.#ended) throw new AcpStartError('the conversation was closed before the agent was ready');
    const prompt = options.initialPrompt?.trim() ?? '';
    if (prompt === '') this.#history.setStatus('stable');
    else void this.#sendInitialPrompt(this.#link, prompt);
  }

  async #sendInitialPrompt(link: SessionLink, prompt: string): Promise<void> {
    try {
      await this.#converse(link, prompt);
    } catch (error) {
      this.#history.addError('error', `Failed to send initial prompt: ${textOfError(error)}`);
    }
  }

  #openLink(): SessionLink {
    if (this.#ended) throw new SendError('closed', 'the agent has ended');
    if (this.#link === null) throw busy();
    return this.#link;
  }

  async #converse(link: SessionLink, text: string): Promise<void> {
    const answerId = this.#history.openTurn(text);
    try {
      await this.#runTurn(link, text, answerId);
    } catch (error) {
      this.#history.dropAnswer(answerId);
      if (!this.#ended) this.#history.setStatus('stable');
      throw error;
    } finally {
      this.#startWaitingRaw();
    }
  }

  /** Raw text is accepted in every status and becomes a prompt of its own as soon as no turn runs. */
  async #sendRaw(content: string): Promise<void> {
    const input = rawInput(content);
    this.#openLink();
    if (input.kind === 'nothing') return;
    if (input.kind === 'interrupt') {
      await this.cancelTurn();
      return;
    }
    if (this.#waitingRaw.length >= MAX_WAITING_RAW) {
      throw new SendError('busy', `${MAX_WAITING_RAW} raw messages already wait for the agent`);
    }
    this.#waitingRaw.push(input.text);
    this.#startWaitingRaw();
  }

  #startWaitingRaw(): void {
    if (this.#turn !== null || this.#ended || this.#link === null) return;
    const text = this.#waitingRaw.shift();
    if (text === undefined) return;
    this.#history.setStatus('running');
    void this.#runTurn(this.#link, text, null)
      .catch((error: unknown) =>
        this.#history.addError('warning', `Raw message failed: ${textOfError(error)}`),
      )
      .finally(() => {
        if (!this.#ended && this.#waitingRaw.length === 0) this.#history.setStatus('stable');
        this.#startWaitingRaw();
      });
  }

  async #runTurn(link: SessionLink, text: string, answerId: number | null): Promise<void> {
    const turn = new Turn(answerId, this.#lastTurn);
    this.#turn = turn;
    this.#emit({ kind: 'turn-started' });
    let stopReason: acp.StopReason | 'error' = 'error';
    try {
      stopReason = await link.prompt(text);
      if (answerId !== null) await turn.lateText();
    } catch (error) {
      // Some agents fail a cancelled prompt instead of ending it; what they said stays.
      if (!turn.cancelled || this.#ended) throw await this.#turnError(error);
      stopReason = 'cancelled';
    } finally {
      this.#turn = null;
      this.#lastTurn = turn;
      this.#permissions.cancelAll();
      this.#emit({ kind: 'turn-ended', stopReason });
    }
    if (answerId !== null) this.#history.closeTurn(answerId);
  }

  async #turnError(error: unknown): Promise<SendError> {
    if (this.#stopped) return new SendError('closed', 'the agent was stopped', { cause: error });
    if (error instanceof Error && error.name === 'RequestError') {
      return new SendError('delivery', textOfError(error), { cause: error });
    }
    const exit = await exitOf(this.#agent);
    if (exit === null) void this.#endAgent(CLOSE_GRACE_MS);
    return new SendError('delivery', exit === null ? 'the agent closed its output' : textOfExit(exit), {
      cause: error,
    });
  }

  #onUpdate(update: acp.SessionUpdate): void {
    const turn = this.#turn;
    const stale = turn === null || turn.isStale(update, (id) => this.#toolCalls.has(id));
    if (update.sessionUpdate === 'tool_call' || update.sessionUpdate === 'tool_call_update') {
      if (!stale) turn.addToolCall(update.toolCallId);
      this.#emit({ kind: 'tool-call', toolCall: this.#toolCalls.record(update) });
    } else if (update.sessionUpdate === 'plan') {
      this.#plan = update.entries;
      this.#emit({ kind: 'plan', entries: update.entries });
    }
    const text = textOfUpdate(update);
    if (stale || text === '' || turn.answerId === null) return;
    this.#history.append(turn.answerId, text);
    turn.addText();
  }

  async #onPermission(
    request: acp.RequestPermissionRequest,
    signal: AbortSignal,
  ): Promise<acp.RequestPermissionResponse> {
    this.#turn?.addToolCall(request.toolCall.toolCallId);
    const toolCall = this.#toolCalls.record(request.toolCall);
    this.#emit({ kind: 'tool-call', toolCall });
    // A request that crosses the cancellation on the wire must not wait for an answer.
    if (this.#turn?.cancelled || this.#ended) return { outcome: { outcome: 'cancelled' } };
    const answer = this.#permissions.ask(toolCall, request.options, signal);
    this.#history.setQuestion(this.question());
    return { outcome: await answer };
  }

  #onSkipped(line: SkippedLine): void {
    if (line.kind === 'not-protocol') {
      this.#agent.note(line.text);
      return;
    }
    const what =
      line.kind === 'too-long'
        ? `longer than ${line.limitBytes} bytes`
        : `with more than ${line.limit} brackets in each other`;
    this.#history.addError('warning', `The agent sent a line ${what}; ignored`);
  }

  #endAgent(graceMs: number): Promise<void> {
    this.#ended = true;
    this.#waitingRaw = [];
    this.#permissions.cancelAll();
    this.#closing ??= this.#agent.end(graceMs).then(() => this.#history.close());
    return this.#closing;
  }

  #emit(event: AcpEvent): void {
    for (const listener of [...this.#listeners]) listener(event);
  }
}

function busy(): SendError {
  return new SendError('busy', 'message can only be sent when the agent is waiting for user input');
}
