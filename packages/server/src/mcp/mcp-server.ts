import { McpServer } from '@modelcontextprotocol/server';
import type { ApiOf } from './api-access.ts';
import { registerConversationTools } from './conversation-tools.ts';
import { registerProfileTools } from './profile-tools.ts';
import { registerResources } from './resources.ts';
import { registerSessionTools } from './session-tools.ts';
import { serveSubscriptions } from './subscriptions.ts';

/** How an MCP server introduces itself, and whom it works for. */
export interface McpServerOptions {
  readonly version: string;
  readonly apiOf: ApiOf;
  /** Versions of the protocol from 2025 have connections that last, newer ones have none. */
  readonly era: 'legacy' | 'modern';
}

const INSTRUCTIONS = `Runs coding agents in sessions on an agentapi-proxy server.
The usual way: start_session with the task as message, wait_for_answer (again while finished is false), send_message for
what comes next and wait_for_answer again, delete_session in the end. get_logs and get_session tell why one failed.`;

/** An MCP server over the API, for one connection or one request (PX-218, PX-219). It owns nothing but itself. */
export function createMcpServer({ version, apiOf, era }: McpServerOptions): McpServer {
  const server = new McpServer(
    { name: 'agentapi-proxy-mcp', title: 'agentapi-proxy', version },
    {
      instructions: INSTRUCTIONS,
      // Neither tools nor resource templates ever change while a server runs (proxy-api section 12).
      capabilities: { tools: { listChanged: false }, resources: { listChanged: false } },
    },
  );
  registerSessionTools(server, apiOf);
  registerConversationTools(server, apiOf);
  registerProfileTools(server, apiOf);
  registerResources(server, apiOf);
  if (era === 'legacy') serveSubscriptions(server, apiOf);
  return server;
}
