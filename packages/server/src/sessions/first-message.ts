import { AgentClient } from '../agents/agent-client.ts';
import type { Log } from '../log.ts';
import { StoreError } from '../store/store-error.ts';
import { deliverMessage, DeliveryError, LOST_MESSAGE } from './message-delivery.ts';
import type { SessionObserver } from './observer.ts';
import type { SessionRecords } from './records.ts';
import type { Session } from './session.ts';

export interface FirstMessageContext {
  readonly records: SessionRecords;
  readonly messageTimeoutMs: number;
  readonly observer: SessionObserver;
  readonly log: Log;
}

/** The server goes away, not the session: what is not finished is taken up by the next start. */
export class LeavingError extends Error {
  override readonly name = 'LeavingError';
}

/**
 * Delivers the first message of a running session and records every step; never rejects.
 * @param text - the message.
 * @param leave - aborts when the server goes away; a message that is under way is still waited for.
 * @param ended - aborts when the session ends, or with a {@link LeavingError} when the server cannot wait any longer.
 */
export async function deliverFirstMessage(
  context: FirstMessageContext,
  session: Session,
  text: string,
  leave: AbortSignal,
  ended: AbortSignal,
): Promise<void> {
  const { endpoint } = session;
  if (endpoint === null || leave.aborted || ended.aborted) return;
  const { records, messageTimeoutMs, observer, log } = context;
  const { facts } = session;
  const startedAt = performance.now();
  const waiting = new AbortController();
  const stopWaiting = (): void => waiting.abort();
  leave.addEventListener('abort', stopWaiting);
  ended.addEventListener('abort', stopWaiting);
  const timer = setTimeout(stopWaiting, messageTimeoutMs);
  try {
    await observer.step('first message', facts, async () =>
      deliverMessage({
        client: new AgentClient(endpoint),
        text,
        mayHaveArrived: session.initialMessage?.state === 'sending',
        // Nobody could speak before it.
        alikeBefore: 0,
        onSending: async () => {
          await records.sending(session);
          return true;
        },
        onNotSent: async () => {
          records.message(session, { state: 'pending' });
          return Promise.resolve();
        },
        waiting: waiting.signal,
        signal: ended,
      }),
    );
    records.message(session, { state: 'delivered', at: new Date() });
    observer.messageSettled(facts, 'delivered', performance.now() - startedAt);
    log.info({ sessionId: session.id }, 'first message delivered');
  } catch (error) {
    // Whoever was to receive it is gone with the session, and took the answer along.
    const isLost = session.ended.aborted && session.initialMessage?.state === 'sending';
    if (!isLost && (leave.aborted || ended.reason instanceof LeavingError)) return;
    const reason =
      isLost && !(error instanceof DeliveryError)
        ? LOST_MESSAGE
        : reasonOf(error, ended.aborted, waiting.signal.aborted, messageTimeoutMs);
    records.message(session, { state: 'failed', at: new Date(), reason });
    observer.messageSettled(facts, 'failed', performance.now() - startedAt);
    if (!ended.aborted) log.warn({ sessionId: session.id, reason }, 'first message not delivered');
  } finally {
    clearTimeout(timer);
    leave.removeEventListener('abort', stopWaiting);
    ended.removeEventListener('abort', stopWaiting);
  }
}

function reasonOf(error: unknown, hasEnded: boolean, isLate: boolean, timeoutMs: number): string {
  if (error instanceof DeliveryError) return error.message;
  if (error instanceof StoreError) {
    return 'The server could not record that it was about to send the message, and did not send it';
  }
  if (hasEnded) return 'The session ended before the agent was ready for the message';
  if (isLate) return `The agent was not ready for the message within ${timeoutMs / 1000} s`;
  return `The message could not be delivered: ${error instanceof Error ? error.message : String(error)}`;
}
