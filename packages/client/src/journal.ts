import { isTransient } from './api-error.ts';
import { backoffMs } from './backoff.ts';
import { Deadline, sleep } from './deadline.ts';
import { ApiError, ClientError, ConnectionError, TimeoutError } from './errors.ts';
import type { ReconnectNotice } from './events.ts';
import { readServerSentEvents, type ServerSentEvent } from './sse.ts';
import { connectionError, type Transport } from './transport.ts';

/** Something that happened in a session. */
export interface JournalEvent {
  /** Its place in the journal of the session; they count from 1. */
  readonly id: number;
  /** `message_update`, `status_change`, `agent_error`, `state_change`, or `journal_gap` for what is not kept any more. */
  readonly name: string;
  /** As it came. */
  readonly data: unknown;
}

/** What a viewer is told of the connections of a stream. */
export interface StreamOptions {
  /** Ends the stream; the iterator then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Called whenever a connection is there, before its first event. */
  readonly onConnect?: (() => void) | undefined;
  /** Called before each pause after a connection that was lost. */
  readonly onReconnect?: ((notice: ReconnectNotice) => void) | undefined;
}

/** Options of {@link followJournal}. */
export interface JournalOptions extends StreamOptions {
  /** The last event that is known; 0 (default) for everything that is kept. */
  readonly after?: number | undefined;
}

/** Several of the comments fit in that the server sends while nothing happens. */
const SILENCE_MS = 60_000;
const BACKOFF = { initialMs: 250, maxMs: 15_000 };
/** A server that was never reached is more likely misnamed than away. */
const MAX_FIRST_ATTEMPTS = 3;

/** Something that happened in one of all sessions. */
export interface OverviewEvent {
  /** `session`, `session_state`, `session_status`, `message_created`, `resync` and others. */
  readonly name: string;
  /** As it came. */
  readonly data: unknown;
}

type Streams = Pick<Transport, 'streamUnlessOver'>;

/** Follows the journal of a session over as many connections as it takes. */
export async function* followJournal(
  transport: Streams,
  path: string,
  { after = 0, ...options }: JournalOptions,
): AsyncGenerator<JournalEvent, void, undefined> {
  let last = after;
  for await (const { id, name, data } of followStream(transport, () => `${path}?after=${last}`, options)) {
    last = Number(id);
    yield { id: last, name, data: JSON.parse(data) };
  }
}

/** Follows all sessions; every connection begins with how they are. */
export async function* followOverview(
  transport: Streams,
  options: StreamOptions,
): AsyncGenerator<OverviewEvent, void, undefined> {
  for await (const { name, data } of followStream(transport, () => '/events', options)) {
    yield { name, data: JSON.parse(data) };
  }
}

/** Follows a stream over as many connections as it takes. */
export async function* followStream(
  transport: Streams,
  path: () => string,
  { signal, onConnect, onReconnect }: StreamOptions,
): AsyncGenerator<ServerSentEvent, void, undefined> {
  const life = new Deadline('The event stream', Infinity, signal);
  let wasReached = false;
  try {
    for (let attempt = 1; ; attempt += 1) {
      const connection = new Deadline('The connection', Infinity, life.signal);
      let cause: ClientError;
      try {
        const body = await transport.streamUnlessOver(path(), connection.signal);
        wasReached = true;
        if (body === null) return;
        onConnect?.();
        const options = { signal: connection.signal, idleTimeoutMs: SILENCE_MS };
        for await (const event of readServerSentEvents(body, options)) {
          attempt = 1;
          yield event;
        }
        // The server ends it with the session, but also with itself: asked once more, it says which.
        cause = new ConnectionError(`GET ${path()}: the server ended the event stream`);
      } catch (error) {
        if (life.signal.aborted) throw life.signal.reason;
        cause = error instanceof ClientError ? error : connectionError(`GET ${path()}`, error);
        if (!isPassing(cause) || (!wasReached && attempt >= MAX_FIRST_ATTEMPTS)) throw cause;
      } finally {
        connection.abort(undefined);
        connection.close();
      }
      const delayMs = backoffMs(attempt, BACKOFF);
      onReconnect?.({ attempt, delayMs, cause });
      await sleep(delayMs, life.signal);
    }
  } finally {
    life.close();
  }
}

function isPassing(error: ClientError): boolean {
  if (error instanceof ConnectionError || error instanceof TimeoutError) return true;
  return error instanceof ApiError && isTransient(error);
}
