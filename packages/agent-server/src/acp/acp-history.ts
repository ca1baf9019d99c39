import type {
  AgentError,
  AgentStatus,
  ConversationEvent,
  Message,
  Question,
} from '../conversation/conversation-model.ts';

/** At most one round of events in this time, however fast the chunks come (agentapi section 2.7). */
const ROUND_MS = 25;
/** Retained errors (AA-066). */
const MAX_ERRORS = 100;

/** Messages, status and errors of an ACP conversation, and the events that tell of their changes. */
export class AcpHistory {
  #messages: readonly Message[] = [];
  #errors: readonly AgentError[] = [];
  #status: AgentStatus = 'running';
  #question: Question | null = null;
  #screen = '';
  #nextId = 0;
  /** The growing agent message has text that was not emitted yet. */
  #unsent = false;
  #roundTimer: NodeJS.Timeout | undefined;
  #lastRound = -Infinity;
  readonly #listeners = new Set<(event: ConversationEvent) => void>();

  messages(): readonly Message[] {
    return [...this.#messages];
  }

  errors(): readonly AgentError[] {
    return [...this.#errors];
  }

  status(): AgentStatus {
    return this.#status;
  }

  screen(): string {
    return this.#screen;
  }

  subscribe(listener: (event: ConversationEvent) => void): () => void {
    // A wrapper, so that one function may subscribe twice.
    const entry = (event: ConversationEvent) => listener(event);
    this.#listeners.add(entry);
    return () => void this.#listeners.delete(entry);
  }

  /**
   * Adds the user's message and the empty answer. The user's message is emitted at once (AA-156),
   * the answer with its first text or at the end, so that a failed turn leaves no trace on streams.
   * @returns the id of the answer.
   */
  openTurn(text: string): number {
    const time = new Date();
    const question: Message = { id: this.#nextId++, role: 'user', content: text, time };
    const answer: Message = { id: this.#nextId++, role: 'agent', content: '', time };
    this.#messages = [...this.#messages, question, answer];
    this.#screen = '';
    this.#emit({ kind: 'message', message: question });
    this.setStatus('running');
    return answer.id;
  }

  /** Extends the answer `id`; a removed or unknown one is left alone (AA-154). */
  append(id: number, text: string): void {
    const index = this.#messages.findLastIndex((message) => message.id === id);
    const message = this.#messages[index];
    if (message === undefined || text === '') return;
    const grown: Message = { ...message, content: message.content + text };
    this.#messages = this.#messages.with(index, grown);
    this.#screen = grown.content;
    this.#unsent = true;
    this.#scheduleRound(id);
  }

  /** Ends the turn of answer `id`: its text is final and the status stable. */
  closeTurn(id: number): void {
    this.#unsent = true;
    this.#emitAnswer(id, 'stable');
  }

  /** The turn of answer `id` failed: the answer disappears, its id is not used again (AA-154). */
  dropAnswer(id: number): void {
    this.#messages = this.#messages.filter((message) => message.id !== id);
    this.#unsent = false;
  }

  /** Emits only a change. */
  setStatus(status: AgentStatus): void {
    if (this.#status === status) return;
    this.#status = status;
    this.#emit({ kind: 'status', status });
  }

  /** Emits only a change. */
  setQuestion(question: Question | null): void {
    if (this.#question === question) return;
    this.#question = question;
    this.#emit({ kind: 'question', question });
  }

  addError(level: AgentError['level'], message: string): void {
    const error: AgentError = { message, level, time: new Date() };
    this.#errors = [...this.#errors, error].slice(-MAX_ERRORS);
    this.#emit({ kind: 'error', error });
  }

  /** Ends the timer; nothing is emitted by it afterwards. */
  close(): void {
    clearTimeout(this.#roundTimer);
    this.#roundTimer = undefined;
    this.#listeners.clear();
  }

  #scheduleRound(id: number): void {
    if (this.#roundTimer !== undefined) return;
    const waitMs = this.#lastRound + ROUND_MS - performance.now();
    if (waitMs <= 0) this.#emitAnswer(id);
    else this.#roundTimer = setTimeout(() => this.#emitAnswer(id), waitMs);
  }

  #emitAnswer(id: number, status: AgentStatus = this.#status): void {
    clearTimeout(this.#roundTimer);
    this.#roundTimer = undefined;
    if (!this.#unsent) return;
    this.#unsent = false;
    this.#lastRound = performance.now();
    const message = this.#messages.findLast((entry) => entry.id === id);
    if (message !== undefined) this.#emit({ kind: 'message', message });
    this.setStatus(status);
    this.#emit({ kind: 'screen', screen: this.#screen });
  }

  #emit(event: ConversationEvent): void {
    for (const listener of [...this.#listeners]) listener(event);
  }
}
