import { setTimeout as pause } from 'node:timers/promises';
import type { Log } from '../log.ts';
import type { SessionFollower } from '../sessions/follower.ts';
import { Session } from '../sessions/session.ts';
import type { MessagePlace, StoredMessage } from '../store/messages.ts';
import type { Store } from '../store/store.ts';
import { StoreError } from '../store/store-error.ts';
import type { StoreErrorKind } from '../store/store-error.ts';
import { frameOf, gapFrame } from './journal-event.ts';
import type { PlacedEvent } from './journal-event.ts';
import { LiveJournal, storedEvents } from './live-journal.ts';
import type { Draft } from './recorder.ts';

/** What happens within this time is written at once, for all sessions together. */
const BATCH_MS = 50;
/** Pauses before a store that did not take what happened is asked again. */
const RETRY_MS = { first: 250, longest: 10_000 } as const;
/** Ages are counted in hours. */
const PRUNE_MS = 600_000;
/** Batches that are forgotten at a time. */
const PRUNE_BATCHES = 200;

/** Failures of the store that pass. */
const PASSING: ReadonlySet<StoreErrorKind> = new Set(['unavailable', 'busy', 'read_only', 'full']);

export interface JournalOptions {
  readonly store: Store;
  /** Most bytes of the journal of a session, as they are stored. */
  readonly maxBytes: number;
  /** How long events are kept; `Infinity` = with their session. */
  readonly maxAgeMs: number;
  readonly log: Log;
}

/** Is told of what happens in sessions, once it is written. */
export type JournalListener = (session: Session, placed: PlacedEvent) => void;

/** An event of the journal, or the news that some are not kept any more. */
export interface JournalFrame {
  readonly position: number;
  readonly frame: Buffer;
}

/**
 * The journal of all sessions. It has one subscription to every agent server, writes what happens before it shows it to
 * anybody, and serves any number of viewers: from memory those who keep up, from the store the others.
 */
export class Journal implements SessionFollower, AsyncDisposable {
  readonly #options: JournalOptions;
  readonly #lives = new Map<string, LiveJournal>();
  readonly #working = new Set<Promise<void>>();
  readonly #dirty = new Set<LiveJournal>();
  readonly #listeners = new Set<JournalListener>();
  readonly #closing = new AbortController();
  readonly #pruner: NodeJS.Timeout;
  #timer: NodeJS.Timeout | null = null;
  #writing: Promise<void> | null = null;
  #pruning: Promise<void> = Promise.resolve();

  constructor(options: JournalOptions) {
    this.#options = options;
    this.#pruner = setInterval(() => this.#prune(), PRUNE_MS).unref();
  }

  onLife(session: Session): void {
    const { store, log } = this.#options;
    const before = this.#lives.get(session.id)?.over ?? Promise.resolve();
    const life = new LiveJournal({ session, store, log, onDirty: (one) => this.#mark(one) }, before);
    this.#lives.set(session.id, life);
    const work = life.over.finally(() => {
      this.#working.delete(work);
      if (this.#lives.get(session.id) === life) this.#lives.delete(session.id);
    });
    this.#working.add(work);
    if (this.#closing.signal.aborted) life.stop();
  }

  onDeleted(id: string): void {
    this.#lives.get(id)?.abandon();
  }

  /** Writes the end of sessions that have ended while no server looked after them. Failures are logged. */
  async catchUp(ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      if (this.#closing.signal.aborted) return;
      try {
        const record = await this.#options.store.sessions.get(id);
        // It may have been resumed meanwhile.
        if (record === null || this.#lives.has(id)) continue;
        this.onLife(new Session(record.facts, record.port, record.history));
        await this.#lives.get(id)?.over;
      } catch (err) {
        this.#options.log.warn({ err, sessionId: id }, 'the end of a session is not in its journal');
      }
    }
  }

  /** The sessions that live, with the last status of their agents. */
  lives(): readonly LiveJournal[] {
    return [...this.#lives.values()];
  }

  /** The journal of a session that lives. */
  life(id: string): LiveJournal | undefined {
    return this.#lives.get(id);
  }

  /** Calls `listener` for everything that happens from now on; returns how to end it. */
  listen(listener: JournalListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * What happened in a session after a position, and everything that happens from now on; ends with the session.
   * Where events are not kept any more a frame says so. @throws StoreError
   */
  async *follow(
    id: string,
    after: number,
    signal: AbortSignal,
  ): AsyncGenerator<JournalFrame, void, undefined> {
    await this.#lives.get(id)?.opened;
    let position = after;
    const last = await this.lastPosition(id);
    if (position > last) {
      // As after the restore of a backup: what was seen is not what is here.
      const first = (await this.#firstEvent(id, 0))?.position ?? last + 1;
      yield { position: first - 1, frame: gapFrame(position, first, 'unknown_position') };
      position = first - 1;
    }
    while (!signal.aborted) {
      const tail = this.#lives.get(id)?.tail ?? null;
      const frame = tail?.at(position + 1) ?? null;
      if (frame !== null) {
        position += 1;
        yield { position, frame };
      } else if (tail !== null && tail.last <= position) {
        if (tail.closed) return;
        await tail.beyond(position, signal);
      } else {
        const before = position;
        for await (const stored of this.#read(id, position)) {
          ({ position } = stored);
          yield stored;
          if (signal.aborted) return;
        }
        if (position !== before) continue;
        const end = await this.lastPosition(id);
        if (end > position) {
          yield { position: end, frame: gapFrame(position, end + 1, 'pruned') };
          position = end;
        } else {
          await this.#lives.get(id)?.opened;
          // It is over, or nothing of it could be read.
          if ((this.#lives.get(id)?.tail ?? null) === null) return;
        }
      }
    }
  }

  /** Position of the last event of a session; 0 before the first one. @throws StoreError */
  async lastPosition(id: string): Promise<number> {
    const tail = this.#lives.get(id)?.tail;
    if (tail !== undefined && tail !== null) return tail.last;
    return (await this.#options.store.journal.readHead(id))?.lastPosition ?? 0;
  }

  /** Events of a session after a position that are kept. @throws StoreError */
  events(id: string, after: number): AsyncGenerator<PlacedEvent, void, undefined> {
    return storedEvents(this.#options.store, id, after);
  }

  /** Messages of a session on one side of a number, those next to it first, as they are now. @throws StoreError */
  async messages(id: string, place: MessagePlace, limit: number): Promise<readonly StoredMessage[]> {
    await this.#lives.get(id)?.flush();
    return this.#options.store.messages.list(id, place, limit);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    clearInterval(this.#pruner);
    for (const life of this.#lives.values()) life.stop();
    await Promise.all(this.#working);
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#writing;
    await this.#pruning;
  }

  async *#read(id: string, after: number): AsyncGenerator<JournalFrame, void, undefined> {
    let position = after;
    for await (const placed of this.events(id, after)) {
      if (placed.position > position + 1) {
        yield { position: placed.position - 1, frame: gapFrame(position, placed.position, 'pruned') };
      }
      ({ position } = placed);
      yield { position, frame: frameOf(placed) };
    }
  }

  async #firstEvent(id: string, after: number): Promise<PlacedEvent | null> {
    for await (const placed of this.events(id, after)) return placed;
    return null;
  }

  #mark(life: LiveJournal): void {
    this.#dirty.add(life);
    if (this.#writing !== null) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.#writing = this.#write().finally(() => {
        this.#writing = null;
        const [next] = this.#dirty;
        if (next !== undefined) this.#mark(next);
      });
    }, BATCH_MS);
  }

  /** Writes what has happened so far; tries until the store has taken it. Never rejects. */
  async #write(): Promise<void> {
    const drafts = new Map<LiveJournal, Draft>();
    const now = new Date();
    for (const life of this.#dirty) {
      const draft = life.draft(now);
      if (draft !== null) drafts.set(life, draft);
    }
    this.#dirty.clear();
    for (let pauseMs: number = RETRY_MS.first; drafts.size > 0;) {
      try {
        await this.#append(drafts);
        return;
      } catch (err) {
        const passes = err instanceof StoreError && PASSING.has(err.kind);
        if (!passes) {
          await this.#appendEach(drafts);
          return;
        }
        const { aborted } = this.#closing.signal;
        const fields = { err, sessions: drafts.size };
        if (aborted) this.#options.log.error(fields, 'what happened in sessions could not be written');
        else this.#options.log.warn(fields, 'what happened in sessions is not written yet');
        if (aborted) for (const life of drafts.keys()) life.abandon();
        if (aborted) return;
        await pause(pauseMs, undefined, { signal: this.#closing.signal }).catch(() => undefined);
        pauseMs = Math.min(pauseMs * 2, RETRY_MS.longest);
      }
    }
  }

  async #append(drafts: ReadonlyMap<LiveJournal, Draft>): Promise<void> {
    const { store } = this.#options;
    const gone = await store.journal.append([...drafts.values()].map(({ write }) => write));
    for (const [life, draft] of drafts) {
      const { id } = life.session;
      if (gone.has(id)) {
        life.abandon();
        continue;
      }
      life.committed(draft);
      for (const listener of this.#listeners) {
        for (const placed of draft.events) listener(life.session, placed);
      }
      if (draft.beginsSegment) this.#pruneToSize(id);
    }
  }

  /** One session whose journal cannot be written must not keep the others from theirs. */
  async #appendEach(drafts: ReadonlyMap<LiveJournal, Draft>): Promise<void> {
    for (const [life, draft] of drafts) {
      try {
        await this.#append(new Map([[life, draft]]));
      } catch (err) {
        const { id } = life.session;
        this.#options.log.error({ err, sessionId: id }, 'the journal of a session cannot be written');
        life.abandon();
      }
    }
  }

  #pruneToSize(id: string): void {
    const { store, maxBytes } = this.#options;
    this.#after(async () => {
      await store.journal.pruneToSize(id, maxBytes);
    });
  }

  #prune(): void {
    const { store, maxAgeMs } = this.#options;
    if (!Number.isFinite(maxAgeMs)) return;
    this.#after(async () => {
      const before = new Date(Date.now() - maxAgeMs);
      while (!this.#closing.signal.aborted) {
        if ((await store.journal.pruneToAge(before, PRUNE_BATCHES)) === 0) return;
      }
    });
  }

  #after(work: () => Promise<void>): void {
    this.#pruning = this.#pruning
      .then(work)
      .catch((err: unknown) => this.#options.log.warn({ err }, 'old events are not forgotten yet'));
  }
}
