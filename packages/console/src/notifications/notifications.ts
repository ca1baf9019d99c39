import { effect, signal, type ReadonlySignal } from '@preact/signals';
import type { LiveSession } from '../api/live-session.ts';
import type { LiveSessions } from '../api/live-sessions.ts';
import type { TabChannel } from '../api/tab-group.ts';
import { titleOf, type Titles } from '../api/titles.ts';
import type { Preferences } from '../preferences.ts';
import { COMMON, NOTIFICATIONS } from '../texts/common.ts';
import { playChime } from './chime.ts';
import { OneTeller } from './one-teller.ts';

/** What the notifications look at. */
export interface NotificationParts {
  readonly sessions: LiveSessions;
  readonly titles: Titles;
  readonly preferences: Preferences;
  /** Whether the person who is signed in owns the session. */
  readonly isOwn: (session: LiveSession) => boolean;
  /** Shows the page of a session. */
  readonly open: (sessionId: string) => void;
  /** To the other tabs of the browser; `null` where it keeps them apart. */
  readonly channel: TabChannel | null;
}

/**
 * Tells of own sessions whose agents have finished, wait or failed while nobody looked: a number in the title of the
 * page, and a notification of the browser or a sound, from one tab, for those who want them.
 */
export class Notifications {
  readonly #parts: NotificationParts;
  readonly #teller: OneTeller;
  readonly #unseen = signal<ReadonlySet<string>>(new Set());
  readonly #title = signal<string>(COMMON.product);
  readonly #shown = new Map<string, Notification>();
  /** The session whose page is open. */
  #viewed: string | null = null;
  #ends: readonly (() => void)[] = [];

  constructor(parts: NotificationParts) {
    this.#parts = parts;
    this.#teller = new OneTeller(parts.channel, (id) => this.#clear(id));
  }

  /** Sessions that have something to tell that nobody has seen. */
  get unseen(): ReadonlySignal<ReadonlySet<string>> {
    return this.#unseen;
  }

  /** Begins to listen. */
  start(): void {
    const onVisible = (): void => {
      if (!document.hidden && this.#viewed !== null) this.#see(this.#viewed);
    };
    document.addEventListener('visibilitychange', onVisible);
    this.#ends = [
      this.#parts.sessions.onPhase((session, before) => this.#onPhase(session, before)),
      effect(() => {
        const count = this.#unseen.value.size;
        const title = this.#title.value;
        document.title = count === 0 ? title : COMMON.badgedTitle(count, title);
      }),
      () => document.removeEventListener('visibilitychange', onVisible),
    ];
  }

  /** Ends all of it. */
  stop(): void {
    for (const end of this.#ends) end();
    this.#teller.close();
    for (const notification of this.#shown.values()) notification.close();
    this.#shown.clear();
  }

  /** Names the page; the number of unseen sessions comes before it. */
  setTitle(page: string): void {
    this.#title.value = COMMON.pageTitle(page);
  }

  /** The page of a session is open, or none (`null`). */
  setViewed(sessionId: string | null): void {
    this.#viewed = sessionId;
    if (sessionId !== null && !document.hidden) this.#see(sessionId);
  }

  #see(id: string): void {
    this.#teller.seen(id);
    this.#clear(id);
  }

  #clear(id: string): void {
    this.#shown.get(id)?.close();
    this.#shown.delete(id);
    if (!this.#unseen.value.has(id)) return;
    this.#unseen.value = new Set([...this.#unseen.value].filter((each) => each !== id));
  }

  #onPhase(session: LiveSession, before: LiveSession): void {
    const { id } = session;
    if (session.phase === 'working') {
      this.#teller.forget(id);
      this.#clear(id);
    }
    if (!isWorthTelling(session, before) || !this.#parts.isOwn(session)) return;
    if (!document.hidden && document.hasFocus() && this.#viewed === id) {
      this.#teller.watched(id);
      return;
    }
    this.#teller.happened(id, {
      onUnseen: () => {
        this.#unseen.value = new Set([...this.#unseen.value, id]);
      },
      tell: () => {
        const { notifications, sound } = this.#parts.preferences.values.value;
        if (sound) playChime();
        if (notifications) this.#show(session);
      },
    });
  }

  #show(session: LiveSession): void {
    if (!('Notification' in window) || Notification.permission !== 'granted') return;
    const title = titleOf(session, this.#parts.titles.of(session.id).value);
    const text =
      session.phase === 'failed'
        ? NOTIFICATIONS.failed
        : session.phase === 'stopped'
          ? NOTIFICATIONS.stopped
          : NOTIFICATIONS.waiting;
    try {
      const notification = new Notification(text(title), { tag: session.id, body: session.agent });
      notification.addEventListener('click', () => {
        window.focus();
        this.#parts.open(session.id);
        notification.close();
      });
      this.#shown.set(session.id, notification);
    } catch {
      // Telephones show notifications of installed applications only.
    }
  }
}

/** An agent has come to rest, or to an end that nobody has asked for. */
function isWorthTelling(session: LiveSession, before: LiveSession): boolean {
  if (session.phase === 'failed') return true;
  return before.phase === 'working' && (session.phase === 'waiting' || session.phase === 'stopped');
}
