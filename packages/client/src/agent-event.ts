import {
  agentErrorSchema,
  messageUpdateSchema,
  statusChangeSchema,
  type AgentStatus,
  type Message,
} from './schemas.ts';
import type { ServerSentEvent } from './sse.ts';

/** A message is new, or has grown: an agent's message is repeated with its full text while it is written. */
export interface MessageUpdateEvent {
  readonly kind: 'message_update';
  readonly message: Message;
}

/** The agent began to work, or waits for input again. */
export interface StatusChangeEvent {
  readonly kind: 'status_change';
  readonly status: AgentStatus;
  readonly agent_type?: string | undefined;
}

/** The agent server has a problem that the conversation does not show. */
export interface AgentErrorEvent {
  readonly kind: 'agent_error';
  readonly message: string;
  readonly level: 'warning' | 'error';
  readonly time: string;
}

/** An event this version does not know, or whose data it does not understand. */
export interface UnknownEvent {
  readonly kind: 'unknown';
  readonly name: string;
  /** As received; JSON for all events known so far. */
  readonly data: string;
}

/** What `session.events()` yields. */
export type AgentEvent = MessageUpdateEvent | StatusChangeEvent | AgentErrorEvent | UnknownEvent;

/** Gives a wire event its type; never fails (PX-215). */
export function parseAgentEvent({ name, data }: ServerSentEvent): AgentEvent {
  const unknown: UnknownEvent = { kind: 'unknown', name, data };
  const json = parseJson(data);
  switch (name) {
    case 'message_update': {
      const parsed = messageUpdateSchema.safeParse(json);
      if (!parsed.success) return unknown;
      const { id, role, message: content, time } = parsed.data;
      return { kind: 'message_update', message: { id, role, content, time } };
    }
    case 'status_change': {
      const parsed = statusChangeSchema.safeParse(json);
      return parsed.success ? { kind: 'status_change', ...parsed.data } : unknown;
    }
    case 'agent_error': {
      const parsed = agentErrorSchema.safeParse(json);
      return parsed.success ? { kind: 'agent_error', ...parsed.data } : unknown;
    }
    default:
      return unknown;
  }
}

function parseJson(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    return undefined;
  }
}
