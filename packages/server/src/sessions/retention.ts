import type { Log } from '../log.ts';
import type { Store } from '../store/store.ts';
import type { Workspaces } from '../workspace/workspace.ts';

/** How often ended sessions are looked at; their time is counted in hours. */
const SWEEP_INTERVAL_MS = 60_000;
/** Sessions that one sweep takes on; the next one goes on with the others. */
const BATCH = 100;

export interface RetentionOptions {
  readonly store: Store;
  readonly instanceId: string;
  readonly workspaces: Workspaces;
  /** How long an ended session without files stays readable. */
  readonly recordMs: number;
  /** How long the files of an ended session stay; `Infinity` = until it is deleted. */
  readonly filesMs: number;
  /** Runs `work` unless the session is live or was deleted, while nobody else resumes or deletes it. */
  readonly whileEnded: (id: string, work: () => Promise<void>) => Promise<void>;
  /** Told of every session whose record is gone. */
  readonly onForgotten: (id: string, ownerId: string) => void;
  readonly log: Log;
}

/**
 * Removes what ended sessions leave behind, when its time has come: first their files, by policy, then their
 * records. A session with files in its workspace is never forgotten: nobody would find them again.
 */
export class Retention implements AsyncDisposable {
  readonly #options: RetentionOptions;
  readonly #timer: NodeJS.Timeout;
  /** Sessions beyond their time whose files have been removed. */
  readonly #cleared = new Set<string>();
  /** Sessions beyond their time that stay because of their files. */
  readonly #kept = new Set<string>();
  #running: Promise<void> | null = null;
  #closed = false;

  constructor(options: RetentionOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.sweep(), SWEEP_INTERVAL_MS).unref();
  }

  /** To be called for a session that has just ended. */
  async afterEnd(id: string): Promise<void> {
    if (this.#options.filesMs === 0) await this.#clear(id);
  }

  /** Must be called when a session is resumed or deleted. */
  forget(id: string): void {
    this.#cleared.delete(id);
    this.#kept.delete(id);
  }

  /** Looks through the ended sessions once; failures are logged. */
  async sweep(): Promise<void> {
    if (this.#closed) return;
    this.#running ??= this.#sweepOnce()
      .catch((error: unknown) =>
        this.#options.log.error({ err: error }, 'ended sessions cannot be cleared away'),
      )
      .finally(() => {
        this.#running = null;
      });
    await this.#running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    await this.#running;
  }

  async #sweepOnce(): Promise<void> {
    const { filesMs, recordMs } = this.#options;
    if (Number.isFinite(filesMs)) {
      for (const id of await this.#endedLongerThan(filesMs, this.#cleared)) await this.#clear(id);
    }
    for (const id of await this.#endedLongerThan(recordMs, this.#kept))
      await this.#forgetUnlessItHasFiles(id);
  }

  /** The oldest come first, so those that were looked at before are skipped by number. */
  async #endedLongerThan(ms: number, done: ReadonlySet<string>): Promise<readonly string[]> {
    const { store, instanceId } = this.#options;
    const before = new Date(Date.now() - ms);
    const ids = await store.sessions.listEndedBefore(instanceId, before, done.size + BATCH);
    return this.#closed ? [] : ids.filter((id) => !done.has(id));
  }

  async #clear(id: string): Promise<void> {
    const { whileEnded, workspaces, store, log } = this.#options;
    await whileEnded(id, async () => {
      if (await workspaces.holdsFiles(id)) log.info({ sessionId: id }, 'files of an ended session removed');
      await workspaces.removeFiles(id);
      // One that was deleted meanwhile would stay here for ever.
      if ((await store.sessions.get(id)) !== null) this.#cleared.add(id);
      this.#kept.delete(id);
    });
  }

  async #forgetUnlessItHasFiles(id: string): Promise<void> {
    const { whileEnded, workspaces, store, onForgotten } = this.#options;
    await whileEnded(id, async () => {
      if (await workspaces.holdsFiles(id)) {
        this.#kept.add(id);
        return;
      }
      const record = await store.sessions.get(id);
      await workspaces.remove(id);
      await store.sessions.delete(id);
      this.forget(id);
      if (record !== null) onForgotten(id, record.facts.ownerId);
    });
  }
}
