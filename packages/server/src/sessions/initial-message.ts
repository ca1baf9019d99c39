import { setTimeout as pause } from 'node:timers/promises';
import type { AgentClient } from '../agents/agent-client.ts';

/** First and longest pause after an agent that reported `stable` refused the message as busy. */
const BUSY_PAUSE_MS = { first: 100, longest: 2_000 } as const;

/** A message that will not be delivered; `message` is the reason, for the session's owner. */
export class DeliveryError extends Error {
  override readonly name = 'DeliveryError';
}

/**
 * Delivers the first message of a session: waits until the agent is ready, sends, and waits again
 * when the agent turned busy in between. Once a message may have been typed it is never sent again
 * (PX-108, PX-109).
 * @throws DeliveryError when it was not delivered or that cannot be known; the abort reason when `signal` aborts.
 */
export async function deliverInitialMessage(
  client: AgentClient,
  text: string,
  signal: AbortSignal,
): Promise<void> {
  let pauseMs: number = BUSY_PAUSE_MS.first;
  for (;;) {
    await client.untilStable(signal);
    const outcome = await client.send(text, signal);
    switch (outcome.kind) {
      case 'sent':
        return;
      case 'busy':
        await pause(pauseMs, undefined, { signal });
        pauseMs = Math.min(pauseMs * 2, BUSY_PAUSE_MS.longest);
        break;
      case 'refused':
        throw new DeliveryError(`The agent server refused the message: ${outcome.reason}`);
      case 'unknown':
        if (await isInHistory(client, text, signal)) return;
        throw new DeliveryError(
          `The connection to the agent server broke while the message was being sent (${outcome.reason}); it was not sent again`,
        );
    }
  }
}

async function isInHistory(client: AgentClient, text: string, signal: AbortSignal): Promise<boolean> {
  try {
    return (await client.userMessages(signal)).includes(text);
  } catch {
    signal.throwIfAborted();
    return false;
  }
}
