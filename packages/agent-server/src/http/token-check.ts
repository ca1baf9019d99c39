import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { TOKEN_HEADER } from '../token-header.ts';

/**
 * Whether a request carries the server's token: in the header of the control contract, or as a
 * bearer token (AA-166).
 */
export type TokenCheck = (request: IncomingMessage) => boolean;

/** Compares in constant time, whatever the lengths. */
export function createTokenCheck(token: string): TokenCheck {
  const expected = digest(token);
  return (request) => {
    const given = request.headers[TOKEN_HEADER];
    const bearer = /^bearer (.+)$/iu.exec(request.headers.authorization ?? '')?.[1];
    const text = typeof given === 'string' ? given : (bearer ?? '');
    return timingSafeEqual(digest(text), expected);
  };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
