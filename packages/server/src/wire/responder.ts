import type { ClientConnection } from './client-connection.ts';
import type { MalformedMessage } from './malformed.ts';
import type { RequestHead } from './request-head.ts';

/** Whoever answers a request: told of its body, when it asks for it, and of what happens to its connection. */
export interface Responder {
  /** A piece of the request body. The bytes stay as they are. */
  onRequestBody(bytes: Buffer, start: number, end: number): void;
  /** The body has come to its end. */
  onRequestEnd(): void;
  /** What was written is on its way: more can be written. */
  onClientDrain(): void;
  /** The client has left. Nothing can be written any more, and nothing else follows. */
  onGone(): void;
}

/** Whoever accepts connections: told of every request on them. */
export interface RequestReceiver {
  /** Largest request head in bytes. */
  readonly maxHeadBytes: number;
  /** Header lines of an answer after which the connection stays. */
  readonly staysLines: string;
  /** Must in the end answer: by a responder, or by `write` and `finish`. */
  onRequest(connection: ClientConnection, head: RequestHead): void;
  /** Must answer with `writeLast`, or destroy the socket. */
  onMalformed(connection: ClientConnection, error: MalformedMessage): void;
  onClosed(connection: ClientConnection): void;
}
