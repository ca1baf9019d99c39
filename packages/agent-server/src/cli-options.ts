import { agentTypeOfWord, type AgentType } from './agent-type.ts';
import { readFlags, UsageError, type Flag } from './cli-flags.ts';

/** What `server` was asked to do (agentapi section 1.2), checked as far as no outside state is needed. */
export interface ServerOptions {
  readonly agentType: AgentType;
  readonly command: string;
  readonly args: readonly string[];
  /** Address to bind; loopback unless asked otherwise (agentapi section 8, row 6). */
  readonly host: string;
  readonly port: number;
  readonly printOpenApi: boolean;
  readonly chatBasePath: string;
  readonly columns: number;
  readonly rows: number;
  readonly allowedHosts: readonly string[];
  readonly allowedOrigins: readonly string[];
  /** Empty when none was given. */
  readonly initialPrompt: string;
  readonly stateFile: string | undefined;
  readonly loadState: boolean;
  readonly saveState: boolean;
  readonly pidFile: string | undefined;
  readonly acp: boolean;
  /** Who answers the permission requests of an ACP agent. */
  readonly acpPermissions: (typeof ACP_PERMISSIONS)[number];
  /** Tell more than agentapi does (AA-173). */
  readonly extendedApi: boolean;
  /** Log requests, messages (their lengths) and changes of the status. */
  readonly debug: boolean;
  /** A file whose trimmed content every request must present (AA-166). */
  readonly tokenFile: string | undefined;
  /** File for the last report to a supervisor that is away. */
  readonly exitReport: string | undefined;
  /** Descriptor of the channel to a supervisor; `undefined` when standalone. */
  readonly controlFd: number | undefined;
}

/** What a command line of `server` asks for. */
export type ServerRequest =
  | { readonly kind: 'help' }
  /** The hidden `--exit`: the flags are fine, stop here. */
  | { readonly kind: 'exit' }
  | { readonly kind: 'run'; readonly options: ServerOptions };

/** The server cannot start as asked (agentapi section 1.4); exit code 1. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

const ACP_PERMISSIONS = ['allow', 'ask', 'reject'] as const;
const MAX_UINT16 = 65_535;
const MIN_TERMINAL_SIZE = 10;
const DEFAULT_PORT = 3284;

const FLAGS: readonly Flag[] = [
  {
    name: 'acp-permissions',
    kind: 'string',
    help: "What an ACP agent's permission request gets: allow, reject, or ask for an answer at /acp/permissions",
    shownDefault: 'allow',
  },
  {
    name: 'allowed-hosts',
    short: 'a',
    kind: 'list',
    help: "Host headers to answer, without ports; '*' for any",
    shownDefault: 'localhost,127.0.0.1,[::1]',
  },
  {
    name: 'allowed-origins',
    short: 'o',
    kind: 'list',
    help: "CORS origins; '*' for any",
    shownDefault: 'http://localhost:3284,http://localhost:3000,http://localhost:3001',
  },
  {
    name: 'chat-base-path',
    short: 'c',
    kind: 'string',
    help: 'Path under which a browser sees the chat page',
    shownDefault: '/chat',
  },
  {
    name: 'debug',
    kind: 'bool',
    help: 'Log requests, changes of the status, and the length of every message',
  },
  {
    name: 'experimental-acp',
    kind: 'bool',
    help: 'Talk the Agent Client Protocol over stdio instead of using a terminal',
  },
  {
    name: 'extended-api',
    kind: 'bool',
    help: 'Say in GET /status what the agent waits for, and refuse messages with 409 and 422 instead of 500',
  },
  { name: 'host', kind: 'string', help: 'Address to bind', shownDefault: '127.0.0.1' },
  {
    name: 'initial-prompt',
    short: 'I',
    kind: 'string',
    help: 'First message, sent once the agent is ready (default: piped stdin)',
  },
  {
    name: 'load-state',
    kind: 'bool',
    help: 'Restore the state file at start (default: true with --state-file)',
  },
  { name: 'pid-file', kind: 'string', help: 'Where to write the pid of the server' },
  { name: 'port', short: 'p', kind: 'int', help: 'Port to listen on', shownDefault: String(DEFAULT_PORT) },
  { name: 'print-openapi', short: 'P', kind: 'bool', help: 'Print the OpenAPI document and exit' },
  {
    name: 'save-state',
    kind: 'bool',
    help: 'Save the state file at shutdown (default: true with --state-file)',
  },
  { name: 'state-file', short: 's', kind: 'string', help: 'Where to keep the state of the conversation' },
  { name: 'term-height', short: 'H', kind: 'int', help: 'Rows of the terminal', shownDefault: '1000' },
  { name: 'term-width', short: 'W', kind: 'int', help: 'Columns of the terminal', shownDefault: '80' },
  { name: 'token-file', kind: 'string', help: 'File with a token that every request must present' },
  { name: 'type', short: 't', kind: 'string', help: 'Agent type (default: by the name of AGENT)' },
  { name: 'help', short: 'h', kind: 'bool', help: 'Show this help', noVariable: true },
  { name: 'exit', kind: 'bool', help: 'Check the flags and exit', hidden: true },
  {
    name: 'exit-report',
    kind: 'string',
    help: 'File for the last report to a supervisor that is away',
    hidden: true,
    noVariable: true,
  },
  {
    name: 'control-fd',
    kind: 'int',
    help: 'Descriptor of the channel to a supervisor',
    hidden: true,
    noVariable: true,
  },
];

/**
 * Parses the arguments after `server`. Precedence: flag, then environment variable, then default.
 * @throws {UsageError} for an unknown flag, a bad value, or without AGENT.
 * @throws {StartError} when the options contradict each other (agentapi section 1.4, steps 1, 2, 4, 5, 7).
 */
export function parseServerArguments(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): ServerRequest {
  const { values, positionals } = readFlags(FLAGS, args, environment);
  if (values.bool('help') === true) return { kind: 'help' };
  const [command, ...agentArgs] = positionals;
  const given = {
    type: values.string('type') ?? '',
    loadState: values.bool('load-state'),
    saveState: values.bool('save-state'),
    stateFile: values.string('state-file'),
  };
  const raw = {
    host: values.string('host') ?? '127.0.0.1',
    port: values.int('port', MAX_UINT16) ?? DEFAULT_PORT,
    printOpenApi: values.bool('print-openapi') ?? false,
    chatBasePath: values.string('chat-base-path') ?? '/chat',
    columns: values.int('term-width', MAX_UINT16) ?? 80,
    rows: values.int('term-height', MAX_UINT16) ?? 1000,
    allowedHosts: values.list('allowed-hosts') ?? ['localhost', '127.0.0.1', '[::1]'],
    allowedOrigins: values.list('allowed-origins') ?? [
      'http://localhost:3284',
      'http://localhost:3000',
      'http://localhost:3001',
    ],
    initialPrompt: values.string('initial-prompt') ?? '',
    pidFile: values.string('pid-file'),
    acp: values.bool('experimental-acp') ?? false,
    acpPermissions: values.oneOf('acp-permissions', ACP_PERMISSIONS) ?? 'allow',
    extendedApi: values.bool('extended-api') ?? false,
    debug: values.bool('debug') ?? false,
    tokenFile: values.string('token-file'),
    exitReport: values.string('exit-report'),
    controlFd: values.int('control-fd', MAX_UINT16),
  };
  if (values.bool('exit') === true) return { kind: 'exit' };
  if (command === undefined) throw new UsageError('requires at least 1 arg(s), only received 0');
  const agentType = resolveAgentType(given.type, command);
  if (raw.columns < MIN_TERMINAL_SIZE) throw new StartError('term width must be at least 10');
  if (raw.rows < MIN_TERMINAL_SIZE) throw new StartError('term height must be at least 10');
  for (const [flag, value] of [
    ['--load-state', given.loadState],
    ['--save-state', given.saveState],
  ] as const) {
    if (value === true && given.stateFile === undefined) {
      throw new StartError(`${flag} requires --state-file to be set`);
    }
  }
  const loadState = given.stateFile !== undefined && (given.loadState ?? true);
  const saveState = given.stateFile !== undefined && (given.saveState ?? true);
  if (raw.acp && (loadState || saveState)) throw new StartError("ACP mode doesn't support state persistence");
  if (raw.acp && raw.printOpenApi) {
    throw new StartError('flags --print-openapi and --experimental-acp are mutually exclusive');
  }
  const options = {
    ...raw,
    agentType,
    command,
    args: agentArgs,
    stateFile: given.stateFile,
    loadState,
    saveState,
  };
  return { kind: 'run', options };
}

/**
 * The value of `--control-fd`, whatever else stands on the command line: a supervisor is also told
 * about arguments that are wrong.
 */
export function controlFdOf(args: readonly string[]): number | undefined {
  const end = args.indexOf('--');
  const flags = end === -1 ? args : args.slice(0, end);
  const index = flags.indexOf('--control-fd');
  const text = index === -1 ? undefined : flags[index + 1];
  return text !== undefined && /^\d{1,5}$/u.test(text) ? Number(text) : undefined;
}

/** The help text of `server`, ending with a line feed. */
export function serverUsage(program: string): string {
  const rows = FLAGS.filter((flag) => flag.hidden !== true).map((flag) => {
    const short = flag.short === undefined ? '    ' : `-${flag.short}, `;
    const value = { string: ' string', int: ' int', list: ' list', bool: '' }[flag.kind];
    const suffix = flag.shownDefault === undefined ? '' : ` (default ${flag.shownDefault})`;
    return { left: `  ${short}--${flag.name}${value}`, right: `${flag.help}${suffix}` };
  });
  const width = Math.max(...rows.map((row) => row.left.length)) + 3;
  return [
    'Usage:',
    `  ${program} server [flags] [--] AGENT [ARGS...]`,
    '',
    'Flags (each also as an environment variable, e.g. AGENTAPI_PORT for --port):',
    ...rows.map((row) => row.left.padEnd(width) + row.right),
    '',
  ].join('\n');
}

function resolveAgentType(requested: string, command: string): AgentType {
  if (requested === '') return agentTypeOfWord(command) ?? 'custom';
  const type = agentTypeOfWord(requested);
  if (type === null) throw new StartError(`failed to parse agent type: invalid agent type: ${requested}`);
  return type;
}
