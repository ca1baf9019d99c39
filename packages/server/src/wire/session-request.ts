import type { ClientConnection } from './client-connection.ts';
import type { RequestHead } from './request-head.ts';

/** A request for a session, as the listener hands it to the data plane. */
export interface SessionRequest {
  readonly connection: ClientConnection;
  readonly head: RequestHead;
  readonly requestId: string;
  /** First path segment, exactly as sent. */
  readonly segment: string;
  /** The rest of the request target with its query, exactly as sent; begins with `/`. */
  readonly path: string;
}
