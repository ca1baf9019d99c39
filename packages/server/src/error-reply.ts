import { STATUS_CODES } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { errorBody, ERRORS } from './errors.ts';
import type { AppError } from './errors.ts';
import type { ClientConnection } from './wire/client-connection.ts';
import { CLOSES } from './wire/connection-lines.ts';

/** A rest of a request body up to this size is read and dropped, so the connection stays usable. */
const DROPPED_BODY_BYTES = 64 * 1024;

/**
 * After an early answer to a larger body the connection stays open this long for reading: closing it with
 * unread bytes would reset it, and the client might lose the answer (RFC 9112 section 9.6).
 */
const LINGER_MS = 2_000;

/** The answer headers every failure of the server itself has; names and values in turn. */
function errorHeaders(error: AppError, requestId: string, body: string, more: readonly string[]): string[] {
  const headers = [
    'Content-Type',
    'application/json',
    'Content-Length',
    String(Buffer.byteLength(body)),
    'X-Request-Id',
    requestId,
    ...more,
  ];
  if (error.retryAfterSeconds !== undefined) headers.push('Retry-After', String(error.retryAfterSeconds));
  return headers;
}

/**
 * Answers with the one JSON error shape (PX-057) on a plain `node:http` response whose head was not sent.
 * `more` are further header lines (CORS, `Allow`), names and values in turn. A HEAD request gets no body.
 */
export function sendError(
  req: IncomingMessage,
  res: ServerResponse,
  error: AppError,
  requestId: string,
  more: readonly string[],
): void {
  if (res.destroyed || res.headersSent) {
    res.destroy();
    return;
  }
  const body = `${JSON.stringify(errorBody(error, requestId))}\n`;
  const headers = errorHeaders(error, requestId, body, more);
  const { status } = ERRORS[error.code];
  // A client that waits for 100 Continue may send its next request instead of the body.
  const unread = hasBody(req) && !req.complete;
  const waiting = unread && req.headers.expect !== undefined;
  const long = unread && !waiting && !isShort(req.headers['content-length']);
  if (waiting || long) res.shouldKeepAlive = false;
  res.writeHead(status, headers);
  if (!long) {
    res.end(req.method === 'HEAD' ? undefined : body);
    return;
  }
  if (req.method === 'HEAD') res.flushHeaders();
  else res.write(body);
  linger(req, res);
}

/** Answers the request of a connection with the one JSON error shape, and lets the connection go on. */
export function refuse(
  connection: ClientConnection,
  error: AppError,
  requestId: string,
  more: readonly string[],
): void {
  connection.write(
    errorText(error, requestId, more, connection.connectionLines(), connection.head?.method === 'HEAD'),
  );
  connection.finish();
}

/** Answers what could not be read as a request, and closes the connection. */
export function refuseAndClose(
  connection: ClientConnection,
  error: AppError,
  requestId: string,
  more: readonly string[],
): void {
  connection.writeLast(errorText(error, requestId, more, CLOSES, connection.head?.method === 'HEAD'));
}

/** Answers a browser's question whether it may ask; nothing else is looked at. `lines`: names and values in turn. */
export function answerPreflight(
  connection: ClientConnection,
  requestId: string,
  lines: readonly string[],
): void {
  let text = `HTTP/1.1 204 No Content\r\nX-Request-Id: ${requestId}\r\n`;
  for (let i = 0; i + 1 < lines.length; i += 2) text += `${lines[i]}: ${lines[i + 1]}\r\n`;
  text += `Date: ${new Date().toUTCString()}\r\n${connection.connectionLines()}\r\n`;
  connection.write(text);
  connection.finish();
}

/** A whole answer as Latin-1. */
function errorText(
  error: AppError,
  requestId: string,
  more: readonly string[],
  ending: string,
  headOnly: boolean,
): string {
  const body = `${JSON.stringify(errorBody(error, requestId))}\n`;
  const { status } = ERRORS[error.code];
  let text = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`;
  const headers = errorHeaders(error, requestId, body, more);
  for (let i = 0; i + 1 < headers.length; i += 2) text += `${headers[i]}: ${headers[i + 1]}\r\n`;
  text += `Date: ${new Date().toUTCString()}\r\n${ending}\r\n`;
  return headOnly ? text : text + Buffer.from(body).toString('latin1');
}

/** Whether a request announces a body at all. */
export function hasBody(req: IncomingMessage): boolean {
  const length = req.headers['content-length'];
  return (length !== undefined && length !== '0') || req.headers['transfer-encoding'] !== undefined;
}

function isShort(length: string | undefined): boolean {
  return length !== undefined && Number(length) <= DROPPED_BODY_BYTES;
}

/** The answer is complete by its length; the response ends when the client has finished or gone, or in time. */
function linger(req: IncomingMessage, res: ServerResponse): void {
  const timer = setTimeout(end, LINGER_MS);
  timer.unref();
  function end(): void {
    clearTimeout(timer);
    req.off('end', end).off('close', end);
    res.off('close', end);
    if (!res.destroyed) res.end();
  }
  req.on('end', end).on('close', end).on('error', end);
  res.on('close', end);
  req.resume();
}
