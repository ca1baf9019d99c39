import { createServer } from 'node:net';
import { AppError } from '../../errors.ts';
import type { PortReservation } from '../runtime.ts';

const LOOPBACK = '127.0.0.1';
const LAST_PORT = 65_535;

/**
 * Hands out loopback ports, the lowest free number first, none twice at a time; released ones are used
 * again (DF-37, PX-093). A number is tried before it is handed out, yet another program can still take
 * it afterwards: whoever binds it must be ready to move on (PX-094).
 */
export class PortPool {
  readonly #first: number;
  readonly #last: number;
  readonly #reserved = new Set<number>();

  /** @param first - lowest number; 0 lets the kernel choose each one. */
  constructor(first: number, count: number) {
    this.#first = first;
    this.#last = Math.min(first + count - 1, LAST_PORT);
  }

  /** @throws AppError `no_free_port` when every number is reserved or in use by another program. */
  async reserve(): Promise<PortReservation> {
    return new Reservation(await this.#take(), {
      take: () => this.#take(),
      giveBack: (port) => this.#reserved.delete(port),
    });
  }

  /** Reserves the number that a process of ours has bound already, in the range or not (PX-180). */
  claim(port: number): PortReservation {
    this.#reserved.add(port);
    return new Reservation(port, {
      take: () => this.#take(),
      giveBack: (taken) => this.#reserved.delete(taken),
    });
  }

  async #take(): Promise<number> {
    if (this.#first === 0) return this.#takeAny();
    for (let port = this.#first; port <= this.#last; port += 1) {
      if (this.#reserved.has(port)) continue;
      // Reserved before the first wait: a caller at the same time goes on to the next number.
      this.#reserved.add(port);
      try {
        if ((await tryPort(port)) !== null) return port;
      } catch (error) {
        this.#reserved.delete(port);
        throw error;
      }
      this.#reserved.delete(port);
    }
    throw new AppError('no_free_port');
  }

  async #takeAny(): Promise<number> {
    for (;;) {
      const port = await tryPort(0);
      if (port === null) throw new AppError('no_free_port');
      if (this.#reserved.has(port)) continue;
      this.#reserved.add(port);
      return port;
    }
  }
}

class Reservation implements PortReservation {
  #port: number;
  #isReleased = false;
  readonly #pool: { take: () => Promise<number>; giveBack: (port: number) => void };

  constructor(port: number, pool: { take: () => Promise<number>; giveBack: (port: number) => void }) {
    this.#port = port;
    this.#pool = pool;
  }

  get port(): number {
    return this.#port;
  }

  async moveOn(): Promise<void> {
    const next = await this.#pool.take();
    if (this.#isReleased) {
      this.#pool.giveBack(next);
      return;
    }
    this.#pool.giveBack(this.#port);
    this.#port = next;
  }

  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#pool.giveBack(this.#port);
  }
}

/** Binds a port for a moment. @returns its number; `null` when it is in use or not ours to bind. */
function tryPort(port: number): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(null);
      else reject(error);
    });
    server.listen({ host: LOOPBACK, port, exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' ? (address?.port ?? null) : null));
    });
  });
}
