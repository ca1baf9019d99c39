import type { Log } from '../log.ts';
import type { AuditEvent, AuditFilter, AuditPage, AuditTable } from '../store/audit.ts';

/** An event without its time, which is now. */
export type AuditNote = Omit<AuditEvent, 'at'>;

/** Repetitions of what somebody was refused are counted over this time and recorded once. */
const REPETITION_MS = 60_000;

/** How often counts that are due are written. */
const FLUSH_MS = 5_000;

/** Different refusals that are counted at a time; more are counted together. */
const MOST_COUNTED = 1_000;

/** Notes that wait for a store that does not answer; more are only in the log. */
const MOST_WAITING = 10_000;

/** Entries written in one statement. */
const BATCH = 100;

interface Repetition {
  readonly note: AuditNote;
  /** Milliseconds since 1970. */
  readonly since: number;
  count: number;
}

/** The audit log of the running server: who did what with which outcome. No entry holds a secret. */
export class AuditLog implements AsyncDisposable {
  readonly #table: AuditTable;
  readonly #log: Log;
  readonly #clock: () => number;
  readonly #repetitions = new Map<string, Repetition>();
  readonly #timer: NodeJS.Timeout;
  #waiting: AuditEvent[] = [];
  #writing: Promise<void> | null = null;

  constructor(table: AuditTable, log: Log, clock: () => number = Date.now) {
    this.#table = table;
    this.#log = log;
    this.#clock = clock;
    this.#timer = setInterval(() => this.#recordRepetitions(this.#clock()), FLUSH_MS).unref();
  }

  /**
   * Records what was done; it is durable when the promise resolves. What the store does not take is logged instead:
   * the action has happened, and calling it a failure would be wrong.
   */
  async record(note: AuditNote): Promise<void> {
    const event = { ...note, at: new Date(this.#clock()) };
    try {
      await this.#table.append(event);
    } catch (error) {
      this.#log.error({ err: error, event }, 'an entry of the audit log could not be stored');
    }
  }

  /** Notes what somebody was refused: at once the first time, repetitions within a minute as a count. Never waits. */
  noteRefusal(note: AuditNote): void {
    const now = this.#clock();
    const { actor, actorKeyId, action, targetId, remoteAddress } = note;
    const full = this.#repetitions.size >= MOST_COUNTED;
    const key = JSON.stringify([action, ...(full ? [] : [actor, actorKeyId, targetId, remoteAddress])]);
    const known = this.#repetitions.get(key);
    if (known !== undefined && now - known.since < REPETITION_MS) {
      known.count += 1;
      return;
    }
    if (known !== undefined) this.#recordRepetition(key, known);
    this.#repetitions.set(key, { note: full ? anonymous(note) : note, since: now, count: 0 });
    this.#enqueue({ ...note, at: new Date(now) });
  }

  /** @param before - only entries with a smaller sequence; `null` = from the newest. */
  async list(filter: AuditFilter, limit: number, before: number | null): Promise<AuditPage> {
    return this.#table.list(filter, limit, before);
  }

  /** Writes everything that was noted. */
  async flush(): Promise<void> {
    this.#recordRepetitions(Number.POSITIVE_INFINITY);
    await this.#writing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.flush();
  }

  #recordRepetitions(now: number): void {
    for (const [key, repetition] of this.#repetitions) {
      if (now - repetition.since >= REPETITION_MS) this.#recordRepetition(key, repetition);
    }
  }

  #recordRepetition(key: string, { note, count }: Repetition): void {
    this.#repetitions.delete(key);
    if (count === 0) return;
    const details = { ...note.details, repetitions: count };
    this.#enqueue({ ...note, requestId: null, details, at: new Date(this.#clock()) });
  }

  #enqueue(event: AuditEvent): void {
    if (this.#waiting.length >= MOST_WAITING) {
      this.#log.error({ event }, 'an entry of the audit log could not be stored');
      return;
    }
    this.#waiting.push(event);
    this.#writing ??= this.#write();
  }

  async #write(): Promise<void> {
    try {
      while (this.#waiting.length > 0) {
        const batch = this.#waiting.splice(0, BATCH);
        try {
          await this.#table.append(...batch);
        } catch (error) {
          for (const event of batch)
            this.#log.error({ err: error, event }, 'an entry of the audit log could not be stored');
        }
      }
    } finally {
      this.#writing = null;
    }
  }
}

/** What stands for many whose number alone is known. */
function anonymous(note: AuditNote): AuditNote {
  return { ...note, actor: null, actorKeyId: null, targetId: null, remoteAddress: null, requestId: null };
}
