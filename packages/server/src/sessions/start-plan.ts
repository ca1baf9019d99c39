import { AGENT_TYPES } from '@agentapi-proxy/agent-server/agent-type';
import type { AgentDefinition } from '../config/agents.ts';
import type { SessionStart } from '../store/session-record.ts';
import type { StartPlan } from './provision.ts';
import type { SessionFacts } from './session.ts';
import type { StartRequest } from './start-request.ts';

/** What is recorded of a start, so that a resume can do the same. */
export function recordedStart(request: StartRequest, agent: AgentDefinition): SessionStart {
  const { command, args, env, transport } = agent;
  return {
    environment: request.environment,
    agent: { command, args, env, transport },
    agentArgs: request.agentArgs,
    systemPrompt: null,
    workspaceFiles: request.workspaceFiles,
    script: request.script,
    repository: request.repository,
    githubToken: request.githubToken,
  };
}

/**
 * What is done for a start that was recorded.
 * @param message - the first message, if it is still to be sent.
 * @param resumes - the agent of the session as it is known now, when it was started before.
 */
export function planOf(
  facts: SessionFacts,
  start: SessionStart,
  message: string | null,
  resumes?: AgentDefinition,
): StartPlan {
  return {
    agent: {
      name: facts.agent,
      ...start.agent,
      type: AGENT_TYPES.find((type) => type === facts.agentType) ?? 'custom',
      transport: start.agent.transport ?? 'pty',
    },
    agentArgs: start.agentArgs,
    environment: start.environment,
    workspaceFiles: start.workspaceFiles ?? [],
    script: start.script ?? null,
    repository: planOfRepository(start),
    resume: resumes?.resume ?? null,
    message,
  };
}

/** The token that a session has itself: the one meant for its repository, else the one of its environment. */
export function ownTokenOf({ githubToken, environment }: SessionStart): string | null {
  const token = githubToken ?? environment['GITHUB_TOKEN'] ?? '';
  return token === '' ? null : token;
}

function planOfRepository(start: SessionStart): StartPlan['repository'] {
  const { repository = null } = start;
  return repository === null ? null : { ...repository, token: ownTokenOf(start) };
}
