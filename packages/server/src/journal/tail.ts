/** What a frame costs besides its bytes, about. */
const FRAME_COST_BYTES = 256;

/** The newest frames of a journal, made once for all viewers; whoever is slower reads from the store. */
export class Tail {
  readonly #maxBytes: number;
  #frames: Buffer[] = [];
  #bytes = 0;
  #first: number;
  readonly #waiting = new Set<() => void>();
  #closed = false;

  /** @param next - position of the first frame to come. */
  constructor(next: number, maxBytes: number) {
    this.#first = next;
    this.#maxBytes = maxBytes;
  }

  /** Whether nothing comes any more. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Position of the newest frame. */
  get last(): number {
    return this.#first + this.#frames.length - 1;
  }

  /** The frame at a position; `null` when it is no longer here, or not yet. */
  at(position: number): Buffer | null {
    return this.#frames[position - this.#first] ?? null;
  }

  /** Adds the frames of the positions that follow. */
  push(frames: readonly Buffer[]): void {
    for (const frame of frames) {
      this.#frames.push(owned(frame));
      this.#bytes += frame.length + FRAME_COST_BYTES;
    }
    let out = 0;
    while (this.#bytes > this.#maxBytes && out < this.#frames.length) {
      this.#bytes -= (this.#frames[out]?.length ?? 0) + FRAME_COST_BYTES;
      out += 1;
    }
    if (out > 0) this.#frames = this.#frames.slice(out);
    this.#first += out;
    this.#wake();
  }

  close(): void {
    this.#closed = true;
    this.#wake();
  }

  /** Resolves when there is something after `position`, when nothing comes any more, or when `signal` aborts. */
  async beyond(position: number, signal: AbortSignal): Promise<void> {
    while (this.last <= position && !this.#closed && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          this.#waiting.delete(done);
          signal.removeEventListener('abort', done);
          resolve();
        };
        this.#waiting.add(done);
        signal.addEventListener('abort', done);
      });
    }
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}

/** A small buffer is a part of a larger one, which would stay as long: 8 KB for each frame that is kept. */
function owned(frame: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(frame.length);
  frame.copy(copy);
  return copy;
}
