import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Problem } from './problem.ts';

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

/** The reference's name for 413, which Node calls by its newer one. */
const TOO_LARGE_TITLE = 'Request Entity Too Large';

/** Answers 200 with a JSON object, `$schema` first, and the Link header (AA-033). */
export function sendJson(exchange: Exchange, schema: string, body: object): void {
  sendDescribed(exchange, 200, 'application/json', schema, body);
}

/** Answers with problem+json (AA-034); empty members are left out. */
export function sendProblem(exchange: Exchange, problem: Problem): void {
  sendDescribed(exchange, problem.status, 'application/problem+json', 'ErrorModel', {
    title: problem.status === 413 ? TOO_LARGE_TITLE : (STATUS_CODES[problem.status] ?? 'Error'),
    status: problem.status,
    detail: problem.message,
    ...(problem.errors.length > 0 ? { errors: problem.errors } : {}),
  });
}

/** Answers with a text, a page or a document. */
export function sendText(exchange: Exchange, status: number, contentType: string, text: string): void {
  send(exchange, status, contentType, text);
}

/** Answers with plain text that no browser takes for anything else. */
export function sendPlainError(exchange: Exchange, status: number, text: string): void {
  exchange.response.setHeader('X-Content-Type-Options', 'nosniff');
  send(exchange, status, 'text/plain; charset=utf-8', `${text}\n`);
}

/** Answers with a redirect. */
export function sendRedirect(exchange: Exchange, status: 301 | 307, location: string): void {
  exchange.response.writeHead(status, { Location: location, 'Content-Length': 0 }).end();
}

function sendDescribed(exchange: Exchange, status: number, type: string, schema: string, body: object): void {
  const local = /^(?:localhost|127\.0\.0\.1)/u.test(exchange.host);
  const $schema = `${local ? 'http' : 'https'}://${exchange.host}/schemas/${schema}.json`;
  exchange.response.setHeader('Link', `</schemas/${schema}.json>; rel="describedBy"`);
  send(exchange, status, type, `${JSON.stringify({ $schema, ...body })}\n`);
}

function send(exchange: Exchange, status: number, contentType: string, text: string): void {
  const bytes = Buffer.from(text);
  exchange.response
    .writeHead(status, { 'Content-Type': contentType, 'Content-Length': bytes.length })
    .end(bytes);
  const { headers, readableEnded } = exchange.request;
  // Also a body that has arrived as a whole: as long as nobody reads it, the connection stands still.
  if (!readableEnded && ('content-length' in headers || 'transfer-encoding' in headers))
    drain(exchange.request);
}

/** Closing a connection with unread data resets it, and the client may lose the answer: read on, within bounds. */
function drain(request: IncomingMessage): void {
  const { socket } = request;
  let left = DRAIN_LIMIT_BYTES;
  const giveUp = (): void => void socket.destroy();
  const timer = setTimeout(giveUp, DRAIN_LIMIT_MS);
  // Once the answer is out, Node closes the connection without a word to the request.
  const over = (): void => {
    clearTimeout(timer);
    request.off('close', over);
    socket.off('close', over);
  };
  request.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) giveUp();
  });
  request.once('close', over).resume();
  socket.once('close', over);
}
