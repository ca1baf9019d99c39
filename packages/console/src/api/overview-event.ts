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
    }
  | { readonly kind: 'state'; readonly id: string; readonly state: SessionState; readonly at: number }
  | { readonly kind: 'status'; readonly id: string; readonly agentStatus: AgentStatus }
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
      return { kind: 'session', id, ownerId, state, agentStatus: isAgentStatus(status) ? status : null };
    }
    case 'session_state': {
      const { state, at } = data;
      if (!isState(state)) return null;
      const time = typeof at === 'string' ? Date.parse(at) : NaN;
      return { kind: 'state', id, state, at: Number.isNaN(time) ? Date.now() : time };
    }
    case 'session_status':
      return isAgentStatus(data['status']) ? { kind: 'status', id, agentStatus: data['status'] } : null;
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

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function isState(value: unknown): value is SessionState {
  return SESSION_STATES.some((state) => state === value);
}

function isAgentStatus(value: unknown): value is AgentStatus {
  return value === 'stable' || value === 'running';
}
