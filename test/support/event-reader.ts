import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';

/** An event as it came. */
export interface SeenEvent {
  readonly id: number;
  readonly name: string;
  readonly data: unknown;
}

/** One connection to an event stream. */
export interface EventReader {
  /** Everything so far. */
  readonly events: readonly SeenEvent[];
  readonly status: number;
  /** Settles when the stream has ended, or broke. */
  readonly ended: Promise<'ended' | 'broken'>;
  /** Stops and goes on reading from the socket. */
  pause(): void;
  resume(): void;
  /** Cuts the connection. */
  cut(): void;
}

/** Opens an event stream and reads it. */
export async function readEvents(
  url: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<EventReader> {
  const outgoing = request(url, { headers: { accept: 'text/event-stream', ...headers }, agent: false });
  outgoing.on('error', () => undefined);
  outgoing.end();
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once('response', resolve).once('error', reject);
  });
  const events: SeenEvent[] = [];
  let text = '';
  response.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const event = eventOf(block);
      if (event !== null) events.push(event);
    }
  });
  response.on('error', () => undefined);
  const ended = new Promise<'ended' | 'broken'>((resolve) => {
    response.once('close', () => resolve(response.complete ? 'ended' : 'broken'));
  });
  return {
    events,
    status: response.statusCode ?? 0,
    ended,
    pause: () => void response.pause(),
    resume: () => void response.resume(),
    cut: () => void outgoing.destroy(),
  };
}

function eventOf(block: string): SeenEvent | null {
  const fields = new Map<string, string>();
  for (const line of block.split('\n')) {
    const colon = line.indexOf(': ');
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 2));
  }
  const data = fields.get('data');
  if (data === undefined) return null;
  return { id: Number(fields.get('id')), name: fields.get('event') ?? '', data: JSON.parse(data) };
}
