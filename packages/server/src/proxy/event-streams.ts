/** An idle event stream gets a comment at least this often, so nobody on the way takes it for dead (DF-59). */
const HEARTBEAT_MS = 15_000;

/** How much earlier than needed a heartbeat may come: one timer looks after all streams. */
const CHECK_MS = 3_000;

const HEARTBEAT = ': keep-alive\n\n';

const LF = 0x0a;
const CR = 0x0d;

/**
 * Follows the end of an event stream: between two events, and only there, a comment with its blank line
 * can be put in without changing an event (PX-156).
 */
export class EventBoundary {
  /** How many line ends the stream finishes with, at most 2; the beginning counts as between events. */
  #lineEnds = 2;
  #lastWasCr = false;

  /** Takes note of bytes that went by. */
  pass(chunk: Uint8Array): void {
    // Four bytes decide: the longest ending with a blank line is CR LF CR LF. Shorter chunks add to the ones before.
    const from = Math.max(0, chunk.length - 4);
    if (from > 0) {
      this.#lineEnds = 0;
      this.#lastWasCr = chunk[from - 1] === CR;
    }
    for (let i = from; i < chunk.length; i += 1) {
      const byte = chunk[i];
      if (byte === LF && this.#lastWasCr) {
        this.#lastWasCr = false;
        if (this.#lineEnds === 0) this.#lineEnds = 1;
      } else if (byte === LF || byte === CR) {
        this.#lineEnds = Math.min(2, this.#lineEnds + 1);
        this.#lastWasCr = byte === CR;
      } else {
        this.#lineEnds = 0;
        this.#lastWasCr = false;
      }
    }
  }

  /** Whether the last bytes were a blank line, or nothing has gone by yet. */
  get betweenEvents(): boolean {
    return this.#lineEnds === 2;
  }
}

/** One event stream on its way to a client. */
export interface EventStream {
  readonly boundary: EventBoundary;
  /** Milliseconds of `performance.now()` at the last byte. */
  readonly lastByteAt: number;
  /** Puts a comment into the stream, unless the client does not read. */
  sendComment(text: string): void;
}

/** Keeps idle event streams alive. One timer for all of them, and none while there is no stream. */
export class Heartbeats {
  readonly #streams = new Set<EventStream>();
  readonly #idleMs: number;
  readonly #checkMs: number;
  #timer: NodeJS.Timeout | null = null;

  /** `idleMs` is for tests. */
  constructor(idleMs = HEARTBEAT_MS) {
    this.#idleMs = idleMs;
    this.#checkMs = Math.max(1, Math.min(CHECK_MS, idleMs / 5));
  }

  /** Looks after a stream until {@link remove}. */
  add(stream: EventStream): void {
    this.#streams.add(stream);
    this.#timer ??= setInterval(() => this.#check(), this.#checkMs).unref();
  }

  remove(stream: EventStream): void {
    this.#streams.delete(stream);
    if (this.#streams.size === 0) this.#stopTimer();
  }

  close(): void {
    this.#streams.clear();
    this.#stopTimer();
  }

  #stopTimer(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  #check(): void {
    const now = performance.now();
    const due = now - this.#idleMs + this.#checkMs;
    for (const stream of this.#streams) {
      if (stream.lastByteAt > due || !stream.boundary.betweenEvents) continue;
      stream.sendComment(HEARTBEAT);
    }
  }
}
