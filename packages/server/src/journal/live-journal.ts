import { setTimeout as pause } from 'node:timers/promises';
import { conversationEvents } from '../agents/conversation-events.ts';
import type { StatusEvent } from '../agents/conversation-events.ts';
import type { Log } from '../log.ts';
import { isLive } from '../sessions/session.ts';
import type { Session } from '../sessions/session.ts';
import type { StoredMessage } from '../store/messages.ts';
import type { Store } from '../store/store.ts';
import { StoreError } from '../store/store-error.ts';
import { decodeEvent } from './event-codec.ts';
import type { SegmentTexts } from './event-codec.ts';
import { frameOf } from './journal-event.ts';
import type { KnownStatus, PlacedEvent } from './journal-event.ts';
import { Recorder } from './recorder.ts';
import type { Draft } from './recorder.ts';
import { Tail } from './tail.ts';

/** Pauses before a stream that broke is opened again. */
const RECONNECT_MS = { first: 100, longest: 2_000 } as const;
/** Before the store is asked again for the past of a session. */
const STORE_RETRY_MS = 1_000;
/** What a session's end may still have in its stream arrives within moments: the other side is gone. */
const LAST_WORDS_MS = 1_000;
/** While the store takes nothing, no more than this is held of a session; then its stream waits. */
const MAX_PENDING_CHARS = 4 * 1024 * 1024;
/** Frames for viewers who keep up. */
const TAIL_BYTES = 512 * 1024;
/** Messages read at a time. */
const PAGE = 100;

export interface LiveJournalOptions {
  readonly session: Session;
  readonly store: Store;
  /** How long events are kept. */
  readonly maxAgeMs: number;
  /** Told that there is something to write. */
  readonly onDirty: (journal: LiveJournal) => void;
  readonly log: Log;
}

/** The journal of a session that lives: the one subscription to its agent server, and the frames for its viewers. */
export class LiveJournal {
  readonly session: Session;
  /** Resolves when what was there before is known; never rejects. */
  readonly opened: Promise<void>;
  /** Resolves when everything of the session is written; never rejects. */
  readonly over: Promise<void>;
  readonly #options: LiveJournalOptions;
  readonly #stop = new AbortController();
  #recorder: Recorder | null = null;
  #tail: Tail | null = null;
  #wantsSave = false;
  /** Those who wait for the next draft to be written, and those who wait for the present one. */
  #wanting: (() => void)[] = [];
  #awaiting: (() => void)[] = [];
  /** Resolves those who wait for the store to take something. */
  #room: (() => void)[] = [];
  #isBroken = false;

  /** @param before - the journal of the life before this one, if it is still at work. */
  constructor(options: LiveJournalOptions, before: Promise<void>) {
    this.#options = options;
    this.session = options.session;
    this.opened = before.then(async () => this.#open());
    this.over = this.opened
      .then(async () => this.#follow())
      .catch((err: unknown) =>
        options.log.error({ err, sessionId: this.session.id }, 'the journal of a session ended early'),
      )
      .finally(() => this.#tail?.close());
  }

  /** `null` until the past is known. */
  get tail(): Tail | null {
    return this.#tail;
  }

  /** Last status of the agent that is written. */
  get status(): KnownStatus {
    return this.#recorder?.status ?? { status: null };
  }

  /** How many events have happened and are in no draft yet. */
  get pendingEvents(): number {
    return this.#recorder?.pendingEvents ?? 0;
  }

  /** What is to be written now; `null` = nothing. */
  draft(now: Date): Draft | null {
    if (this.#isBroken) return null;
    const draft = this.#recorder?.draft(now, this.#wantsSave) ?? null;
    this.#wantsSave = false;
    for (const resolve of this.#room.splice(0)) resolve();
    this.#awaiting.push(...this.#wanting.splice(0));
    if (draft === null) this.#wakeAwaiting();
    return draft;
  }

  /** A draft is written: now others may see it. */
  committed({ events }: Draft): void {
    this.#tail?.push(events.map((placed) => frameOf(placed)));
    this.#wakeAwaiting();
  }

  /** The session is not there any more, or its journal cannot be written. */
  abandon(): void {
    this.#isBroken = true;
    this.#stop.abort();
    this.#awaiting.push(...this.#wanting.splice(0));
    this.#wakeAwaiting();
  }

  /** Resolves when everything that was told so far is written, messages included. */
  async flush(): Promise<void> {
    await this.opened;
    if (this.#isBroken) return;
    this.#wantsSave = true;
    await this.#nextWrite();
  }

  /** Ends the subscription; what was told so far is still written. */
  stop(): void {
    this.#stop.abort();
  }

  async #nextWrite(): Promise<void> {
    const written = new Promise<void>((resolve) => this.#wanting.push(resolve));
    this.#options.onDirty(this);
    await written;
  }

  #wakeAwaiting(): void {
    for (const resolve of this.#awaiting.splice(0)) resolve();
  }

  async #open(): Promise<void> {
    const { store, log, session } = this.#options;
    while (!this.#stop.signal.aborted) {
      try {
        this.#recorder = await recorderOf(store, session.id, this.#options.maxAgeMs);
        this.#tail = new Tail(this.#recorder.lastPosition + 1, TAIL_BYTES);
        return;
      } catch (err) {
        log.warn({ err, sessionId: session.id }, 'the journal of a session cannot be read yet');
        if (!(err instanceof StoreError)) throw err;
        await pause(STORE_RETRY_MS, undefined, { signal: this.#stop.signal }).catch(() => undefined);
      }
    }
  }

  async #follow(): Promise<void> {
    const recorder = this.#recorder;
    if (recorder === null) return;
    const { session } = this;
    const unwatch = session.watch(() => {
      recorder.takeStates(session.history, false);
      this.#options.onDirty(this);
    });
    try {
      recorder.takeStates(session.history, false);
      this.#options.onDirty(this);
      await this.#subscribe(recorder);
    } finally {
      unwatch();
    }
    recorder.takeStates(session.history, true);
    await this.flush();
  }

  async #subscribe(recorder: Recorder): Promise<void> {
    const { session } = this;
    const stop = new AbortController();
    const onStop = (): void => stop.abort();
    let farewell: NodeJS.Timeout | undefined;
    // The end of the agent server ends its stream; that it may still say something is why nothing is cut off here.
    const onChange = (): void => {
      if (!isLive(session.state)) farewell ??= setTimeout(onStop, LAST_WORDS_MS);
    };
    this.#stop.signal.addEventListener('abort', onStop);
    const unwatch = session.watch(onChange);
    if (this.#stop.signal.aborted) onStop();
    try {
      await session.untilStarted(stop.signal);
      for (let pauseMs: number = RECONNECT_MS.first; !session.ended.aborted && !stop.signal.aborted;) {
        const heard = await this.#listen(recorder, stop.signal);
        pauseMs = heard ? RECONNECT_MS.first : Math.min(pauseMs * 2, RECONNECT_MS.longest);
        if (!session.ended.aborted) await pause(pauseMs, undefined, { signal: stop.signal });
      }
    } catch (error) {
      if (!stop.signal.aborted) throw error;
    } finally {
      clearTimeout(farewell);
      unwatch();
      this.#stop.signal.removeEventListener('abort', onStop);
    }
    await this.#untilEnded();
  }

  /** One connection, to its end. @returns whether it brought anything. */
  async #listen(recorder: Recorder, signal: AbortSignal): Promise<boolean> {
    const { endpoint } = this.session;
    if (endpoint === null) return false;
    let heard = false;
    recorder.connected();
    try {
      for await (const event of conversationEvents(endpoint, signal)) {
        heard = true;
        if (!recorder.take(event)) continue;
        this.session.touch();
        this.#options.onDirty(this);
        if (recorder.pendingChars > MAX_PENDING_CHARS) await this.#untilRoom(signal);
      }
    } catch (err) {
      if (!signal.aborted) {
        this.#options.log.debug({ err, sessionId: this.session.id }, 'a conversation is not told any more');
      }
    }
    return heard;
  }

  async #untilRoom(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = (): void => {
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.#room.push(done);
      signal.addEventListener('abort', done);
    });
  }

  /** The stream has ended with the agent; its session ends within moments, and says how. */
  async #untilEnded(): Promise<void> {
    const { session } = this;
    const { signal } = this.#stop;
    if (!isLive(session.state) || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const look = (): void => {
        if (isLive(session.state) && !signal.aborted) return;
        unwatch();
        signal.removeEventListener('abort', look);
        resolve();
      };
      const unwatch = session.watch(look);
      signal.addEventListener('abort', look);
    });
  }
}

/** A recorder that knows what is in the store. */
async function recorderOf(store: Store, sessionId: string, maxAgeMs: number): Promise<Recorder> {
  const head = await store.journal.readHead(sessionId);
  const saved = new Map<number, StoredMessage>();
  for (let after = -1; ;) {
    const page = await store.messages.list(sessionId, { after }, PAGE);
    for (const message of page) saved.set(message.id, message);
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) break;
    after = last.id;
  }
  const unsaved = new Map<number, StoredMessage>();
  let lastStatus: StatusEvent | null = null;
  if (head !== null) {
    for await (const { position, event } of storedEvents(store, sessionId, head.segment - 1)) {
      if (event.kind === 'status') lastStatus = event;
      if (event.kind !== 'message' || (saved.get(event.message.id)?.position ?? 0) >= position) continue;
      unsaved.set(event.message.id, { ...event.message, position });
    }
  }
  const past = { head, messages: saved.values(), unsaved: unsaved.values(), lastStatus };
  return new Recorder(sessionId, past, { maxAgeMs });
}

/** Batches read at a time, as far as they hold no more than these characters: a viewer who does not read keeps them. */
const BATCHES = 8;
const READ_CHARS = 64 * 1024;

/** The events of a session that are in the store, after a position. @throws StoreError */
export async function* storedEvents(
  store: Store,
  sessionId: string,
  after: number,
): AsyncGenerator<PlacedEvent, void, undefined> {
  const begin = await store.journal.segmentOf(sessionId, after + 1);
  if (begin === null) return;
  const texts: SegmentTexts = new Map();
  let segment = begin;
  let most = 1;
  for (let from = begin; ;) {
    const batches = await store.journal.read(sessionId, from, most);
    let chars = 0;
    for (const batch of batches) {
      if (batch.segment !== segment) texts.clear();
      segment = batch.segment;
      let position = batch.firstPosition;
      for (const kept of batch.events) {
        const event = decodeEvent(kept, texts);
        chars += event.kind === 'message' ? event.message.content.length : 0;
        if (position > after) yield { position, event };
        position += 1;
      }
    }
    const last = batches.at(-1);
    if (last === undefined) return;
    from = last.lastPosition + 1;
    most = Math.min(BATCHES, Math.max(1, Math.floor((READ_CHARS * batches.length) / Math.max(1, chars))));
  }
}
