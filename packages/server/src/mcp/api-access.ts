import type { Client } from '@agentapi-proxy/client';
import type { ServerContext } from '@modelcontextprotocol/server';

/** What it takes to ask the API for the sender of an MCP request. */
export interface ApiAccess {
  /** The API as the sender may use it. */
  readonly api: Client;
  /** Aborted when the sender cancels the request or goes, and when the MCP server ends. */
  readonly signal: AbortSignal;
}

/** Finds out for whom a request is. */
export type ApiOf = (context: ServerContext) => ApiAccess;
