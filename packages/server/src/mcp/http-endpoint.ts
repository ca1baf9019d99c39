import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Client } from '@agentapi-proxy/client';
import { toNodeHandler } from '@modelcontextprotocol/node';
import type { NodeIncomingMessageLike } from '@modelcontextprotocol/node';
import { createMcpHandler, isLegacyRequest } from '@modelcontextprotocol/server';
import type { McpHttpHandler, ServerContext } from '@modelcontextprotocol/server';
import { LastingSessions, rpcError } from './lasting-sessions.ts';
import { createMcpServer } from './mcp-server.ts';

/** Most sessions at a time; each holds a few objects, and the longest unused one makes room for the next. */
export const DEFAULT_MAX_SESSIONS = 1_000;

/** A session that nobody uses this long has been left: its client opens another one when it comes back. */
export const DEFAULT_IDLE_MS = 30 * 60_000;

/** Who sends an MCP request. */
export interface McpCaller {
  /** The API with the rights of this caller. */
  readonly api: Client;
  /** Tells callers apart; sessions are bound to it. Not a secret, and nothing one could be made from. */
  readonly identity: string;
}

/** Limits of an endpoint. */
export interface McpEndpointOptions {
  readonly version: string;
  /** Most sessions of the protocol at a time. */
  readonly maxSessions: number;
  /** A session that nobody uses this long ends, in milliseconds. */
  readonly idleMs: number;
  readonly maxBodyBytes: number;
  /** Told what goes wrong outside of any answer. */
  readonly onError: (error: Error) => void;
}

/**
 * MCP over streamable HTTP (PX-218). Serves both ways of the protocol: since 2026-07-28 every request stands by itself,
 * before there are sessions. Knows nothing about keys, names of hosts and origins: whoever lets requests in has checked.
 */
export class McpEndpoint implements AsyncDisposable {
  readonly #options: McpEndpointOptions;
  readonly #callers = new WeakMap<Request, McpCaller>();
  readonly #modern: McpHttpHandler;
  readonly #sessions: LastingSessions;
  #closed = false;

  constructor(options: McpEndpointOptions) {
    const { version, maxSessions, idleMs, maxBodyBytes, onError } = options;
    this.#options = options;
    const apiOf = (context: ServerContext): Client => this.#callerOf(context.http?.req).api;
    this.#modern = createMcpHandler(({ era }) => createMcpServer({ version, apiOf, era }), {
      legacy: 'reject',
      maxRequestBodySize: maxBodyBytes,
      onerror: onError,
    });
    this.#sessions = new LastingSessions({
      maxSessions,
      idleMs,
      maxBodyBytes,
      onError,
      createServer: () => createMcpServer({ version, apiOf, era: 'legacy' }),
    });
  }

  /** Answers a request, however it ends; never rejects. The body must not have been read. */
  async handle(req: IncomingMessage, res: ServerResponse, caller: McpCaller): Promise<void> {
    const { maxBodyBytes: maxRequestBodySize, onError } = this.#options;
    const fetch = async (request: Request): Promise<Response> => {
      if (this.#closed) return rpcError(503, -32_000, 'The server is shutting down');
      this.#callers.set(request, caller);
      return (await isLegacyRequest(request, undefined, { maxRequestBodySize }))
        ? this.#sessions.handle(request, caller.identity, res)
        : this.#modern.fetch(request);
    };
    try {
      await toNodeHandler({ fetch }, { maxRequestBodySize, onerror: onError })(plain(req), res);
    } catch (error) {
      onError(error instanceof Error ? error : new Error(String(error)));
      res.destroy();
    }
  }

  /** Ends all sessions, calls and streams; further requests are refused. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await Promise.all([this.#modern.close(), this.#sessions[Symbol.asyncDispose]()]);
  }

  #callerOf(request: Request | undefined): McpCaller {
    const caller = request === undefined ? undefined : this.#callers.get(request);
    if (caller === undefined) throw new Error('an MCP request without a caller');
    return caller;
  }
}

/** The request without its address: a name of a host that is none must not make a failure of it. */
function plain(req: IncomingMessage): NodeIncomingMessageLike {
  return {
    method: req.method ?? 'GET',
    url: '/mcp',
    headers: { ...req.headers, host: 'localhost' },
    [Symbol.asyncIterator]: () => req[Symbol.asyncIterator](),
  };
}
