import { readFile, rm } from 'node:fs/promises';
import type { AgentType } from '@agentapi-proxy/agent-server/agent-type';
import { z } from 'zod';
import type { AgentServer } from '../agents/agent-server.ts';
import { findProgram } from '../agents/find-program.ts';
import { scriptEnvironment, throughScript } from '../agents/script-launch.ts';
import type { ScriptFacts } from '../agents/script-launch.ts';
import type { StartScripts } from '../agents/start-scripts.ts';
import type { ResumeOption, Transport } from '../config/agents.ts';
import type { Log } from '../log.ts';
import { LaunchError } from '../runtime/runtime.ts';
import type { LaunchSpec, PortReservation, Run, Runtime } from '../runtime/runtime.ts';
import type { Repositories, RepositoryPlan } from '../workspace/repositories.ts';
import { RepositoryError } from '../workspace/repository-error.ts';
import { fullNameOf } from '../workspace/repository.ts';
import { addWorkspaceFiles, WorkspaceFileError } from '../workspace/workspace-files.ts';
import type { WorkspaceFile } from '../workspace/workspace-files.ts';
import type { Workspace, Workspaces } from '../workspace/workspace.ts';
import { buildEnvironment } from './environment.ts';
import type { EnvironmentPolicy } from './environment.ts';
import type { SessionObserver } from './observer.ts';
import type { SessionRecords } from './records.ts';
import type { Session } from './session.ts';

export interface ProvisionContext {
  readonly agentServer: AgentServer;
  readonly environment: EnvironmentPolicy;
  readonly scripts: StartScripts;
  /** What the operator adds to command lines; told to start scripts. */
  readonly operatorArgs: { readonly agentServer: readonly string[]; readonly claude: readonly string[] };
  readonly runtime: Runtime;
  readonly workspaces: Workspaces;
  readonly repositories: Repositories;
  /** Identity of the data folder; marks every process of its sessions. */
  readonly instanceId: string;
  readonly records: SessionRecords;
  readonly observer: SessionObserver;
  /** Whether agent servers keep the conversation in a file, for a resume. */
  readonly keepsConversations: boolean;
  readonly startTimeoutMs: number;
  readonly log: Log;
}

/** What is started for a session, in its first life or a later one. */
export interface StartPlan {
  readonly agent: {
    readonly name: string;
    readonly command: string;
    readonly args: readonly string[];
    readonly env: Readonly<Record<string, string>>;
    readonly type: AgentType;
    readonly transport: Transport;
  };
  /** Arguments after the agent's own. */
  readonly agentArgs: readonly string[];
  /** Variables of the request. */
  readonly environment: Readonly<Record<string, string>>;
  /** What is cloned into the workspace; `null` = nothing. */
  readonly repository: RepositoryPlan | null;
  readonly workspaceFiles: readonly WorkspaceFile[];
  /** Name of the start script; `null` = the one of the server's choice. */
  readonly script: string | null;
  /** Given to an agent that has been talked to in an earlier life; `null` in the first one. */
  readonly resume: ResumeOption | null;
  /** The first message, as far as it has not been sent; `null` when there is none. */
  readonly message: string | null;
}

/** What the agent server keeps of a conversation, as far as it matters here. */
const conversationSchema = z.object({ messages: z.array(z.object({ role: z.string() })).nullish() });

/**
 * Brings a recorded session to life: environment, workspace with its repository, agent program, agent server. On return its agent server
 * answers, and the session is `running` unless somebody has ended it meanwhile.
 * @throws LaunchError with a reason for the owner; StoreError; the abort reason when `signal` aborts. Nothing runs then.
 */
export async function provision(
  context: ProvisionContext,
  session: Session,
  plan: StartPlan,
  reservation: PortReservation,
  signal: AbortSignal,
): Promise<Run> {
  const { agent } = plan;
  const { observer } = context;
  const { facts } = session;
  const own = buildEnvironment(context.environment, agent.env, plan.environment);
  const environment = { ...own, ...context.repositories.agentEnvironment(own) };
  await context.records.starting(session);
  const workspace = await observer.step('prepare workspace', facts, async () =>
    context.workspaces.prepare(session.id, facts.workspaceName),
  );
  await bringRepository(context, session, plan.repository, workspace, signal);
  await addFiles(workspace.directory, plan.workspaceFiles);
  signal.throwIfAborted();
  const lookup = await findProgram(agent.command, environment['PATH'] ?? '', workspace.directory);
  if (lookup.kind === 'missing') throw missingProgram(context, session, plan, lookup.reason);
  await rm(workspace.exitReportPath, { force: true });
  const script = await context.scripts.choose(plan.script, plan.repository !== null);
  const agentServer = context.agentServer.launch({
    program: lookup.path,
    args: await argumentsOf(plan, workspace.statePath, session),
    type: agent.type,
    transport: agent.transport,
    stateFile: context.keepsConversations ? workspace.statePath : null,
    exitReport: workspace.exitReportPath,
    debug: environment['DEBUG'] === 'true',
  });
  const launch = throughScript(agentServer, script);
  const spec: LaunchSpec = {
    sessionId: session.id,
    ...launch,
    cwd: workspace.directory,
    env: scriptEnvironment(
      {
        sessionId: session.id,
        workspace: workspace.directory,
        repository: factsOf(plan.repository),
        agentServerArgs: context.operatorArgs.agentServer,
        claudeArgs: context.operatorArgs.claude,
      },
      environment,
    ),
    logPath: workspace.logPath,
    reservation,
    timeoutMs: context.startTimeoutMs,
  };
  const run = await observer.step('start agent server', facts, async () =>
    context.runtime.launch(spec, signal),
  );
  try {
    await context.records.running(session, run, launch.token);
  } catch (error) {
    await context.runtime.stop(run, 0);
    throw error;
  }
  return run;
}

/** What callers are told: not where the server has its programs, which the log says to those who run it. */
function missingProgram(
  { log }: ProvisionContext,
  { id }: Session,
  { agent, environment }: StartPlan,
  reason: string,
): LaunchError {
  const sentence = `Agent "${agent.name}" cannot be started.`;
  if (agent.command.includes('/')) return new LaunchError(`${sentence} ${reason}`);
  // Values of a request are in no log.
  const isOfRequest = environment['PATH'] !== undefined;
  if (!isOfRequest) log.warn({ sessionId: id, agent: agent.name, reason }, 'agent not installed');
  const whose = isOfRequest ? "request's" : "server's";
  return new LaunchError(`${sentence} The program "${agent.command}" is not on the ${whose} PATH`);
}

/** Clones the repository of a session unless an earlier life has done so (DF-43). */
async function bringRepository(
  { workspaces, repositories, instanceId, observer, log }: ProvisionContext,
  session: Session,
  plan: RepositoryPlan | null,
  workspace: Workspace,
  signal: AbortSignal,
): Promise<void> {
  if (plan === null || (await workspaces.holdsFiles(session.id))) return;
  const startedAt = performance.now();
  try {
    await observer.step('clone repository', session.facts, async () =>
      repositories.clone(plan, workspace, `${instanceId}.${session.id}`, signal, (progress) => {
        session.progress = progress;
      }),
    );
    const cloneMs = Math.round(performance.now() - startedAt);
    log.info(
      { sessionId: session.id, repository: fullNameOf(plan.repository), cloneMs },
      'repository cloned',
    );
  } catch (error) {
    if (!(error instanceof RepositoryError)) throw error;
    throw new LaunchError(`The repository cannot be cloned: ${error.message}`, {
      failure: { code: 'workspace_clone_failed', kind: error.kind },
      cause: error,
    });
  } finally {
    session.progress = null;
  }
}

/** What start scripts are told of the repository. */
function factsOf(plan: RepositoryPlan | null): ScriptFacts['repository'] {
  return plan === null ? null : { fullName: fullNameOf(plan.repository), branch: plan.branch };
}

async function argumentsOf(plan: StartPlan, statePath: string, session: Session): Promise<readonly string[]> {
  const args = [...plan.agent.args, ...plan.agentArgs];
  const { resume } = plan;
  // An agent that is asked to continue a conversation that never began may refuse to start.
  if (resume === null || !(await wasTalkedTo(statePath, session))) return args;
  return resume.place === 'before' ? [...resume.args, ...args] : [...args, ...resume.args];
}

async function wasTalkedTo(statePath: string, session: Session): Promise<boolean> {
  if (session.initialMessage?.state === 'delivered') return true;
  try {
    const state = conversationSchema.parse(JSON.parse(await readFile(statePath, 'utf8')));
    return state.messages?.some(({ role }) => role === 'user') ?? false;
  } catch {
    return false;
  }
}

async function addFiles(directory: string, files: readonly WorkspaceFile[]): Promise<void> {
  try {
    await addWorkspaceFiles(directory, files);
  } catch (error) {
    if (!(error instanceof WorkspaceFileError)) throw error;
    throw new LaunchError(`The workspace cannot be prepared: ${error.message}`, { cause: error });
  }
}
