import { AgentClient } from '../agents/agent-client.ts';
import type { AgentServer } from '../agents/agent-server.ts';
import { findProgram } from '../agents/find-program.ts';
import type { AgentDefinition } from '../config/agents.ts';
import type { Log } from '../log.ts';
import { LaunchError } from '../runtime/runtime.ts';
import type { PortReservation, Run, Runtime } from '../runtime/runtime.ts';
import { addWorkspaceFiles, WorkspaceFileError } from '../workspace/workspace-files.ts';
import type { Workspaces } from '../workspace/workspace.ts';
import { buildEnvironment } from './environment.ts';
import type { EnvironmentPolicy } from './environment.ts';
import { deliverInitialMessage, DeliveryError } from './initial-message.ts';
import type { Session } from './session.ts';
import type { StartRequest } from './start-request.ts';

export interface ProvisionContext {
  readonly agentServer: AgentServer;
  readonly environment: EnvironmentPolicy;
  readonly runtime: Runtime;
  readonly workspaces: Workspaces;
  readonly startTimeoutMs: number;
  readonly messageTimeoutMs: number;
  readonly log: Log;
}

/**
 * Brings a recorded session to life: environment, workspace, agent program, agent server. On return
 * the session is `running` and its agent server answers.
 * @throws LaunchError with a reason for the owner; the abort reason when `signal` aborts.
 */
export async function provision(
  context: ProvisionContext,
  session: Session,
  request: StartRequest,
  agent: AgentDefinition,
  reservation: PortReservation,
  signal: AbortSignal,
): Promise<Run> {
  const environment = buildEnvironment(context.environment, agent.env, request.environment);
  const workspace = await context.workspaces.prepare(session.id);
  await addFiles(workspace.directory, request);
  signal.throwIfAborted();
  const lookup = await findProgram(agent.command, environment['PATH'] ?? '', workspace.directory);
  if (lookup.kind === 'missing') {
    throw new LaunchError(`Agent "${agent.name}" cannot be started. ${lookup.reason}`);
  }
  const args = [...agent.args, ...request.agentArgs];
  const launch = context.agentServer.launch({
    program: lookup.path,
    args,
    type: agent.type,
    transport: agent.transport,
  });
  session.transition('starting');
  const run = await context.runtime.launch(
    {
      sessionId: session.id,
      ...launch,
      cwd: workspace.directory,
      env: environment,
      logPath: workspace.logPath,
      reservation,
      timeoutMs: context.startTimeoutMs,
    },
    signal,
  );
  session.port = run.port;
  session.endpoint = { port: run.port, token: launch.token };
  if (!session.transition('running')) signal.throwIfAborted();
  return run;
}

async function addFiles(directory: string, { workspaceFiles }: StartRequest): Promise<void> {
  try {
    await addWorkspaceFiles(directory, workspaceFiles);
  } catch (error) {
    if (!(error instanceof WorkspaceFileError)) throw error;
    throw new LaunchError(`The workspace cannot be prepared: ${error.message}`, { cause: error });
  }
}

/** Delivers the first message and records what became of it; never rejects. */
export async function deliverFirstMessage(
  context: ProvisionContext,
  session: Session,
  text: string,
  ended: AbortSignal,
): Promise<void> {
  const { endpoint } = session;
  if (endpoint === null) return;
  const deadline = AbortSignal.timeout(context.messageTimeoutMs);
  const signal = AbortSignal.any([ended, deadline]);
  try {
    await deliverInitialMessage(new AgentClient(endpoint), text, signal);
    session.initialMessage = { state: 'delivered', at: new Date() };
    context.log.info({ sessionId: session.id }, 'first message delivered');
  } catch (error) {
    const reason = reasonOf(error, ended, deadline, context.messageTimeoutMs);
    session.initialMessage = { state: 'failed', at: new Date(), reason };
    if (!ended.aborted) context.log.warn({ sessionId: session.id, reason }, 'first message not delivered');
  }
}

function reasonOf(error: unknown, ended: AbortSignal, deadline: AbortSignal, timeoutMs: number): string {
  if (error instanceof DeliveryError) return error.message;
  if (ended.aborted) return 'The session ended before the agent was ready for the message';
  if (deadline.aborted) return `The agent was not ready for the message within ${timeoutMs / 1000} s`;
  return `The message could not be delivered: ${error instanceof Error ? error.message : String(error)}`;
}
