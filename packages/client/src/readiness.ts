import { Deadline, sleep } from './deadline.ts';
import { ApiError } from './errors.ts';
import { observe, type Conversation, type Observation } from './observe.ts';
import type { InitialMessage } from './schemas.ts';
import type { CallOptions } from './transport.ts';

/** Cloning a large repository and a slow agent's start fit in; a session that needs longer has a problem. */
const READY_TIMEOUT_MS = 120_000;

/** The record of the initial message is not part of any event stream. */
const INITIAL_MESSAGE_POLL_MS = 500;

/** Some ticks of an agent server: after that its status tells of the message just delivered. */
const STATUS_SETTLE_MS = 250;

/** Resolves when the agent waits for input and the message given at the start, if any, has been dealt with. */
export async function waitUntilReady(conversation: Conversation, options: CallOptions): Promise<void> {
  const { timeoutMs = READY_TIMEOUT_MS } = options;
  const deadline = new Deadline(`Session ${conversation.id}: the agent's start`, timeoutMs, options.signal);
  try {
    for await (const observation of observe(conversation, deadline.signal)) {
      if (await isReady(conversation, observation, deadline.signal)) return;
    }
  } finally {
    deadline.close();
  }
}

/** Whether a message sent now is the next thing the agent works on. May wait for the initial message. */
export async function isReady(
  conversation: Conversation,
  observation: Observation,
  signal: AbortSignal,
): Promise<boolean> {
  if (observation.status !== 'stable') return false;
  let initial = await initialMessage(conversation, signal);
  if (initial === undefined) return true;
  if (initial.state === 'pending') {
    while (initial?.state === 'pending') {
      await sleep(INITIAL_MESSAGE_POLL_MS, signal);
      initial = await initialMessage(conversation, signal);
    }
    await sleep(STATUS_SETTLE_MS, signal);
  }
  // The observation may be older than the delivery.
  const { status } = await conversation.status({ signal });
  return status === 'stable';
}

async function initialMessage(
  conversation: Conversation,
  signal: AbortSignal,
): Promise<InitialMessage | undefined> {
  try {
    return (await conversation.details({ signal })).initial_message;
  } catch (error) {
    // Servers of the first generation have no such route.
    if (error instanceof ApiError && (error.status === 404 || error.status === 405)) return undefined;
    throw error;
  }
}
