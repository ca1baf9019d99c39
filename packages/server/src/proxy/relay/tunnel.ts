import type { Socket } from 'node:net';
import type { RequestObserver, RequestRecord } from '../../request-observer.ts';
import type { ClientSocket } from '../../wire/client-socket.ts';
import type { Wish } from '../admit.ts';
import type { Cancellable } from '../cancellable.ts';
import type { Upstream } from '../upstreams.ts';

/** Connections that carry nothing are asked after this time whether the peer still exists. */
const TCP_KEEP_ALIVE_MS = 60_000;

/**
 * Two connections after a change of protocol, such as to WebSocket: bytes pass both ways untouched, with
 * back-pressure, and each direction ends on its own (PX-159).
 */
export class Tunnel implements Cancellable {
  readonly endless = true;
  readonly wish: Wish;
  readonly #client: ClientSocket;
  readonly #agent: Socket;
  readonly #upstream: Upstream;
  readonly #record: RequestRecord;
  readonly #observer: RequestObserver;
  #open = 2;

  /** `observer` is told when both connections have closed. */
  constructor(
    client: ClientSocket,
    agent: Socket,
    upstream: Upstream,
    wish: Wish,
    record: RequestRecord,
    observer: RequestObserver,
  ) {
    this.#client = client;
    this.#agent = agent;
    this.#upstream = upstream;
    this.wish = wish;
    this.#record = record;
    this.#observer = observer;
  }

  /** Joins the two; what was read from them already goes first. */
  start(fromClient: Buffer | null, fromAgent: Buffer | null): void {
    this.#upstream.active.add(this);
    if (fromClient !== null) this.#client.unshift(fromClient);
    if (fromAgent !== null) this.#agent.unshift(fromAgent);
    this.#pass(this.#client, this.#agent);
    this.#pass(this.#agent, this.#client);
    if (this.#client.destroyed || this.#agent.destroyed) this.cancel();
  }

  cancel(): void {
    this.#upstream.active.delete(this);
    this.#client.destroy();
    this.#agent.destroy();
  }

  #over(): void {
    this.#upstream.active.delete(this);
    this.#observer.ended(this.#record);
  }

  #pass(from: ClientSocket, to: ClientSocket): void {
    from.setKeepAlive(true, TCP_KEEP_ALIVE_MS);
    from.on('error', () => to.destroy());
    from.on('close', () => {
      this.#open -= 1;
      if (this.#open === 0) this.#over();
      // Without its end the other side would wait for one for ever.
      if (!from.readableEnded) to.destroy();
    });
    from.pipe(to);
    from.resume();
  }
}
