import type { AgentType } from '../agent-type.ts';
import type { Conversation, ConversationEvent, Message } from '../conversation/conversation-model.ts';
import { eventFrame, type Subscription } from './sse.ts';

/** The stream of `GET /events`: messages, status and errors, first as they are, then as they change (AA-060). */
export function conversationStream(conversation: Conversation): Subscription<ConversationEvent> {
  const { agentType } = conversation;
  const status = { kind: 'status', status: conversation.status() } as const;
  return {
    snapshot: [
      ...conversation.messages().map(messageFrame),
      conversationFrame(agentType, status),
      ...conversation.errors().map((error) => conversationFrame(agentType, { kind: 'error', error })),
    ],
    frame: (event) => (event.kind === 'screen' ? null : () => conversationFrame(agentType, event)),
    subscribe: (listener) => conversation.subscribe(listener),
  };
}

/** The stream of `GET /internal/screen`: the screen now and whenever it changes (AA-064). */
export function screenStream(conversation: Conversation): Subscription<ConversationEvent> {
  return {
    snapshot: [screenFrame(conversation.screen())],
    frame: (event) => (event.kind === 'screen' ? () => screenFrame(event.screen) : null),
    subscribe: (listener) => conversation.subscribe(listener),
  };
}

function conversationFrame(
  agentType: AgentType,
  event: Exclude<ConversationEvent, { readonly kind: 'screen' }>,
): string {
  switch (event.kind) {
    case 'message':
      return messageFrame(event.message);
    case 'status':
      return eventFrame('status_change', { status: event.status, agent_type: agentType });
    case 'error':
      return eventFrame('agent_error', {
        message: event.error.message,
        level: event.error.level,
        time: event.error.time,
      });
  }
}

function messageFrame({ id, role, content, time }: Message): string {
  return eventFrame('message_update', { id, role, message: content, time });
}

function screenFrame(screen: string): string {
  return eventFrame('screen', { screen: trimEndAscii(screen) });
}

const ASCII_WHITE_SPACE = ' \t\n\r\f\v';

/** Trims the six ASCII white-space characters only; other Unicode spaces are content. */
export function trimAscii(text: string): string {
  let start = 0;
  while (start < text.length && ASCII_WHITE_SPACE.includes(text.charAt(start))) start++;
  return trimEndAscii(text.slice(start));
}

/** A loop, because a regular expression takes quadratic time on a screen full of blanks. */
function trimEndAscii(text: string): string {
  let end = text.length;
  while (end > 0 && ASCII_WHITE_SPACE.includes(text.charAt(end - 1))) end--;
  return text.slice(0, end);
}
