import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { chooseDefaultAgent } from './agents/default-agent.ts';
import type { AgentServer } from './agents/agent-server.ts';
import type { StartScripts } from './agents/start-scripts.ts';
import { AccessControl } from './auth/access-control.ts';
import { createAuthenticator, isKey } from './auth/authenticate.ts';
import type { Authenticator } from './auth/authenticate.ts';
import { authorize } from './auth/authorize.ts';
import type { ServerApp } from './cli/cli-context.ts';
import { TrustedProxies } from './client-address.ts';
import { agentCatalogue } from './config/agents.ts';
import type { AgentDefinition } from './config/agents.ts';
import { isPersistent } from './config/consistency.ts';
import type { Config } from './config/schema.ts';
import { Cors } from './cors.ts';
import { DataFolder } from './data-folder.ts';
import { createControlServer } from './http/control-server.ts';
import { createListener } from './http/listener.ts';
import type { Listener } from './http/listener.ts';
import { listenerLimitsOf } from './http/listener-limits.ts';
import { describeApi } from './http/openapi/describe-api.ts';
import { OriginGuard } from './http/origin-guard.ts';
import { startChoiceRoutes } from './http/routes/agents.ts';
import { apiKeyRoutes } from './http/routes/api-keys.ts';
import { auditRoute } from './http/routes/audit.ts';
import { MCP_REQUEST_HEADERS } from './http/routes/mcp.ts';
import { documentRoutes } from './http/routes/documents.ts';
import { gitRoutes } from './http/routes/git.ts';
import { meRoute, serverFacts } from './http/routes/me.ts';
import { metricsRoute } from './http/routes/metrics.ts';
import { profileRoutes } from './http/routes/profiles.ts';
import { sessionRoutes } from './http/routes/sessions.ts';
import { shareRoutes } from './http/routes/shares.ts';
import { startWithProfileRoute } from './http/routes/start-with-profile.ts';
import { systemRoutes } from './http/routes/system.ts';
import { StartGate } from './http/start-gate.ts';
import type { RootLog } from './log.ts';
import { createAgentServer, openScripts } from './open-agent-server.ts';
import { openConsole } from './open-console.ts';
import { openConversations } from './open-conversations.ts';
import type { Conversations } from './open-conversations.ts';
import { openMcp } from './open-mcp.ts';
import type { McpAccess } from './open-mcp.ts';
import { openObservability } from './open-observability.ts';
import type { Observability } from './open-observability.ts';
import { openStore } from './open-store.ts';
import { Profiles } from './profiles/profiles.ts';
import { createProxyHandler } from './proxy/proxy-handler.ts';
import type { ProxyHandler } from './proxy/proxy-handler.ts';
import { LocalRuntime } from './runtime/local/local-runtime.ts';
import { checkEnvironment } from './sessions/environment.ts';
import type { EnvironmentPolicy } from './sessions/environment.ts';
import { StartLimiter } from './sessions/limits.ts';
import { Sessions } from './sessions/manager.ts';
import { SessionRecords } from './sessions/records.ts';
import { logRecovery } from './sessions/recover.ts';
import { SessionRepositories } from './sessions/session-repositories.ts';
import type { Store } from './store/store.ts';
import { StoreUpkeep } from './store/upkeep.ts';
import { packageVersion } from './version.ts';
import { createRepositories, repositoryRulesOf } from './workspace/create-repositories.ts';
import type { Repositories } from './workspace/repositories.ts';
import { sweepWorkspaces } from './workspace/sweep-workspaces.ts';
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
  ...['me', 'api-keys', 'audit', 'events', 'metrics', 'mcp', 'console', 'docs'],
  'openapi.json',
]);

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Parts that are not made from the configuration. */
export interface AppOverrides {
  /** Opens the store; the server closes it. */
  readonly openStore?: () => Promise<Store>;
  /** The built console, elsewhere than the build puts it. */
  readonly consoleFolder?: string;
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
  const scripts = await openScripts(config, log);
  const agents = agentCatalogue(config);
  const searchPath = { ...config.inherited_environment, ...config.environment.set }['PATH'] ?? '';
  const chooseDefault = async (): Promise<string> =>
    chooseDefaultAgent(config.default_agent, agents, searchPath);
  let defaultAgent = await chooseDefault();
  const cors = new Cors({
    origins: config.cors.allowed_origins,
    credentials: config.cors.allow_credentials,
    requestHeaders: [
      'If-Match',
      ...MCP_REQUEST_HEADERS,
      ...config.cors.allowed_headers,
      config.auth.header_name,
    ],
    exposedHeaders: ['ETag', 'X-Ignored-Members', 'Mcp-Session-Id', ...config.cors.exposed_headers],
    maxAgeSeconds: config.cors.max_age_seconds,
  });

  // The lock comes first, then the port: a second server started by mistake must fail before it touches a session.
  const dataFolder = await DataFolder.open(config.data_dir);
  const observability = await openObservability(config, log, cors);
  const gate = new StartGate(cors, (request) => listener.requestIdOf(request));
  const listener: Listener = createListener({
    host: config.host,
    port: config.port,
    maxHeaderBytes: config.limits.header_bytes,
    maxHeaders: config.limits.headers_count,
    guard: authenticator.enabled
      ? null
      : new OriginGuard({ host: config.host, allowedHosts: config.allowed_hosts, cors }),
    cors,
    proxy: gate,
    control: (request, response) => gate.control(request, response),
    reservedSegments: RESERVED_SEGMENTS,
    observer: observability.requests,
    limits: listenerLimitsOf(config),
    log: log.child({ module: 'http' }),
  });
  let store: Store | null = null;
  let parts: Parts | null = null;
  let upkeep: StoreUpkeep | null = null;
  let isReady = false;
  /** Goes on after the start; whoever closes waits for it. */
  let sweeping: Promise<unknown> = Promise.resolve();

  return {
    start: async () => {
      log.info({ agent: defaultAgent, configured: config.default_agent }, 'default agent chosen');
      const url = urlOf(await listener.listen());
      await observability.listen();
      store = await (overrides.openStore?.() ?? openStore(config, log, observability.store));
      parts = await assemble({
        config,
        log,
        store,
        dataFolder,
        authenticator,
        agentServer,
        scripts,
        agents,
        defaultAgent: () => defaultAgent,
        cors,
        listener,
        observability,
        isReady: () => isReady,
        searchPath,
        consoleFolder: overrides.consoleFolder,
      });
      const { sessions, workspaces, repositories, control, proxy, conversations } = parts;
      const recovery = await sessions.recover();
      const folders = await workspaces.list();
      const known = await store.sessions.findKnown(folders);
      gate.open({ control: (request, response) => control.routing(request, response), proxy });
      isReady = true;
      observability.recovered(recovery);
      logRecovery(recovery, log);
      upkeep = new StoreUpkeep({
        store,
        auditMs: config.audit_retention_days * DAY_MS,
        log: log.child({ module: 'store' }),
      });
      sweeping = Promise.all([
        sweepWorkspaces(
          workspaces,
          folders.filter((id) => !known.has(id)),
          log,
        ),
        repositories.prune(),
        conversations.catchUp(recovery.ended),
      ]);
      log.info({ url, agentServer: agentServer.kind, dataDir: dataFolder.path }, 'server listening');
      return { url };
    },
    routes: () => parts?.control.declaredRoutes ?? [],
    reload: async () => {
      const keys = await parts?.access.reload('signal');
      defaultAgent = await chooseDefault();
      await upkeep?.followKeys();
      log.info({ keys, defaultAgent }, 'keys read again');
    },
    close: async (reason) => {
      // A server that could not start ends nothing that it might take up the next time.
      const failed = isPersistent(config) && !isReady;
      const mode = failed ? 'keep' : config.on_shutdown;
      isReady = false;
      // Before the sessions: whoever waits for an answer is told that the server goes, not that the session failed.
      await parts?.mcp[Symbol.asyncDispose]();
      const left = (await parts?.sessions.close(mode, `The server was stopped (${reason})`)) ?? [];
      await parts?.conversations[Symbol.asyncDispose]();
      const kept = mode === 'keep' ? (parts?.sessions.countLive() ?? 0) : 0;
      await listener.close(DRAIN_MS);
      await parts?.control.close();
      await (mode === 'keep' ? parts?.runtime.detach() : parts?.runtime[Symbol.asyncDispose]());
      await parts?.access[Symbol.asyncDispose]();
      await upkeep?.[Symbol.asyncDispose]();
      await sweeping;
      // What is in memory forgets its sessions now.
      if (parts !== null && store?.inMemory === true) {
        await sweepWorkspaces(parts.workspaces, await parts.workspaces.list(), log);
      }
      await store?.[Symbol.asyncDispose]();
      await observability[Symbol.asyncDispose]();
      await dataFolder[Symbol.asyncDispose]();
      return { left, kept };
    },
  };
}

/** What the parts are made from. */
interface Foundation {
  readonly config: Config;
  readonly log: RootLog;
  readonly store: Store;
  readonly dataFolder: DataFolder;
  readonly authenticator: Authenticator;
  readonly agentServer: AgentServer;
  readonly scripts: StartScripts;
  readonly agents: ReadonlyMap<string, AgentDefinition>;
  readonly defaultAgent: () => string;
  readonly cors: Cors;
  readonly listener: Listener;
  readonly observability: Observability;
  readonly isReady: () => boolean;
  readonly searchPath: string;
  readonly consoleFolder: string | undefined;
}

/** What stands on the store. */
interface Parts {
  readonly runtime: LocalRuntime;
  readonly workspaces: Workspaces;
  readonly repositories: Repositories;
  readonly access: AccessControl;
  readonly sessions: Sessions;
  readonly control: FastifyInstance;
  readonly proxy: ProxyHandler;
  readonly mcp: McpAccess;
  readonly conversations: Conversations;
}

async function assemble(foundation: Foundation): Promise<Parts> {
  const { config, log, store, dataFolder, authenticator, agentServer, agents, defaultAgent, cors } =
    foundation;
  const { observability } = foundation;
  const { limits } = config;
  const { instanceId } = dataFolder;
  const runtime = new LocalRuntime({
    instanceId,
    startPort: config.start_port,
    portCount: config.port_count,
    mask: (text) => log.secrets.mask(text),
    onLogError: (error, path) => log.warn({ err: error, path }, 'a session log cannot be kept bounded'),
  });
  const workspaces = new Workspaces(dataFolder.path);
  const repositories = createRepositories(config, log);
  const access = await AccessControl.open(config, authenticator, store, log);
  const trustedProxies = new TrustedProxies(config.trusted_proxies);
  const environment: EnvironmentPolicy = {
    inherited: config.inherited_environment,
    set: config.environment.set,
    deny: config.environment.deny,
    maxEntries: limits.environment_entries,
    maxBytes: limits.environment_bytes,
  };
  const conversations = openConversations(
    config,
    store,
    access,
    observability,
    log.child({ module: 'conversations' }),
  );
  const sessionsLog = log.child({ module: 'sessions' });
  const sessions = new Sessions({
    store,
    records: new SessionRecords(store, instanceId, sessionsLog),
    instanceId,
    agentServer,
    scripts: foundation.scripts,
    operatorArgs: { agentServer: config.agent_server_args, claude: config.claude_args },
    agents,
    defaultAgent,
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
    followers: conversations.followers,
    sharedWith: (userId, sessionId) => access.shares.accessOf(sessionId, userId) !== null,
    mayChooseOwner: (principal) => !authenticator.enabled || principal.role === 'admin',
    keepsConversations: !store.inMemory,
    messageTimeoutMs: config.message_timeout_seconds * 1000,
    retention: { recordMs: config.retention_hours * HOUR_MS, filesMs: filesMsOf(config) },
    runtime,
    observer: observability.sessions,
    secrets: log.secrets,
    startTimeoutMs: config.start_timeout_seconds * 1000,
    stopGraceMs: config.stop_grace_seconds * 1000,
    workspaces,
    repositories,
    repositoryRules: repositoryRulesOf(config, (text) => isKey(authenticator, text)),
    log: sessionsLog,
  });
  const profiles = new Profiles(
    store.profiles,
    {
      checkEnvironment: (wanted) => checkEnvironment(wanted, environment),
      checkAgent: (name) => void sessions.agentOf(name),
      checkScript: async (name) => foundation.scripts.check(name),
    },
    limits.profiles_per_user,
  );

  const control = createControlServer({
    authenticator,
    audit: access.audit,
    trustedProxies,
    observer: observability.requests,
    maxBodyBytes: limits.body_bytes,
    requestIdOf: (request) => foundation.listener.requestIdOf(request),
    log: log.child({ module: 'http' }),
  });
  await describeApi(control);
  systemRoutes(control, {
    version: packageVersion(),
    startedAt: new Date(),
    isReady: foundation.isReady,
    isJournalBehind: () => conversations.isBehind(),
    agentServer: agentServer.kind,
    defaultAgent,
  });
  sessionRoutes(control, sessions, access.sessions);
  profileRoutes(control, profiles);
  startWithProfileRoute(control, profiles, sessions);
  gitRoutes(control, sessions, new SessionRepositories(store, workspaces, repositories), access.sessions);
  conversations.declare(control, sessions);
  shareRoutes(control, sessions, access.shares, access.sessions);
  apiKeyRoutes(control, access.keys, authenticator.enabled);
  auditRoute(control, access.audit);
  metricsRoute(control, observability.metrics);
  const facts = { version: packageVersion(), agentServer: agentServer.kind };
  meRoute(control, serverFacts(config, facts, defaultAgent));
  const { scripts, searchPath, consoleFolder } = foundation;
  startChoiceRoutes(control, { agents, defaultAgent, searchPath, scripts, defaultScript: config.script });
  if (config.console.enabled) {
    openConsole(control, { authenticator, store, trustedProxies, folder: consoleFolder });
  }
  const mcp = openMcp(control, {
    listener: foundation.listener,
    authenticator,
    trustedProxies,
    maxBodyBytes: limits.body_bytes,
    log: log.child({ module: 'mcp' }),
  });
  documentRoutes(control, { version: packageVersion(), keyHeader: config.auth.header_name });
  await control.ready();
  const proxy = createProxyHandler({
    find: (id) => sessions.find(id),
    authenticator,
    authorize,
    checkUse: (principal, session, use) => access.sessions.check(principal, session, use),
    refused: (refusal) => access.recordRefusal(refusal),
    startTimeoutMs: config.start_timeout_seconds * 1000,
    cors,
    trustedProxies,
    maxBodyBytes: limits.proxied_body_bytes,
    observer: observability.requests,
    maxPerSession: limits.requests_per_session,
    answerTimeoutMs: limits.answer_seconds * 1000,
    log: log.child({ module: 'proxy' }),
  });
  observability.connect({ sessions, runtime, authenticator, conversations });
  access.onChange(() => {
    proxy.recheck();
    mcp.recheck();
    conversations.recheck();
  });
  return { runtime, workspaces, repositories, access, sessions, control, proxy, mcp, conversations };
}

/** How long the files of an ended session stay. */
function filesMsOf(config: Config): number {
  switch (config.workspace_retention) {
    case 'keep':
      return Number.POSITIVE_INFINITY;
    case 'delete':
      return 0;
    case 'ttl':
      return config.workspace_ttl_hours * HOUR_MS;
  }
}

function urlOf(address: AddressInfo): string {
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return `http://${host}:${address.port}`;
}
