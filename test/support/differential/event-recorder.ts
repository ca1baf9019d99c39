import { request, type IncomingMessage } from 'node:http';
import { eventually, type AgentapiServer } from './agentapi-program.ts';
import { normalised, type Observation } from './observation.ts';

export interface RecordedEvent {
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** An event stream with everything that has come in so far. */
export interface EventRecorder extends AsyncDisposable {
  readonly headers: IncomingMessage['headers'];
  readonly events: readonly RecordedEvent[];
  /** Everything as it came. */
  readonly raw: () => string;
  /** Waits until `fits` holds for the events; rejects after `limitMs`. */
  until(what: string, fits: (events: readonly RecordedEvent[]) => boolean, limitMs?: number): Promise<void>;
  /** Resolves when the server ends the stream, with `false` when it breaks the connection. */
  readonly ended: Promise<boolean>;
}

export async function recordEvents(server: AgentapiServer, path: string): Promise<EventRecorder> {
  const sent = request({ host: '127.0.0.1', port: server.port, path, agent: false });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    sent.once('response', resolve).once('error', reject);
  });
  sent.end();
  const response = await answered;
  const events: RecordedEvent[] = [];
  let raw = '';
  let rest = '';
  response.setEncoding('utf8').on('data', (chunk: string) => {
    raw += chunk;
    const frames = (rest + chunk).split('\n\n');
    rest = frames.pop() ?? '';
    for (const frame of frames) if (!frame.startsWith(':')) events.push(eventIn(frame));
  });
  const ended = new Promise<boolean>((resolve) => {
    response.once('end', () => resolve(true));
    response.once('close', () => resolve(false)).on('error', () => {});
  });
  return {
    headers: response.headers,
    events,
    raw: () => raw,
    ended,
    until: async (what, fits, limitMs) => {
      await eventually(what, async () => fits(events) || undefined, limitMs);
    },
    [Symbol.asyncDispose]: async () => {
      response.destroy();
      await ended;
    },
  };
}

/** Throws for a frame that breaks the rules of the wire: a name and one line of JSON, nothing else. */
function eventIn(frame: string): RecordedEvent {
  const [, event, json] = /^event: (\w+)\ndata: (.*)$/u.exec(frame) ?? [];
  const data: unknown = JSON.parse(json ?? 'null');
  if (event === undefined || typeof data !== 'object' || data === null)
    throw new Error(`not an event: ${frame}`);
  return { event, data: Object.fromEntries(Object.entries(data)) };
}

/**
 * What a turn looks like whatever the speed of the machine: each status that differs from the one before, and the
 * final state of each message in the order of their ids. Everything else goes in as it came.
 */
export function summary(events: readonly RecordedEvent[], server: AgentapiServer): Observation {
  const statuses: unknown[] = [];
  const messages = new Map<unknown, unknown>();
  const others: unknown[] = [];
  for (const { event, data } of events) {
    if (event === 'message_update') messages.set(data['id'], data);
    else if (event !== 'status_change') others.push({ event, data });
    else if (data['status'] !== statuses.at(-1)) statuses.push(data['status']);
  }
  const byId = [...messages].sort(([a], [b]) => Number(a) - Number(b)).map(([, message]) => message);
  return normalised({ statuses, messages: byId, others }, server);
}

/** The events as they came. */
export function verbatim(events: readonly RecordedEvent[], server: AgentapiServer): Observation {
  return normalised(
    events.map(({ event, data }) => ({ event, data })),
    server,
  );
}
