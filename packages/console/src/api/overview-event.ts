import type { AgentStatus, OverviewEvent, SessionState } from '@agentapi-proxy/client';
import { SESSION_STATES } from '@agentapi-proxy/client';

/** What an event of the stream over all sessions says. */
export type SessionNews =
  | {
      readonly kind: 'session';
      readonly id: string;
      readonly ownerId: string;
      readonly state: SessionState;
      readonly agentStatus: AgentStatus | null;
      /** It waits for the answer to a question. */
      readonly isAsking: boolean;
    }
  | { readonly kind: 'state'; readonly id: string; readonly state: SessionState; readonly at: number }
  | {
      readonly kind: 'status';
      readonly id: string;
      readonly agentStatus: AgentStatus;
      readonly isAsking: boolean;
    }
  | {
      readonly kind: 'message';
      readonly id: string;
      readonly message: { readonly id: number; readonly role: string };
    }
  | { readonly kind: 'gone'; readonly id: string }
  | { readonly kind: 'resync' };

/** Reads an event; `null` for one that changes nothing in the list, or that a newer server has added. */
export function parseOverviewEvent({ name, data }: OverviewEvent): SessionNews | null {
  if (name === 'resync') return { kind: 'resync' };
  if (!isRecord(data) || typeof data['session_id'] !== 'string') return null;
  const id = data['session_id'];
  switch (name) {
    case 'session': {
      const { state, status, user_id: ownerId } = data;
      if (!isState(state) || typeof ownerId !== 'string') return null;
      const agentStatus = isAgentStatus(status) ? status : null;
      return { kind: 'session', id, ownerId, state, agentStatus, isAsking: isAsking(data) };
    }
    case 'session_state': {
      const { state, at } = data;
      if (!isState(state)) return null;
      const time = typeof at === 'string' ? Date.parse(at) : NaN;
      return { kind: 'state', id, state, at: Number.isNaN(time) ? Date.now() : time };
    }
    case 'session_status': {
      const { status } = data;
      return isAgentStatus(status)
        ? { kind: 'status', id, agentStatus: status, isAsking: isAsking(data) }
        : null;
    }
    case 'message_created':
    case 'message_updated': {
      const { message } = data;
      if (!isRecord(message) || typeof message['id'] !== 'number') return null;
      return { kind: 'message', id, message: { id: message['id'], role: String(message['role']) } };
    }
    case 'session_deleted':
    case 'session_hidden':
      return { kind: 'gone', id };
    default:
      return null;
  }
}

/** Whether an event with the status of an agent says that it waits for the answer to a question. */
export function isAsking(data: object): boolean {
  return 'waiting_for' in data && typeof data.waiting_for === 'string';
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function isState(value: unknown): value is SessionState {
  return SESSION_STATES.some((state) => state === value);
}

function isAgentStatus(value: unknown): value is AgentStatus {
  return value === 'stable' || value === 'running';
}
