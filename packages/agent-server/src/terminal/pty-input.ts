import { writeSync } from 'node:fs';

/** What may wait for a program that does not read: several messages of the largest size that HTTP takes. */
const MAX_WAITING_BYTES = 4_194_304;
/** Written at once, before others get their turn. */
const BURST_BYTES = 65_536;
/** The pause before the next try; it doubles while the program takes nothing. */
const MIN_PAUSE_MS = 1;
const MAX_PAUSE_MS = 64;

/**
 * The way of keys into a pseudo-terminal that never blocks. Node writes to terminals synchronously: when a program does not
 * read, `write` of its streams tries again without end, and the whole process stands still.
 */
export class PtyInput {
  readonly #fd: number;
  readonly #isOpen: () => boolean;
  readonly #queue: Buffer[] = [];
  #waitingBytes = 0;
  #pauseMs = MIN_PAUSE_MS;
  #timer: NodeJS.Timeout | null = null;

  /**
   * @param fd - of the terminal; must not block.
   * @param isOpen - whether `fd` is still the terminal's; asked before each write.
   */
  constructor(fd: number, isOpen: () => boolean) {
    this.#fd = fd;
    this.#isOpen = isOpen;
  }

  /**
   * Queues the text as UTF-8.
   * @returns `false` when too much waits already, so that nothing of the text was taken.
   */
  write(text: string): boolean {
    const bytes = Buffer.from(text);
    if (this.#waitingBytes + bytes.length > MAX_WAITING_BYTES) return false;
    this.#queue.push(bytes);
    this.#waitingBytes += bytes.length;
    if (this.#timer === null) this.#flush();
    return true;
  }

  /** Forgets what waits. */
  clear(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#queue.length = 0;
    this.#waitingBytes = 0;
  }

  #flush(): void {
    let burst = 0;
    while (burst < BURST_BYTES) {
      const [first] = this.#queue;
      if (first === undefined) return;
      const written = this.#isOpen() ? writeSome(this.#fd, first) : null;
      if (written === null) {
        this.clear();
        return;
      }
      if (written === 0) break;
      burst += written;
      this.#waitingBytes -= written;
      if (written === first.length) this.#queue.shift();
      else this.#queue[0] = first.subarray(written);
    }
    this.#pauseMs = burst > 0 ? MIN_PAUSE_MS : Math.min(this.#pauseMs * 2, MAX_PAUSE_MS);
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#flush();
    }, this.#pauseMs);
  }
}

/** @returns how many bytes the terminal has taken; `null` when it takes none any more. */
function writeSome(fd: number, bytes: Buffer): number | null {
  try {
    return writeSync(fd, bytes, 0, Math.min(bytes.length, BURST_BYTES));
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EAGAIN' ? 0 : null;
  }
}
