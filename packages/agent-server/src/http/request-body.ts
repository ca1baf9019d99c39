import type { IncomingMessage } from 'node:http';
import { Problem, validationProblem, type ProblemDetail } from './problem.ts';

/** A body of this many bytes is refused (agentapi section 2.6). */
const BODY_LIMIT_BYTES = 1_048_576;

/** A body that is not there after this long is given up (agentapi section 2.6). */
export const BODY_TIMEOUT_MS = 5_000;

/** The caller left while sending; nobody is there to be answered. */
export class CallerGone extends Error {
  override readonly name = 'CallerGone';
}

/** The body of `POST /message`. */
export interface MessageRequest {
  readonly type: 'user' | 'raw';
  readonly content: string;
}

/**
 * Reads a request body as a whole.
 * @throws {Problem} 413 when it has 1 MiB or more, 408 after `timeoutMs` (AA-048).
 * @throws {CallerGone} when the connection ends first.
 */
export function readBody(request: IncomingMessage, timeoutMs: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const onData = (chunk: Buffer) => {
      size += chunk.length;
      chunks.push(chunk);
      if (size >= BODY_LIMIT_BYTES) settle(() => reject(tooLarge()));
    };
    const onEnd = () => settle(() => resolve(Buffer.concat(chunks)));
    const onClose = () => settle(() => reject(new CallerGone()));
    const timer = setTimeout(
      () => settle(() => reject(new Problem(408, 'request body read timeout'))),
      timeoutMs,
    );
    const settle = (finish: () => void) => {
      clearTimeout(timer);
      request.off('data', onData).off('end', onEnd).off('close', onClose).pause();
      finish();
    };
    request.on('data', onData).once('end', onEnd).once('close', onClose);
    if (Number(request.headers['content-length'] ?? 0) >= BODY_LIMIT_BYTES) settle(() => reject(tooLarge()));
  });
}

/**
 * Parses a body that must be a JSON object; without a content type it is taken for JSON (AA-047).
 * @throws {Problem} 400, 415 or 422.
 */
export function parseJsonObject(body: Buffer, contentType: string | undefined): object {
  if (body.length === 0) throw new Problem(400, 'request body is required');
  const mediaType = (contentType ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (mediaType !== '' && mediaType !== 'application/json' && !mediaType.endsWith('+json')) {
    throw validationProblem([{ message: `unknown content type: ${contentType}`, location: 'body' }], 415);
  }
  const text = body.toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const message = error instanceof Error ? error.message : 'malformed JSON';
    throw validationProblem([{ message, location: 'body', value: text }], 400);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw validationProblem([{ message: 'expected object', location: 'body', value }]);
  }
  return value;
}

/**
 * Parses the body of `POST /message` by the rules of agentapi section 2.6.
 * @throws {Problem} 400, 415 or 422.
 */
export function parseMessageRequest(body: Buffer, contentType: string | undefined): MessageRequest {
  return checkMembers(parseJsonObject(body, contentType));
}

const MEMBERS = ['content', 'type', '$schema'] as const;

function checkMembers(body: object): MessageRequest {
  const given = new Map<string, unknown>();
  const errors: ProblemDetail[] = [];
  for (const [name, value] of Object.entries(body)) {
    const member = MEMBERS.find((candidate) => candidate === name.toLowerCase());
    if (member === undefined)
      errors.push({ message: 'unexpected property', location: `body.${name}`, value: body });
    // Of `content` and `Content` the exact one counts.
    else if (name === member || !given.has(member)) given.set(member, value);
  }
  const string = (name: (typeof MEMBERS)[number], required: boolean): string | undefined => {
    const value = given.get(name);
    if (typeof value === 'string') return value;
    if (given.has(name)) errors.push({ message: 'expected string', location: `body.${name}`, value });
    else if (required) {
      const message = `expected required property ${name} to be present`;
      errors.push({ message, location: 'body', value: body });
    }
    return undefined;
  };
  const content = string('content', true);
  const type = string('type', true);
  string('$schema', false);
  if (type !== undefined && type !== 'user' && type !== 'raw') {
    errors.push({ message: 'expected value to be one of "raw, user"', location: 'body.type', value: type });
  }
  if (errors.length > 0 || content === undefined || (type !== 'user' && type !== 'raw')) {
    // A missing member comes before a foreign one.
    throw validationProblem(errors.toSorted((a, b) => rank(a) - rank(b)));
  }
  return { type, content };
}

function rank(error: ProblemDetail): number {
  return error.location === 'body' ? 0 : 1;
}

function tooLarge(): Problem {
  return new Problem(413, `request body is too large limit=${BODY_LIMIT_BYTES} bytes`);
}
