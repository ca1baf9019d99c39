import { isAlive, ProcessTable } from '@agentapi-proxy/agent-server/process-tree';
import type { ProcessIdentity } from '@agentapi-proxy/agent-server/process-tree';

/** How late the end of a process may be noticed that is nobody's child and has nothing to say. */
const CHECK_INTERVAL_MS = 500;

/** Tells when processes end that are not our children. One timer for all, none while there is nothing to watch. */
export class AliveWatch implements Disposable {
  readonly #watched = new Map<() => void, ProcessIdentity>();
  readonly #table: ProcessTable;
  #timer: NodeJS.Timeout | null = null;

  constructor(table: ProcessTable = new ProcessTable()) {
    this.#table = table;
  }

  /** Whether the process lives; one that cannot be looked at at the moment counts as alive. */
  async lives(identity: ProcessIdentity): Promise<boolean> {
    return isAlive(identity, this.#table).catch(() => true);
  }

  /** Resolves when the process is gone, or when `signal` aborts. */
  untilGone(identity: ProcessIdentity, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        signal.removeEventListener('abort', done);
        this.#watched.delete(done);
        if (this.#watched.size === 0) this[Symbol.dispose]();
        resolve();
      };
      if (signal.aborted) {
        resolve();
        return;
      }
      signal.addEventListener('abort', done);
      this.#watched.set(done, identity);
      this.#timer ??= setInterval(() => void this.#check(), CHECK_INTERVAL_MS).unref();
    });
  }

  [Symbol.dispose](): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  async #check(): Promise<void> {
    for (const [done, identity] of [...this.#watched]) {
      if (!(await this.lives(identity))) done();
    }
  }
}
