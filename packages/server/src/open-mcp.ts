import { createClient } from '@agentapi-proxy/client';
import { inProcessFetch } from './http/in-process-fetch.ts';
import type { Listener } from './http/listener.ts';
import type { McpHandler } from './http/routes/mcp.ts';
import type { Log } from './log.ts';
import { DEFAULT_IDLE_MS, DEFAULT_MAX_SESSIONS, McpEndpoint } from './mcp/http-endpoint.ts';
import { packageVersion } from './version.ts';

/** What answers `/mcp`, until its disposal. */
export interface McpAccess extends AsyncDisposable {
  readonly handle: McpHandler;
}

/** MCP inside the server: the tools ask our own API, as the caller and with the caller's credentials. */
export function openMcp(listener: Listener, maxBodyBytes: number, log: Log): McpAccess {
  const endpoint = new McpEndpoint({
    version: packageVersion(),
    maxSessions: DEFAULT_MAX_SESSIONS,
    idleMs: DEFAULT_IDLE_MS,
    maxBodyBytes,
    onError: (err) => log.debug({ err }, 'an MCP request could not be served as asked'),
  });
  return {
    handle: async (req, res, { credentials, identity, address, requestId }) => {
      const api = createClient({
        // The host is never looked up: nothing leaves the process.
        baseUrl: 'http://localhost',
        headers: credentials,
        fetch: inProcessFetch(listener, { address, requestId }),
      });
      await endpoint.handle(req, res, { api, identity });
    },
    [Symbol.asyncDispose]: () => endpoint[Symbol.asyncDispose](),
  };
}
