import type { ConversationMessage, JournalEvent, SessionState } from '@agentapi-proxy/client';
import { SESSION_STATES } from '@agentapi-proxy/client';

/** An error that the agent server tells of. */
export interface AgentNotice {
  readonly eventId: number;
  readonly message: string;
  readonly level: 'warning' | 'error';
  readonly time: string;
}

/** What an event of a session's journal says. */
export type JournalNews =
  | { readonly kind: 'message'; readonly message: ConversationMessage }
  | { readonly kind: 'status'; readonly status: 'running' | 'stable' }
  | { readonly kind: 'notice'; readonly notice: AgentNotice }
  | { readonly kind: 'state'; readonly state: SessionState; readonly reason: string | undefined }
  /** What is known is not enough to go on with. */
  | { readonly kind: 'gap' };

/** Reads an event; `undefined` for what this version does not know, or what is not as it should be. */
export function newsOf({ id, name, data }: JournalEvent): JournalNews | undefined {
  const members = membersOf(data);
  switch (name) {
    case 'message_update': {
      const { id: messageId, role, message, time } = members;
      if (typeof messageId !== 'number' || typeof message !== 'string' || typeof time !== 'string')
        return undefined;
      if (role !== 'agent' && role !== 'user') return undefined;
      return { kind: 'message', message: { id: messageId, role, content: message, time, event_id: id } };
    }
    case 'status_change': {
      const { status } = members;
      return status === 'running' || status === 'stable' ? { kind: 'status', status } : undefined;
    }
    case 'agent_error': {
      const { message, level, time } = members;
      if (typeof message !== 'string' || typeof time !== 'string') return undefined;
      const notice = { eventId: id, message, level: level === 'warning' ? level : 'error', time } as const;
      return { kind: 'notice', notice };
    }
    case 'state_change': {
      const { reason } = members;
      const state = SESSION_STATES.find((state) => state === members['state']);
      if (state === undefined) return undefined;
      return { kind: 'state', state, reason: typeof reason === 'string' ? reason : undefined };
    }
    case 'journal_gap':
      return { kind: 'gap' };
    default:
      return undefined;
  }
}

function membersOf(data: unknown): Readonly<Record<string, unknown>> {
  return typeof data === 'object' && data !== null ? { ...data } : {};
}
