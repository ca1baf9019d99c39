import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import type { CliContext } from './cli-context.ts';
import { parseDuration } from './duration.ts';

/** Options of `agentapi-proxy mcp` as typed. */
export interface McpFlags {
  readonly proxyUrl?: string;
  readonly apiKey?: string;
  readonly apiKeyFile?: string;
  readonly context?: string;
  /** Present: HTTP on this port; absent: standard input and output. */
  readonly port?: number;
  readonly host: string;
  readonly maxSessions?: number;
  /** Milliseconds. */
  readonly sessionTimeout?: number;
  readonly verbose?: boolean;
}

/** The port of the reference (PX-218). */
const DEFAULT_PORT = 3000;

/** Adds `mcp`: tools for other agents to start and talk to agents with. */
export function addMcpCommand(
  program: Command,
  context: CliContext,
  setExitCode: (code: number) => void,
): void {
  program
    .command('mcp')
    .description('Serve MCP on standard input and output, or with --port over HTTP, for a server that runs')
    .option(
      '--proxy-url <url>',
      'the server to use; also AGENTAPI_PROXY_ENDPOINT (default: that of the current context, else http://localhost:8080)',
    )
    .addOption(
      new Option('--api-key <key>', 'API key; other users of this machine can see it: prefer the next two'),
    )
    .option('--api-key-file <file>', 'file that holds the API key; also AGENTAPI_PROXY_API_KEY_FILE')
    .option('--context <name>', 'a context of agentapi-proxy client; also AGENTAPI_PROXY_CONTEXT')
    .addOption(
      new Option('-p, --port [number]', 'serve streamable HTTP at /mcp on this port, 3000 without a number')
        .preset(String(DEFAULT_PORT))
        .argParser(parsePort),
    )
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .addOption(
      new Option('--max-sessions <number>', 'most MCP sessions at a time (default: 1000)').argParser(
        parseCount,
      ),
    )
    .addOption(
      new Option(
        '--session-timeout <time>',
        'an MCP session unused this long ends, such as 2h (default: 30m)',
      ).argParser(parseTime),
    )
    .option('-v, --verbose', 'tell on standard error what goes wrong')
    .addHelpText('after', '\nAPI key: best in AGENTAPI_PROXY_API_KEY. See docs/mcp.md.')
    .action(async (flags: McpFlags) => {
      const { runMcp } = await import('./run-mcp.ts');
      setExitCode(await runMcp(flags, context));
    });
}

function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port;
  throw new InvalidArgumentError('It must be a whole number from 0 to 65535.');
}

function parseCount(text: string): number {
  if (/^[1-9]\d{0,6}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number above 0.');
}

function parseTime(text: string): number {
  const durationMs = parseDuration(text);
  // Timers of the platform hold no more.
  if (durationMs !== null && durationMs > 0 && durationMs < 2 ** 31) return durationMs;
  throw new InvalidArgumentError('It must be a time such as 30m or 2h, at most 24d.');
}
