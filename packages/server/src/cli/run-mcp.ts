import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { createClient } from '@agentapi-proxy/client';
import { isLoopback } from '../http/origin-guard.ts';
import { DEFAULT_IDLE_MS, DEFAULT_MAX_SESSIONS } from '../mcp/http-endpoint.ts';
import type { McpCaller } from '../mcp/http-endpoint.ts';
import { serveOverStdio } from '../mcp/stdio.ts';
import { packageVersion } from '../version.ts';
import type { CliContext } from './cli-context.ts';
import { connect, STANDARD_INPUT } from './client/connection.ts';
import type { Connection } from './client/connection.ts';
import { UsageError } from './client/exit-codes.ts';
import { runClient } from './client/run-client.ts';
import type { ClientFlags } from './client/run-client.ts';
import { serveMcpOverHttp } from './mcp-http.ts';
import type { McpFlags } from './mcp-command.ts';

/** The server of the reference's default. */
const DEFAULT_PROXY_URL = 'http://localhost:8080';

/**
 * Runs the MCP server and answers its exit code: 0 when the client has closed standard input, 143 and 130 after SIGTERM
 * and SIGINT, as with the reference (PX-226). Standard output belongs to the protocol.
 */
export function runMcp(flags: McpFlags, context: CliContext): Promise<number> {
  return runClient(clientFlagsOf(flags), context, async (run) => {
    const { desk, signal } = run;
    if (flags.port === undefined && flags.apiKeyFile === STANDARD_INPUT) {
      throw new UsageError('standard input belongs to the protocol; the key must come from a file');
    }
    const connection = await connect(run);
    const version = packageVersion();
    const onError = (error: Error): void => {
      if (flags.verbose === true) desk.note(`agentapi-proxy mcp: ${error.message}`);
    };
    if (flags.port === undefined) {
      const { stdin, stdout } = context.openStreams();
      if (stdin.isTTY) {
        desk.note(
          'MCP on standard input and output, for a program that starts this one; --port serves HTTP.',
        );
      }
      await serveOverStdio({ stdin, stdout, api: connection.client, version, signal, onError });
    } else {
      await serveMcpOverHttp({
        host: flags.host,
        port: flags.port,
        limits: {
          version,
          maxSessions: flags.maxSessions ?? DEFAULT_MAX_SESSIONS,
          idleMs: flags.sessionTimeout ?? DEFAULT_IDLE_MS,
          onError,
        },
        callerOf: callersOf(connection, isLoopback(flags.host)),
        signal,
        onListening: (url) => desk.note(`MCP is ready at ${url} for ${connection.endpoint}`),
      });
    }
    signal.throwIfAborted();
  });
}

function clientFlagsOf({ proxyUrl, apiKey, apiKeyFile, context }: McpFlags): ClientFlags {
  return {
    defaultEndpoint: DEFAULT_PROXY_URL,
    ...(proxyUrl === undefined ? {} : { endpoint: proxyUrl }),
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(apiKeyFile === undefined ? {} : { apiKeyFile }),
    ...(context === undefined ? {} : { context }),
  };
}

/**
 * Who asks over HTTP: whoever sends a key acts with that; others with the one this program was given, but only on this
 * machine. To other machines it is not lent: `null` (PX-224, DF-19).
 */
function callersOf(
  connection: Connection,
  isLocal: boolean,
): (headers: IncomingHttpHeaders) => McpCaller | null {
  // What a key is worth, the server decides with every call.
  const mayStay = (): boolean => true;
  const own: McpCaller = { api: connection.client, identity: 'own', mayStay };
  return ({ 'x-api-key': key, authorization }) => {
    const credentials = {
      ...(typeof key === 'string' && key !== '' ? { 'x-api-key': key } : {}),
      ...(authorization === undefined ? {} : { authorization }),
    };
    if (Object.keys(credentials).length === 0) return isLocal ? own : null;
    return {
      api: createClient({ baseUrl: connection.endpoint, headers: credentials }),
      identity: createHash('sha256').update(JSON.stringify(credentials)).digest('base64url'),
      mayStay,
    };
  };
}
