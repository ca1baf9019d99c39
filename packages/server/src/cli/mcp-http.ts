import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { InvalidArgumentError } from '@agentapi-proxy/client';
import { Cors } from '../cors.ts';
import { isLoopback, OriginGuard } from '../http/origin-guard.ts';
import { nestingFaultOf } from '../json-nesting.ts';
import { McpEndpoint } from '../mcp/http-endpoint.ts';
import type { McpCaller, McpEndpointOptions } from '../mcp/http-endpoint.ts';
import { CLIENT_EXIT, CommandFailure } from './client/exit-codes.ts';

/** Messages for agents are text; this is room for very long ones. */
const MAX_BODY_BYTES = 4 * 1024 ** 2;

/** A client has this long for the head of a request; slower ones hold a connection for nothing. */
const HEAD_TIMEOUT_MS = 20_000;

/** MCP over HTTP, apart from the server that it uses. */
export interface McpHttpOptions {
  readonly host: string;
  /** 0 = any free one. */
  readonly port: number;
  readonly limits: Omit<McpEndpointOptions, 'maxBodyBytes' | 'faultOf'>;
  /** Who sends a request with these headers; `null` for nobody. */
  readonly callerOf: (headers: IncomingHttpHeaders) => McpCaller | null;
  /** Ends the service. */
  readonly signal: AbortSignal;
  readonly onListening: (url: string) => void;
}

/**
 * Serves streamable HTTP at `/mcp` until the signal is given (PX-218). While it listens on loopback only, requests of
 * web pages of other origins, and under names that are not this machine's, are refused (PX-226).
 *
 * @throws CommandFailure when the address cannot be used
 */
export async function serveMcpOverHttp(options: McpHttpOptions): Promise<void> {
  const { host, port, limits, callerOf, signal } = options;
  // Elsewhere every request needs a key of its own, which is nothing a page could make a browser send.
  const guard = isLoopback(host)
    ? new OriginGuard({ host, allowedHosts: [], cors: new Cors({ origins: [], credentials: false }) })
    : null;
  await using endpoint = new McpEndpoint({
    ...limits,
    maxBodyBytes: MAX_BODY_BYTES,
    faultOf: nestingFaultOf,
  });
  const server = createServer({ headersTimeout: HEAD_TIMEOUT_MS }, (req, res) => {
    const refusal = guard?.check(req.headers, req.socket.localAddress) ?? null;
    if (refusal !== null) answer(res, 403, { message: refusal.message, code: refusal.code });
    else void receive(req, res, endpoint, callerOf);
  });
  try {
    server.listen(port, host);
    await once(server, 'listening', { signal });
  } catch (error) {
    server.close();
    signal.throwIfAborted();
    const reason = error instanceof Error ? error.message : String(error);
    throw new CommandFailure(CLIENT_EXIT.failed, `cannot listen on ${host} port ${port}: ${reason}`);
  }
  const closed = once(server, 'close');
  const address = server.address();
  if (address !== null && typeof address !== 'string') {
    const name = address.family === 'IPv6' ? `[${address.address}]` : address.address;
    options.onListening(`http://${name}:${address.port}/mcp`);
  }
  if (!signal.aborted) await once(signal, 'abort');
  await endpoint[Symbol.asyncDispose]();
  server.close();
  server.closeAllConnections();
  await closed;
}

async function receive(
  req: IncomingMessage,
  res: ServerResponse,
  endpoint: McpEndpoint,
  callerOf: McpHttpOptions['callerOf'],
): Promise<void> {
  const path = (req.url ?? '').split('?', 1)[0];
  if (path === '/health') {
    answer(res, 200, { status: 'ok' });
    return;
  }
  if (path !== '/mcp') {
    answer(res, 404, { message: 'Not found: MCP is at /mcp' });
    return;
  }
  try {
    const caller = callerOf(req.headers);
    if (caller !== null) await endpoint.handle(req, res, caller);
    else {
      res.setHeader('www-authenticate', 'Bearer realm="agentapi-proxy"');
      answer(res, 401, { message: 'API key required', code: 'api_key_required' });
    }
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    answer(res, 400, { message: error.message });
  }
}

function answer(res: ServerResponse, status: number, body: object): void {
  res.writeHead(status, { 'content-type': 'application/json' });
  res.end(`${JSON.stringify(body)}\n`);
}
