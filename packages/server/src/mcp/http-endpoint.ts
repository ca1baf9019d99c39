import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@agentapi-proxy/client';
import { toNodeHandler } from '@modelcontextprotocol/node';
import type { NodeIncomingMessageLike, NodeServerResponseLike } from '@modelcontextprotocol/node';
import { createMcpHandler, isLegacyRequest } from '@modelcontextprotocol/server';
import type { McpHttpHandler } from '@modelcontextprotocol/server';
import type { ApiOf } from './api-access.ts';
import { LastingSessions, rpcError } from './lasting-sessions.ts';
import type { SessionOwner } from './lasting-sessions.ts';
import { createMcpServer } from './mcp-server.ts';

/** Most sessions at a time; each holds a few objects, and the longest unused one makes room for the next. */
export const DEFAULT_MAX_SESSIONS = 1_000;

/** A session that nobody uses this long has been left: its client opens another one when it comes back. */
export const DEFAULT_IDLE_MS = 30 * 60_000;

/** Who sends an MCP request. */
export interface McpCaller extends SessionOwner {
  /** The API with the rights of this caller. */
  readonly api: Client;
}

/** A request over HTTP. */
interface Exchange {
  readonly caller: McpCaller;
  /** Ends what is done for it. */
  readonly stop: AbortController;
}

const SHUTDOWN = 'The server is shutting down';

/** Calls that are told of the shutdown get this long for their last answer. */
const FAREWELL_MS = 500;

/** How often it is looked whether they are done. */
const FAREWELL_CHECK_MS = 10;

/** Limits of an endpoint. */
export interface McpEndpointOptions {
  readonly version: string;
  /** Most sessions of the protocol at a time. */
  readonly maxSessions: number;
  /** A session that nobody uses this long ends, in milliseconds. */
  readonly idleMs: number;
  readonly maxBodyBytes: number;
  /** Why a body is not even to be parsed; `null` = it is. */
  readonly faultOf: (body: string) => string | null;
  /** Told what goes wrong outside of any answer. */
  readonly onError: (error: Error) => void;
}

/**
 * MCP over streamable HTTP (PX-218). Serves both ways of the protocol: since 2026-07-28 every request stands by itself,
 * before there are sessions. Knows nothing about keys, names of hosts and origins: whoever lets requests in has checked.
 */
export class McpEndpoint implements AsyncDisposable {
  readonly #options: McpEndpointOptions;
  readonly #exchanges = new WeakMap<Request, Exchange>();
  /** Requests that are being answered, without streams that have no end of their own. */
  readonly #underWay = new Set<Exchange>();
  readonly #modern: McpHttpHandler;
  readonly #sessions: LastingSessions;
  #closed = false;

  constructor(options: McpEndpointOptions) {
    const { version, maxSessions, idleMs, maxBodyBytes, onError } = options;
    this.#options = options;
    const apiOf: ApiOf = ({ http, mcpReq }) => {
      const { caller, stop } = this.#exchangeOf(http?.req);
      return { api: caller.api, signal: AbortSignal.any([mcpReq.signal, stop.signal]) };
    };
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
    const { maxBodyBytes: maxRequestBodySize, faultOf, onError } = this.#options;
    const exchange: Exchange = { caller, stop: new AbortController() };
    const fetch = async (request: Request): Promise<Response> => {
      if (this.#closed) return rpcError(503, -32_000, SHUTDOWN);
      // It has been read already, within its limit.
      const fault = faultOf(await request.clone().text());
      if (fault !== null) return rpcError(400, -32_600, `Bad Request: ${fault}`);
      this.#exchanges.set(request, exchange);
      return (await isLegacyRequest(request, undefined, { maxRequestBodySize }))
        ? this.#sessions.handle(request, caller, res)
        : this.#modern.fetch(request);
    };
    if (req.method === 'POST') this.#underWay.add(exchange);
    try {
      await toNodeHandler({ fetch }, { maxRequestBodySize, onerror: onError })(plain(req), prompt(res));
    } catch (error) {
      onError(error instanceof Error ? error : new Error(String(error)));
      res.destroy();
    } finally {
      this.#underWay.delete(exchange);
    }
  }

  /** Ends the sessions of callers whose credentials have become worthless; to be called when that can have happened. */
  recheck(): void {
    this.#sessions.recheck();
  }

  /** Ends all calls, which are told why, then sessions and streams; further requests are refused. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    const deadline = performance.now() + FAREWELL_MS;
    for (const { stop } of this.#underWay) stop.abort(new Error(SHUTDOWN));
    while (this.#underWay.size > 0 && performance.now() < deadline) await sleep(FAREWELL_CHECK_MS);
    await Promise.all([this.#modern.close(), this.#sessions[Symbol.asyncDispose]()]);
  }

  #exchangeOf(request: Request | undefined): Exchange {
    const exchange = request === undefined ? undefined : this.#exchanges.get(request);
    if (exchange === undefined) throw new Error('an MCP request without a caller');
    return exchange;
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

/** The answer whose head does not wait for the body: an event stream may have nothing to say for a long time. */
function prompt(res: ServerResponse): NodeServerResponseLike {
  return {
    writeHead: (status, headers = {}) => {
      res.writeHead(status, headers);
      if (headers['content-type']?.startsWith('text/event-stream') === true) res.flushHeaders();
    },
    write: (chunk) => res.write(chunk),
    end: (chunk) => res.end(chunk),
    on: (event, listener) => res.on(event, listener),
    get destroyed() {
      return res.destroyed;
    },
  };
}
