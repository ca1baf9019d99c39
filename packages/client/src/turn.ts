import { Deadline } from './deadline.ts';
import { ApiError } from './errors.ts';
import { observe, type Conversation } from './observe.ts';
import { isReady } from './readiness.ts';
import type { Message } from './schemas.ts';
import type { CallOptions } from './transport.ts';

/** A message and what the agent answered to it. */
export interface Turn {
  /** The message as it stands in the conversation. */
  readonly sent: Message;
  /** The agent's messages of this turn, in order; none if it came to rest without a word. */
  readonly replies: readonly Message[];
  /** The texts of all replies, separated by an empty line. */
  readonly text: string;
}

/** Agents work for minutes; one that takes longer is better followed by its events. */
const TURN_TIMEOUT_MS = 600_000;

/** An agent that rests this long after our message without any reply will not give one. */
const NO_REPLY_MS = 5_000;

/**
 * Sends as soon as the agent waits for input and resolves with its answer. A `stable` from before our message
 * stood in the history says nothing about the answer; only one reported after it ends the turn.
 */
export async function sendAndWait(
  conversation: Conversation,
  content: string,
  options: CallOptions,
): Promise<Turn> {
  const { timeoutMs = TURN_TIMEOUT_MS } = options;
  const deadline = new Deadline(`Session ${conversation.id}: the agent's answer`, timeoutMs, options.signal);
  const signal = deadline.signal;
  const noReply = new Error('The agent rests without a reply');
  let noReplyTimer: ReturnType<typeof setTimeout> | undefined;
  let sentAfter: number | undefined;
  let own: { readonly message: Message; readonly statusReports: number } | undefined;
  try {
    for await (const now of observe(conversation, signal)) {
      if (sentAfter === undefined) {
        if (!(await isReady(conversation, now, signal))) continue;
        // Read anew: while that waited, a turn may have passed of which this observation knows nothing yet.
        const before = await conversation.messages({ signal });
        if (await trySend(conversation, content, signal)) sentAfter = newestOf(before);
        continue;
      }
      const message = findOwn(now.messages.values(), sentAfter, content);
      if (message === undefined) continue;
      if (own?.message.id !== message.id) own = { message, statusReports: now.statusReports };
      if (now.status !== 'stable' || now.statusReports <= own.statusReports) {
        clearTimeout(noReplyTimer);
        noReplyTimer = undefined;
        continue;
      }
      // Read once more: events of the same moment may still be on their way.
      const replies = repliesTo(message, await conversation.messages({ signal }));
      if (replies.some((reply) => reply.content.trim() !== '')) return turnOf(message, replies);
      noReplyTimer ??= setTimeout(() => deadline.abort(noReply), NO_REPLY_MS);
    }
    throw new Error('unreachable: observing ends by rejection only');
  } catch (error) {
    if (error === noReply && own !== undefined) return turnOf(own.message, []);
    throw error;
  } finally {
    clearTimeout(noReplyTimer);
    deadline.close();
  }
}

/** False when the agent turned busy in the meantime; the message was refused then, so it may be sent again. */
async function trySend(conversation: Conversation, content: string, signal: AbortSignal): Promise<boolean> {
  try {
    await conversation.send(content, { signal });
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.kind === 'agent_busy') return false;
    throw error;
  }
}

function newestOf(messages: readonly Message[]): number {
  return Math.max(-1, ...messages.map(({ id }) => id));
}

/** Our message by its text; if the server changed the text, the newest one since we sent. */
function findOwn(messages: Iterable<Message>, after: number, content: string): Message | undefined {
  const added = [...messages].filter(({ id, role }) => role === 'user' && id > after);
  const text = normalised(content);
  return added.find((message) => normalised(message.content) === text) ?? added.at(-1);
}

function repliesTo(sent: Message, messages: readonly Message[]): readonly Message[] {
  const later = messages.filter(({ id }) => id > sent.id);
  const nextTurn = later.findIndex(({ role }) => role === 'user');
  return nextTurn < 0 ? later : later.slice(0, nextTurn);
}

function turnOf(sent: Message, replies: readonly Message[]): Turn {
  return { sent, replies, text: replies.map(({ content }) => content).join('\n\n') };
}

// Servers trim, and terminals have their own line ends.
function normalised(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}
