/** Connections beyond the limit that are still accepted, for the control plane only: an operator must get through. */
const RESERVE = 64;

/** What a new connection may be used for. */
export type Admittance = 'everything' | 'control' | 'nothing';

export interface ConnectionLimitOptions {
  /** Most connections at a time. */
  readonly total: number;
  /** Most connections from one address; addresses in `exempt` are those of many. */
  readonly perAddress: number;
  readonly exempt: (address: string) => boolean;
}

/** Counts the connections of clients that are let in. */
export class ConnectionLimits {
  readonly #options: ConnectionLimitOptions;
  readonly #byAddress = new Map<string, number>();
  #total = 0;

  constructor(options: ConnectionLimitOptions) {
    this.#options = options;
  }

  /** A connection has come. Unless it may do nothing, {@link leave} must follow when it has gone. */
  enter(address: string): Admittance {
    const { total, perAddress, exempt } = this.#options;
    const same = (this.#byAddress.get(address) ?? 0) + 1;
    // Who is turned away takes nobody's place, however often it comes.
    if (same > perAddress && !exempt(address)) return 'nothing';
    if (this.#total >= total + RESERVE) return 'nothing';
    this.#byAddress.set(address, same);
    this.#total += 1;
    return this.#total <= total ? 'everything' : 'control';
  }

  leave(address: string): void {
    this.#total -= 1;
    const same = (this.#byAddress.get(address) ?? 0) - 1;
    if (same > 0) this.#byAddress.set(address, same);
    else this.#byAddress.delete(address);
  }
}
