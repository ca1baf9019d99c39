import type { ServerResponse } from 'node:http';

/** What keeps proxies from holding events back (agentapi section 2.7); `Connection` is added where it applies. */
const HEADERS = {
  'Content-Type': 'text/event-stream',
  'Cache-Control': 'no-cache, no-store, must-revalidate',
  Pragma: 'no-cache',
  Expires: '0',
  'X-Accel-Buffering': 'no',
  'X-Proxy-Buffering': 'no',
} as const;

/** Live events that may wait for one subscriber; with more it is cut off (AA-068). */
const QUEUE_LIMIT = 1024;
/** A socket that takes nothing for this long is given up. */
const WRITE_LIMIT_MS = 5_000;
/** Proxies end connections that are silent for 30 s or 60 s (AA-069). */
const KEEP_ALIVE_MS = 15_000;

/** What one subscriber is to see. */
export interface Subscription<Event> {
  /** How an event becomes a frame, called when it is its turn; `null` when this stream does not show it. */
  readonly frame: (event: Event) => (() => string) | null;
  /** Frames that come before every live event. */
  readonly snapshot: readonly string[];
  /** Starts the live part, in the same tick in which the snapshot was taken; returns how to end it. */
  readonly subscribe: (listener: (event: Event) => void) => () => void;
}

/** Owns every open event stream of a server. */
export class EventStreams {
  readonly #open = new Set<() => void>();
  #closed = false;
  readonly #keepAliveMs: number;

  constructor(keepAliveMs: number = KEEP_ALIVE_MS) {
    this.#keepAliveMs = keepAliveMs;
  }

  /** Turns `response` into an event stream that lasts until the client leaves or {@link close}. */
  open<Event>(response: ServerResponse, subscription: Subscription<Event>): void {
    if (response.destroyed) return;
    const snapshot = subscription.snapshot.values();
    const queue: (() => string)[] = [];
    let ending = false;
    let blocked: NodeJS.Timeout | null = null;

    const pump = () => {
      while (blocked === null && !response.writableEnded) {
        const text = next();
        if (text === undefined) break;
        keepAlive.refresh();
        if (!response.write(text)) blocked = setTimeout(() => response.destroy(), WRITE_LIMIT_MS);
      }
      if (ending && blocked === null) response.end();
    };
    const next = (): string | undefined => {
      const first = snapshot.next();
      return first.done === true ? queue.shift()?.() : first.value;
    };
    const push = (event: Event) => {
      const frame = ending ? null : subscription.frame(event);
      if (frame === null) return;
      if (queue.length >= QUEUE_LIMIT) {
        end();
      } else {
        queue.push(frame);
        pump();
      }
    };
    const end = () => {
      ending = true;
      unsubscribe();
      pump();
    };

    const unsubscribe = subscription.subscribe(push);
    const keepAlive = setInterval(() => {
      if (blocked === null && !response.writableEnded) response.write(': keep-alive\n\n');
    }, this.#keepAliveMs);
    this.#open.add(end);
    response.on('drain', () => {
      if (blocked !== null) clearTimeout(blocked);
      blocked = null;
      pump();
    });
    response.once('close', () => {
      ending = true;
      unsubscribe();
      clearInterval(keepAlive);
      if (blocked !== null) clearTimeout(blocked);
      this.#open.delete(end);
    });
    // Node adds this header only beside a fixed length; a client that asked for `close` gets that.
    if (response.shouldKeepAlive) response.setHeader('Connection', 'keep-alive');
    response.writeHead(200, HEADERS).flushHeaders();
    // A request that waited for the agent while the server began to close would hold it up.
    if (this.#closed) end();
    else pump();
  }

  /** Ends every stream after what is already queued for it (AA-071), and those that are opened later at once. */
  close(): void {
    this.#closed = true;
    for (const end of this.#open) end();
  }
}

/** One event as it stands on the wire, its JSON on one line (AA-059). */
export function eventFrame(name: string, data: object): string {
  const json = JSON.stringify(data).replace(/[<>&\u2028\u2029]/gu, escapeCharacter);
  return `event: ${name}\ndata: ${json}\n\n`;
}

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
