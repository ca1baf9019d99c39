import { createHash } from 'node:crypto';
import type { ConversationEvent, StatusEvent } from '../agents/conversation-events.ts';
import { isLive } from '../sessions/session.ts';
import type { StateChange } from '../sessions/session.ts';
import type { JournalHead, JournalWrite } from '../store/journal.ts';
import type { ConversationMessage, StoredMessage } from '../store/messages.ts';
import { encodeEvent } from './event-codec.ts';
import type { SegmentTexts } from './event-codec.ts';
import type { JournalEvent, KnownStatus, PlacedEvent } from './journal-event.ts';

/** A segment ends when what was kept of it is more than this, and more than twice what earlier ones had already. */
const SEGMENT_CHARS = 64 * 1024;
/** A segment also ends after this time, so that its first events can be forgotten when they are old. */
const SEGMENT_MS = 3_600_000;
/** A message that keeps changing is saved as a whole this often. */
const SAVE_MS = 10_000;
/** An agent server repeats as many errors to whoever connects (agentapi section 2.7). */
const MAX_ERRORS = 100;

const NO_JOURNAL: JournalHead = { lastPosition: 0, segment: 0, states: 0, status: null, errors: [] };

/** What is to be written, and what viewers may see once it is. */
export interface Draft {
  readonly write: JournalWrite;
  readonly events: readonly PlacedEvent[];
  readonly beginsSegment: boolean;
}

/** What was known of a session's conversation before. */
export interface RecorderPast {
  readonly head: JournalHead | null;
  /** Texts of all messages, in any order. */
  readonly messages: Iterable<ConversationMessage>;
  /** Those whose saved form is older than the journal. */
  readonly unsaved: Iterable<StoredMessage>;
  /** The last one, when it is still known; `null`: the next one is news. */
  readonly lastStatus: StatusEvent | null;
}

export interface RecorderOptions {
  /** How long events are kept: no segment takes longer, so that none is forgotten while it is written. */
  readonly maxAgeMs: number;
}

/**
 * Makes the journal of one session of what its agent server tells. On every connection that one tells the whole
 * conversation again; only what is not in the journal yet is news. Writes nothing itself.
 */
export class Recorder {
  readonly #sessionId: string;
  #head: JournalHead;
  /** Digests of the messages as they were last. */
  readonly #digests = new Map<number, string>();
  #errors: string[];
  /** Errors that the present connection has not repeated yet. */
  #expectedErrors: string[] = [];
  #status: StatusEvent | null;
  #draftedStatus: StatusEvent | null;
  #states: number;
  #statusSeen = false;
  #changed = false;
  #pending: JournalEvent[] = [];
  #pendingChars = 0;
  readonly #unsaved = new Map<number, StoredMessage>();
  readonly #texts: SegmentTexts = new Map();
  #segmentChars = 0;
  #repeatedChars = 0;
  /** After a start the texts of the last segment are not known: another one begins. */
  #segmentEndsAt = 0;
  #savedAt = 0;
  readonly #segmentMs: number;

  constructor(sessionId: string, past: RecorderPast, { maxAgeMs }: RecorderOptions) {
    this.#sessionId = sessionId;
    this.#segmentMs = Math.min(SEGMENT_MS, maxAgeMs);
    this.#head = past.head ?? NO_JOURNAL;
    this.#errors = [...this.#head.errors];
    this.#status = past.lastStatus;
    this.#draftedStatus = past.lastStatus;
    this.#states = this.#head.states;
    for (const message of past.messages) this.#digests.set(message.id, digestOf(message));
    for (const message of past.unsaved) {
      this.#digests.set(message.id, digestOf(message));
      this.#unsaved.set(message.id, message);
    }
  }

  get lastPosition(): number {
    return this.#head.lastPosition;
  }

  /** Last status of the agent that is in a draft. */
  get status(): KnownStatus {
    return this.#draftedStatus ?? { status: this.#head.status };
  }

  /** Size of what waits to be drafted, in characters of text. */
  get pendingChars(): number {
    return this.#pendingChars;
  }

  /** How many events wait to be drafted. */
  get pendingEvents(): number {
    return this.#pending.length;
  }

  /** To be called when a connection to the agent server begins. */
  connected(): void {
    this.#expectedErrors = [...this.#errors];
    this.#statusSeen = false;
    this.#changed = false;
  }

  /** Takes what the agent server tells. @returns whether it is news. */
  take(event: ConversationEvent): boolean {
    switch (event.kind) {
      case 'message':
        return this.#takeMessage(event.message);
      case 'status': {
        // While we were away the agent may have worked and come to rest again. The same word then says something new:
        // that the messages just repeated are complete.
        const restated = !this.#statusSeen && this.#changed;
        this.#statusSeen = true;
        const isSame = this.#status?.status === event.status && this.#status.waitingFor === event.waitingFor;
        if (isSame && !restated) return false;
        this.#status = event;
        this.#add(event);
        return true;
      }
      case 'error': {
        const { message, level, time } = event.error;
        const digest = digestOfAll(time, level, message);
        const repeated = this.#expectedErrors.indexOf(digest);
        if (repeated >= 0) {
          this.#expectedErrors.splice(repeated, 1);
          return false;
        }
        this.#errors = [...this.#errors, digest].slice(-MAX_ERRORS);
        this.#add({ kind: 'error', message, level, time });
        return true;
      }
    }
  }

  /**
   * Takes the states of the session that are not in the journal yet.
   * @param withEnd - false: an end waits, because the agent may still say something.
   */
  takeStates(history: readonly StateChange[], withEnd: boolean): void {
    for (const { state, at, reason } of history.slice(this.#states)) {
      if (!withEnd && !isLive(state) && this.#states === history.length - 1) return;
      this.#states += 1;
      this.#add({
        kind: 'state',
        state,
        at: at.toISOString(),
        ...(reason === undefined ? {} : { reason }),
      });
    }
  }

  /**
   * What is to be written now; `null` = nothing. What is drafted counts as written: a draft must not get lost.
   * @param save - whether messages are to be saved as they are now.
   */
  draft(now: Date, save: boolean): Draft | null {
    const events: PlacedEvent[] = this.#pending.map((event, index) => ({
      position: this.#head.lastPosition + 1 + index,
      event,
    }));
    this.#pending = [];
    this.#pendingChars = 0;
    const first = events[0];
    if (first === undefined && !(save && this.#unsaved.size > 0)) return null;
    const beginsSegment = first !== undefined && this.#segmentIsOver(now);
    if (beginsSegment) {
      this.#texts.clear();
      this.#segmentChars = 0;
      this.#repeatedChars = 0;
      this.#segmentEndsAt = now.getTime() + this.#segmentMs;
    }
    const segment = beginsSegment ? first.position : this.#head.segment;
    const kept = events.map(({ event }) => {
      const known = event.kind === 'message' && this.#texts.has(event.message.id);
      const encoded = encodeEvent(event, this.#texts);
      if (encoded.k === 'm') {
        this.#segmentChars += encoded.add.length;
        if (!known && !encoded.new) this.#repeatedChars += encoded.add.length;
      }
      return encoded;
    });
    for (const { position, event } of events) {
      if (event.kind === 'message') this.#unsaved.set(event.message.id, { ...event.message, position });
    }
    const lastPosition = events.at(-1)?.position ?? this.#head.lastPosition;
    this.#head = {
      lastPosition,
      segment,
      states: this.#states,
      status: this.#status?.status ?? this.#head.status,
      errors: this.#errors,
    };
    this.#draftedStatus = this.#status;
    // A reader that begins with this segment must find everything from before it in the saved messages.
    const saves = save || beginsSegment || this.#isWorthSaving(events, now);
    const messages = saves ? [...this.#unsaved.values()] : [];
    if (saves) {
      this.#unsaved.clear();
      this.#savedAt = now.getTime();
    }
    const batch =
      first === undefined
        ? null
        : { firstPosition: first.position, lastPosition, segment, at: now, events: kept };
    return {
      write: { sessionId: this.#sessionId, head: this.#head, batch, messages },
      events,
      beginsSegment,
    };
  }

  #takeMessage(told: { id: number; role: 'agent' | 'user'; message: string; time: string }): boolean {
    const message = { id: told.id, role: told.role, content: told.message, time: told.time };
    const digest = digestOf(message);
    const before = this.#digests.get(message.id);
    if (before === digest) return false;
    this.#digests.set(message.id, digest);
    this.#changed = true;
    const last = this.#pending.at(-1);
    let isNew = before === undefined;
    // Nobody has seen it: what comes now takes its place.
    if (last?.kind === 'message' && last.message.id === message.id) {
      this.#pending.pop();
      this.#pendingChars -= last.message.content.length;
      isNew = last.isNew;
    }
    this.#add({ kind: 'message', message, isNew });
    return true;
  }

  #add(event: JournalEvent): void {
    this.#pending.push(event);
    this.#pendingChars += event.kind === 'message' ? event.message.content.length : 256;
  }

  #segmentIsOver(now: Date): boolean {
    const isFull = this.#segmentChars > SEGMENT_CHARS && this.#segmentChars > 2 * this.#repeatedChars;
    return isFull || now.getTime() >= this.#segmentEndsAt;
  }

  /** When the agent has come to rest, has gone on to another message, or has ended. */
  #isWorthSaving(events: readonly PlacedEvent[], now: Date): boolean {
    if (this.#unsaved.size === 0) return false;
    if (now.getTime() - this.#savedAt >= SAVE_MS) return true;
    return events.some(
      ({ event }) =>
        (event.kind === 'status' && event.status === 'stable') ||
        (event.kind === 'message' && event.isNew) ||
        (event.kind === 'state' && !isLive(event.state)),
    );
  }
}

function digestOf({ role, time, content }: ConversationMessage): string {
  return digestOfAll(role, time, content);
}

function digestOfAll(...parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 22);
}
