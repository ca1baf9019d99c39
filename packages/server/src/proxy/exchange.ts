import type { IncomingMessage } from 'node:http';
import type { Logger } from 'pino';
import type { CorsHeaders } from '../cors.ts';
import { AppError } from '../errors.ts';
import type { RequestObserver, RequestRecord } from '../request-observer.ts';
import type { ClientConnection } from './client-connections.ts';
import type { AnswerFacts, ForwardFacts, HeaderRules } from './headers.ts';
import { publicPrefix } from './headers.ts';
import type { Admitted } from './admit.ts';

/** What the listener found out about a request for a session. */
export interface ProxyContext {
  readonly requestId: string;
  /** First path segment, exactly as sent. */
  readonly segment: string;
  /** The rest of the request target with its query, exactly as sent; begins with `/`. */
  readonly path: string;
  /** Whether the client waits for `100 Continue` before it sends the body. */
  readonly expectsContinue: boolean;
}

/** A request and what its answer needs, before and after the session is known. */
export interface Exchange {
  readonly req: IncomingMessage;
  readonly context: ProxyContext;
  readonly connection: ClientConnection;
  readonly cors: CorsHeaders;
  readonly record: RequestRecord;
}

/** What requests and upgrades share. */
export interface RelayServices {
  readonly rules: HeaderRules;
  /** Largest request body in bytes; 0 means no limit. */
  readonly maxBodyBytes: number;
  readonly observer: RequestObserver;
  readonly log: Logger;
}

/** The inputs of the header rules for one exchange with a session. */
export function headerFacts(
  { req, context, connection, cors, record }: Exchange,
  { session, endpoint }: Admitted,
): ForwardFacts & AnswerFacts {
  return {
    connection,
    sessionId: session.id,
    token: endpoint.token,
    requestId: context.requestId,
    cors,
    prefix: publicPrefix(req, connection, session.id),
    path: context.path,
    port: endpoint.port,
    trace: record.trace?.forward() ?? null,
  };
}

/**
 * What a failure on the way to the agent server, or before its answer, means to the client; expected ones are logged
 * without a stack.
 */
export function upstreamFailure(error: Error, exchange: Exchange, admitted: Admitted, log: Logger): AppError {
  if (error instanceof AppError) return error;
  const code = errorCode(error);
  if (code === 'UND_ERR_INVALID_ARG' || code === 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH') {
    return new AppError('invalid_request', { message: 'The request cannot be passed on', cause: error });
  }
  log.info(
    {
      requestId: exchange.context.requestId,
      sessionId: admitted.session.id,
      port: admitted.endpoint.port,
      code,
    },
    'agent server did not answer',
  );
  return new AppError(code === 'UND_ERR_HEADERS_TIMEOUT' ? 'upstream_timeout' : 'upstream_failed', {
    cause: error,
  });
}

/** The system's or library's code of an error; its message if it has none. */
export function errorCode(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}
