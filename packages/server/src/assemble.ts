import type { FastifyInstance } from 'fastify';
import type { AgentServer } from './agents/agent-server.ts';
import type { StartScripts } from './agents/start-scripts.ts';
import { AccessControl } from './auth/access-control.ts';
import { isKey } from './auth/authenticate.ts';
import type { Authenticator } from './auth/authenticate.ts';
import { authorize } from './auth/authorize.ts';
import { TrustedProxies } from './client-address.ts';
import type { AgentDefinition } from './config/agents.ts';
import type { Config } from './config/schema.ts';
import type { Cors } from './cors.ts';
import type { DataFolder } from './data-folder.ts';
import { createControlServer } from './http/control-server.ts';
import type { Listener } from './http/listener.ts';
import { describeApi } from './http/openapi/describe-api.ts';
import { startChoiceRoutes } from './http/routes/agents.ts';
import { apiKeyRoutes } from './http/routes/api-keys.ts';
import { auditRoute } from './http/routes/audit.ts';
import { documentRoutes } from './http/routes/documents.ts';
import { gitRoutes } from './http/routes/git.ts';
import { meRoute, serverFacts } from './http/routes/me.ts';
import { metricsRoute } from './http/routes/metrics.ts';
import { profileRoutes } from './http/routes/profiles.ts';
import { sessionRoutes } from './http/routes/sessions.ts';
import { shareRoutes } from './http/routes/shares.ts';
import { startWithProfileRoute } from './http/routes/start-with-profile.ts';
import { systemRoutes } from './http/routes/system.ts';
import type { RootLog } from './log.ts';
import { openConsole } from './open-console.ts';
import { openConversations } from './open-conversations.ts';
import type { Conversations } from './open-conversations.ts';
import { openMcp } from './open-mcp.ts';
import type { McpAccess } from './open-mcp.ts';
import type { Observability } from './open-observability.ts';
import { Profiles } from './profiles/profiles.ts';
import { createProxyHandler } from './proxy/proxy-handler.ts';
import type { ProxyHandler } from './proxy/proxy-handler.ts';
import { LocalRuntime } from './runtime/local/local-runtime.ts';
import { checkEnvironment } from './sessions/environment.ts';
import type { EnvironmentPolicy } from './sessions/environment.ts';
import { StartLimiter } from './sessions/limits.ts';
import { Sessions } from './sessions/manager.ts';
import { SessionRecords } from './sessions/records.ts';
import { SessionRepositories } from './sessions/session-repositories.ts';
import type { Store } from './store/store.ts';
import { packageVersion } from './version.ts';
import { createRepositories, repositoryRulesOf } from './workspace/create-repositories.ts';
import type { Repositories } from './workspace/repositories.ts';
import { Workspaces } from './workspace/workspace.ts';

const HOUR_MS = 3_600_000;

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
export interface Parts {
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

/**
 * Makes the parts of a server and ties them together.
 * @throws ConfigError, StoreError
 */
export async function assemble(foundation: Foundation): Promise<Parts> {
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
    instanceId,
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
