import { setTimeout as pause } from 'node:timers/promises';
import type { AgentClient } from '../agents/agent-client.ts';

/** First and longest pause after an agent that reported `stable` refused the message as busy. */
const BUSY_PAUSE_MS = { first: 100, longest: 2_000 } as const;
/** Pause before an agent server that did not tell its history is asked again. */
const HISTORY_PAUSE_MS = 250;

/** Why a message has failed that nobody can look for any more. */
export const LOST_MESSAGE =
  'The session ended while the message was being sent; whether it arrived is not known';

/** A message that will not be delivered; `message` is the reason, for the session's owner. */
export class DeliveryError extends Error {
  override readonly name = 'DeliveryError';
}

export interface Delivery {
  readonly client: AgentClient;
  readonly text: string;
  /** Somebody may have sent it already, and was interrupted. */
  readonly mayHaveArrived: boolean;
  /** How many messages with this text were in the history before that. */
  readonly alikeBefore: number;
  /**
   * Called before each attempt, with how many messages with this text the history holds; once it has returned `true`,
   * the message may have arrived. `false` = it is not to be sent any more.
   */
  readonly onSending: (alikeBefore: number) => Promise<boolean>;
  /** Called when an attempt is known to have come to nothing. */
  readonly onNotSent: () => Promise<void>;
  /** Ends the waiting for the agent, but not a message that is under way. */
  readonly waiting: AbortSignal;
  /** Ends a message that is under way; `waiting` aborts with it. */
  readonly signal: AbortSignal;
}

/**
 * Delivers a message: waits until the agent is ready, sends, and waits again when the agent turned busy in between.
 * Once a message may have been typed it is never sent again (PX-108, PX-109).
 * @returns `withdrawn` when it was not to be sent any more.
 * @throws DeliveryError when it was not delivered or that cannot be known; the abort reason when one of the signals aborts.
 */
export async function deliverMessage(delivery: Delivery): Promise<'delivered' | 'withdrawn'> {
  const { client, text, alikeBefore, waiting, signal } = delivery;
  if (delivery.mayHaveArrived) {
    if ((await countInHistory(client, text, waiting)) > alikeBefore) return 'delivered';
    // While it is being typed the agent is not stable, and afterwards it is in the history.
    await client.untilStable(waiting);
    if ((await countInHistory(client, text, waiting)) > alikeBefore) return 'delivered';
    await delivery.onNotSent();
  }
  let pauseMs: number = BUSY_PAUSE_MS.first;
  for (;;) {
    await client.untilStable(waiting);
    const alike = await countInHistory(client, text, waiting);
    if (!(await delivery.onSending(alike))) return 'withdrawn';
    const outcome = await client.send(text, signal);
    switch (outcome.kind) {
      case 'sent':
        return 'delivered';
      case 'busy':
        await delivery.onNotSent();
        await pause(pauseMs, undefined, { signal: waiting });
        pauseMs = Math.min(pauseMs * 2, BUSY_PAUSE_MS.longest);
        break;
      case 'refused':
        throw new DeliveryError(`The agent server refused the message: ${outcome.reason}`);
      case 'unknown':
        if ((await countInHistoryNow(client, text, signal)) > alike) return 'delivered';
        throw new DeliveryError(
          `The connection to the agent server broke while the message was being sent (${outcome.reason}); it was not sent again`,
        );
    }
  }
}

/** Asks until there is an answer. */
async function countInHistory(client: AgentClient, text: string, signal: AbortSignal): Promise<number> {
  for (;;) {
    try {
      return countAlike(await client.userMessages(signal), text);
    } catch {
      await pause(HISTORY_PAUSE_MS, undefined, { signal });
    }
  }
}

async function countInHistoryNow(client: AgentClient, text: string, signal: AbortSignal): Promise<number> {
  try {
    return countAlike(await client.userMessages(signal), text);
  } catch {
    signal.throwIfAborted();
    return 0;
  }
}

/** Agent servers change white space and leave out control characters before they type a message. */
function countAlike(messages: readonly string[], text: string): number {
  const plain = (message: string): string => message.replaceAll(/[\s\p{Cc}]+/gu, '');
  const wanted = plain(text);
  return messages.filter((message) => plain(message) === wanted).length;
}
