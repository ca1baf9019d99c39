import type { SessionFollower } from '../sessions/follower.ts';
import type { Session } from '../sessions/session.ts';
import type { Journal } from './journal.ts';
import { statusMembers } from './journal-event.ts';
import type { PlacedEvent } from './journal-event.ts';

/** Changes that may wait for one viewer behind what is told to begin with; with more, everything is told anew. */
const MAX_WAITING = 1_024;
/** Sessions of which a viewer is remembered to know; the oldest are forgotten. */
const MAX_SHOWN = 10_000;

/** Whether a viewer may see a session now. */
type MaySee = (session: Pick<Session, 'id' | 'ownerId'>) => boolean;

interface Watcher {
  readonly maySee: MaySee;
  readonly shown: Set<string>;
  waiting: Buffer[];
  /** Most frames that may wait. */
  most: number;
  /** Something was left out. */
  isBehind: boolean;
  wake: () => void;
}

/** One stream over all sessions that somebody may see: how they are, and what changes. */
export class Overview implements SessionFollower {
  readonly #journal: Journal;
  readonly #watchers = new Set<Watcher>();
  readonly #frames = new WeakMap<PlacedEvent, Buffer>();

  constructor(journal: Journal) {
    this.#journal = journal;
    journal.listen((session, placed) => this.#onEvent(session, placed));
  }

  onLife(): void {
    // Its first event says so.
  }

  onDeleted(id: string, ownerId: string): void {
    const frame = frameOf('session_deleted', { session_id: id });
    for (const watcher of this.#watchers) {
      // One that had ended before was not shown, but whoever may see it has it in a list.
      if (watcher.shown.delete(id) || watcher.maySee({ id, ownerId })) push(watcher, frame);
    }
  }

  /** Shows and hides sessions whose shares have changed. */
  recheck(): void {
    for (const watcher of this.#watchers) {
      for (const frame of this.#differences(watcher)) push(watcher, frame);
    }
  }

  /** First all sessions that live, then every change. Ends when `signal` aborts. */
  async *watch(maySee: MaySee, signal: AbortSignal): AsyncGenerator<Buffer, void, undefined> {
    const watcher: Watcher = {
      maySee,
      shown: new Set(),
      waiting: [],
      most: 0,
      isBehind: false,
      wake: () => undefined,
    };
    const onAbort = (): void => watcher.wake();
    signal.addEventListener('abort', onAbort);
    this.#watchers.add(watcher);
    try {
      this.#tellAll(watcher, []);
      while (!signal.aborted) {
        if (watcher.isBehind) this.#tellAll(watcher, [frameOf('resync', {})]);
        const frame = watcher.waiting.shift();
        if (frame !== undefined) {
          yield frame;
          continue;
        }
        await new Promise<void>((resolve) => {
          watcher.wake = resolve;
          if (signal.aborted) resolve();
        });
      }
    } finally {
      this.#watchers.delete(watcher);
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** In one go, before anything that happens meanwhile, and however much it is: it would only be told again. */
  #tellAll(watcher: Watcher, first: readonly Buffer[]): void {
    watcher.isBehind = false;
    watcher.shown.clear();
    watcher.waiting = [...first, ...this.#differences(watcher)];
    watcher.most = watcher.waiting.length + MAX_WAITING;
  }

  /** What brings a viewer from the sessions that are shown to those that may be seen; they count as shown then. */
  #differences(watcher: Watcher): readonly Buffer[] {
    const frames: Buffer[] = [];
    for (const { session, status, tail } of this.#journal.lives()) {
      const maySee = watcher.maySee(session);
      if (!maySee && watcher.shown.delete(session.id)) {
        frames.push(frameOf('session_hidden', { session_id: session.id }));
      }
      if (!maySee || watcher.shown.has(session.id)) continue;
      show(watcher, session.id);
      const { id, ownerId, state } = session;
      const at = { session_id: id, event_id: tail?.last ?? 0 };
      frames.push(frameOf('session', { ...at, user_id: ownerId, state, ...statusMembers(status) }));
    }
    return frames;
  }

  #onEvent(session: Session, placed: PlacedEvent): void {
    for (const watcher of this.#watchers) {
      if (!watcher.maySee(session)) {
        if (watcher.shown.delete(session.id))
          push(watcher, frameOf('session_hidden', { session_id: session.id }));
        continue;
      }
      show(watcher, session.id);
      push(watcher, this.#frameOf(session, placed));
    }
  }

  #frameOf(session: Session, placed: PlacedEvent): Buffer {
    const known = this.#frames.get(placed);
    if (known !== undefined) return known;
    const frame = changeFrame(session, placed);
    this.#frames.set(placed, frame);
    return frame;
  }
}

function push(watcher: Watcher, frame: Buffer): void {
  if (watcher.waiting.length >= watcher.most) watcher.isBehind = true;
  else watcher.waiting.push(frame);
  watcher.wake();
}

function show({ shown }: Watcher, id: string): void {
  shown.add(id);
  const [oldest] = shown;
  if (shown.size > MAX_SHOWN && oldest !== undefined) shown.delete(oldest);
}

function changeFrame({ id, ownerId }: Session, { position, event }: PlacedEvent): Buffer {
  const at = { session_id: id, event_id: position };
  switch (event.kind) {
    case 'message': {
      const { id: number, role, time, content } = event.message;
      const message = { id: number, role, time, length: content.length };
      return frameOf(event.isNew ? 'message_created' : 'message_updated', { ...at, message });
    }
    case 'status':
      return frameOf('session_status', { ...at, ...statusMembers(event) });
    case 'error':
      return frameOf('agent_error', { ...at, message: event.message, level: event.level, time: event.time });
    case 'state': {
      const { state, at: time, reason } = event;
      const change = { user_id: ownerId, state, at: time };
      return frameOf('session_state', { ...at, ...change, ...(reason === undefined ? {} : { reason }) });
    }
  }
}

function frameOf(name: string, data: object): Buffer {
  return Buffer.from(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
}
