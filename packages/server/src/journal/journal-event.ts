import type { StatusEvent } from '../agents/conversation-events.ts';
import type { SessionState } from '../sessions/session.ts';
import type { ConversationMessage } from '../store/messages.ts';

/** One thing that happened in a session. */
export type JournalEvent =
  /** A message is new, or has changed; with its full text. */
  | { readonly kind: 'message'; readonly message: ConversationMessage; readonly isNew: boolean }
  | StatusEvent
  | { readonly kind: 'error'; readonly message: string; readonly level: string; readonly time: string }
  | { readonly kind: 'state'; readonly state: SessionState; readonly at: string; readonly reason?: string };

/** How the agent was last; `null` when it has not told yet. */
export interface KnownStatus extends Pick<StatusEvent, 'waitingFor'> {
  readonly status: string | null;
}

/** An event at its place in the journal of its session; the first one has 1. */
export interface PlacedEvent {
  readonly position: number;
  readonly event: JournalEvent;
}

/** An event as it stands on the wire; agentapi's events look as they do there. */
export function frameOf({ position, event }: PlacedEvent): Buffer {
  const [name, data] = wireOf(event);
  return Buffer.from(`id: ${position}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
}

/** Tells a reader that events are not kept any more: those after `after` and before `first`. */
export function gapFrame(after: number, first: number, reason: 'pruned' | 'unknown_position'): Buffer {
  // It moves the reader on, so that a reconnect does not end in the same gap.
  return Buffer.from(
    `id: ${first - 1}\nevent: journal_gap\ndata: ${JSON.stringify({ after, first, reason })}\n\n`,
  );
}

/** A status as it stands on the wire. */
export function statusMembers({ status, waitingFor }: KnownStatus): object {
  return { status, ...(waitingFor && { waiting_for: waitingFor }) };
}

function wireOf(event: JournalEvent): readonly [name: string, data: object] {
  switch (event.kind) {
    case 'message': {
      const { id, role, content, time } = event.message;
      return ['message_update', { id, role, message: content, time }];
    }
    case 'status':
      return ['status_change', statusMembers(event)];
    case 'error':
      return ['agent_error', { message: event.message, level: event.level, time: event.time }];
    case 'state': {
      const { state, at, reason } = event;
      return ['state_change', { state, at, ...(reason === undefined ? {} : { reason }) }];
    }
  }
}
