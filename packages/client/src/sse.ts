import { createParser } from 'eventsource-parser';
import { Deadline, untilAborted } from './deadline.ts';
import { InvalidResponseError } from './errors.ts';

/** One event as it stands on the wire. */
export interface ServerSentEvent {
  /** `message` when the server named none. */
  readonly name: string;
  readonly data: string;
  /** As given with the event. */
  readonly id?: string | undefined;
}

/**
 * Longest event that is buffered, in characters. Agents' messages are full texts and may be large; without any
 * limit a server that never ends a line would fill the memory.
 */
const MAX_EVENT_CHARS = 64 * 1024 * 1024;

/**
 * Reads events from a response body, in order, however the bytes are cut. Ends when the body ends; an event
 * without its closing blank line is dropped. Releases the body when the consumer stops.
 *
 * @param idleTimeoutMs - longest silence, comments count as sound
 * @throws TimeoutError after that silence, {@link InvalidResponseError} for an event beyond all measure, the
 *   signal's reason, or what the body fails with
 */
export async function* readServerSentEvents(
  body: ReadableStream<Uint8Array>,
  { signal, idleTimeoutMs }: { readonly signal: AbortSignal; readonly idleTimeoutMs: number },
): AsyncGenerator<ServerSentEvent, void, undefined> {
  const complete: ServerSentEvent[] = [];
  let tooLong = false;
  const parser = createParser({
    maxBufferSize: MAX_EVENT_CHARS,
    onEvent: ({ event, data, id }) =>
      complete.push({ name: event ?? 'message', data, ...(id === undefined ? {} : { id }) }),
    onError: ({ type }) => {
      if (type === 'max-buffer-size-exceeded') tooLong = true;
    },
  });
  const decoder = new TextDecoder();
  const reader = body.getReader();
  try {
    for (;;) {
      const chunk = await readWithin(reader, idleTimeoutMs, signal);
      if (chunk.done) return;
      parser.feed(decoder.decode(chunk.value, { stream: true }));
      yield* complete.splice(0);
      if (tooLong) throw new InvalidResponseError(`An event is longer than ${MAX_EVENT_CHARS} characters`);
    }
  } finally {
    // Not awaited: cancelling a body whose connection hangs may itself hang.
    reader.cancel().catch(() => undefined);
  }
}

// The limit holds only while we wait: a consumer that takes its time is not a silent server.
async function readWithin(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  idleTimeoutMs: number,
  signal: AbortSignal,
): Promise<ReadableStreamReadResult<Uint8Array>> {
  const idle = new Deadline('The next sign of life of the event stream', idleTimeoutMs, signal);
  try {
    return await untilAborted(reader.read(), idle.signal);
  } finally {
    idle.close();
  }
}
