import { signal, type ReadonlySignal } from '@preact/signals';
import { ApiError, type QueuedMessage, type Session } from '@agentapi-proxy/client';
import { randomId } from '../api/random-id.ts';
import type { KeptText, OutgoingMessage } from './kept-text.ts';

/** A message on its way from this page to the server. */
export interface UnsentMessage extends OutgoingMessage {
  /** Why it did not arrive the last time; `undefined` before anything went wrong. */
  readonly error: unknown;
  readonly isSending: boolean;
}

/** While something waits the queue is looked at this often, besides whenever something happens. */
const LOOK_MS = 3_000;
const LOOK_AFTER_NEWS_MS = 150;
/** An agent server types a message and waits for the reaction, which takes up to 17 s. */
const MAX_TYPING_MS = 20_000;
const TYPING_LOOK_MS = 250;
/** What did not arrive is sent again after this time, and whenever the server can be reached again. */
const RESEND_MS = 5_000;

/**
 * Messages that wait for the agent, and those that have not even reached the server. Sending one again can do no harm: the
 * server knows it by its key.
 */
export class QueueStore {
  readonly #session: Session;
  readonly #kept: KeptText;
  readonly #life = new AbortController();
  readonly #waiting = signal<readonly QueuedMessage[]>([]);
  readonly #failed = signal<readonly QueuedMessage[]>([]);
  readonly #unsent = signal<readonly UnsentMessage[]>([]);
  readonly #isForbidden = signal(false);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #resendTimer: ReturnType<typeof setTimeout> | undefined;
  #looks = 0;

  /** `pending` and `sending`, in order. */
  readonly waiting: ReadonlySignal<readonly QueuedMessage[]> = this.#waiting;
  /** Those that the agent did not take. */
  readonly failed: ReadonlySignal<readonly QueuedMessage[]> = this.#failed;
  readonly unsent: ReadonlySignal<readonly UnsentMessage[]> = this.#unsent;
  /** The server has said that this person may only look on. */
  readonly isForbidden: ReadonlySignal<boolean> = this.#isForbidden;

  constructor(session: Session, kept: KeptText) {
    this.#session = session;
    this.#kept = kept;
  }

  /** Looks at the queue, and sends what an earlier page could not. */
  start(): void {
    this.#unsent.value = this.#kept
      .outgoing(this.#session.id)
      .map((message) => ({ ...message, error: undefined, isSending: false }));
    void this.#sendAll();
    void this.look();
  }

  close(): void {
    this.#life.abort();
    clearTimeout(this.#timer);
    clearTimeout(this.#resendTimer);
  }

  /** Something happened that may have changed the queue. */
  lookSoon(): void {
    if (this.#life.signal.aborted) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.look(), LOOK_AFTER_NEWS_MS);
  }

  /** The server can be reached again. */
  reconnected(): void {
    void this.#sendAll();
    this.lookSoon();
  }

  /** Leaves a message for the agent; it stays among `unsent` until the server has it. */
  async send(content: string): Promise<void> {
    const last = this.#unsent.value.at(-1)?.at ?? 0;
    const message = { key: randomId(), content, at: Math.max(Date.now(), last + 1) };
    this.#kept.addOutgoing(this.#session.id, message);
    this.#unsent.value = [...this.#unsent.value, { ...message, error: undefined, isSending: false }];
    // Those before it come first.
    await this.#sendAll();
  }

  async retry(key: string): Promise<void> {
    this.#update(key, { isSending: true });
    await this.#sendAll();
  }

  /** Takes an unsent message away. @returns its text */
  withdraw(key: string): string {
    const content = this.#unsent.value.find((message) => message.key === key)?.content ?? '';
    this.#drop(key);
    return content;
  }

  /** @throws ApiError of kind `conflict` when it does not wait any more */
  async edit(id: string, content: string): Promise<void> {
    try {
      await this.#session.conversation.edit(id, content);
    } finally {
      this.lookSoon();
    }
  }

  /** @throws ApiError of kind `conflict` when it does not wait any more */
  async cancel(id: string): Promise<void> {
    try {
      await this.#session.conversation.cancel(id);
    } finally {
      this.lookSoon();
    }
  }

  /** Leaves a failed message once more. */
  async resend(message: QueuedMessage): Promise<void> {
    this.dismiss(message);
    await this.send(message.content);
  }

  /** Puts a failed message away. */
  dismiss({ id }: QueuedMessage): void {
    this.#kept.saveDismissed(this.#session.id, id);
    this.#failed.value = this.#failed.value.filter((message) => message.id !== id);
  }

  /**
   * Resolves when no message is just being typed into the agent: keys that come in between would be lost, or would do
   * something else than they should.
   */
  async untilTyped(): Promise<void> {
    const end = Date.now() + MAX_TYPING_MS;
    for (;;) {
      await this.look();
      const isTyping = this.#waiting.value.some(({ state }) => state === 'sending');
      if (!isTyping || this.#life.signal.aborted || Date.now() > end) return;
      await new Promise((resolve) => setTimeout(resolve, TYPING_LOOK_MS));
    }
  }

  /** Asks the server. */
  async look(): Promise<void> {
    clearTimeout(this.#timer);
    this.#looks += 1;
    const look = this.#looks;
    const { conversation } = this.#session;
    const { signal } = this.#life;
    try {
      // In this order: a message that moves on meanwhile is seen twice rather than not at all.
      const [pending, sending, failed] = await Promise.all([
        conversation.queued({ state: 'pending', limit: 500, signal }),
        conversation.queued({ state: 'sending', limit: 500, signal }),
        conversation.queued({ state: 'failed', limit: 500, signal }),
      ]);
      if (look !== this.#looks) return;
      const all = new Map([...pending.messages, ...sending.messages].map((each) => [each.id, each]));
      this.#waiting.value = [...all.values()].sort((a, b) => a.position - b.position);
      const dismissed = this.#kept.dismissed(this.#session.id);
      this.#failed.value = failed.messages.filter(({ id }) => !dismissed.has(id));
    } catch {
      // The next look shows it; while the server is away the conversation says so.
    }
    if (signal.aborted || this.#waiting.value.length === 0) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.look(), LOOK_MS);
  }

  #sending: Promise<void> | undefined;

  /** One after the other, in the order in which they were written; those that the server refuses are left out. */
  async #sendAll(): Promise<void> {
    // One more round for what was added while the last one came to its end.
    await this.#sending;
    this.#sending ??= this.#sendInOrder().finally(() => {
      this.#sending = undefined;
    });
    await this.#sending;
  }

  async #sendInOrder(): Promise<void> {
    clearTimeout(this.#resendTimer);
    for (;;) {
      const next = this.#unsent.value.find(isToBeSent);
      if (next === undefined || this.#life.signal.aborted) return;
      // Another tab has taken it over, and sent it or given it back.
      if (!this.#kept.isOutgoing(this.#session.id, next.key)) {
        this.#drop(next.key);
        continue;
      }
      // What was wrong stays in view until it is known that it is not any more.
      this.#update(next.key, { isSending: true });
      try {
        const { conversation } = this.#session;
        const queued = await conversation.queue(next.content, { idempotencyKey: next.key });
        if (queued.state === 'pending' || queued.state === 'sending') {
          this.#waiting.value = [...this.#waiting.value.filter(({ id }) => id !== queued.id), queued];
        }
        this.#drop(next.key);
        this.lookSoon();
      } catch (error) {
        this.#update(next.key, { error, isSending: false });
        if (error instanceof ApiError && error.code === 'shared_for_reading') this.#isForbidden.value = true;
        // What is wrong with one message need not be wrong with the next; but a server that is away is so for all.
        if (!isPassing(error)) continue;
        for (const { key, ...each } of this.#unsent.value)
          if (each.error === undefined || each.isSending) this.#update(key, { error, isSending: false });
        if (!this.#life.signal.aborted) this.#resendTimer = setTimeout(() => void this.#sendAll(), RESEND_MS);
        return;
      }
    }
  }

  #update(key: string, change: Partial<Pick<UnsentMessage, 'error' | 'isSending'>>): void {
    this.#unsent.value = this.#unsent.value.map((message) =>
      message.key === key ? { ...message, ...change } : message,
    );
  }

  /** It is not on its way any more. */
  #drop(key: string): void {
    this.#kept.removeOutgoing(this.#session.id, key);
    this.#unsent.value = this.#unsent.value.filter((message) => message.key !== key);
  }
}

/** What the server has refused waits until somebody wants to try again. */
function isToBeSent({ error, isSending }: UnsentMessage): boolean {
  return isSending || error === undefined || isPassing(error);
}

/** Whether sending again later may help without anybody doing something. */
function isPassing(error: unknown): boolean {
  return !(error instanceof ApiError) || error.kind === 'unavailable';
}
