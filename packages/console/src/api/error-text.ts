import { ApiError, ClientError } from '@agentapi-proxy/client';
import { ERRORS } from '../texts/common.ts';

/** An error for people. */
export interface ErrorText {
  /** What happened: one sentence. */
  readonly text: string;
  /** What to do about it; may be empty. */
  readonly advice: string;
  /** Where to look in the server's log. */
  readonly requestId?: string;
}

/** Says what an error of the API, or of anything else, means. */
export function describeError(error: unknown): ErrorText {
  if (error instanceof ApiError) {
    const id = error.requestId === undefined ? {} : { requestId: error.requestId };
    return {
      text: sentence(error.kind === 'unauthorized' ? ERRORS.unauthorized : error.message),
      advice: '',
      ...id,
    };
  }
  if (error instanceof ClientError) {
    if (error.kind === 'connection') return { text: ERRORS.connection, advice: ERRORS.connectionAdvice };
    if (error.kind === 'timeout') return { text: ERRORS.timeout, advice: ERRORS.timeoutAdvice };
    return { text: sentence(error.message), advice: '' };
  }
  return {
    text: error instanceof Error && error.message !== '' ? sentence(error.message) : ERRORS.unexpected,
    advice: '',
  };
}

/** The same in one text, for toasts. */
export function errorText(error: unknown): string {
  const { text, advice } = describeError(error);
  return advice === '' ? text : `${text} ${advice}`;
}

function sentence(text: string): string {
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}
