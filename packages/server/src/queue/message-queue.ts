import { randomUUID } from 'node:crypto';
import type { Principal } from '../auth/principal.ts';
import { AppError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { SessionFollower } from '../sessions/follower.ts';
import { isLive } from '../sessions/session.ts';
import type { Session, SessionView } from '../sessions/session.ts';
import type { QueuedMessage, QueueState } from '../store/queue.ts';
import type { Store } from '../store/store.ts';
import type { QueueFigures, QueueObserver } from './observer.ts';
import { QueueWorker } from './queue-worker.ts';

/** A client that finds the queue full may try again when the agent has taken something. */
const RETRY_SECONDS = 10;

export interface MessageQueueOptions {
  readonly store: Store;
  /** Identity of the data folder; messages to sessions of others would wait here for ever. */
  readonly instanceId: string;
  /** Most messages that wait for one session. */
  readonly mostWaiting: number;
  readonly observer?: QueueObserver | undefined;
  readonly log: Log;
}

/** Messages that wait for their agents: kept in the store, delivered in order, each of them once. */
export class MessageQueue implements SessionFollower, AsyncDisposable {
  readonly #options: MessageQueueOptions;
  readonly #workers = new Map<string, QueueWorker>();
  readonly #working = new Set<Promise<void>>();
  readonly #listeners = new Set<(sessionId: string) => void>();

  constructor(options: MessageQueueOptions) {
    this.#options = options;
  }

  onLife(session: Session): void {
    const { store, observer, log } = this.#options;
    const onSettled = (): void => this.#tellSettled(session.id);
    const worker = new QueueWorker({ session, queue: store.queue, observer, onSettled, log });
    this.#workers.set(session.id, worker);
    const work = worker.over.finally(() => {
      this.#working.delete(work);
      if (this.#workers.get(session.id) === worker) this.#workers.delete(session.id);
    });
    this.#working.add(work);
  }

  onDeleted(id: string): void {
    this.#workers.get(id)?.wake();
  }

  /**
   * Puts a message at the end of a session's queue.
   * @param idempotencyKey - the caller's name for this request: a second one with it gets the same message.
   * @throws AppError `session_ended`, `session_elsewhere`, `queue_full`, `idempotency_key_reused`, `session_not_found`;
   * StoreError.
   */
  async add(
    session: SessionView,
    creator: Principal,
    content: string,
    idempotencyKey: string | null,
  ): Promise<{ readonly message: QueuedMessage; readonly isNew: boolean }> {
    const { store, instanceId, mostWaiting, observer } = this.#options;
    if (!isLive(session.state) || session.state === 'stopping') throw new AppError('session_ended');
    const { id: sessionId } = session.facts;
    if (!this.#workers.has(sessionId)) {
      const record = await store.sessions.get(sessionId);
      if (record !== null && record.instanceId !== instanceId) throw new AppError('session_elsewhere');
    }
    const message = {
      id: randomUUID(),
      sessionId,
      content,
      createdBy: creator.userId,
      createdAt: new Date(),
      idempotencyKey,
    };
    const result = await store.queue.add(message, mostWaiting);
    switch (result.kind) {
      case 'missing':
        throw new AppError('session_not_found');
      case 'full':
        throw new AppError('queue_full', {
          message: `At most ${mostWaiting} messages may wait for the agent (limits.queued_messages)`,
          retryAfterSeconds: RETRY_SECONDS,
        });
      case 'known':
        if (result.message.content !== content) throw new AppError('idempotency_key_reused');
        return { message: result.message, isNew: false };
      case 'added':
        observer?.queued();
        this.#workers.get(sessionId)?.wake();
        return { message: result.message, isNew: true };
    }
  }

  /** Messages of a session after the position `after`, in order. @throws StoreError */
  async list(
    sessionId: string,
    after: number,
    limit: number,
    states?: readonly QueueState[],
  ): Promise<readonly QueuedMessage[]> {
    return this.#options.store.queue.list(sessionId, after, limit, states);
  }

  /** Whether a message of the session waits, or is under way. @throws StoreError */
  async isWaiting(sessionId: string): Promise<boolean> {
    return (await this.#options.store.queue.next(sessionId)) !== null;
  }

  /** Calls `listener` with the session of every message that does not wait any more; returns how to end it. */
  listen(listener: (sessionId: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** @throws AppError `queued_message_not_found`; StoreError. */
  async get(sessionId: string, id: string): Promise<QueuedMessage> {
    const message = await this.#options.store.queue.get(sessionId, id);
    if (message === null) throw new AppError('queued_message_not_found');
    return message;
  }

  /** Changes the text of a message that waits. @throws AppError `message_not_pending`, `queued_message_not_found` */
  async edit(sessionId: string, id: string, content: string): Promise<QueuedMessage> {
    await this.get(sessionId, id);
    if (!(await this.#options.store.queue.edit(id, content, new Date())))
      throw new AppError('message_not_pending');
    return this.get(sessionId, id);
  }

  /** Takes a message back that waits. @throws AppError `message_not_pending`, `queued_message_not_found` */
  async cancel(sessionId: string, id: string): Promise<QueuedMessage> {
    const { state, createdAt } = await this.get(sessionId, id);
    const { store, observer } = this.#options;
    if (state !== 'cancelled') {
      const isCancelled = await store.queue.mark(id, ['pending'], 'cancelled', new Date());
      if (!isCancelled) throw new AppError('message_not_pending');
      observer?.settled('cancelled', Date.now() - createdAt.getTime());
      this.#tellSettled(sessionId);
    }
    this.#workers.get(sessionId)?.wake();
    return this.get(sessionId, id);
  }

  /** What waits for sessions that live. @throws StoreError */
  async figures(): Promise<QueueFigures> {
    return this.#options.store.queue.countWaiting([...this.#workers.keys()]);
  }

  /** Stops delivering; what is under way is waited for a moment, the rest is for the next server. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const worker of this.#workers.values()) worker.leave();
    await Promise.all(this.#working);
  }

  #tellSettled(sessionId: string): void {
    for (const listener of this.#listeners) listener(sessionId);
  }
}
