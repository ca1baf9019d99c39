/** What a frame costs besides its bytes, about. */
const FRAME_COST_BYTES = 256;

/** Most bytes of frames that are handed out together. */
const PIECE_BYTES = 64 * 1024;

/** Some frames that follow each other. */
export interface Piece {
  /** Position of the last of them. */
  readonly last: number;
  readonly bytes: Buffer;
}

/** The newest frames of a journal, made once for all viewers; whoever is slower reads from the store. */
export class Tail {
  readonly #maxBytes: number;
  #frames: Buffer[] = [];
  #bytes = 0;
  #first: number;
  readonly #waiting = new Set<() => void>();
  #closed = false;
  /** What those get who keep up: all of them the same. */
  #latest: (Piece & { readonly after: number }) | null = null;

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

  /** The next frames after a position; `null` when they are no longer here, or not yet. */
  after(position: number): Piece | null {
    if (this.#latest?.after === position) return this.#latest;
    const from = position + 1 - this.#first;
    if (from < 0 || from >= this.#frames.length) return null;
    let [to, size] = [from, 0];
    do {
      size += this.#frames[to]?.length ?? 0;
      to += 1;
    } while (to < this.#frames.length && size + (this.#frames[to]?.length ?? 0) <= PIECE_BYTES);
    const bytes = Buffer.concat(this.#frames.slice(from, to), size);
    this.#latest = { after: position, last: this.#first + to - 1, bytes };
    return this.#latest;
  }

  /** Adds the frames of the positions that follow. */
  push(frames: readonly Buffer[]): void {
    for (const frame of frames) {
      this.#frames.push(owned(frame));
      this.#bytes += costOf(frame);
    }
    let [excess, out] = [this.#bytes - this.#maxBytes, 0];
    for (; excess > 0 && out < this.#frames.length; out += 1) excess -= costOf(this.#frames[out]);
    this.#drop(out);
    this.#latest = null;
    this.#wake();
  }

  /** Lets go of the frames up to a position. */
  forget(position: number): void {
    this.#drop(Math.min(position + 1 - this.#first, this.#frames.length));
    this.#latest = null;
  }

  close(): void {
    this.#closed = true;
    this.#wake();
  }

  /** Calls `wake` once: when there is something after `position`, at once if there is, or when nothing comes any more. */
  whenBeyond(position: number, wake: () => void): void {
    if (this.last > position || this.#closed) wake();
    else this.#waiting.add(wake);
  }

  /** Takes back {@link whenBeyond}. */
  withdraw(wake: () => void): void {
    this.#waiting.delete(wake);
  }

  #drop(count: number): void {
    if (count <= 0) return;
    for (const frame of this.#frames.slice(0, count)) this.#bytes -= costOf(frame);
    this.#frames = this.#frames.slice(count);
    this.#first += count;
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of waiting) wake();
  }
}

function costOf(frame: Buffer | undefined): number {
  return frame === undefined ? 0 : frame.length + FRAME_COST_BYTES;
}

/** A small buffer is a part of a larger one, which would stay as long: 8 KB for each frame that is kept. */
function owned(frame: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(frame.length);
  frame.copy(copy);
  return copy;
}
