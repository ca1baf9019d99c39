import { z } from 'zod';
import { AGENT_TYPES } from '@agentapi-proxy/agent-server/agent-type';
import { TRANSPORTS } from './agents.ts';
import { apiKeyEntry } from './api-key-entry.ts';
import { DENIED_BY_DEFAULT } from './environment-names.ts';
import { github } from './github-fields.ts';
import { journal } from './journal-fields.ts';
import { limits } from './limits-schema.ts';
import { accessLog, accessLogSampleRate, metrics } from './observability-fields.ts';
import { Secret } from './secret.ts';
import {
  addressRange,
  argumentList,
  count,
  environmentMap,
  environmentPatterns,
  headerName,
  hostName,
  noLimitWhenZero,
  origin,
  seconds,
} from './value-types.ts';

/*
 * Every field of the configuration, once: rule, default, help text. The environment variable is
 * AGENTAPI_PROXY_ and the upper-cased path; `meta.env` names one more that the reference reads.
 * `meta.secret` keeps values of the field out of messages, `meta.shownDefault` stands in the table
 * where the default depends on the machine, and
 * `meta.sample` is an example of a value that is right.
 */

/** The key header of the reference; also what an empty `auth.header_name` means (PX-029). */
const DEFAULT_KEY_HEADER = 'X-API-Key';

const agent = z.strictObject({
  command: z
    .string()
    .min(1)
    .optional()
    .describe('Program: a name looked up in PATH, or a path. Built-in agents have one.'),
  args: argumentList.optional().meta({
    description: 'Its arguments: a list, or one string that is split like a shell does.',
    secret: true,
  }),
  env: environmentMap.optional().meta({ description: 'Variables for this agent.', secret: true }),
  resume_args: argumentList.optional().meta({
    description:
      'Arguments added when a session is resumed, so that the agent goes on with the last conversation of its folder. claude, codex, gemini and qwen have some.',
    secret: true,
  }),
  type: z
    .enum(AGENT_TYPES)
    .optional()
    .describe(
      'How its screen is read. Default: that of the built-in agent with this name or command, else custom.',
    ),
  transport: z
    .enum(TRANSPORTS)
    .optional()
    .describe(
      'pty (default) = through its terminal; acp = the Agent Client Protocol, for agents that speak it. Built-in agents then get the arguments that this needs.',
    ),
});

const environment = z.strictObject({
  pass: environmentPatterns
    .default([])
    .describe(
      'Variables of the server that sessions get too, besides PATH, HOME, locale and a few more; `*` at the end stands for any ending.',
    ),
  set: environmentMap
    .default({})
    .meta({ description: 'Variables that every session gets. A request may override them.', secret: true }),
  deny: environmentPatterns
    .default([...DENIED_BY_DEFAULT])
    .describe(
      'Variables that a request may not set. A list given here replaces the default; AGENTAPI_PROXY_* is always refused.',
    ),
});

const cors = z.strictObject({
  allowed_origins: z
    .array(origin)
    .default([])
    .meta({
      description:
        'Web origins whose pages may use the API; `*` = all. Empty: pages of this machine while authentication is off, all otherwise.',
      sample: ['https://agents.example.com'],
    }),
  allow_credentials: z
    .boolean()
    .default(false)
    .describe('Let those pages send cookies and HTTP authentication; needs a list of origins without `*`.'),
  allowed_headers: z
    .array(headerName)
    .default([])
    .describe('Request headers that pages may send besides the built-in list and `auth.header_name`.'),
  exposed_headers: z
    .array(headerName)
    .default([])
    .describe('Answer headers that pages may read besides the built-in list.'),
  max_age_seconds: count(0, 86_400)
    .default(86_400)
    .describe('How long browsers may remember a preflight answer.'),
});

const auth = z.strictObject({
  enabled: z
    .boolean()
    .default(false)
    .describe('Ask for an API key. Off: everybody who reaches the port may do everything.'),
  header_name: z
    .union([z.literal(''), headerName])
    .default(DEFAULT_KEY_HEADER)
    .transform((name) => (name === '' ? DEFAULT_KEY_HEADER : name))
    .describe('Header that carries the key. `Authorization: Bearer KEY` works as well.'),
  api_keys: z
    .array(apiKeyEntry)
    .prefault([])
    .meta({
      description: 'Keys written here; `keys_file` replaces them.',
      secret: true,
      sample: [{ key: 'ap_alice_…', user_id: 'alice', permissions: ['*'] }],
    }),
  keys_file: z
    .string()
    .default('')
    .describe(
      'JSON file {"api_keys": […]}, relative to the working directory. Read again when it changes, and on SIGHUP.',
    ),
});

const persistence = z.strictObject({
  enabled: z
    .boolean()
    .default(true)
    .describe(
      'Keep sessions, profiles, API keys and the audit log over a restart. Off: everything is in memory, and gone with the server.',
    ),
  backend: z
    .enum(['file', 'sqlite', 'postgres', 'memory'])
    .default('file')
    .describe(
      'Where they are kept: file and sqlite = an SQLite database in `data_dir`; postgres = `store.url`; memory = as with `enabled: false`. With `store.url` file means postgres.',
    ),
  file_path: z
    .string()
    .default('./sessions.json')
    .describe('Session file of the reference, for `agentapi-proxy migrate`; the server does not use it.'),
  sync_interval_seconds: z
    .int()
    .min(0)
    .max(86_400)
    .default(30)
    .describe('Without effect: every change is on disk before it is answered.'),
  encrypt_sensitive_data: z
    .boolean()
    .default(true)
    .describe('Without effect: secrets are always encrypted. See `encryption`.'),
});

const store = z.strictObject({
  url: z
    .string()
    .refine(
      (text) => text === '' || /^postgres(ql)?:\/\//.test(text),
      'expected postgres://user:password@host:5432/database',
    )
    .default('')
    .transform((text) => (text === '' ? null : new Secret(text)))
    .meta({
      description: 'PostgreSQL database to keep everything in, instead of SQLite in `data_dir`.',
      secret: true,
      sample: 'postgres://agentapi:…@db.example.com:5432/agentapi',
    }),
});

const encryption = z.strictObject({
  key: z
    .string()
    .default('')
    .transform((text) => (text === '' ? undefined : new Secret(text)))
    .meta({
      description:
        'Keys that secrets are sealed with: 32 bytes each in base64 or hexadecimal, oldest first, separated by commas. Better in the environment than in the file.',
      secret: true,
    }),
  key_file: z
    .string()
    .default('')
    .transform((path) => (path === '' ? undefined : path))
    .meta({
      description: 'File with those keys, one a line, mode 0600. `key` comes first.',
      shownDefault: '`encryption.key` in `data_dir`, made at the first start',
    }),
});

/** The configuration file, and with the environment and the command line on top the whole configuration. */
export const configSchema = z.strictObject({
  $schema: z.string().optional().describe('Lets an editor find the JSON Schema of this file; not read.'),
  host: z
    .string()
    .min(1)
    .default('127.0.0.1')
    .describe('Address to listen on. Other than loopback needs `auth.enabled` or `allow_insecure_bind`.'),
  port: z.int().min(0).max(65_535).default(8080).describe('TCP port to listen on; 0 = any free one.'),
  data_dir: z.string().min(1).optional().meta({
    description: 'Folder for workspaces and session logs. Created with mode 0700.',
    shownDefault: '`$XDG_DATA_HOME/agentapi-proxy`, or `~/.local/share/agentapi-proxy`',
  }),
  verbose: z.boolean().default(false).describe('Log at level debug.'),
  log_level: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    .default('info')
    .describe('Least severe level that is logged.'),
  log_format: z
    .enum(['auto', 'pretty', 'json'])
    .default('auto')
    .describe(
      'Log lines for people or for programs; auto = pretty on a terminal, else json. Logs go to standard error.',
    ),
  agents: z
    .record(
      z
        .string()
        .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/, 'expected an agent name of letters, digits, _ . and -')
        .refine((name) => name !== 'auto', 'the agent name auto has a meaning of its own'),
      agent,
    )
    .prefault({})
    .meta({
      description: 'Agents by name: new ones, and changes to the built-in ones.',
      sample: { claude: { args: ['--model', 'opus'] } },
    }),
  default_agent: z
    .string()
    .min(1)
    .default('auto')
    .describe('Agent of sessions that name none. auto = the first one that is installed, else demo.'),
  agent_server: z
    .enum(['embedded', 'external'])
    .default('embedded')
    .describe('Who controls the agent: the agent server of this package, or an installed agentapi.'),
  agentapi_path: z
    .string()
    .min(1)
    .default('agentapi')
    .describe('Program for `agent_server: external`: a name looked up in PATH, or a path.'),
  agent_server_args: argumentList.prefault([]).meta({
    description: 'More flags for the agent server: a list, or one string that is split like a shell does.',
    env: 'AGENTAPI_ARGS',
    secret: true,
  }),
  claude_args: argumentList.prefault([]).meta({
    description:
      'More arguments for the agent claude: a list, or one string that is split like a shell does.',
    env: 'CLAUDE_ARGS',
    secret: true,
  }),
  scripts_dir: z
    .string()
    .default('')
    .transform((path) => (path === '' ? undefined : path))
    .describe(
      'Folder of your own start scripts, relative to the working directory; requests and profiles may choose every file `*.sh` in it. Nobody else may have write access.',
    ),
  script: z
    .string()
    .min(1)
    .default('auto')
    .describe(
      'Script that starts the agent servers of sessions that name none: a file name in `scripts_dir`, or one that comes with the program; auto = agentapi_with_github.sh with a repository, else agentapi_default.sh; none = no script.',
    ),
  start_port: z
    .int()
    .min(0)
    .max(65_535)
    .default(9000)
    .transform((port) => (port === 0 ? 9000 : port))
    .describe('First loopback port for agent servers; 0 = 9000.'),
  port_count: count(1, 65_535)
    .default(1000)
    .describe('How many ports from `start_port` upwards may be used.'),
  start_timeout_seconds: seconds(0.1)
    .default(60)
    .describe('How long an agent server may take to answer, and a request waits for it.'),
  message_timeout_seconds: seconds(0.1)
    .default(120)
    .describe('How long the agent may take until it accepts the first message.'),
  stop_grace_seconds: seconds(0)
    .default(5)
    .describe('Time between SIGTERM and SIGKILL at the end of a session.'),
  shutdown_timeout_seconds: seconds(0.1)
    .default(30)
    .describe('Time for a clean shutdown; then the exit code is 1.'),
  retention_hours: z
    .number()
    .min(0)
    .max(100_000)
    .default(24)
    .describe(
      'How long an ended session, its reason and its log stay readable; with files in its workspace for as long as those.',
    ),
  on_shutdown: z.enum(['terminate', 'keep']).optional().meta({
    description:
      'What a stop of the server does to running sessions: terminate = end them; keep = leave them running for the next start.',
    shownDefault: 'keep, without persistence terminate',
  }),
  workspace_retention: z
    .enum(['keep', 'delete', 'ttl'])
    .default('keep')
    .describe(
      'What becomes of the files of an ended session: keep = they stay until the session is deleted; delete = they go with its end; ttl = they go after `workspace_ttl_hours`.',
    ),
  workspace_ttl_hours: z
    .number()
    .min(0)
    .max(100_000)
    .default(168)
    .describe('How long the files of an ended session stay with `workspace_retention: ttl`.'),
  audit_retention_days: z
    .number()
    .min(0)
    .max(100_000)
    .default(365)
    .transform(noLimitWhenZero)
    .describe('How long entries of the audit log are kept. 0 = for ever.'),
  console: z
    .strictObject({
      enabled: z.boolean().default(true).describe('Answer `/console/`, and lead browsers there from `/`.'),
    })
    .prefault({})
    .describe('The web console.'),
  metrics: metrics.prefault({}).describe('What the server measures.'),
  access_log: accessLog,
  access_log_sample_rate: accessLogSampleRate,
  term_width: z.int().min(10).max(65_535).default(80).describe('Columns of the agents’ terminals.'),
  term_height: z.int().min(10).max(65_535).default(1000).describe('Rows of the agents’ terminals.'),
  environment: environment.prefault({}).describe('Environment variables of sessions.'),
  limits: limits.prefault({}).describe('What a request and a user may use up.'),
  cors: cors.prefault({}).describe('How web pages of other origins may use the API.'),
  allowed_hosts: z
    .array(hostName)
    .default([])
    .describe('Names that a `Host` header may carry besides loopback names and `host`; `*` = any.'),
  trusted_proxies: z
    .array(addressRange)
    .default([])
    .meta({
      description: 'Proxies whose `X-Forwarded-*` headers are believed: addresses and ranges.',
      sample: ['10.0.0.0/8'],
    }),
  allow_insecure_bind: z
    .boolean()
    .default(false)
    .describe('Permit an address other than loopback while authentication is off.'),
  auth: auth.prefault({}).describe('API keys.'),
  persistence: persistence.prefault({}).describe('What survives a restart of the server.'),
  store: store.prefault({}).describe('The database.'),
  journal: journal.prefault({}).describe('What happened in sessions.'),
  github: github.prefault({}).describe('Repositories of sessions.'),
  encryption: encryption.prefault({}).describe('The keys that secrets in the database are sealed with.'),
});

/** The type with every part read-only. */
export type DeepReadonly<T> = T extends string | number | boolean | undefined | null | Secret
  ? T
  : T extends readonly (infer Item)[]
    ? readonly DeepReadonly<Item>[]
    : { readonly [Key in keyof T]: DeepReadonly<T[Key]> };

/** The configuration as validated; absent fields have their defaults. */
export type ParsedConfig = DeepReadonly<z.output<typeof configSchema>>;

/** The whole configuration, deeply frozen; field names are those of the file. */
export interface Config extends ParsedConfig {
  /** Absolute path. */
  readonly data_dir: string;
  readonly on_shutdown: 'terminate' | 'keep';
  /** What sessions take over from the server's own environment (`environment.pass` and the built-in list). */
  readonly inherited_environment: Readonly<Record<string, string>>;
}
