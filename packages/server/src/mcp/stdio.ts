import type { Readable, Writable } from 'node:stream';
import type { Client } from '@agentapi-proxy/client';
import { serveStdio, StdioServerTransport } from '@modelcontextprotocol/server/stdio';
import { createMcpServer } from './mcp-server.ts';

/** What MCP over standard input and output needs. */
export interface StdioOptions {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly api: Client;
  readonly version: string;
  /** Ends the service. */
  readonly signal: AbortSignal;
  readonly onError: (error: Error) => void;
}

/** Serves MCP until the client closes standard input, or goes, or the signal is given (PX-226). */
export async function serveOverStdio(options: StdioOptions): Promise<void> {
  const { stdin, stdout, signal } = options;
  const over = new Promise<void>((resolve) => {
    const end = (): void => resolve();
    stdin.once('end', end).once('close', end).once('error', end);
    stdout.once('close', end).once('error', end);
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) resolve();
  });
  const handle = serveStdio(
    ({ era }) =>
      createMcpServer({
        version: options.version,
        apiOf: ({ mcpReq }) => ({ api: options.api, signal: mcpReq.signal }),
        era,
      }),
    { transport: new StdioServerTransport(stdin, stdout), onerror: options.onError },
  );
  await over;
  await handle.close();
  // Whoever is still listening to it would keep the process.
  stdin.destroy();
}
