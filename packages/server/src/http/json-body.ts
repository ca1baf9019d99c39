import { parse, printParseErrorCode } from 'jsonc-parser';
import type { ParseError } from 'jsonc-parser';
import type { FastifyInstance } from 'fastify';
import { AppError } from '../errors.ts';
import { nestingFaultOf } from '../json-nesting.ts';

/**
 * Makes the server read every request body as JSON, whatever its content type says: a body that is
 * JSON is what its sender meant, and one that is not is refused with the place (PX-065, PX-086). An
 * empty body is no body.
 */
export function acceptJsonBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<Buffer>('*', { parseAs: 'buffer' }, (_request, body, done) => {
    try {
      done(null, parseJsonBody(body));
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)));
    }
  });
}

/** @throws AppError `invalid_request`, naming line and column of what is not JSON. */
export function parseJsonBody(body: Buffer): unknown {
  const text = decode(body);
  if (text.trim() === '') return undefined;
  const fault = nestingFaultOf(text);
  if (fault !== null) throw new AppError('invalid_request', { message: `Invalid request body: ${fault}` });
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new AppError('invalid_request', {
      message: `Invalid request body: not valid JSON${mistakeIn(text)}`,
      cause,
    });
  }
}

/** The first mistake with its place; empty for a text that is nested too deeply to be looked at. */
function mistakeIn(text: string): string {
  const errors: ParseError[] = [];
  try {
    parse(text, errors, { disallowComments: true });
  } catch {
    return '';
  }
  const [first] = errors;
  return first === undefined ? '' : ` at ${placeOf(text, first.offset)}: ${printParseErrorCode(first.error)}`;
}

function decode(body: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch (cause) {
    throw new AppError('invalid_request', { message: 'Invalid request body: not valid UTF-8', cause });
  }
}

function placeOf(text: string, offset: number): string {
  const before = text.slice(0, offset).split('\n');
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
}
