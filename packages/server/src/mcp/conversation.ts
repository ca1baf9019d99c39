import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentEvent, AgentStatus, Message, Session } from '@agentapi-proxy/client';
import { z } from 'zod';

/** A conversation at one moment. */
export interface Snapshot {
  readonly status: AgentStatus;
  /** Oldest first. */
  readonly messages: readonly Message[];
}

/** What became of a wait for an answer. */
export interface Answer extends Snapshot {
  /** False: the time was up, and the agent still works. */
  readonly finished: boolean;
  /** What the agent has said since the last message of the user. */
  readonly replies: readonly Message[];
}

/** What has changed in a conversation. */
export interface Changes {
  readonly events: readonly (
    | { readonly kind: 'message_update'; readonly message: Message }
    | { readonly kind: 'status_change'; readonly status: AgentStatus }
  )[];
  /** Stands for the conversation as it is now. */
  readonly cursor: string;
}

/** Limits of a wait. */
export interface WaitOptions {
  readonly waitMs: number;
  /** Ends the wait; it then rejects with the reason. */
  readonly signal: AbortSignal;
}

/** An agent that rests this long after a message without any reply will not give one. */
const NO_REPLY_MS = 5_000;

/** How often a resting agent is looked at in that time. */
const REST_CHECK_MS = 500;

/** Reads status and messages, in this order: what is read after "stable" is complete. */
export async function readSnapshot(session: Session, signal: AbortSignal): Promise<Snapshot> {
  const { status } = await session.status({ signal });
  return { status, messages: await session.messages({ signal }) };
}

/**
 * Waits until the agent has answered the last message of the user and waits for input again.
 *
 * @throws SessionEndedError when the session ends before that
 */
export async function waitForAnswer(session: Session, options: WaitOptions): Promise<Answer> {
  const timeUp = AbortSignal.timeout(options.waitMs);
  const limit = AbortSignal.any([options.signal, timeUp]);
  let finished = true;
  try {
    await untilAnswered(session, limit);
  } catch (error) {
    if (options.signal.aborted || !timeUp.aborted) throw error;
    finished = false;
  }
  const now = await readSnapshot(session, options.signal);
  return { ...now, finished, replies: repliesIn(now.messages) };
}

async function untilAnswered(session: Session, signal: AbortSignal): Promise<void> {
  for (;;) {
    await session.waitUntilReady({ signal, timeoutMs: Infinity });
    if (await isAnswered(session, signal)) return;
  }
}

/** Looks at an agent that waits for input: right after a message it has not begun to work yet. */
async function isAnswered(session: Session, signal: AbortSignal): Promise<boolean> {
  for (let restedMs = 0; restedMs < NO_REPLY_MS; restedMs += REST_CHECK_MS) {
    const { status, messages } = await readSnapshot(session, signal);
    if (status !== 'stable') return false;
    if (repliesIn(messages).some(({ content }) => content.trim() !== '')) return true;
    await sleep(REST_CHECK_MS, undefined, { signal });
  }
  return true;
}

function repliesIn(messages: readonly Message[]): readonly Message[] {
  return messages.slice(messages.findLastIndex(({ role }) => role === 'user') + 1);
}

/** What a cursor knows of a conversation: its last message, a digest of it, and the status. */
const cursorSchema = z.tuple([z.int(), z.string(), z.enum(['stable', 'running']).nullable()]);
type Position = z.infer<typeof cursorSchema>;

const BEGINNING: Position = [-1, '', null];

/** Reads a cursor; `null` when it is none of ours. */
export function parseCursor(cursor: string): Position | null {
  try {
    const parsed = cursorSchema.safeParse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

/** What differs between a position and a conversation; without a position everything. */
export function changesSince(position: Position | undefined, { status, messages }: Snapshot): Changes {
  const [lastId, digest, lastStatus] = position ?? BEGINNING;
  const changed = messages.filter(
    (message) => message.id > lastId || (message.id === lastId && digestOf(message) !== digest),
  );
  const last = messages.at(-1);
  const now: Position = [last?.id ?? -1, last === undefined ? '' : digestOf(last), status];
  return {
    events: [
      ...changed.map((message) => ({ kind: 'message_update' as const, message })),
      ...(status === lastStatus ? [] : [{ kind: 'status_change' as const, status }]),
    ],
    cursor: Buffer.from(JSON.stringify(now)).toString('base64url'),
  };
}

/**
 * What has happened in a conversation since a position. Waits for something to happen when nothing has; an empty list
 * when nothing does in that time.
 */
export async function waitForChanges(
  session: Session,
  position: Position | undefined,
  options: WaitOptions,
): Promise<Changes> {
  const first = changesSince(position, await readSnapshot(session, options.signal));
  if (first.events.length > 0 || options.waitMs === 0) return first;
  const timeUp = Number.isFinite(options.waitMs) ? AbortSignal.timeout(options.waitMs) : undefined;
  const limit = timeUp === undefined ? options.signal : AbortSignal.any([options.signal, timeUp]);
  try {
    for await (const event of session.events({ signal: limit })) {
      if (!isNews(event, position ?? BEGINNING)) continue;
      const changes = changesSince(position, await readSnapshot(session, limit));
      if (changes.events.length > 0) return changes;
    }
  } catch (error) {
    if (options.signal.aborted || timeUp?.aborted !== true) throw error;
  }
  return first;
}

/** A stream begins with all that has been. */
function isNews(event: AgentEvent, [lastId, digest, lastStatus]: Position): boolean {
  if (event.kind === 'status_change') return event.status !== lastStatus;
  if (event.kind !== 'message_update') return false;
  const { message } = event;
  return message.id > lastId || (message.id === lastId && digestOf(message) !== digest);
}

function digestOf({ content }: Message): string {
  return createHash('sha256').update(content).digest('base64url').slice(0, 16);
}
