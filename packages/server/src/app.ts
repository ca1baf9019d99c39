import type { AddressInfo } from 'node:net';
import { chooseDefaultAgent } from './agents/default-agent.ts';
import type { AgentServer } from './agents/agent-server.ts';
import { EmbeddedAgentServer } from './agents/embedded.ts';
import { ExternalAgentServer } from './agents/external.ts';
import { findProgram } from './agents/find-program.ts';
import { createAuthenticator } from './auth/authenticate.ts';
import { authorize, canAccess } from './auth/authorize.ts';
import type { ServerApp } from './cli/cli-context.ts';
import { agentCatalogue } from './config/agents.ts';
import { ConfigError } from './config/config-error.ts';
import type { Config } from './config/schema.ts';
import { Cors } from './cors.ts';
import { DataFolder } from './data-folder.ts';
import { createControlServer } from './http/control-server.ts';
import { createListener } from './http/listener.ts';
import type { Listener } from './http/listener.ts';
import { OriginGuard } from './http/origin-guard.ts';
import { profileRoutes } from './http/routes/profiles.ts';
import { sessionRoutes } from './http/routes/sessions.ts';
import { startWithProfileRoute } from './http/routes/start-with-profile.ts';
import { systemRoutes } from './http/routes/system.ts';
import type { RootLog } from './log.ts';
import { Profiles } from './profiles/profiles.ts';
import { createProxyHandler } from './proxy/proxy-handler.ts';
import { LocalRuntime } from './runtime/local/local-runtime.ts';
import { checkEnvironment } from './sessions/environment.ts';
import type { EnvironmentPolicy } from './sessions/environment.ts';
import { StartLimiter } from './sessions/limits.ts';
import { Sessions } from './sessions/manager.ts';
import { openMemory } from './store/sqlite.ts';
import type { Store } from './store/store.ts';
import { packageVersion } from './version.ts';
import { Workspaces } from './workspace/workspace.ts';

/** Answers under way get this long to finish at a shutdown; sessions have ended before. */
const DRAIN_MS = 2_000;

/** First path segments that are never a session: routes that exist, and names kept for those to come (DF-56). */
const RESERVED_SEGMENTS: ReadonlySet<string> = new Set([
  ...[
    'start',
    'search',
    'sessions',
    'profiles',
    'start-with-profile',
    'health',
    'livez',
    'readyz',
    'version',
  ],
  ...['api-keys', 'audit', 'events', 'metrics', 'mcp', 'console', 'docs', 'openapi.json'],
]);

const HOUR_MS = 3_600_000;

/** Parts that are not made from the configuration. */
export interface AppOverrides {
  /** Opens the store; the server closes it. */
  readonly openStore?: () => Promise<Store>;
}

/**
 * Builds the server from its configuration: the only place that knows all parts.
 * @throws ConfigError for what only shows when the parts are made, such as an unusable keys file.
 */
export async function createApp(
  config: Config,
  log: RootLog,
  overrides: AppOverrides = {},
): Promise<ServerApp> {
  const authenticator = createAuthenticator(config, log.secrets);
  const agentServer = await createAgentServer(config);
  const agents = agentCatalogue(config);
  const searchPath = { ...config.inherited_environment, ...config.environment.set }['PATH'] ?? '';
  const chooseDefault = async (): Promise<string> =>
    chooseDefaultAgent(config.default_agent, agents, searchPath);
  let defaultAgent = await chooseDefault();

  const dataFolder = await DataFolder.open(config.data_dir);
  const store = await (overrides.openStore ?? openMemory)();
  const runtime = new LocalRuntime({
    instanceId: dataFolder.instanceId,
    startPort: config.start_port,
    portCount: config.port_count,
    onLogError: (error, path) => log.warn({ err: error, path }, 'a session log cannot be kept bounded'),
  });
  const workspaces = new Workspaces(dataFolder.path);
  const { limits } = config;
  const environment: EnvironmentPolicy = {
    inherited: config.inherited_environment,
    set: config.environment.set,
    deny: config.environment.deny,
    maxEntries: limits.environment_entries,
    maxBytes: limits.environment_bytes,
  };
  const sessions = new Sessions({
    agentServer,
    agents,
    defaultAgent: () => defaultAgent,
    environment,
    limiter: new StartLimiter({
      perUser: limits.sessions_per_user,
      total: limits.sessions_total,
      startsPerMinute: limits.starts_per_minute,
    }),
    tagLimits: {
      maxTags: limits.tags,
      maxKeyChars: limits.tag_key_chars,
      maxValueChars: limits.tag_value_chars,
    },
    mayChooseOwner: (principal) => !authenticator.enabled || principal.role === 'admin',
    messageTimeoutMs: config.message_timeout_seconds * 1000,
    retentionMs: config.retention_hours * HOUR_MS,
    runtime,
    secrets: log.secrets,
    startTimeoutMs: config.start_timeout_seconds * 1000,
    stopGraceMs: config.stop_grace_seconds * 1000,
    workspaces,
    log: log.child({ module: 'sessions' }),
  });
  const profiles = new Profiles(store.profiles, {
    checkEnvironment: (wanted) => checkEnvironment(wanted, environment),
    checkAgent: (name) => void sessions.agentOf(name),
  });

  const cors = new Cors({
    origins: config.cors.allowed_origins,
    credentials: config.cors.allow_credentials,
    requestHeaders: ['If-Match', ...config.cors.allowed_headers, config.auth.header_name],
    exposedHeaders: ['ETag', 'X-Ignored-Members', ...config.cors.exposed_headers],
    maxAgeSeconds: config.cors.max_age_seconds,
  });
  let ready = false;
  const control = createControlServer({
    authenticator,
    maxBodyBytes: limits.body_bytes,
    requestIdOf: (request) => listener.requestIdOf(request),
    log: log.child({ module: 'http' }),
  });
  systemRoutes(control, {
    version: packageVersion(),
    startedAt: new Date(),
    isReady: () => ready,
    agentServer: agentServer.kind,
    defaultAgent: () => defaultAgent,
  });
  sessionRoutes(control, sessions);
  profileRoutes(control, profiles);
  startWithProfileRoute(control, profiles, sessions);
  await control.ready();
  const proxy = createProxyHandler({
    find: (id) => sessions.find(id),
    authenticator,
    authorize,
    canAccess,
    startTimeoutMs: config.start_timeout_seconds * 1000,
    cors,
    trustedProxies: config.trusted_proxies,
    maxBodyBytes: limits.proxied_body_bytes,
    log: log.child({ module: 'proxy' }),
  });
  const listener: Listener = createListener({
    host: config.host,
    port: config.port,
    maxHeaderBytes: limits.header_bytes,
    maxHeaders: limits.headers_count,
    guard: authenticator.enabled
      ? null
      : new OriginGuard({ host: config.host, allowedHosts: config.allowed_hosts, cors }),
    cors,
    proxy,
    control: (request, response) => control.routing(request, response),
    reservedSegments: RESERVED_SEGMENTS,
    log: log.child({ module: 'http' }),
  });

  return {
    start: async () => {
      log.info({ agent: defaultAgent, configured: config.default_agent }, 'default agent chosen');
      await clearLeftovers(runtime, workspaces, config, log);
      const url = urlOf(await listener.listen());
      ready = true;
      log.info({ url, agentServer: agentServer.kind, dataDir: dataFolder.path }, 'server listening');
      return { url };
    },
    reload: async () => {
      const keys = authenticator.reload();
      defaultAgent = await chooseDefault();
      log.info({ keys, defaultAgent }, 'keys read again');
    },
    close: async (reason) => {
      ready = false;
      const left = await sessions.close(`The server was stopped (${reason})`);
      await listener.close(DRAIN_MS);
      await control.close();
      await runtime[Symbol.asyncDispose]();
      for (const folder of await workspaces.sweep()) log.info({ folder }, 'workspace kept: it holds files');
      await store[Symbol.asyncDispose]();
      await dataFolder[Symbol.asyncDispose]();
      return { left };
    },
  };
}

/** @throws ConfigError when the external agent server is wanted and its program is not there. */
async function createAgentServer(config: Config): Promise<AgentServer> {
  const size = { columns: config.term_width, rows: config.term_height };
  if (config.agent_server === 'embedded') return new EmbeddedAgentServer(size, config.agent_server_args);
  const lookup = await findProgram(
    config.agentapi_path,
    config.inherited_environment['PATH'] ?? '',
    process.cwd(),
  );
  if (lookup.kind === 'found') return new ExternalAgentServer(lookup.path, size, config.agent_server_args);
  throw new ConfigError([
    {
      place: 'agentapi_path',
      text: `${lookup.reason}; install agentapi, name it with agentapi_path, or use agent_server "embedded"`,
    },
  ]);
}

/** Ends processes and removes empty folders that an earlier server on this data folder left (PX-181). */
async function clearLeftovers(
  runtime: LocalRuntime,
  workspaces: Workspaces,
  config: Config,
  log: RootLog,
): Promise<void> {
  const orphans = await runtime.stopOrphans(config.stop_grace_seconds * 1000);
  if (orphans.found > 0) {
    log.warn(
      { sessionIds: orphans.sessionIds, processes: orphans.found },
      'ended sessions of an earlier server',
    );
  }
  if (orphans.left.length > 0)
    log.error({ left: orphans.left }, 'processes of an earlier server cannot be ended');
  for (const folder of await workspaces.sweep())
    log.info({ folder }, 'workspace of an earlier session kept: it holds files');
}

function urlOf(address: AddressInfo): string {
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return `http://${host}:${address.port}`;
}
