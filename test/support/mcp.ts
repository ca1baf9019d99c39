import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { createInterface } from 'node:readline';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import type { RequestOptions, Transport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { z } from 'zod';
import { COMMAND } from './server-process.ts';

/** The two ways of the protocol: with sessions, and since 2026-07-28 without. */
export type McpEra = '2025' | '2026';

/** What a tool has answered. */
export interface ToolOutcome {
  readonly failed: boolean;
  readonly text: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** The official client, connected to an MCP server of ours. */
export interface McpConnection extends AsyncDisposable {
  readonly client: Client;
  call(
    tool: string,
    args?: Readonly<Record<string, unknown>>,
    options?: RequestOptions,
  ): Promise<ToolOutcome>;
}

const resultSchema = z.looseObject({
  isError: z.boolean().default(false),
  content: z.array(z.looseObject({ type: z.literal('text'), text: z.string() })),
  structuredContent: z.record(z.string(), z.unknown()).default({}),
});

/** Connects over any transport. */
export async function connectMcp(transport: Transport, era: McpEra): Promise<McpConnection> {
  const client = new Client(
    { name: 'test', version: '1.0.0' },
    era === '2025' ? {} : { versionNegotiation: { mode: { pin: '2026-07-28' } } },
  );
  await client.connect(transport);
  return {
    client,
    call: async (name, args = {}, options = {}) => {
      const answer = resultSchema.parse(await client.callTool({ name, arguments: args }, options));
      return {
        failed: answer.isError,
        text: answer.content.map(({ text }) => text).join('\n'),
        data: answer.structuredContent,
      };
    },
    [Symbol.asyncDispose]: async () => {
      await client.close();
    },
  };
}

/** Connects over HTTP. */
export async function connectOverHttp(
  url: string,
  era: McpEra,
  headers: Readonly<Record<string, string>> = {},
): Promise<McpConnection> {
  const requestInit = { headers: { ...headers } };
  return connectMcp(new StreamableHTTPClientTransport(new URL(url), { requestInit }), era);
}

/** Starts `agentapi-proxy mcp` and connects over its standard input and output. */
export async function connectOverStdio(
  era: McpEra,
  env: Readonly<Record<string, string>>,
  args: readonly string[] = [],
): Promise<McpConnection> {
  const { PATH = '' } = process.env;
  const command = { command: COMMAND, args: ['mcp', ...args], cwd: tmpdir(), stderr: 'ignore' as const };
  return connectMcp(new StdioClientTransport({ ...command, env: { PATH, HOME: tmpdir(), ...env } }), era);
}

/** A running `agentapi-proxy mcp --port`. */
export interface McpProcess extends AsyncDisposable {
  /** Of `/mcp`. */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Sends a signal and waits for the exit code. */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

/** Starts `agentapi-proxy mcp` on a free port. */
export async function startMcpProcess(
  env: Readonly<Record<string, string>>,
  args: readonly string[] = [],
): Promise<McpProcess> {
  const { PATH = '' } = process.env;
  const child = spawn(COMMAND, ['mcp', '--port', '0', ...args], {
    cwd: tmpdir(),
    env: { PATH, HOME: tmpdir(), ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = once(child, 'exit');
  let url: URL | undefined;
  for await (const line of createInterface({ input: child.stderr })) {
    const found = /MCP is ready at (\S+) /.exec(line)?.[1];
    if (found === undefined) continue;
    url = new URL(found);
    break;
  }
  if (url === undefined)
    throw new Error(`agentapi-proxy mcp did not start, but ended with ${child.exitCode}`);
  child.stderr.resume();
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await exited;
    return child.exitCode;
  };
  return {
    url: url.href,
    port: Number(url.port),
    pid: child.pid ?? 0,
    end,
    [Symbol.asyncDispose]: async () => {
      await end('SIGTERM');
    },
  };
}
