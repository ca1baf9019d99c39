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

/** Counts the connections of clients. */
export class ConnectionLimits {
  readonly #options: ConnectionLimitOptions;
  readonly #byAddress = new Map<string, number>();
  #total = 0;

  constructor(options: ConnectionLimitOptions) {
    this.#options = options;
  }

  /** A connection has come; {@link leave} must follow when it has gone, whatever it may do. */
  enter(address: string): Admittance {
    const { total, perAddress, exempt } = this.#options;
    const same = (this.#byAddress.get(address) ?? 0) + 1;
    this.#byAddress.set(address, same);
    this.#total += 1;
    if (same > perAddress && !exempt(address)) return 'nothing';
    if (this.#total <= total) return 'everything';
    return this.#total <= total + RESERVE ? 'control' : 'nothing';
  }

  leave(address: string): void {
    this.#total -= 1;
    const same = (this.#byAddress.get(address) ?? 0) - 1;
    if (same > 0) this.#byAddress.set(address, same);
    else this.#byAddress.delete(address);
  }
}
