import type { AddressInfo } from 'node:net';
import { chooseDefaultAgent } from './agents/default-agent.ts';
import { assemble } from './assemble.ts';
import type { Parts } from './assemble.ts';
import { createAuthenticator } from './auth/authenticate.ts';
import type { ServerApp } from './cli/cli-context.ts';
import { agentCatalogue } from './config/agents.ts';
import { isPersistent } from './config/consistency.ts';
import type { Config } from './config/schema.ts';
import { Cors } from './cors.ts';
import { DataFolder } from './data-folder.ts';
import { createListener } from './http/listener.ts';
import type { Listener } from './http/listener.ts';
import { listenerLimitsOf } from './http/listener-limits.ts';
import { OriginGuard } from './http/origin-guard.ts';
import { MCP_REQUEST_HEADERS } from './http/routes/mcp.ts';
import { StartGate } from './http/start-gate.ts';
import type { RootLog } from './log.ts';
import { createAgentServer, openScripts } from './open-agent-server.ts';
import { openObservability } from './open-observability.ts';
import { openStore } from './open-store.ts';
import { logRecovery } from './sessions/recover.ts';
import type { Store } from './store/store.ts';
import { StoreUpkeep } from './store/upkeep.ts';
import { letHeapGrow } from './wire/garbage-collection.ts';
import { sweepWorkspaces } from './workspace/sweep-workspaces.ts';

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

const DAY_MS = 24 * 3_600_000;

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
  letHeapGrow();
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

function urlOf(address: AddressInfo): string {
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return `http://${host}:${address.port}`;
}
