import type { Logger } from 'pino';
import type { CorsHeaders } from '../cors.ts';
import { AppError } from '../errors.ts';
import type { RequestObserver, RequestRecord } from '../request-observer.ts';
import type { SessionRequest } from '../wire/session-request.ts';
import type { Admitted } from './admit.ts';
import type { ExchangeFacts, HeaderRules } from './headers.ts';
import { publicPrefix } from './headers.ts';
import type { Heartbeats } from './event-streams.ts';
import type { Peer } from './peers.ts';
import type { BusyPoll } from './relay/busy-poll.ts';

/** A request and what its answer needs, before and after the session is known. */
export interface Exchange {
  readonly request: SessionRequest;
  readonly peer: Peer;
  readonly cors: CorsHeaders;
  readonly record: RequestRecord;
}

/** What requests and upgrades share. */
export interface RelayServices {
  readonly rules: HeaderRules;
  /** Largest request body in bytes; 0 means no limit. */
  readonly maxBodyBytes: number;
  readonly heartbeats: Heartbeats;
  /** For answers of agent servers. */
  readonly answerPoll: BusyPoll;
  /** For requests that clients send upon an answer. */
  readonly requestPoll: BusyPoll;
  readonly observer: RequestObserver;
  readonly log: Logger;
}

/** The inputs of the header rules for one exchange with a session. */
export function exchangeFacts(
  { request, peer, cors, record }: Exchange,
  { session, endpoint }: Admitted,
): ExchangeFacts {
  return {
    peer,
    sessionId: session.id,
    token: endpoint.token,
    port: endpoint.port,
    requestId: request.requestId,
    cors,
    prefix: publicPrefix(request.head.headers, peer, session.id),
    path: request.path,
    trace: record.trace?.forward() ?? null,
  };
}

/**
 * What a failure on the way to the agent server, or before its answer, means to the client; expected ones are logged
 * without a stack.
 */
export function upstreamFailure(error: Error, facts: ExchangeFacts, log: Logger): AppError {
  const code = errorCode(error);
  const { requestId, sessionId, port } = facts;
  log.info({ requestId, sessionId, port, code }, 'agent server did not answer');
  return new AppError(code === 'EANSWERTIMEOUT' ? 'upstream_timeout' : 'upstream_failed', { cause: error });
}

/** The system's code of an error; its message if it has none. */
export function errorCode(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}
