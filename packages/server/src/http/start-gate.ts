import type { IncomingMessage, ServerResponse } from 'node:http';
import { isPreflight } from '../cors.ts';
import type { Cors } from '../cors.ts';
import { answerPreflight, refuse, sendError } from '../error-reply.ts';
import { AppError } from '../errors.ts';
import type { SessionRequest } from '../wire/session-request.ts';
import type { SessionHandler } from './listener.ts';

/** A start takes fractions of a second; with many sessions to find again, some more. */
const RETRY_AFTER_SECONDS = 1;

/** What stands behind the listener once the server has started. */
export interface Planes {
  readonly control: (req: IncomingMessage, res: ServerResponse) => void;
  readonly proxy: SessionHandler;
}

/**
 * Stands between the listener and the two planes, so that the port is bound before anything is touched: a second
 * server that was started by mistake then fails first. Until it is opened only the question whether the process
 * lives is answered; everything else may come again.
 */
export class StartGate implements SessionHandler {
  readonly #cors: Cors;
  readonly #requestIdOf: (req: IncomingMessage) => string;
  #planes: Planes | null = null;

  constructor(cors: Cors, requestIdOf: (req: IncomingMessage) => string) {
    this.#cors = cors;
    this.#requestIdOf = requestIdOf;
  }

  open(planes: Planes): void {
    this.#planes = planes;
  }

  control(req: IncomingMessage, res: ServerResponse): void {
    if (this.#planes !== null) this.#planes.control(req, res);
    else if (isLivenessCheck(req)) sendStatus(res, 200, 'ok');
    else if (pathOf(req) === '/readyz') sendStatus(res, 503, 'starting');
    else sendError(req, res, startingError(), this.#requestIdOf(req), []);
  }

  handle(request: SessionRequest): void {
    if (this.#planes !== null) {
      this.#planes.proxy.handle(request);
      return;
    }
    const { connection, head, requestId } = request;
    const cors = this.#cors.headersFor(head.headers.origin);
    if (isPreflight(head)) answerPreflight(connection, requestId, cors.preflight);
    else refuse(connection, startingError(), requestId, cors.answer);
  }

  async close(graceMs: number): Promise<void> {
    await this.#planes?.proxy.close(graceMs);
  }
}

function startingError(): AppError {
  return new AppError('server_starting', { retryAfterSeconds: RETRY_AFTER_SECONDS });
}

function isLivenessCheck(req: IncomingMessage): boolean {
  return req.method === 'GET' && ['/livez', '/health'].includes(pathOf(req));
}

function pathOf(req: IncomingMessage): string {
  return (req.url ?? '').split('?', 1)[0] ?? '';
}

function sendStatus(res: ServerResponse, code: number, status: string): void {
  const body = `${JSON.stringify({ status })}\n`;
  res.writeHead(code, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) });
  res.end(body);
}
