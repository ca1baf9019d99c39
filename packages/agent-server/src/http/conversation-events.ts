import type { AgentType } from '../agent-type.ts';
import type {
  AgentError,
  AgentStatus,
  Conversation,
  ConversationEvent,
  Message,
  Question,
} from '../conversation/conversation-model.ts';
import { eventFrame, type Subscription } from './sse.ts';

/**
 * The stream of `GET /events`: messages, status and errors, first as they are, then as they change (AA-060).
 * @param withQuestions - whether the status tells that the agent asks something, and is told again when that
 *   changes (AA-173).
 */
export function conversationStream(
  conversation: Conversation,
  withQuestions: boolean,
): Subscription<ConversationEvent> {
  const { agentType } = conversation;
  let status = conversation.status();
  let question = withQuestions ? conversation.question() : null;
  return {
    snapshot: [
      ...conversation.messages().map(messageFrame),
      statusFrame(agentType, status, question),
      ...conversation.errors().map(errorFrame),
    ],
    frame: (event) => {
      switch (event.kind) {
        case 'message':
          return () => messageFrame(event.message);
        case 'error':
          return () => errorFrame(event.error);
        case 'screen':
          return null;
        case 'question':
          if (!withQuestions) return null;
          ({ question } = event);
          break;
        case 'status':
          ({ status } = event);
      }
      const frame = statusFrame(agentType, status, question);
      return () => frame;
    },
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

function statusFrame(agentType: AgentType, status: AgentStatus, question: Question | null): string {
  const asked = question === null ? {} : { waiting_for: question };
  return eventFrame('status_change', { status, agent_type: agentType, ...asked });
}

function errorFrame({ message, level, time }: AgentError): string {
  return eventFrame('agent_error', { message, level, time });
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
