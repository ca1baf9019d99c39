import type { SavedState } from './state-file.ts';

export interface StateKeeperOptions {
  /** `undefined`: nothing is kept. */
  readonly path: string | undefined;
  readonly load: boolean;
  readonly save: boolean;
  /** A change is on disk at the latest after this time, in milliseconds (AA-172). */
  readonly delayMs: number;
  /** What is to be saved now. */
  readonly state: () => SavedState;
  /** Receives the failure of a save that nobody asked for; once until a save succeeds again. */
  readonly onFailure: (error: unknown) => void;
}

/** A failed save is tried again: at first soon, as what stood in the way may have been short, then ever more seldom. */
const MAX_RETRY_MS = 60_000;

/** Loaded late: the schema library keeps 7 MB resident, and most conversations have no state file. */
const loadStateFile = () => import('./state-file.ts');

/**
 * Reads the state file once and keeps it up to date afterwards: soon after each change, at once on demand,
 * never two writes in parallel, and never before the old file has been read (AA-147). What could not be saved is tried again.
 */
export class StateKeeper {
  readonly #options: StateKeeperOptions;
  #phase: 'unread' | 'reading' | 'open' | 'closed';
  /** The old file could not be understood and is moved aside before it is replaced. */
  #oldUnreadable = false;
  #dirty = false;
  /** Saves that have failed one after another. */
  #failures = 0;
  #isFailureTold = false;
  #timer: NodeJS.Timeout | null = null;
  #lastWrite: Promise<void> = Promise.resolve();

  constructor(options: StateKeeperOptions) {
    this.#options = options;
    this.#phase = options.path !== undefined && options.load ? 'unread' : 'open';
  }

  /** There is a file to be read before the conversation can begin. */
  get mustRead(): boolean {
    return this.#phase === 'unread';
  }

  /** Nothing has to be read (any more). */
  get wasRead(): boolean {
    return this.#phase === 'open' || this.#phase === 'closed';
  }

  /**
   * Reads the file; afterwards saving begins.
   * @returns `null` when there is no file, or when the keeper has been closed meanwhile.
   * @throws {StateFileError} when the file is of no use.
   */
  async read(): Promise<SavedState | null> {
    const { path } = this.#options;
    if (path === undefined || this.#phase !== 'unread') return null;
    this.#phase = 'reading';
    try {
      const { readStateFile } = await loadStateFile();
      const saved = await readStateFile(path);
      return this.#isOver() ? null : saved;
    } catch (error) {
      this.#oldUnreadable = true;
      throw error;
    } finally {
      if (!this.#isOver()) this.#phase = 'open';
      if (this.#dirty) this.#arm();
    }
  }

  /** Something has changed that a restart must not lose. */
  changed(): void {
    this.#dirty = true;
    this.#arm();
  }

  /** The file and the conversation are equal. */
  unchanged(): void {
    this.#dirty = false;
    this.#disarm();
  }

  /** Saves now, unless nothing has changed (AA-139). Rejects when the file cannot be written. */
  async save(): Promise<void> {
    this.#disarm();
    const write = (): Promise<void> => this.#write();
    this.#lastWrite = this.#lastWrite.then(write, write);
    await this.#lastWrite;
  }

  /** Saves a last time; later changes are not saved, and a file that has not been read stays as it is. */
  async close(): Promise<void> {
    try {
      await this.save();
    } finally {
      this.#phase = 'closed';
      this.#disarm();
    }
  }

  async #write(): Promise<void> {
    const { path, save, state } = this.#options;
    if (path === undefined || !save || !this.#dirty || this.#phase !== 'open') return;
    try {
      const { setStateFileAside, writeStateFile } = await loadStateFile();
      if (this.#oldUnreadable) await setStateFileAside(path);
      this.#oldUnreadable = false;
      this.#dirty = false;
      await writeStateFile(path, state());
    } catch (error) {
      this.#dirty = true;
      this.#failures += 1;
      this.#arm();
      throw error;
    }
    this.#failures = 0;
    this.#isFailureTold = false;
  }

  #isOver(): boolean {
    return this.#phase === 'closed';
  }

  #arm(): void {
    const { path, save, delayMs, onFailure } = this.#options;
    if (path === undefined || !save || this.#phase !== 'open') return;
    const afterMs = Math.max(delayMs, Math.min(delayMs * 2 ** this.#failures, MAX_RETRY_MS));
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.save().catch((error: unknown) => {
        if (!this.#isFailureTold) onFailure(error);
        this.#isFailureTold = true;
      });
    }, afterMs);
  }

  #disarm(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
