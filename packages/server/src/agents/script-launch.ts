import { join } from 'shlex';
import type { AgentServerLaunch } from './agent-server.ts';
import type { StartScript } from './start-scripts.ts';

/** What a script is told about its session, in variables that no request can set. */
export interface ScriptFacts {
  readonly sessionId: string;
  /** Working directory of the agent. */
  readonly workspace: string;
  /** The repository that is cloned into the workspace; `null` without one. */
  readonly repository: { readonly fullName: string; readonly branch: string | null } | null;
  /** More flags of the agent server, of the operator. */
  readonly agentServerArgs: readonly string[];
  /** More arguments of the agent claude, of the operator. */
  readonly claudeArgs: readonly string[];
}

/** A start that goes through a script, as the runtime takes it. */
export interface ScriptLaunch extends AgentServerLaunch {
  /** Name of the script; `null` when the agent server is started directly. */
  readonly script: string | null;
}

/**
 * Lets a script start the agent server: `bash SCRIPT PORT -- COMMAND ARGUMENT…`. The command is handed over as
 * arguments and never as text, so no value can be taken for shell code (DF-01, DF-02). An agent server with a
 * control channel learns its port there, after the script: then PORT is 0.
 */
export function throughScript(launch: AgentServerLaunch, script: StartScript | null): ScriptLaunch {
  if (script === null) return { ...launch, script: null };
  return {
    ...launch,
    command: script.shell,
    args: (port) => [
      script.path,
      String(launch.control ? 0 : port),
      '--',
      launch.command,
      ...launch.args(port),
    ],
    script: script.name,
  };
}

/** Variables of a script and of what it starts; `taken` are those that the session has already, and keeps (DF-44). */
export function scriptEnvironment(
  facts: ScriptFacts,
  taken: Readonly<Record<string, string>>,
): Record<string, string> {
  const { sessionId, workspace, repository } = facts;
  const operators = {
    AGENTAPI_ARGS: join([...facts.agentServerArgs]),
    CLAUDE_ARGS: join([...facts.claudeArgs]),
  };
  return {
    ...operators,
    ...taken,
    AGENTAPI_PROXY_SESSION_ID: sessionId,
    AGENTAPI_PROXY_WORKSPACE: workspace,
    ...(repository === null
      ? {}
      : {
          AGENTAPI_PROXY_REPOSITORY: repository.fullName,
          AGENTAPI_PROXY_CLONE_DIR: workspace,
          AGENTAPI_PROXY_BRANCH: repository.branch ?? '',
        }),
  };
}
