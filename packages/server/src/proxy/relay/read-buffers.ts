/** Bytes read at a time by connections that share their memory. */
const SHARED_BYTES = 64 * 1024;

/** Bytes read at a time where much comes: large enough that big bodies cost few calls of the system. */
const OWN_BYTES = 128 * 1024;

/** Buffers kept for the next big body. */
const MAX_SPARE = 16;

/**
 * The memory that connections to agent servers read into. What is read is worked off at once, so that one piece
 * serves all of them: an idle connection, or an event stream between two events, holds none. Only a connection with a
 * big body gets a buffer of its own, from which the client is sent what was read without copying it.
 */
export class ReadBuffers {
  /** Read into again after every call: whoever keeps bytes of it must copy them. */
  readonly shared = Buffer.allocUnsafeSlow(SHARED_BYTES);
  readonly #spare: Buffer[] = [];

  take(): Buffer {
    return this.#spare.pop() ?? Buffer.allocUnsafeSlow(OWN_BYTES);
  }

  /** `buffer` is of no use to anybody any more. */
  giveBack(buffer: Buffer): void {
    if (this.#spare.length < MAX_SPARE) this.#spare.push(buffer);
  }
}

/** Where one connection reads to. What was read last is in {@link current} until {@link advance}. */
export class ReadTarget {
  readonly #buffers: ReadBuffers;
  #current: Buffer;
  #next: Buffer;
  /** Left with a client that has not taken everything. */
  readonly #kept: Buffer[] = [];

  constructor(buffers: ReadBuffers) {
    this.#buffers = buffers;
    this.#current = buffers.shared;
    this.#next = buffers.shared;
  }

  /** The read has been worked off. @returns where the next one goes. */
  readonly advance = (): Buffer => {
    this.#current = this.#next;
    return this.#current;
  };

  /** Whether bytes that were read last may be kept by saying so with {@link keep}. */
  get mayBeKept(): boolean {
    return this.#current !== this.#buffers.shared;
  }

  /** Whether this connection has a buffer of its own. */
  get isBig(): boolean {
    return this.#next !== this.#buffers.shared;
  }

  /** So many bytes came at once. */
  came(count: number): void {
    if (count === SHARED_BYTES) this.expectMuch();
  }

  /** A big body is coming: from the next read on its bytes can be kept. */
  expectMuch(): void {
    if (this.#next === this.#buffers.shared) this.#next = this.#buffers.take();
  }

  /** Somebody still needs what was read last. */
  keep(): void {
    if (!this.mayBeKept || this.#next !== this.#current) return;
    this.#kept.push(this.#current);
    this.#next = this.#buffers.take();
  }

  /** Nobody needs anything any more of what was kept. */
  release(): void {
    for (const buffer of this.#kept) this.#buffers.giveBack(buffer);
    this.#kept.length = 0;
  }

  /** The big body is over. What is kept belongs to those who keep it. */
  end(): void {
    this.#kept.length = 0;
    if (this.#next !== this.#buffers.shared) this.#buffers.giveBack(this.#next);
    this.#next = this.#buffers.shared;
  }
}
