import type { createClient } from '@agentapi-proxy/client';
import type { FastifyInstance } from 'fastify';
import { isAccepted } from './auth/authenticate.ts';
import type { Authenticator } from './auth/authenticate.ts';
import type { TrustedProxies } from './client-address.ts';
import { inProcessFetch } from './http/in-process-fetch.ts';
import type { Listener } from './http/listener.ts';
import { mcpRoute } from './http/routes/mcp.ts';
import { nestingFaultOf } from './json-nesting.ts';
import type { Log } from './log.ts';
import type { McpEndpoint } from './mcp/http-endpoint.ts';
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
  // Most servers are never asked: the libraries are loaded for whoever asks first.
  const load = async (): Promise<Loaded> => {
    const { createClient } = await import('@agentapi-proxy/client');
    const mcp = await import('./mcp/http-endpoint.ts');
    const endpoint = new mcp.McpEndpoint({
      version: packageVersion(),
      maxSessions: mcp.DEFAULT_MAX_SESSIONS,
      idleMs: mcp.DEFAULT_IDLE_MS,
      maxBodyBytes,
      faultOf: nestingFaultOf,
      onError: (err) => log.debug({ err }, 'an MCP request could not be served as asked'),
    });
    loaded = endpoint;
    return { createClient, endpoint };
  };
  let loading: Promise<Loaded> | null = null;
  let loaded: McpEndpoint | null = null;
  mcpRoute(app, {
    keyHeaders: authenticator.keyHeaders,
    addressOf: ({ socket, headers }) => trustedProxies.clientOf(socket.remoteAddress, headers),
    handle: async (req, res, { credentials, identity, address, requestId }) => {
      loading ??= load();
      const { createClient, endpoint } = await loading;
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
    recheck: () => loaded?.recheck(),
    [Symbol.asyncDispose]: async () => {
      // Whoever asked has been told why it failed.
      await loading?.catch(() => undefined);
      await loaded?.[Symbol.asyncDispose]();
    },
  };
}

interface Loaded {
  readonly createClient: typeof createClient;
  readonly endpoint: McpEndpoint;
}
