import { describe, expect, test } from 'vitest';
import { UsageError } from './cli-flags.ts';
import {
  controlFdOf,
  parseServerArguments,
  serverUsage,
  StartError,
  type ServerOptions,
} from './cli-options.ts';

type Environment = Readonly<Record<string, string>>;

function options(args: readonly string[], environment: Environment = {}): ServerOptions {
  const request = parseServerArguments(args, environment);
  if (request.kind !== 'run') throw new Error(`the request is ${request.kind}`);
  return request.options;
}

test('AA-001: unknown flags, bad values and a missing AGENT are mistakes of usage', () => {
  for (const [args, text] of [
    [['--nonsense', 'claude'], 'unknown flag: --nonsense'],
    [['-z', 'claude'], "unknown shorthand flag: 'z' in -z"],
    [['-Pz', 'claude'], "unknown shorthand flag: 'z' in -Pz"],
    [['--constructor', 'claude'], 'unknown flag: --constructor'],
    [['claude', '--port'], 'flag needs an argument: --port'],
    [
      ['--port', 'x', 'claude'],
      'invalid argument "x" for "--port" flag: expected an integer from 0 to 65535',
    ],
    [['--port=65536', 'claude'], 'invalid argument "65536"'],
    [['--port=-1', 'claude'], 'invalid argument "-1"'],
    [['--load-state=maybe', 'claude'], 'invalid argument "maybe" for "--load-state" flag'],
    [['--allowed-hosts', 'a"b', 'claude'], 'a quote is out of place'],
    [[], 'requires at least 1 arg(s)'],
    [['--port', '1'], 'requires at least 1 arg(s)'],
    [['--'], 'requires at least 1 arg(s)'],
  ] as const) {
    expect(() => options(args)).toThrow(UsageError);
    expect(() => options(args)).toThrow(text);
  }
});

test('AA-002 AA-007: the defaults', () => {
  expect(options(['claude'])).toEqual({
    agentType: 'claude',
    command: 'claude',
    args: [],
    host: '127.0.0.1',
    port: 3284,
    printOpenApi: false,
    chatBasePath: '/chat',
    columns: 80,
    rows: 1000,
    allowedHosts: ['localhost', '127.0.0.1', '[::1]'],
    allowedOrigins: ['http://localhost:3284', 'http://localhost:3000', 'http://localhost:3001'],
    initialPrompt: '',
    stateFile: undefined,
    loadState: false,
    saveState: false,
    pidFile: undefined,
    acp: false,
    acpPermissions: 'allow',
    extendedApi: false,
    debug: false,
    tokenFile: undefined,
    controlFd: undefined,
  });
});

test('AA-002: every way to write a flag', () => {
  for (const args of [
    ['--port', '1'],
    ['--port=1'],
    ['-p', '1'],
    ['-p1'],
    ['-p=1'],
    ['-Pp1'],
    ['-p', '2', '--port', '1'],
  ]) {
    expect(options([...args, 'claude']).port).toBe(1);
    expect(options(['claude', ...args]).port).toBe(1);
  }
});

describe('AA-003: flag, then variable, then default', () => {
  const CASES: readonly [keyof ServerOptions, string, string, string, unknown, unknown][] = [
    ['agentType', 'AGENTAPI_TYPE', '--type', 'goose', 'goose', 'aider'],
    ['port', 'AGENTAPI_PORT', '--port', '1', 1, 2],
    ['printOpenApi', 'AGENTAPI_PRINT_OPENAPI', '--print-openapi', 'true', true, false],
    ['chatBasePath', 'AGENTAPI_CHAT_BASE_PATH', '--chat-base-path', '/a', '/a', '/b'],
    ['columns', 'AGENTAPI_TERM_WIDTH', '--term-width', '100', 100, 200],
    ['rows', 'AGENTAPI_TERM_HEIGHT', '--term-height', '100', 100, 200],
    ['allowedHosts', 'AGENTAPI_ALLOWED_HOSTS', '--allowed-hosts', 'a', ['a'], ['b']],
    [
      'allowedOrigins',
      'AGENTAPI_ALLOWED_ORIGINS',
      '--allowed-origins',
      'http://a',
      ['http://a'],
      ['http://b'],
    ],
    ['initialPrompt', 'AGENTAPI_INITIAL_PROMPT', '--initial-prompt', 'hi', 'hi', 'ho'],
    ['stateFile', 'AGENTAPI_STATE_FILE', '--state-file', '/a', '/a', '/b'],
    ['pidFile', 'AGENTAPI_PID_FILE', '--pid-file', '/a', '/a', '/b'],
    ['acp', 'AGENTAPI_EXPERIMENTAL_ACP', '--experimental-acp', 't', true, false],
    ['acpPermissions', 'AGENTAPI_ACP_PERMISSIONS', '--acp-permissions', 'ask', 'ask', 'reject'],
    ['extendedApi', 'AGENTAPI_EXTENDED_API', '--extended-api', 't', true, false],
    ['debug', 'AGENTAPI_DEBUG', '--debug', 't', true, false],
    ['host', 'AGENTAPI_HOST', '--host', '0.0.0.0', '0.0.0.0', '::1'],
    ['tokenFile', 'AGENTAPI_TOKEN_FILE', '--token-file', '/a', '/a', '/b'],
  ];

  test.each(CASES)('%s', (member, variable, flag, text, value, other) => {
    const fallback = options(['agent'])[member];
    const flagText = Array.isArray(other) ? other.join(',') : String(other);
    expect(options(['agent'], { [variable]: text })[member]).toEqual(value);
    expect(options([`${flag}=${flagText}`, 'agent'], { [variable]: text })[member]).toEqual(other);
    expect(options(['agent'], { [variable]: '' })[member]).toEqual(fallback);
  });

  test('the state flags', () => {
    const environment = { AGENTAPI_STATE_FILE: '/s', AGENTAPI_LOAD_STATE: 'false', AGENTAPI_SAVE_STATE: '0' };
    expect(options(['agent'], environment)).toMatchObject({ loadState: false, saveState: false });
    expect(options(['--load-state', 'agent'], environment)).toMatchObject({
      loadState: true,
      saveState: false,
    });
  });

  test('a bad variable is named', () => {
    expect(() => options(['agent'], { AGENTAPI_PORT: 'x' })).toThrow(
      'invalid argument "x" for AGENTAPI_PORT',
    );
  });

  test('the channel to a supervisor and the help have no variable', () => {
    const environment = { AGENTAPI_CONTROL_FD: '3', AGENTAPI_HELP: 'true' };
    expect(options(['agent'], environment).controlFd).toBeUndefined();
  });
});

test('AA-004: everything after `--` belongs to the agent', () => {
  const parsed = options(['-p', '1', '--', 'claude', '--port', '2', '--', '-x', '']);
  expect(parsed).toMatchObject({ port: 1, command: 'claude', args: ['--port', '2', '--', '-x', ''] });
  // Without `--`, a flag behind the agent is one of the server.
  expect(options(['claude', 'chat', '--port', '2'])).toMatchObject({ port: 2, args: ['chat'] });
});

test('AA-005: only the exact first word tells the type', () => {
  expect(options(['goose', 'claude']).agentType).toBe('goose');
  for (const command of ['bin/claude', './claude', 'Claude', 'claude2', '/usr/bin/claude', 'toString']) {
    expect(options([command]).agentType).toBe('custom');
  }
});

test('AA-006: aliases, and the precedence of `--type`', () => {
  expect(options(['cursor-agent']).agentType).toBe('cursor');
  expect(options(['q']).agentType).toBe('amazonq');
  expect(options(['--type', 'q', 'claude']).agentType).toBe('amazonq');
  expect(options(['-t', 'custom', 'claude']).agentType).toBe('custom');
  expect(() => options(['-t', 'gpt', 'claude'])).toThrow(StartError);
  expect(() => options(['-t', 'gpt', 'claude'])).toThrow(
    'failed to parse agent type: invalid agent type: gpt',
  );
});

test('AA-007: a terminal smaller than 10 × 10 is refused', () => {
  expect(() => options(['-W', '9', 'x'])).toThrow('term width must be at least 10');
  expect(() => options(['-H', '9', 'x'])).toThrow('term height must be at least 10');
  expect(options(['-W', '10', '-H', '65535', 'x'])).toMatchObject({ columns: 10, rows: 65_535 });
  expect(() => options(['-W', '65536', 'x'])).toThrow(UsageError);
});

test('AA-008: lists on the command line are CSV and repeatable, in the environment split at white space', () => {
  const hosts = (...args: string[]) => options([...args, 'x']).allowedHosts;
  expect(hosts('-a', 'a,b', '--allowed-hosts=c')).toEqual(['a', 'b', 'c']);
  expect(hosts('-a', 'a,"b,c","d""e",\n')).toEqual(['a', 'b,c', 'd"e', '']);
  expect(hosts('-a', 'a\n')).toEqual(['a']);
  expect(hosts('-a', '')).toEqual([]);
  expect(options(['x'], { AGENTAPI_ALLOWED_HOSTS: ' a\tb \n c,d ' }).allowedHosts).toEqual(['a', 'b', 'c,d']);
});

test('AA-011: load and save need a state file, and default to true with one', () => {
  expect(() => options(['--load-state', 'x'])).toThrow('--load-state requires --state-file to be set');
  expect(() => options(['--save-state', 'x'])).toThrow('--save-state requires --state-file to be set');
  expect(options(['--load-state=false', 'x'])).toMatchObject({ loadState: false, saveState: false });
  expect(options(['-s', '/s', 'x'])).toMatchObject({ loadState: true, saveState: true });
  expect(options(['-s', '/s', '--save-state=false', 'x'])).toMatchObject({
    loadState: true,
    saveState: false,
  });
  // A flag of this kind takes its value only with `=`.
  expect(options(['-s', '/s', '--load-state', 'false'])).toMatchObject({ loadState: true, command: 'false' });
});

test('AA-012: ACP keeps no state, and prints no document', () => {
  const text = "ACP mode doesn't support state persistence";
  expect(() => options(['--experimental-acp', '-s', '/s', 'x'])).toThrow(text);
  expect(() => options(['--experimental-acp', '-s', '/s', '--save-state=false', 'x'])).toThrow(text);
  const none = ['-s', '/s', '--load-state=false', '--save-state=false'];
  expect(options(['--experimental-acp', ...none, 'x']).acp).toBe(true);
  expect(() => options(['--experimental-acp', '-P', 'x'])).toThrow(
    'flags --print-openapi and --experimental-acp are mutually exclusive',
  );
});

test('`--help` and `--exit` end the matter; `--exit` checks the flags first', () => {
  expect(parseServerArguments(['-h', 'claude'], {})).toEqual({ kind: 'help' });
  expect(parseServerArguments(['--exit'], {})).toEqual({ kind: 'exit' });
  expect(() => parseServerArguments(['--exit', '-p', 'x'], {})).toThrow(UsageError);
});

test('the help names every flag but the hidden ones', () => {
  const usage = serverUsage('agentapi');
  expect(usage).toContain('  -p, --port int');
  expect(usage).toContain('      --pid-file string');
  expect(usage).toContain('(default 3284)');
  expect(usage).not.toMatch(/--exit|control-fd/);
});

test('the descriptor of a supervisor is found in a wrong command line too', () => {
  expect(controlFdOf(['--nonsense', '--control-fd', '3', '--', 'x'])).toBe(3);
  expect(controlFdOf(['--', 'x', '--control-fd', '3'])).toBeUndefined();
  expect(controlFdOf(['--control-fd', 'x'])).toBeUndefined();
});
