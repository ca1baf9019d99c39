import type { AgentEvent } from './agent-event.ts';
import { isSessionUnknown } from './api-error.ts';
import { Deadline, sleep } from './deadline.ts';
import { ApiError, InvalidResponseError } from './errors.ts';
import type { AgentStatus, AgentStatusReport, Message, SessionDetails } from './schemas.ts';
import { transientCause } from './session-end.ts';
import type { CallOptions } from './transport.ts';

/** What waiting for a conversation needs of its session. */
export interface Conversation {
  readonly id: string;
  events(options: { readonly signal: AbortSignal }): AsyncIterable<AgentEvent>;
  status(options: CallOptions): Promise<AgentStatusReport>;
  messages(options: CallOptions): Promise<readonly Message[]>;
  send(content: string, options: CallOptions): Promise<void>;
  details(options: CallOptions): Promise<SessionDetails>;
}

/** The conversation as known after the latest news. */
export interface Observation {
  /** `undefined` until it was reported for the first time. */
  readonly status: AgentStatus | undefined;
  /** How often the status was reported so far: tells a status reported later from one still standing. */
  readonly statusReports: number;
  readonly messages: ReadonlyMap<number, Message>;
}

/**
 * An agent server replays its conversation at once, so a stream that says nothing for this long is held back:
 * by a proxy in between that collects answers, or because the session is still starting.
 */
const SILENT_STREAM_MS = 10_000;

const POLL_INTERVAL_MS = 1_000;

/** Follows a conversation by its events, or by polling where no events come through. Ends by rejection only. */
export async function* observe(
  conversation: Conversation,
  signal: AbortSignal,
): AsyncGenerator<Observation, void, undefined> {
  const messages = new Map<number, Message>();
  let statusReports = 0;
  let status: AgentStatus | undefined;
  const stream = new Deadline('The event stream', Infinity, signal);
  const silent = new InvalidResponseError(`Session ${conversation.id}: the event stream stays silent`);
  const silence = setTimeout(() => stream.abort(silent), SILENT_STREAM_MS);
  try {
    for await (const event of conversation.events({ signal: stream.signal })) {
      clearTimeout(silence);
      if (event.kind === 'message_update') {
        messages.set(event.message.id, event.message);
      } else if (event.kind === 'status_change') {
        status = event.status;
        statusReports += 1;
      } else {
        continue;
      }
      yield { status, statusReports, messages };
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (!isStreamUnusable(error)) throw error;
  } finally {
    clearTimeout(silence);
    stream.close();
  }
  yield* poll(conversation, statusReports, signal);
}

async function* poll(
  conversation: Conversation,
  reportsBefore: number,
  signal: AbortSignal,
): AsyncGenerator<Observation, void, undefined> {
  const record = {
    sessionId: conversation.id,
    inspect: (signal: AbortSignal) => conversation.details({ signal }),
  };
  let statusReports = reportsBefore;
  for (;;) {
    try {
      // In this order: what is read after "stable" is complete.
      const { status } = await conversation.status({ signal });
      const messages = await conversation.messages({ signal });
      statusReports += 1;
      yield { status, statusReports, messages: new Map(messages.map((message) => [message.id, message])) };
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      await transientCause(record, error, statusReports > 0, signal);
    }
    await sleep(POLL_INTERVAL_MS, signal);
  }
}

function isStreamUnusable(error: unknown): boolean {
  if (error instanceof InvalidResponseError) return true;
  return error instanceof ApiError && [404, 405, 406, 501].includes(error.status) && !isSessionUnknown(error);
}
