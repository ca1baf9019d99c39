import { setTimeout as pause } from 'node:timers/promises';
import type { Log } from '../log.ts';
import type { SessionFollower } from '../sessions/follower.ts';
import { Session } from '../sessions/session.ts';
import type { MessagePlace, StoredMessage } from '../store/messages.ts';
import type { Store } from '../store/store.ts';
import { StoreError } from '../store/store-error.ts';
import type { PlacedEvent } from './journal-event.ts';
import { LiveJournal, storedEvents } from './live-journal.ts';
import type { JournalFigures, JournalObserver } from './observer.ts';
import { passes } from './passing-failures.ts';
import { Pruner } from './pruner.ts';
import { JournalReaders } from './readers.ts';
import type { Draft } from './recorder.ts';

/** What happens within this time is written at once, for all sessions together. */
const BATCH_MS = 50;
/** Pauses before a store that did not take what happened is asked again. */
const RETRY_MS = { first: 250, longest: 3_000 } as const;

export interface JournalOptions {
  readonly store: Store;
  /** Most bytes of the journal of a session, as they are stored. */
  readonly maxBytes: number;
  /** How long events are kept; `Infinity` = with their session. */
  readonly maxAgeMs: number;
  readonly observer?: JournalObserver | undefined;
  readonly log: Log;
}

/** Is told of what happens in sessions, once it is written. */
export type JournalListener = (session: Session, placed: PlacedEvent) => void;

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
  readonly #pruner: Pruner;
  readonly #readers: JournalReaders;
  #timer: NodeJS.Timeout | null = null;
  #writing: Promise<void> | null = null;
  /** Since when something waits to be written, and when what is under way was drafted; milliseconds since 1970. */
  #waitingSince: number | null = null;
  #drafted: { readonly events: number; readonly at: number; readonly since: number } | null = null;
  #isBehind = false;

  constructor(options: JournalOptions) {
    this.#options = options;
    const { store, observer } = options;
    this.#readers = new JournalReaders({ store, observer, life: (id) => this.#lives.get(id) });
    this.#pruner = new Pruner({
      ...options,
      draftedAt: () => this.#drafted?.at ?? null,
      // What is not kept is not shown either.
      onForgotten: (id, position) => this.#lives.get(id)?.tail?.forget(position),
    });
  }

  onLife(session: Session): void {
    const { store, maxAgeMs, log } = this.#options;
    const before = this.#lives.get(session.id)?.over ?? Promise.resolve();
    const onDirty = (one: LiveJournal): void => this.#mark(one);
    const life = new LiveJournal({ session, store, maxAgeMs, log, onDirty }, before);
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

  /** Whether the store does not take what happens; viewers wait then, and nothing is lost. */
  get isBehind(): boolean {
    return this.#isBehind;
  }

  figures(): JournalFigures {
    let waitingEvents = this.#drafted?.events ?? 0;
    for (const life of this.#lives.values()) waitingEvents += life.pendingEvents;
    const since = this.#drafted?.since ?? this.#waitingSince;
    return {
      sessions: this.#lives.size,
      waitingEvents,
      waitingMs: since === null || waitingEvents === 0 ? 0 : Math.max(0, Date.now() - since),
      viewers: this.#readers.all,
      storeReaders: this.#readers.ofStore,
    };
  }

  /** Calls `listener` for everything that happens from now on; returns how to end it. */
  listen(listener: JournalListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * What happened in a session after a position, and everything that happens from now on, as it stands on the wire; ends
   * with the session. Where events are not kept any more a frame says so. A store that does not answer is waited for.
   * @throws StoreError for one that never will.
   */
  follow(id: string, after: number, signal: AbortSignal): AsyncGenerator<Buffer, void, undefined> {
    return this.#readers.follow(id, after, signal);
  }

  /** Position of the last event of a session; 0 before the first one. @throws StoreError */
  async lastPosition(id: string): Promise<number> {
    return this.#readers.lastPosition(id);
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
    for (const life of this.#lives.values()) life.stop();
    await Promise.all(this.#working);
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#writing;
    await this.#pruner[Symbol.asyncDispose]();
  }

  #mark(life: LiveJournal): void {
    this.#dirty.add(life);
    this.#waitingSince ??= Date.now();
    if (this.#writing !== null) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.#writing = this.#write().finally(() => {
        this.#writing = null;
        this.#drafted = null;
        const [next] = this.#dirty;
        if (next !== undefined) this.#mark(next);
      });
    }, BATCH_MS);
  }

  /** Writes what has happened so far; tries until the store has taken it. Never rejects. */
  async #write(): Promise<void> {
    const drafts = new Map<LiveJournal, Draft>();
    const now = new Date();
    let events = 0;
    for (const life of this.#dirty) {
      const draft = life.draft(now);
      if (draft === null) continue;
      drafts.set(life, draft);
      events += draft.events.length;
    }
    this.#drafted = { events, at: now.getTime(), since: this.#waitingSince ?? now.getTime() };
    this.#waitingSince = null;
    this.#dirty.clear();
    for (let pauseMs: number = RETRY_MS.first; drafts.size > 0;) {
      const err = await this.#tryAppend(drafts);
      if (drafts.size === 0) break;
      const { aborted } = this.#closing.signal;
      const fields = { err, sessions: drafts.size };
      if (aborted) {
        this.#options.log.error(fields, 'what happened in sessions could not be written');
        for (const life of drafts.keys()) life.abandon();
        return;
      }
      this.#isBehind = true;
      this.#options.log.warn(fields, 'what happened in sessions is not written yet');
      await pause(pauseMs, undefined, { signal: this.#closing.signal }).catch(() => undefined);
      pauseMs = Math.min(pauseMs * 2, RETRY_MS.longest);
    }
    this.#isBehind = false;
  }

  /** Takes what is written, or never will be, out of `drafts`. @returns why there is something left. */
  async #tryAppend(drafts: Map<LiveJournal, Draft>): Promise<unknown> {
    try {
      await this.#append(drafts);
      drafts.clear();
      return null;
    } catch (error) {
      if (passes(error)) return error;
    }
    // One session whose journal cannot be written must not keep the others from theirs.
    let reason: unknown = null;
    for (const [life, draft] of drafts) {
      try {
        await this.#append(new Map([[life, draft]]));
      } catch (err) {
        reason = err;
        if (passes(err)) continue;
        const { id } = life.session;
        this.#options.log.error({ err, sessionId: id }, 'the journal of a session cannot be written');
        this.#options.observer?.abandoned();
        life.abandon();
      }
      drafts.delete(life);
    }
    return reason;
  }

  /** All of it or nothing. @throws StoreError */
  async #append(drafts: ReadonlyMap<LiveJournal, Draft>): Promise<void> {
    const { store, observer } = this.#options;
    const beganAt = performance.now();
    const writes = [...drafts.values()].map(({ write }) => write);
    const gone = await store.journal.append(writes).catch((error: unknown) => {
      observer?.writeFailed(error instanceof StoreError ? error.kind : 'failed');
      throw error;
    });
    const ms = performance.now() - beganAt;
    let events = 0;
    for (const [life, draft] of drafts) {
      const { id } = life.session;
      if (gone.has(id)) {
        life.abandon();
        continue;
      }
      events += draft.events.length;
      life.committed(draft);
      for (const listener of this.#listeners) {
        for (const placed of draft.events) listener(life.session, placed);
      }
      if (draft.beginsSegment) this.#pruner.toSize(id);
    }
    observer?.written(events, ms);
  }
}
