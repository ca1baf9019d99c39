import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Problem, ProblemDetail } from './problem.ts';

/** One request on its way through the server. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The path as it was sent, without the query. */
  readonly path: string;
  /** The Host header, or the host of an absolute request target; empty when there is none. */
  readonly host: string;
}

/** A refused request's remaining body is read up to this much, so that the client gets to read the answer. */
const DRAIN_LIMIT_BYTES = 16 * 1024 * 1024;
/** … and for this long. */
const DRAIN_LIMIT_MS = 5_000;

/** More details than these help nobody: a body can have a mistake in each of 100,000 members. */
const MAX_DETAILS = 100;
/** A value that spells longer than this is not repeated; each detail may carry the whole body. */
const MAX_VALUE_LENGTH = 16_384;
/** … nor one nested deeper than this, which `JSON.stringify` might fail at. */
const MAX_VALUE_DEPTH = 100;

/** The reference's name for 413, which Node calls by its newer one. */
const TOO_LARGE_TITLE = 'Request Entity Too Large';

/** Answers 200 with a JSON object, `$schema` first, and the Link header (AA-033). */
export function sendJson(exchange: Exchange, schema: string, body: object): void {
  sendDescribed(exchange, 200, 'application/json', schema, body);
}

/** Answers with problem+json (AA-034); empty members are left out, and values that are too large to repeat. */
export function sendProblem(exchange: Exchange, problem: Problem): void {
  sendDescribed(exchange, problem.status, 'application/problem+json', 'ErrorModel', {
    title: problem.status === 413 ? TOO_LARGE_TITLE : (STATUS_CODES[problem.status] ?? 'Error'),
    status: problem.status,
    detail: problem.message,
    ...(problem.errors.length > 0 ? { errors: shownDetails(problem.errors) } : {}),
  });
}

function shownDetails(details: readonly ProblemDetail[]): readonly ProblemDetail[] {
  // The same body may stand in each of them.
  const judged = new Map<unknown, boolean>();
  return details.slice(0, MAX_DETAILS).map((detail) => {
    const { value, ...others } = detail;
    const repeated = judged.get(value) ?? isRepeatable(value);
    judged.set(value, repeated);
    return repeated ? detail : others;
  });
}

function isRepeatable(value: unknown): boolean {
  return isNestedWithin(value, MAX_VALUE_DEPTH) && (JSON.stringify(value)?.length ?? 0) <= MAX_VALUE_LENGTH;
}

function isNestedWithin(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return levels > 0 && Object.values(value).every((member) => isNestedWithin(member, levels - 1));
}

/** Answers with a text, a page or a document. */
export function sendText(exchange: Exchange, status: number, contentType: string, text: string): void {
  send(exchange, status, { 'Content-Type': contentType }, text);
}

/** Answers with plain text that no browser takes for anything else. */
export function sendPlainError(exchange: Exchange, status: number, text: string): void {
  const headers = { 'Content-Type': 'text/plain; charset=utf-8', 'X-Content-Type-Options': 'nosniff' };
  send(exchange, status, headers, `${text}\n`);
}

/** Answers with a redirect. */
export function sendRedirect(exchange: Exchange, status: 301 | 307, location: string): void {
  send(exchange, status, { Location: location }, '');
}

/** Answers that the path knows only the method `allowed` (AA-032). */
export function sendWrongMethod(exchange: Exchange, allowed: string): void {
  send(exchange, 405, { Allow: allowed }, '');
}

function sendDescribed(exchange: Exchange, status: number, type: string, schema: string, body: object): void {
  const local = /^(?:localhost|127\.0\.0\.1)/u.test(exchange.host);
  const $schema = `${local ? 'http' : 'https'}://${exchange.host}/schemas/${schema}.json`;
  exchange.response.setHeader('Link', `</schemas/${schema}.json>; rel="describedBy"`);
  send(exchange, status, { 'Content-Type': type }, `${JSON.stringify({ $schema, ...body })}\n`);
}

function send(
  { request, response }: Exchange,
  status: number,
  headers: Readonly<Record<string, string>>,
  text: string,
): void {
  const bytes = Buffer.from(text);
  response.writeHead(status, { ...headers, 'Content-Length': bytes.length });
  const hasBody = 'content-length' in request.headers || 'transfer-encoding' in request.headers;
  // Whoever asks for the end of the connection does not wait for the rest of a body.
  const endsAtOnce = request.readableEnded || !hasBody || response.getHeader('connection') === 'close';
  if (endsAtOnce) {
    response.end(bytes);
    return;
  }
  // Where this is the last answer Node closes the connection right behind it. That resets it while data is
  // unread, and the client may lose the answer: give it the answer now, and end behind its data.
  response.flushHeaders();
  if (bytes.length > 0) response.write(bytes);
  readOn(request, () => response.end());
}

/** Reads the rest of a body, within bounds; calls `over` at its end. Without end the connection is destroyed. */
function readOn(request: IncomingMessage, over: () => void): void {
  let left = DRAIN_LIMIT_BYTES;
  const giveUp = (): void => void request.destroy();
  const timer = setTimeout(giveUp, DRAIN_LIMIT_MS);
  request.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) giveUp();
  });
  const settle = (): void => {
    clearTimeout(timer);
    request.off('end', settle).off('close', settle);
    over();
  };
  request.once('end', settle).once('close', settle).resume();
}
