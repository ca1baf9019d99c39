import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Conversation } from './conversation/conversation-model.ts';
import type { Log } from './log.ts';

/*
 * What `--debug` adds to the log. Lengths instead of texts, and paths without queries: what people and agents say to
 * each other, and what a caller presents, is nobody else's business.
 */

/** Notes every change of a conversation. @returns a function that ends it. */
export function noteConversation(conversation: Conversation, log: Log): () => void {
  return conversation.subscribe((event) => {
    switch (event.kind) {
      case 'status':
        log.debug('Status', { status: event.status, waitingFor: conversation.waitingFor() });
        break;
      case 'message': {
        const { id, role, content } = event.message;
        log.debug('Message', { id, role, characters: content.length });
        break;
      }
      case 'error':
        log.debug('Agent error', { level: event.error.level });
        break;
      case 'question':
        log.debug('Question', { question: event.question });
        break;
      case 'screen':
        break;
    }
  });
}

/** Notes a request when its answer is over; an event stream, when it ends. */
export function noteRequest(request: IncomingMessage, response: ServerResponse, log: Log): void {
  const startedAt = performance.now();
  const { method = '', url = '' } = request;
  response.once('close', () => {
    log.debug('Request', {
      method,
      path: url.replace(/[?#].*$/su, ''),
      status: response.statusCode,
      complete: response.writableFinished,
      ms: Math.round(performance.now() - startedAt),
    });
  });
}
