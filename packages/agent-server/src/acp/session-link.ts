import * as acp from '@agentclientprotocol/sdk';
import { AcpStartError, textOfExit, type AgentExit } from './acp-model.ts';
import type { AgentProcess } from './agent-process.ts';
import { jsonLineStream, type SkippedLine } from './json-lines.ts';

/** Longest protocol line (agentapi appendix A). */
const MAX_LINE_BYTES = 10 * 1024 * 1024;
/** A process whose protocol stream ended gets this long to end by itself, so that its exit code can be told. */
const EXIT_AFTER_STREAM_END_MS = 1_000;

export interface SessionLinkOptions {
  readonly agent: AgentProcess;
  readonly cwd: string;
  /** `initialize` and `session/new` together may take this long. */
  readonly startTimeoutMs: number;
  /** Called in the order of the wire. */
  readonly onUpdate: (update: acp.SessionUpdate) => void;
  readonly onPermission: (
    request: acp.RequestPermissionRequest,
    signal: AbortSignal,
  ) => Promise<acp.RequestPermissionResponse>;
  readonly onSkipped: (line: SkippedLine) => void;
}

/** An open ACP session with the agent. */
export interface SessionLink {
  /** Resolves with the turn's end; rejects with the agent's error or when the agent is gone. */
  prompt(text: string): Promise<acp.StopReason>;
  cancel(): Promise<void>;
}

/**
 * Speaks `initialize` and `session/new`. File system and terminal are not advertised; requests for
 * them are answered with "method not found".
 * @throws {AcpStartError} naming the step that failed.
 */
export async function openSession(options: SessionLinkOptions): Promise<SessionLink> {
  const { cwd } = options;
  const connection = connect(options);
  const deadline = AbortSignal.timeout(options.startTimeoutMs);
  let step = 'initialize';
  let authMethods: readonly string[] = [];
  try {
    const initialized = await bounded(
      connection.agent.request(acp.methods.agent.initialize, {
        protocolVersion: acp.PROTOCOL_VERSION,
        clientCapabilities: { fs: { readTextFile: false, writeTextFile: false }, terminal: false },
        clientInfo: { name: 'agentapi-proxy', version: '1' },
      }),
      deadline,
    );
    if (initialized.protocolVersion !== acp.PROTOCOL_VERSION) {
      throw new Error(
        `the agent speaks protocol version ${initialized.protocolVersion}, not ${acp.PROTOCOL_VERSION}`,
      );
    }
    authMethods = (initialized.authMethods ?? []).map((method) => method.id);
    step = 'session/new';
    const session = await bounded(
      connection.agent.request(acp.methods.agent.session.new, { cwd, mcpServers: [] }),
      deadline,
    );
    return linkOf(connection, session.sessionId);
  } catch (error) {
    const streamEnded = connection.signal.aborted;
    connection.close();
    throw await startError(error, { step, authMethods, streamEnded, agent: options.agent });
  }
}

function connect(options: SessionLinkOptions): acp.ClientConnection {
  const { agent, onUpdate, onPermission, onSkipped } = options;
  return acp
    .client({ name: 'agentapi-proxy' })
    .onNotification(acp.methods.client.session.update, ({ params }) => onUpdate(params.update))
    .onRequest(acp.methods.client.session.requestPermission, ({ params, signal }) =>
      onPermission(params, signal),
    )
    .connect(
      jsonLineStream({ input: agent.stdout, output: agent.stdin, maxLineBytes: MAX_LINE_BYTES, onSkipped }),
    );
}

function linkOf(connection: acp.ClientConnection, sessionId: string): SessionLink {
  return {
    async prompt(text) {
      const response = await connection.agent.request(acp.methods.agent.session.prompt, {
        sessionId,
        prompt: [{ type: 'text', text }],
      });
      // The SDK hands a notification over some microtasks later than a response that follows it in
      // the same read; after one turn of the loop every update sent before the response has arrived.
      await new Promise((resolve) => setImmediate(resolve));
      return response.stopReason;
    },
    cancel: () => connection.agent.notify(acp.methods.agent.session.cancel, { sessionId }),
  };
}

async function bounded<T>(work: Promise<T>, deadline: AbortSignal): Promise<T> {
  deadline.throwIfAborted();
  let onAbort: (() => void) | undefined;
  const expired = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(new Error('no answer in time'));
    deadline.addEventListener('abort', onAbort);
  });
  try {
    return await Promise.race([work, expired]);
  } finally {
    if (onAbort) deadline.removeEventListener('abort', onAbort);
  }
}

interface FailedStart {
  readonly step: string;
  readonly authMethods: readonly string[];
  /** The agent closed its output, so that it is probably about to exit. */
  readonly streamEnded: boolean;
  readonly agent: AgentProcess;
}

async function startError(error: unknown, failed: FailedStart): Promise<AcpStartError> {
  const { agent, step, authMethods } = failed;
  const failure = agent.startFailure();
  if (failure) return new AcpStartError(`failed to start the agent: ${failure.message}`, { cause: failure });
  const exit = failed.streamEnded ? await exitOf(agent) : null;
  const needsLogin =
    error instanceof acp.RequestError &&
    error.code === acp.RequestError.authRequired().code &&
    authMethods.length > 0;
  const hint = needsLogin
    ? ` (log in with the agent's own command line first; it offers ${authMethods.join(', ')})`
    : '';
  const reason = exit === null ? textOfError(error) : textOfExit(exit);
  return new AcpStartError(`ACP ${step} failed: ${reason}${hint}`, { cause: error });
}

/** How the agent ended, if it does so about now. */
export async function exitOf(agent: AgentProcess): Promise<AgentExit | null> {
  let timer: NodeJS.Timeout | undefined;
  const waited = new Promise<null>((resolve) => {
    timer = setTimeout(resolve, EXIT_AFTER_STREAM_END_MS, null);
  });
  const exit = await Promise.race([agent.exited, waited]);
  clearTimeout(timer);
  return exit;
}

/** The protocol error's text with its details, as far as they are text. */
export function textOfError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const details = error instanceof acp.RequestError ? detailsOf(error.data) : null;
  return details === null || error.message.includes(details) ? error.message : `${error.message}: ${details}`;
}

function detailsOf(data: unknown): string | null {
  if (typeof data === 'string') return data;
  if (typeof data !== 'object' || data === null) return null;
  if ('details' in data && typeof data.details === 'string') return data.details;
  if ('message' in data && typeof data.message === 'string') return data.message;
  return null;
}
