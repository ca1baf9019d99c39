import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { OriginGuard } from './origin-guard.ts';

/** Whoever reads metrics asks every few seconds, and has everything to say in one small head. */
const HEAD_TIMEOUT_MS = 5_000;
const MAX_HEAD_BYTES = 8_192;
/** A few systems read metrics; more connections are somebody's mistake. */
const MAX_CONNECTIONS = 64;

/** The metrics as the listener and the route need them. */
export interface MetricsText {
  readonly contentType: string;
  render(): Promise<string>;
}

export interface MetricsListenerOptions {
  readonly host: string;
  /** TCP port; 0 = any free one. */
  readonly port: number;
  readonly metrics: MetricsText;
  /** Keeps web pages out: there is no key here. */
  readonly guard: OriginGuard;
  readonly onError: (error: unknown) => void;
}

/** Serves `GET /metrics` without a key at an address of its own, for systems inside that have none. */
export class MetricsListener implements AsyncDisposable {
  readonly #options: MetricsListenerOptions;
  readonly #server: Server;

  constructor(options: MetricsListenerOptions) {
    this.#options = options;
    this.#server = createServer(
      { headersTimeout: HEAD_TIMEOUT_MS, requestTimeout: HEAD_TIMEOUT_MS, maxHeaderSize: MAX_HEAD_BYTES },
      (req, res) => void this.#answer(req, res),
    );
    this.#server.maxConnections = MAX_CONNECTIONS;
  }

  /** Binds and listens. Rejects when the address cannot be bound. */
  listen(): Promise<AddressInfo> {
    const { host, port } = this.#options;
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, () => {
        this.#server.off('error', reject);
        this.#server.on('error', this.#options.onError);
        const address = this.#server.address();
        if (address === null || typeof address === 'string') reject(new Error('not bound to a TCP port'));
        else resolve(address);
      });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#server.listening) return;
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  async #answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const { metrics, guard, onError } = this.#options;
    res.on('error', () => undefined);
    const isRead = req.method === 'GET' || req.method === 'HEAD';
    const status =
      guard.check(req.headers, req.socket.localAddress) !== null
        ? 403
        : req.url?.split('?', 1)[0] !== '/metrics'
          ? 404
          : 405;
    if (status !== 405 || !isRead) {
      res.writeHead(status, { 'Content-Length': 0, Connection: 'close' }).end();
      return;
    }
    try {
      const text = await metrics.render();
      res.writeHead(200, { 'Content-Type': metrics.contentType, 'Content-Length': Buffer.byteLength(text) });
      res.end(text);
    } catch (error) {
      onError(error);
      res.writeHead(500, { 'Content-Length': 0 }).end();
    }
  }
}
