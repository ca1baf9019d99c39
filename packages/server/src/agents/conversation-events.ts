import { createParser } from 'eventsource-parser';
import type { EventSourceMessage } from 'eventsource-parser';
import { request } from 'undici';
import { z } from 'zod';
import { TOKEN_HEADER } from '@agentapi-proxy/agent-server/control';
import type { Endpoint } from '../sessions/session.ts';

/** What an agent may ask: something that is answered in keys, or an ACP permission request. */
export const QUESTIONS = ['dialog', 'permission'] as const;
export type Question = (typeof QUESTIONS)[number];

/** How an agent is. */
export interface StatusEvent {
  readonly kind: 'status';
  readonly status: 'running' | 'stable';
  /** Whose answer it waits for, if it does; an agentapi does not tell. */
  readonly waitingFor?: Question;
}

/** Between two events of a stream, comments included, no more than this passes; an agentapi sends no comments. */
const SILENCE_MS = { embedded: 60_000, external: 0 } as const;
/** An agent server answers within milliseconds. */
const ANSWER_TIMEOUT_MS = 15_000;

const messageUpdate = z.object({
  id: z.int().min(0),
  role: z.enum(['agent', 'user']),
  message: z.string(),
  time: z.string(),
});
const statusChange = z.object({
  status: z.enum(['running', 'stable']),
  // What another version asks for is not known here, but its status is.
  waiting_for: z.enum(QUESTIONS).optional().catch(undefined),
});
const agentError = z.object({ message: z.string(), level: z.string(), time: z.string() });

/** What an agent server tells of its conversation (agentapi section 2.7). */
export type ConversationEvent =
  | { readonly kind: 'message'; readonly message: z.infer<typeof messageUpdate> }
  | StatusEvent
  | { readonly kind: 'error'; readonly error: z.infer<typeof agentError> };

/**
 * The conversation of an agent: first all of it, then every change. Events of other kinds are passed over.
 * Ends with the stream.
 * @throws Error when there is no such stream or it breaks; the abort reason of `signal`.
 */
export async function* conversationEvents(
  endpoint: Endpoint,
  signal: AbortSignal,
): AsyncGenerator<ConversationEvent, void, undefined> {
  const waiting: EventSourceMessage[] = [];
  const parser = createParser({ onEvent: (event) => waiting.push(event) });
  // Questions are told to those who want them; an agentapi has no such query.
  const query = endpoint.token === null ? '' : '?waiting_for=true';
  const response = await request(`http://127.0.0.1:${endpoint.port}/events${query}`, {
    headers: {
      accept: 'text/event-stream',
      ...(endpoint.token === null ? {} : { [TOKEN_HEADER]: endpoint.token }),
    },
    headersTimeout: ANSWER_TIMEOUT_MS,
    bodyTimeout: endpoint.token === null ? SILENCE_MS.external : SILENCE_MS.embedded,
    signal,
  });
  try {
    if (response.statusCode !== 200) throw new Error(`GET /events was answered with ${response.statusCode}`);
    const decoder = new TextDecoder();
    for await (const chunk of response.body) {
      if (!(chunk instanceof Uint8Array)) continue;
      parser.feed(decoder.decode(chunk, { stream: true }));
      for (const event of waiting.splice(0)) {
        const known = eventOf(event);
        if (known !== null) yield known;
      }
    }
  } finally {
    response.body.on('error', () => undefined).destroy();
  }
}

function eventOf({ event, data }: EventSourceMessage): ConversationEvent | null {
  switch (event) {
    case 'message_update':
      return { kind: 'message', message: messageUpdate.parse(JSON.parse(data)) };
    case 'status_change':
      return statusEventOf(statusChange.parse(JSON.parse(data)));
    case 'agent_error':
      return { kind: 'error', error: agentError.parse(JSON.parse(data)) };
    default:
      return null;
  }
}

function statusEventOf({ status, waiting_for: waitingFor }: z.infer<typeof statusChange>): StatusEvent {
  return { kind: 'status', status, ...(waitingFor === undefined ? {} : { waitingFor }) };
}
