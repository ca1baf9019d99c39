import { setTimeout as pause } from 'node:timers/promises';
import { AgentClient } from '../agents/agent-client.ts';
import type { Log } from '../log.ts';
import { deliverMessage, DeliveryError, LOST_MESSAGE } from '../sessions/message-delivery.ts';
import type { Session } from '../sessions/session.ts';
import type { QueuedMessage, QueueState, QueueTable } from '../store/queue.ts';
import { StoreError } from '../store/store-error.ts';
import type { QueueObserver } from './observer.ts';

/** Before a store that did not answer is asked again. */
const STORE_RETRY_MS = 1_000;
/** At the end of the server a message that is under way gets this long. */
const LET_GO_MS = 5_000;

export interface QueueWorkerOptions {
  readonly session: Session;
  readonly queue: QueueTable;
  readonly observer: QueueObserver | undefined;
  /** Told when a message does not wait any more. */
  readonly onSettled: () => void;
  readonly log: Log;
}

/** Delivers the messages of one session while it lives. */
export class QueueWorker {
  /** Resolves when it delivers nothing any more; never rejects. */
  readonly over: Promise<void>;
  readonly #options: QueueWorkerOptions;
  /** Ends waiting, but not a message that is under way. */
  readonly #waiting = new AbortController();
  /** Ends a message that is under way. */
  readonly #sending = new AbortController();
  #isLeaving = false;
  #wakers: (() => void)[] = [];
  #isAwake = false;

  constructor(options: QueueWorkerOptions) {
    this.#options = options;
    this.over = this.#work().catch((err: unknown) =>
      options.log.error({ err, sessionId: options.session.id }, 'messages are not delivered any more'),
    );
  }

  /** Something has changed in the queue. */
  wake(): void {
    this.#isAwake = true;
    for (const waker of this.#wakers.splice(0)) waker();
  }

  /** The server goes away: nothing new is sent. */
  leave(): void {
    this.#isLeaving = true;
    this.#waiting.abort();
    this.wake();
    const late = setTimeout(() => this.#sending.abort(), LET_GO_MS);
    void this.over.then(() => clearTimeout(late));
  }

  async #work(): Promise<void> {
    const { session } = this.#options;
    const unwatch = session.watch(() => this.wake());
    const onEnd = (): void => {
      this.#waiting.abort();
      this.#sending.abort();
      this.wake();
    };
    session.ended.addEventListener('abort', onEnd);
    if (session.ended.aborted) onEnd();
    try {
      while (!this.#waiting.signal.aborted) {
        this.#isAwake = false;
        if (!this.#isReady() || !(await this.#deliverNext())) await this.#untilWoken();
      }
    } finally {
      unwatch();
      session.ended.removeEventListener('abort', onEnd);
    }
  }

  #isReady(): boolean {
    const { state, firstMessageWaits, endpoint } = this.#options.session;
    return state === 'running' && endpoint !== null && !firstMessageWaits;
  }

  /** @returns whether there may be another one. */
  async #deliverNext(): Promise<boolean> {
    const { session, queue, log } = this.#options;
    try {
      const message = await queue.next(session.id);
      if (message === null) return false;
      await this.#deliver(message);
    } catch (err) {
      if (this.#waiting.signal.aborted) return false;
      if (!(err instanceof StoreError)) throw err;
      log.warn({ err, sessionId: session.id }, 'messages wait for the store');
      await pause(STORE_RETRY_MS, undefined, { signal: this.#waiting.signal }).catch(() => undefined);
    }
    return true;
  }

  async #deliver(message: QueuedMessage): Promise<void> {
    const { session, queue, log } = this.#options;
    const { endpoint } = session;
    const { id, content } = message;
    if (endpoint === null) return;
    if (message.state === 'sending' && beganAfter(session, message.updatedAt)) {
      // Whoever was to receive it is gone, and took the answer along.
      await this.#settle(message, ['sending'], 'failed', LOST_MESSAGE);
      return;
    }
    try {
      const outcome = await deliverMessage({
        client: new AgentClient(endpoint),
        text: content,
        mayHaveArrived: message.state === 'sending',
        alikeBefore: message.alikeBefore ?? 0,
        onSending: async (alike) => queue.markSending(id, content, alike, new Date()),
        onNotSent: async () => void (await queue.mark(id, ['sending'], 'pending', new Date())),
        waiting: this.#waiting.signal,
        signal: this.#sending.signal,
      });
      if (outcome === 'withdrawn') return;
      await this.#settle(message, ['sending'], 'delivered');
      log.info({ sessionId: session.id, messageId: id }, 'queued message delivered');
    } catch (error) {
      if (this.#isLeaving || error instanceof StoreError) throw error;
      const isOver = session.ended.aborted;
      // One that was only waiting goes on waiting, for the session to be resumed.
      const reason = error instanceof DeliveryError ? error.message : LOST_MESSAGE;
      if (isOver || error instanceof DeliveryError) {
        const wasSending = (await queue.get(session.id, id))?.state === 'sending';
        if (wasSending || !isOver) await this.#settle(message, ['pending', 'sending'], 'failed', reason);
        log.warn({ sessionId: session.id, messageId: id, reason }, 'queued message not delivered');
        return;
      }
      throw error;
    }
  }

  async #settle(
    { id, createdAt }: QueuedMessage,
    from: readonly QueueState[],
    outcome: 'delivered' | 'failed',
    reason: string | null = null,
  ): Promise<void> {
    const { queue, observer, onSettled } = this.#options;
    const now = new Date();
    if (!(await queue.mark(id, from, outcome, now, reason))) return;
    observer?.settled(outcome, now.getTime() - createdAt.getTime());
    onSettled();
  }

  async #untilWoken(): Promise<void> {
    if (this.#isAwake || this.#waiting.signal.aborted) return;
    await new Promise<void>((resolve) => this.#wakers.push(resolve));
  }
}

/** Whether the present life of a session has begun after a moment. */
function beganAfter({ history }: Session, moment: Date): boolean {
  const began = history.findLast(({ state }) => state === 'creating');
  return began !== undefined && began.at > moment;
}
