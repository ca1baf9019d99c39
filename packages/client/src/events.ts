import { parseAgentEvent, type AgentEvent } from './agent-event.ts';
import { backoffMs } from './backoff.ts';
import { Deadline, checkTimeout, sleep } from './deadline.ts';
import { ApiError, type ClientError, ConnectionError, SessionEndedError } from './errors.ts';
import { ReplayFilter } from './replay-filter.ts';
import { transientCause, type SessionRecord } from './session-end.ts';
import { readServerSentEvents } from './sse.ts';
import type { Transport } from './transport.ts';

/** How lost connections of an event stream are replaced. */
export interface ReconnectOptions {
  /** Upper bound of the first pause, in milliseconds (250); it doubles with every failed attempt. */
  readonly initialDelayMs?: number | undefined;
  /** Upper bound of all pauses, in milliseconds (15,000). */
  readonly maxDelayMs?: number | undefined;
  /**
   * Attempts in a row without success before the iterator throws the last error. Default: 3 while the server has
   * never been reached, then no limit.
   */
  readonly maxAttempts?: number | undefined;
}

/** A connection was lost and will be replaced after a pause. */
export interface ReconnectNotice {
  /** From 1; starts again after a connection that brought something new or held for a while. */
  readonly attempt: number;
  /** Pause before the attempt, in milliseconds. */
  readonly delayMs: number;
  /** Why the last connection ended, or the last attempt failed. */
  readonly cause: ClientError;
}

/** Options of `session.events()`. */
export interface EventsOptions {
  /** Ends the stream; the iterator then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** False: one connection, whose end ends the iterator. Default: reconnect for as long as the session lives. */
  readonly reconnect?: boolean | ReconnectOptions | undefined;
  /** Called before each pause. What it throws ends the iterator. */
  readonly onReconnect?: ((notice: ReconnectNotice) => void) | undefined;
  /** What the iterator does when the session is over: reject with {@link SessionEndedError} (default) or end. */
  readonly onSessionEnd?: 'throw' | 'return' | undefined;
  /** Longest silence of a connection in milliseconds (60,000), comments included; then it counts as lost. */
  readonly heartbeatTimeoutMs?: number | undefined;
}

/** What an event stream needs of its session. */
export interface EventSource extends SessionRecord {
  /** Of the stream, encoded. */
  readonly path: string;
  readonly transport: Pick<Transport, 'stream'>;
}

/** Several of the comments fit in that the proxy sends while an agent is quiet. */
const HEARTBEAT_TIMEOUT_MS = 60_000;

const RECONNECT_INITIAL_DELAY_MS = 250;
const RECONNECT_MAX_DELAY_MS = 15_000;

/** A connection that held this long was a good one: the next loss begins with the shortest pause again. */
const STEADY_CONNECTION_MS = 10_000;

/** A server that was never reached is more likely misnamed than away: the iterator gives up after so many attempts. */
const MAX_FIRST_ATTEMPTS = 3;

/** The events of a session; every iteration has its own connection, opened by the first `next()`. */
export function sessionEvents(source: EventSource, options: EventsOptions): AsyncIterable<AgentEvent> {
  if (options.heartbeatTimeoutMs !== undefined)
    checkTimeout('heartbeatTimeoutMs', options.heartbeatTimeoutMs);
  return { [Symbol.asyncIterator]: () => new EventIterator(source, options) };
}

/**
 * A generator alone would keep `return()` waiting until the next event comes; this ends the connection at once.
 */
class EventIterator implements AsyncIterator<AgentEvent, void, undefined> {
  readonly #stop = new AbortController();
  readonly #events: AsyncGenerator<AgentEvent, void, undefined>;

  constructor(source: EventSource, options: EventsOptions) {
    this.#events = follow(source, options, this.#stop.signal);
  }

  next(): Promise<IteratorResult<AgentEvent, void>> {
    return this.#events.next();
  }

  async return(): Promise<IteratorResult<AgentEvent, void>> {
    this.#stop.abort();
    return this.#events.return();
  }
}

async function* follow(
  source: EventSource,
  options: EventsOptions,
  stop: AbortSignal,
): AsyncGenerator<AgentEvent, void, undefined> {
  const life = new Deadline('The event stream', Infinity, options.signal);
  const onStop = () => life.abort(stop.reason);
  stop.addEventListener('abort', onStop, { once: true });
  try {
    yield* connections(source, options, life.signal);
  } catch (error) {
    if (stop.aborted) return;
    if (error instanceof SessionEndedError && options.onSessionEnd === 'return') return;
    throw error;
  } finally {
    life.close();
  }
}

async function* connections(
  source: EventSource,
  options: EventsOptions,
  signal: AbortSignal,
): AsyncGenerator<AgentEvent, void, undefined> {
  const { reconnect = true } = options;
  const { initialDelayMs, maxDelayMs, maxAttempts } = typeof reconnect === 'object' ? reconnect : {};
  const backoff = {
    initialMs: initialDelayMs ?? RECONNECT_INITIAL_DELAY_MS,
    maxMs: maxDelayMs ?? RECONNECT_MAX_DELAY_MS,
  };
  const idleTimeoutMs = options.heartbeatTimeoutMs ?? HEARTBEAT_TIMEOUT_MS;
  const replay = new ReplayFilter();
  let everConnected = false;
  for (let attempt = 1; ; attempt += 1) {
    const connection = new Deadline('The connection', Infinity, signal);
    // Waiting for a server that does not answer is no steady connection.
    let openedAt = Infinity;
    let news = false;
    let cause: ClientError;
    try {
      const body = await source.transport.stream(source.path, connection.signal);
      everConnected = true;
      openedAt = performance.now();
      replay.connected();
      for await (const wire of readServerSentEvents(body, { signal: connection.signal, idleTimeoutMs })) {
        const event = parseAgentEvent(wire);
        if (!replay.isNews(event)) continue;
        news = true;
        yield event;
      }
      if (reconnect === false) return;
      cause = new ConnectionError(`GET ${source.path}: the server ended the event stream`);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      cause = await transientCause(source, error, everConnected, signal);
      if (reconnect === false) throw cause;
    } finally {
      connection.abort(undefined);
      connection.close();
    }
    if (news || performance.now() - openedAt >= STEADY_CONNECTION_MS) attempt = 1;
    const limit =
      maxAttempts ?? (!everConnected && cause instanceof ConnectionError ? MAX_FIRST_ATTEMPTS : Infinity);
    if (attempt > limit) throw cause;
    const retryAfterMs = cause instanceof ApiError ? (cause.retryAfterMs ?? 0) : 0;
    const delayMs = Math.max(retryAfterMs, backoffMs(attempt, backoff));
    options.onReconnect?.({ attempt, delayMs, cause });
    await sleep(delayMs, signal);
  }
}
