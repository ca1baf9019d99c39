/** Signals that end a server (agentapi section 1.5). */
const TERMINATION_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The signals of this process, from creation to {@link ProcessSignals.release}. */
export class ProcessSignals {
  /** Resolves with the first signal that asks to end; from then on a second one kills at once (AA-017). */
  readonly termination: Promise<NodeJS.Signals>;
  readonly #onSave: () => void;
  #onTermination: (signal: NodeJS.Signals) => void = () => {};

  /** `onSave` is called for every SIGUSR1 (AA-018). */
  constructor(onSave: () => void) {
    this.#onSave = onSave;
    this.termination = new Promise((resolve) => {
      this.#onTermination = (signal) => {
        this.#removeTermination();
        resolve(signal);
      };
    });
    for (const signal of TERMINATION_SIGNALS) process.on(signal, this.#onTermination);
    process.on('SIGUSR1', this.#onSave);
  }

  /** Gives all signals back to their default. */
  release(): void {
    this.#removeTermination();
    process.off('SIGUSR1', this.#onSave);
  }

  #removeTermination(): void {
    for (const signal of TERMINATION_SIGNALS) process.off(signal, this.#onTermination);
  }
}
