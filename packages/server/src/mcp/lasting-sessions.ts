import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/server';
import type { McpServer } from '@modelcontextprotocol/server';

/** Where the sessions of the protocol's 2025 versions live, and how many may. */
export interface LastingSessionsOptions {
  readonly maxSessions: number;
  readonly idleMs: number;
  readonly maxBodyBytes: number;
  readonly onError: (error: Error) => void;
  /** Makes what serves one session. */
  readonly createServer: () => McpServer;
}

/** Whom a session belongs to. */
export interface SessionOwner {
  /** Tells owners apart. Not a secret, and nothing one could be made from. */
  readonly identity: string;
  /** Whether the credentials that opened the session are still good. */
  readonly mayStay: () => boolean;
}

interface LastingSession {
  readonly server: McpServer;
  readonly transport: WebStandardStreamableHTTPServerTransport;
  /** Whoever opened it; for everybody else it does not exist. */
  readonly owner: SessionOwner;
  /** Answers that are under way, event streams among them. */
  open: number;
  usedAt: number;
  timer: NodeJS.Timeout | undefined;
}

/** Seconds until a client should try again when every session is in use. */
const RETRY_AFTER_SECONDS = 10;

/**
 * Sessions of the protocol's versions before 2026-07-28 (`Mcp-Session-Id`), bounded in number and idle time. A client
 * whose session has ended is told so with 404 and opens another one.
 */
export class LastingSessions implements AsyncDisposable {
  readonly #options: LastingSessionsOptions;
  readonly #sessions = new Map<string, LastingSession>();

  constructor(options: LastingSessionsOptions) {
    this.#options = options;
  }

  /** Answers a request of such a client; `res` is where the answer will go. */
  async handle(request: Request, owner: SessionOwner, res: ServerResponse): Promise<Response> {
    const id = request.headers.get('mcp-session-id');
    if (id === null) return this.#open(request, owner, res);
    const session = this.#sessions.get(id);
    // The same answer for a session of somebody else: ids of others are nobody's business.
    if (session?.owner.identity !== owner.identity) return rpcError(404, -32_001, 'Session not found');
    this.#use(id, session, res);
    return session.transport.handleRequest(request);
  }

  /** Ends the sessions whose owners may not stay. */
  recheck(): void {
    for (const [id, { owner }] of this.#sessions) if (!owner.mayStay()) void this.#end(id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#sessions.keys()].map((id) => this.#end(id)));
  }

  async #open(request: Request, owner: SessionOwner, res: ServerResponse): Promise<Response> {
    if (this.#sessions.size >= this.#options.maxSessions && !(await this.#makeRoom())) {
      const refusal = rpcError(503, -32_000, 'Too many MCP sessions are in use');
      refusal.headers.set('retry-after', String(RETRY_AFTER_SECONDS));
      return refusal;
    }
    const server = this.#options.createServer();
    let opened = false;
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: () => `mcp-session-${randomUUID()}`,
      maxRequestBodySize: this.#options.maxBodyBytes,
      onsessioninitialized: (id) => {
        opened = true;
        const session = { server, transport, owner, open: 0, usedAt: 0, timer: undefined };
        this.#sessions.set(id, session);
        this.#use(id, session, res);
      },
      onsessionclosed: (id) => this.#end(id),
    });
    await server.connect(transport);
    // eslint-disable-next-line unicorn/prefer-add-event-listener -- it is no event target
    server.server.onerror = this.#options.onError;
    const response = await transport.handleRequest(request);
    // Whatever was no opening has been refused, and leaves nothing behind.
    if (!opened) await server.close();
    return response;
  }

  /** Keeps a session while an answer is under way, and for the idle time after it. */
  #use(id: string, session: LastingSession, res: ServerResponse): void {
    session.open += 1;
    clearTimeout(session.timer);
    const release = (): void => {
      session.open -= 1;
      session.usedAt = performance.now();
      if (session.open > 0 || this.#sessions.get(id) !== session) return;
      session.timer = setTimeout(() => void this.#end(id), this.#options.idleMs).unref();
    };
    // A client that has gone in the meantime will not be heard of again.
    if (res.closed || res.destroyed) release();
    else res.once('close', release);
  }

  /** Ends the session that has been unused longest; false when all are in use. */
  async #makeRoom(): Promise<boolean> {
    const unused = [...this.#sessions].filter(([, { open }]) => open === 0);
    const [oldest] = unused.sort(([, a], [, b]) => a.usedAt - b.usedAt);
    if (oldest === undefined) return false;
    await this.#end(oldest[0]);
    return true;
  }

  async #end(id: string): Promise<void> {
    const session = this.#sessions.get(id);
    if (session === undefined) return;
    this.#sessions.delete(id);
    clearTimeout(session.timer);
    try {
      // Aborts the calls that are under way, and with them their waits at the API.
      await session.server.close();
    } catch (error) {
      this.#options.onError(error instanceof Error ? error : new Error(String(error)));
    }
  }
}

/** A refusal as MCP clients read it. */
export function rpcError(status: number, code: number, message: string): Response {
  return Response.json({ jsonrpc: '2.0', error: { code, message }, id: null }, { status });
}
