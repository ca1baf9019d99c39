import { isDeepStrictEqual } from 'node:util';
import type { AgentType } from '../agent-type.ts';
import { AgentTerminal, type LiveScreen } from '../terminal/agent-terminal.ts';
import type { PtyExit } from '../terminal/pty.ts';
import type { ScreenImage } from '../terminal/screen.ts';
import {
  type AgentError,
  type AgentStatus,
  type ConversationEvent,
  type Message,
  SendError,
  type Question,
  type WaitingFor,
} from './conversation-model.ts';
import { type DialogAnswer, DialogAnswers, named, type NamedDialog } from './answering.ts';
import { Feed } from './feed.ts';
import { formatAgentMessage, removeToolCalls } from './formatting/pipeline.ts';
import { AGENT_FORMATS } from './formatting/registry.ts';
import { History } from './history.ts';
import { InitialPrompt } from './initial-prompt.ts';
import type { PtyConversation, PtyConversationOptions } from './pty-conversation.ts';
import { findDialog } from './readiness.ts';
import { refitScreen } from './refit-screen.ts';
import { screenDiff } from './screen-diff.ts';
import { ScreenWatch } from './screen-watch.ts';
import { deliverMessage, DeliveryError, typedText } from './sending.ts';
import type { SavedState } from './state-file.ts';
import { StateKeeper } from './state-keeper.ts';
import { type ConversationTiming, DEFAULT_TIMING } from './timing.ts';

/** An agent that ignores its signal is killed after this time (agentapi section 1.5). */
const STOP_GRACE_MS = 5_000;
/** The reference's words; clients look for them. */
const NOT_WAITING = 'message can only be sent when the agent is waiting for user input';
const NOT_READING = 'the agent does not read what is sent to it, and too much waits for it already';
const DIALOG_HINT =
  'a dialog is up that takes keys: see GET /internal/dialog, and answer it there or by raw messages';

/**
 * Starts an agent in a terminal and the conversation with it (agentapi sections 3, 4 and 6).
 * @throws {SpawnError} when the agent's program cannot be started.
 */
export function createPtyConversation(options: PtyConversationOptions): PtyConversation {
  return new TerminalConversation(options);
}

class TerminalConversation implements PtyConversation {
  readonly agentType: AgentType;
  readonly transport = 'pty';
  readonly exited: Promise<PtyExit>;
  readonly firstReady: Promise<void>;
  readonly #timing: ConversationTiming;
  readonly #log: NonNullable<PtyConversationOptions['log']>;
  readonly #terminal: AgentTerminal;
  readonly #answers: DialogAnswers;
  readonly #watch: ScreenWatch;
  readonly #history = new History(new Date());
  readonly #feed = new Feed();
  readonly #prompt: InitialPrompt;
  readonly #keeper: StateKeeper;
  readonly #ended = new AbortController();
  #reportReady: () => void = () => {};
  #closing: Promise<void> | null = null;

  #status: AgentStatus = 'running';
  #question: Question | null = null;
  /** The agent has shown its prompt at least once. */
  #ready = false;

  #columns: number;
  /** The snapshot has not been put into the history yet. */
  #unread = true;

  /** The screen before the last user message: what is new since belongs to the answer. */
  #baseline = '';
  /** The prompt was visible when the turn began. */
  #promptBefore = false;
  /** The agent filled the whole screen when the turn began. */
  #alternateBefore = false;
  /** A message is being typed: its echo belongs to no message (AA-082). */
  #sending = false;
  /** A restored answer keeps its text until the next user message (AA-145). */
  #frozen = false;
  #isFrozenReported = false;
  readonly #loggedCalls = new Set<string>();

  constructor(options: PtyConversationOptions) {
    this.agentType = options.agentType;
    this.#timing = { ...DEFAULT_TIMING, ...options.timing };
    this.#log = options.log ?? (() => {});
    this.#columns = options.columns ?? 80;
    this.#prompt = new InitialPrompt(typedText(options.initialPrompt ?? ''));
    this.#keeper = new StateKeeper({
      path: options.stateFile,
      load: options.loadState,
      save: options.saveState,
      delayMs: this.#timing.saveDelayMs,
      state: () => ({
        messages: this.#history.all(),
        initialPrompt: this.#prompt.text,
        initialPromptSent: this.#prompt.sent,
      }),
      onFailure: (error) => this.#logSaveFailure(error),
    });
    this.firstReady = new Promise((resolve) => {
      this.#reportReady = resolve;
    });
    this.#terminal = new AgentTerminal({
      command: options.command,
      args: options.args,
      cwd: options.cwd,
      env: options.env,
      columns: this.#columns,
      rows: options.rows ?? 1000,
      terminalName: options.terminalName ?? 'vt100',
      gapMs: this.#timing.quietGapMs,
      tries: this.#timing.quietTries,
      intervalMs: this.#timing.intervalMs,
    });
    this.#answers = new DialogAnswers(
      this.#terminal,
      ({ text }) => findDialog(this.agentType, text),
      this.#ended.signal,
    );
    this.#watch = new ScreenWatch(this.#terminal, this.agentType, this.#timing, () => this.#advance());
    this.#terminal.onSettled(() => this.#snapshot());
    this.exited = this.#watchExit();
    this.#terminal.write(AGENT_FORMATS[this.agentType].keysOnSpawn ?? '');
    this.#snapshot();
  }

  get agentPid(): number {
    return this.#terminal.pid;
  }

  status(): AgentStatus {
    return this.#status;
  }

  messages(): readonly Message[] {
    return this.#history.all();
  }

  errors(): readonly AgentError[] {
    return this.#feed.errors();
  }

  screen(): string {
    return this.#watch.screen.full;
  }

  get liveScreen(): LiveScreen {
    return this.#terminal;
  }

  title(): string {
    return this.#watch.title;
  }

  dialog(): NamedDialog | null {
    const { dialog } = this.#watch.facts;
    return dialog === null ? null : named(dialog);
  }

  waitingFor(): WaitingFor | null {
    if (this.#isDialogInTheWay()) return 'dialog';
    return this.#status === 'stable' ? 'message' : null;
  }

  question(): Question | null {
    return this.#question;
  }

  async answerDialog(answer: DialogAnswer): Promise<void> {
    await this.#answers.answer(answer);
    // So that the caller is not shown the same dialog again.
    this.#snapshot();
  }

  lastScreenLines(max: number): string[] {
    const rows = this.#watch.screen.text.split('\n').map((row) => row.trimEnd());
    return rows.filter((row) => row !== '').slice(-max);
  }

  subscribe(listener: (event: ConversationEvent) => void): () => void {
    return this.#feed.subscribe(listener);
  }

  async send(type: 'user' | 'raw', content: string): Promise<void> {
    if (type === 'raw') {
      this.#ended.signal.throwIfAborted();
      if (!this.#terminal.write(content)) throw new SendError('busy', NOT_READING);
      return;
    }
    const text = typedText(content);
    if (text === '') throw new SendError('empty', 'message must not be empty');
    this.#ended.signal.throwIfAborted();
    // Output that has arrived since the last snapshot may mean that the agent is no longer waiting.
    this.#snapshot();
    if (this.#isDialogInTheWay()) throw new SendError('dialog', `${NOT_WAITING}; ${DIALOG_HINT}`);
    if (this.#status !== 'stable') throw new SendError('busy', NOT_WAITING);
    await this.#deliver(text);
  }

  resize(columns: number, rows: number): void {
    this.#baseline = refitScreen(this.#baseline, this.#columns, columns);
    this.#columns = columns;
    this.#terminal.resize(columns, rows);
  }

  async saveState(): Promise<void> {
    await this.#keeper.save();
  }

  close(options: { signal?: NodeJS.Signals; graceMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(options.signal ?? 'SIGINT', options.graceMs ?? STOP_GRACE_MS);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(signal: NodeJS.Signals, graceMs: number): Promise<void> {
    this.#end('the agent is being stopped');
    await this.#keeper.close().catch((error: unknown) => this.#logSaveFailure(error));
    await this.#terminal.stop(signal, graceMs);
    this.#feed.close();
  }

  async #watchExit(): Promise<PtyExit> {
    const exit = await this.#terminal.exited;
    this.#snapshot();
    this.#end('the agent has ended');
    return exit;
  }

  /** From here on nobody can send, and the status no longer changes (AA-096). */
  #end(why: string): void {
    this.#ended.abort(new SendError('closed', why));
    this.#watch.dispose();
    this.#setQuestion(null);
    this.#setStatus('running');
  }

  /** Takes in what the screen shows now: status, history, screen, and their events in this order (AA-097). */
  #snapshot(): void {
    const changed = this.#watch.take();
    this.#unread ||= changed;
    if (!changed) this.#reportFrozenScreen();
    const message = this.#readAgentMessage();
    this.#advance();
    if (message !== null) this.#feed.emit({ kind: 'message', message });
    if (changed) this.#feed.emit(screenEvent(this.#watch.screen));
  }

  /** Brings the agent's last message up to date with the snapshot (agentapi section 3.4). */
  #readAgentMessage(): Message | null {
    const ofAgent = this.#history.last?.role === 'agent';
    // An agent that has left its own screen, as most do at their end, does not show its answer any more.
    const hasLeft = this.#alternateBefore && !this.#terminal.alternate;
    if (this.#sending || (ofAgent && (this.#frozen || hasLeft || !this.#unread))) return null;
    this.#unread = false;
    const shown = screenDiff(this.#baseline, this.#watch.screen.text, this.agentType);
    const formatted = formatAgentMessage(this.agentType, shown, this.#history.lastUserText);
    const { text, calls } = removeToolCalls(this.agentType, formatted);
    if (!ofAgent) this.#loggedCalls.clear();
    for (const call of calls) this.#logCall(call);
    const message = this.#history.setAgentText(text, new Date());
    if (message !== null) this.#keeper.changed();
    return message;
  }

  /** Once per message (AA-133). */
  #logCall(call: string): void {
    if (this.#loggedCalls.has(call)) return;
    this.#loggedCalls.add(call);
    this.#log('info', 'Tool call detected', { call });
  }

  /** Does what the screen allows now: restore, initial prompt, a change of the status. */
  #advance(): void {
    if (this.#ended.signal.aborted) return;
    const still = this.#watch.isStill(this.#promptBefore);
    // Not every custom agent shows a prompt that can be recognised.
    const promptless = this.agentType === 'custom' && still && this.#watch.isPromptOverdue();
    this.#ready ||= promptless || this.#watch.facts.prompt;
    if (this.#ready && this.#keeper.mustRead) void this.#restore();
    const free = this.#ready && this.#keeper.wasRead && !this.#sending;
    const waiting = still && free && this.#history.last?.role !== 'user';
    if (waiting && this.#prompt.waiting) {
      if (!this.#isDialogInTheWay()) void this.#sendInitialPrompt();
    } else {
      this.#setStatus(waiting ? 'stable' : 'running');
    }
    // One that is still being drawn may not be a dialog; one that is up stays so while its mark moves. Told after the
    // status: an agent that goes on to work is not at rest in between.
    const asks = this.#isDialogInTheWay() && (still || this.#question !== null);
    this.#setQuestion(asks ? 'dialog' : null);
  }

  /**
   * What an unknown agent shows may look like a dialog by chance. To refuse a message then is the lesser evil: a
   * real dialog takes the Enter at its end for consent, and raw keys always get through.
   */
  #isDialogInTheWay(): boolean {
    return this.#watch.facts.dialog !== null;
  }

  #setQuestion(question: Question | null): void {
    if (question === this.#question) return;
    this.#question = question;
    this.#feed.emit({ kind: 'question', question });
  }

  #setStatus(status: AgentStatus): void {
    if (status === this.#status) return;
    this.#status = status;
    this.#feed.emit({ kind: 'status', status });
    if (status === 'stable') this.#reportReady();
  }

  /** Types a message and records it once the agent has reacted (AA-087). */
  async #deliver(text: string): Promise<void> {
    const before = this.#watch.screen;
    const time = new Date();
    this.#promptBefore = this.#watch.facts.prompt;
    const alternate = this.#terminal.alternate;
    this.#sending = true;
    this.#setStatus('running');
    try {
      await deliverMessage(this.#terminal, this.agentType, text, this.#timing, this.#ended.signal);
      this.#baseline = refitScreen(before.text, before.columns, this.#columns);
      this.#alternateBefore = alternate;
      this.#frozen = false;
      const message = this.#history.appendUser(text, time);
      this.#keeper.changed();
      this.#feed.emit({ kind: 'message', message });
    } catch (error) {
      this.#ended.signal.throwIfAborted();
      if (!(error instanceof DeliveryError)) throw error;
      throw new SendError('delivery', `failed to send message: ${error.message}`, { cause: error });
    } finally {
      this.#sending = false;
      if (!this.#ended.signal.aborted) this.#snapshot();
    }
  }

  /** Once: there is nothing that the screen could show about it (AA-171). */
  #reportFrozenScreen(): void {
    if (this.#isFrozenReported || this.#ended.signal.aborted || !this.#watch.isFrozen()) return;
    this.#isFrozenReported = true;
    this.#feed.report('warning', 'The agent prints text, but its screen no longer changes');
  }

  #logSaveFailure(error: unknown): void {
    this.#log('error', 'Failed to save the session state', { error: messageOf(error) });
  }

  async #sendInitialPrompt(): Promise<void> {
    this.#prompt.mark('sending');
    try {
      await this.#deliver(this.#prompt.text);
      this.#prompt.mark('sent');
    } catch (error) {
      if (this.#ended.signal.aborted) return;
      this.#prompt.mark('failed');
      this.#feed.report('error', `failed to send initial prompt: ${messageOf(error)}`);
    }
    this.#advance();
  }

  /** Brings back an earlier conversation, once, when the agent is ready (agentapi section 6.3). */
  async #restore(): Promise<void> {
    try {
      const saved = await this.#keeper.read();
      if (saved !== null) this.#takeOver(saved);
    } catch (error) {
      if (this.#ended.signal.aborted) return;
      this.#feed.report('warning', `Failed to restore previous session: ${messageOf(error)}`);
    }
    if (!this.#ended.signal.aborted) this.#snapshot();
  }

  #takeOver(saved: SavedState): void {
    const before = this.#history.all();
    this.#history.restore(saved.messages);
    this.#prompt.restore(typedText(saved.initialPrompt), saved.initialPromptSent);
    this.#frozen = true;
    this.#unread = true;
    this.#keeper.unchanged();
    for (const [index, message] of saved.messages.entries()) {
      if (!isDeepStrictEqual(message, before[index])) this.#feed.emit({ kind: 'message', message });
    }
  }
}

/** Most subscribers have no use for the rows of a screen, so they are spelled only for those who look. */
function screenEvent(image: ScreenImage): ConversationEvent {
  return {
    kind: 'screen',
    get screen() {
      return image.full;
    },
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
