import { createClient } from '@agentapi-proxy/client';
import type { FastifyInstance } from 'fastify';
import { isAccepted } from './auth/authenticate.ts';
import type { Authenticator } from './auth/authenticate.ts';
import type { TrustedProxies } from './client-address.ts';
import { inProcessFetch } from './http/in-process-fetch.ts';
import type { Listener } from './http/listener.ts';
import { mcpRoute } from './http/routes/mcp.ts';
import type { Log } from './log.ts';
import { DEFAULT_IDLE_MS, DEFAULT_MAX_SESSIONS, McpEndpoint } from './mcp/http-endpoint.ts';
import { packageVersion } from './version.ts';

/** What answers `/mcp`, until its disposal. */
export interface McpAccess extends AsyncDisposable {
  /** Ends what was opened with credentials that are no longer good. */
  recheck(): void;
}

/** What {@link openMcp} builds on. */
export interface McpFoundation {
  readonly listener: Listener;
  readonly authenticator: Pick<Authenticator, 'authenticate' | 'keyHeaders'>;
  readonly trustedProxies: TrustedProxies;
  readonly maxBodyBytes: number;
  readonly log: Log;
}

/** MCP inside the server, at `/mcp` of `app`: the tools ask our own API with the credentials of whoever asks. */
export function openMcp(app: FastifyInstance, foundation: McpFoundation): McpAccess {
  const { listener, authenticator, trustedProxies, maxBodyBytes, log } = foundation;
  const endpoint = new McpEndpoint({
    version: packageVersion(),
    maxSessions: DEFAULT_MAX_SESSIONS,
    idleMs: DEFAULT_IDLE_MS,
    maxBodyBytes,
    onError: (err) => log.debug({ err }, 'an MCP request could not be served as asked'),
  });
  mcpRoute(app, {
    keyHeaders: authenticator.keyHeaders,
    addressOf: ({ socket, headers }) => trustedProxies.clientOf(socket.remoteAddress, headers),
    handle: async (req, res, { credentials, identity, address, requestId }) => {
      const api = createClient({
        // The host is never looked up: nothing leaves the process.
        baseUrl: 'http://localhost',
        headers: credentials,
        fetch: inProcessFetch(listener, { address, requestId }),
      });
      const mayStay = (): boolean => isAccepted(authenticator, credentials);
      await endpoint.handle(req, res, { api, identity, mayStay });
    },
  });
  return {
    recheck: () => endpoint.recheck(),
    [Symbol.asyncDispose]: () => endpoint[Symbol.asyncDispose](),
  };
}
