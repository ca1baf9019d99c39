import type { Client } from '@agentapi-proxy/client';
import type { ServerContext } from '@modelcontextprotocol/server';

/** The API as the sender of an MCP request may use it. */
export type ApiOf = (context: ServerContext) => Client;
