import type { ConversationMessage } from '../store/messages.ts';
import type { Journal } from './journal.ts';
import type { JournalEvent } from './journal-event.ts';

/** What a wait was for, or why it ended without. */
export type WaitResult =
  | { readonly kind: 'stable' | 'ended' | 'timeout' }
  | { readonly kind: 'message'; readonly message: ConversationMessage };

export interface Wait {
  readonly sessionId: string;
  readonly for: 'stable' | 'message';
  /** Only what comes behind this event counts; `null` = what is so already counts, too. */
  readonly after: number | null;
  /** Whether the agent is at rest and nothing waits for it. Rejects when that cannot be found out. */
  readonly isAtRest: () => Promise<boolean>;
  /** Calls back whenever that may have become so without an event; returns how to end it. */
  readonly onLessWaiting: (askAgain: () => void) => () => void;
  /** Whether the session can still bring what is waited for. */
  readonly isLive: () => boolean;
  /** Ends the wait with `timeout`. */
  readonly signal: AbortSignal;
}

/** Waits for something to happen in a session. @throws StoreError */
export async function waitInSession(journal: Journal, wait: Wait): Promise<WaitResult> {
  const happened: JournalEvent[] = [];
  let mayBeAtRest = false;
  let wake = (): void => undefined;
  // Before looking at what there is, so that nothing falls between.
  const unlisten = journal.listen((session, { event }) => {
    if (session.id !== wait.sessionId) return;
    happened.push(event);
    wake();
  });
  const unlistenWaiting = wait.onLessWaiting(() => {
    mayBeAtRest = true;
    wake();
  });
  const onAbort = (): void => wake();
  wait.signal.addEventListener('abort', onAbort);
  try {
    const found = await alreadySo(journal, wait);
    if (found !== null) return found;
    for (;;) {
      for (const event of happened.splice(0)) {
        const result = await resultOf(event, wait);
        if (result !== null) return result;
      }
      if (mayBeAtRest) {
        mayBeAtRest = false;
        if (await isStableNow(wait)) return { kind: 'stable' };
      }
      if (wait.signal.aborted) return { kind: 'timeout' };
      if (!wait.isLive() && journal.life(wait.sessionId) === undefined) return { kind: 'ended' };
      await new Promise<void>((resolve) => {
        wake = resolve;
        if (happened.length > 0 || mayBeAtRest || wait.signal.aborted) resolve();
      });
    }
  } finally {
    unlisten();
    unlistenWaiting();
    wait.signal.removeEventListener('abort', onAbort);
  }
}

async function alreadySo(journal: Journal, wait: Wait): Promise<WaitResult | null> {
  if (wait.after === null) return (await isStableNow(wait)) ? { kind: 'stable' } : null;
  for await (const { event } of journal.events(wait.sessionId, wait.after)) {
    const result = await resultOf(event, wait);
    if (result !== null) return result;
  }
  return null;
}

/** Whether it is for that, and so without any event. */
async function isStableNow(wait: Wait): Promise<boolean> {
  return wait.for === 'stable' && wait.after === null && (await wait.isAtRest());
}

async function resultOf(event: JournalEvent, wait: Wait): Promise<WaitResult | null> {
  switch (event.kind) {
    case 'message':
      if (wait.for !== 'message' || event.message.role !== 'agent') return null;
      return { kind: 'message', message: event.message };
    case 'status':
      if (wait.for !== 'stable' || event.status !== 'stable') return null;
      // It may have been told to go on in the meantime.
      return wait.after !== null || (await wait.isAtRest()) ? { kind: 'stable' } : null;
    case 'state':
      return wait.isLive() ? null : { kind: 'ended' };
    case 'error':
      return null;
  }
}
