import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { AcpConversation } from './acp/acp-model.ts';
import type { ServerOptions } from './cli-options.ts';
import type { Conversation } from './conversation/conversation-model.ts';
import type { PtyConversation } from './conversation/pty-conversation.ts';
import { noteRequest } from './debug-notes.ts';
import type { HttpApi, Route } from './http/router.ts';
import type { Log } from './log.ts';

/** Requests and streams that go on longer at shutdown are cut (agentapi section 1.5). */
const HTTP_GRACE_MS = 5_000;
/** An agent that ignores its signal is killed after this time (agentapi section 1.5). */
const AGENT_GRACE_MS = 5_000;
/** Longer than any proxy in front keeps an idle connection, so that it is never the server who closes first. */
const IDLE_CONNECTION_MS = 75_000;

/** A conversation with an agent process of ours, whatever the transport. */
export interface AgentConversation extends Conversation {
  /** How the agent ended; never rejects. Exactly one member is not null. */
  readonly exited: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  /** Pending for ever when the agent ends before. */
  readonly firstReady: Promise<void>;
  lastScreenLines(max: number): readonly string[];
  /** Settles when the agent can be talked to, rejects when it cannot; absent when it can be from the start. */
  readonly started?: Promise<void>;
  /** Absent when the transport keeps no state. */
  saveState?(): Promise<void>;
  close(options: { readonly signal: NodeJS.Signals; readonly graceMs: number }): Promise<void>;
}

export interface AgentServerOptions {
  readonly settings: ServerOptions;
  /** What every request must present; `undefined` for an open server. Never shown to the agent. */
  readonly token: string | undefined;
  /** The agent's environment, complete. */
  readonly environment: Readonly<Record<string, string>>;
  /** The agent's working directory. */
  readonly cwd: string;
  readonly log: Log;
  /** Routes for a supervisor. */
  readonly supervisorRoute?: (path: string) => Route | undefined;
}

/**
 * One HTTP server around one agent.
 *
 * It listens before anything else is loaded: terminal emulator and router take longer to load than
 * Node takes to start, and requests that come early simply wait for them.
 */
export class AgentServer {
  readonly #options: AgentServerOptions;
  readonly #http: Server;
  readonly #api: Deferred<HttpApi> = defer();
  readonly #agent: Deferred<AgentConversation> = defer();
  #isStarted = false;
  #closing: Promise<void> | undefined;

  private constructor(options: AgentServerOptions) {
    this.#options = options;
    this.#http = createServer({ requireHostHeader: false, keepAliveTimeout: IDLE_CONNECTION_MS });
    this.#http.on('request', (request, response) => void this.#serve(request, response));
  }

  /**
   * Binds `host`:`port`; 0 lets the kernel choose.
   * @throws {Error} with the system's `code`, e.g. `EADDRINUSE`.
   */
  static async listen(host: string, port: number, options: AgentServerOptions): Promise<AgentServer> {
    const server = new AgentServer(options);
    const http = server.#http;
    await new Promise<void>((resolve, reject) => {
      http.once('error', reject).listen(port, host, () => {
        // From now on an error is one connection that could not be accepted.
        http
          .off('error', reject)
          .on('error', ({ message }) => options.log.error('HTTP server', { reason: message }));
        resolve();
      });
    });
    return server;
  }

  /** The bound port. */
  get port(): number {
    const address: AddressInfo | string | null = this.#http.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /**
   * Starts the agent; requests are answered from now on. Call it once.
   * @throws {Error} when the settings are wrong or the agent cannot be started; `close` is still due then.
   */
  async startAgent(): Promise<AgentConversation> {
    this.#isStarted = true;
    const { settings, token, log, supervisorRoute } = this.#options;
    const ready: Deferred<AgentConversation> = defer();
    try {
      const { HttpApi } = await import('./http/router.ts');
      const launch = await (settings.acp ? prepareAcpAgent : prepareTerminalAgent)(this.#options);
      // The router checks the lists of hosts and origins, and must do so before an agent runs (AA-019).
      const api = new HttpApi({
        conversation: ready.promise,
        agentType: settings.agentType,
        transport: settings.acp ? 'acp' : 'pty',
        allowedHosts: settings.allowedHosts,
        allowedOrigins: settings.allowedOrigins,
        chatBasePath: settings.chatBasePath,
        token,
        log,
        extraRoute: (path) => launch.extraRoute?.(path) ?? supervisorRoute?.(path),
        extended: settings.extendedApi,
      });
      this.#api.resolve(api);
      const agent = await launch.start();
      this.#agent.resolve(agent);
      await agent.started;
      ready.resolve(agent);
      return agent;
    } catch (error) {
      for (const waiting of [this.#api, this.#agent, ready]) waiting.reject(error);
      throw error;
    }
  }

  /**
   * Ends streams, agent and connections, and deletes the uploads; never rejects. The agent gets
   * `signal`, then SIGKILL after 5 s.
   */
  close(signal: NodeJS.Signals): Promise<void> {
    this.#closing ??= this.#shutDown(signal);
    return this.#closing;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.#options.settings.debug) noteRequest(request, response, this.#options.log);
    response.once('close', () => {
      // Without this, a connection that became idle after `close` would hold the server for its idle time.
      if (this.#closing !== undefined) setImmediate(() => this.#http.closeIdleConnections());
    });
    try {
      (await this.#api.promise).handle(request, response);
    } catch {
      response.destroy();
    }
  }

  async #shutDown(signal: NodeJS.Signals): Promise<void> {
    const { log } = this.#options;
    const nothing = () => undefined;
    const api = this.#isStarted ? await this.#api.promise.catch(nothing) : undefined;
    const agent = this.#isStarted ? await this.#agent.promise.catch(nothing) : undefined;
    api?.endStreams();
    const closed = this.#closeHttp();
    await agent?.close({ signal, graceMs: AGENT_GRACE_MS }).catch((error: unknown) => {
      log.error('The agent could not be ended', { reason: error instanceof Error ? error.message : '' });
    });
    await closed;
    await api?.close().catch((error: unknown) => {
      log.warn('Uploads could not be deleted', { reason: error instanceof Error ? error.message : '' });
    });
  }

  async #closeHttp(): Promise<void> {
    const limit = setTimeout(() => this.#http.closeAllConnections(), HTTP_GRACE_MS);
    await new Promise<void>((resolve) => {
      this.#http.close(() => resolve());
    });
    clearTimeout(limit);
  }
}

/** An agent that is about to be started. */
interface Launch {
  /** What its transport offers beyond agentapi's interface. */
  readonly extraRoute?: (path: string) => Route | undefined;
  start(): Promise<AgentConversation>;
}

async function prepareTerminalAgent(options: AgentServerOptions): Promise<Launch> {
  const { settings, environment, cwd, log } = options;
  const { terminalRoutes } = await import('./http/terminal-routes.ts');
  const usable: Deferred<PtyConversation> = defer();
  return {
    extraRoute: terminalRoutes(usable.promise),
    start: async () => {
      const { createPtyConversation } = await import('./conversation/conversation.ts');
      const conversation = createPtyConversation({
        command: settings.command,
        args: settings.args,
        cwd,
        env: environment,
        agentType: settings.agentType,
        columns: settings.columns,
        rows: settings.rows,
        initialPrompt: settings.initialPrompt,
        ...(settings.stateFile === undefined ? {} : { stateFile: settings.stateFile }),
        loadState: settings.loadState,
        saveState: settings.saveState,
        log: (level, text, fields) => log[level](text, fields),
      });
      usable.resolve(conversation);
      return conversation;
    },
  };
}

async function prepareAcpAgent(options: AgentServerOptions): Promise<Launch> {
  const { settings, environment, cwd } = options;
  const { acpRoutes } = await import('./acp/acp-routes.ts');
  const { createAcpConversation } = await import('./acp/acp-conversation.ts');
  const usable: Deferred<AcpConversation> = defer();
  return {
    extraRoute: acpRoutes(usable.promise),
    start: async () => {
      const conversation = createAcpConversation({
        command: settings.command,
        args: settings.args,
        cwd,
        env: environment,
        agentType: settings.agentType,
        initialPrompt: settings.initialPrompt,
        permissionPolicy: settings.acpPermissions,
      });
      conversation.started.then(() => usable.resolve(conversation), usable.reject);
      return conversation;
    },
  };
}

interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (reason: unknown) => void;
}

/** A promise that is settled from outside; nobody needs to be waiting when it is rejected. */
function defer<T>(): Deferred<T> {
  let resolve: Deferred<T>['resolve'] = () => {};
  let reject: Deferred<T>['reject'] = () => {};
  const promise = new Promise<T>((onValue, onReason) => {
    resolve = onValue;
    reject = onReason;
  });
  promise.catch(() => {});
  return { promise, resolve, reject };
}
