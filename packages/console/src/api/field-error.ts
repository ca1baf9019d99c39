import { ApiError } from '@agentapi-proxy/client';
import { errorText } from './error-text.ts';

/** What the server has against one member of a request. */
export interface FieldError {
  /** Path of the member, such as `repository` or `environment.PATH`. */
  readonly field: string;
  /** What is wrong with it, in words. */
  readonly text: string;
}

/** The member that a request was refused for; `null` for errors about anything else. */
export function fieldErrorOf(error: unknown): FieldError | null {
  if (!(error instanceof ApiError)) return null;
  const { body } = error;
  if (typeof body !== 'object' || body === null || !('field' in body)) return null;
  return typeof body.field === 'string' ? { field: body.field, text: errorText(error) } : null;
}
