import { chooseDefaultAgent } from '../../agents/default-agent.ts';
import { findProgram } from '../../agents/find-program.ts';
import { agentCatalogue, DEMO_AGENT } from '../../config/agents.ts';
import type { Config } from '../../config/schema.ts';
import type { Finding } from './finding.ts';
import { askVersion } from './program-version.ts';

/** Which agents sessions can run, and whether those that the configuration needs are among them. */
export async function checkAgents(config: Config, searchPath: string): Promise<readonly Finding[]> {
  const catalogue = agentCatalogue(config);
  const chosen = await chooseDefaultAgent(config.default_agent, catalogue, searchPath);
  const findings = await Promise.all(
    [...catalogue.values()].map(async ({ name, command }): Promise<Finding | null> => {
      const check = `agent ${name}`;
      if (name === DEMO_AGENT) return { check, verdict: 'ok', text: 'comes with this program' };
      const lookup = await findProgram(command, searchPath, '/');
      if (lookup.kind === 'found') {
        const version = await askVersion(lookup.path, searchPath);
        return { check, verdict: 'ok', text: [version, lookup.path].filter(Boolean).join(', ') };
      }
      const isNamed = name === config.default_agent || Object.hasOwn(config.agents, name);
      if (!isNamed) return null;
      return {
        check,
        verdict: name === config.default_agent ? 'broken' : 'warning',
        text: lookup.reason,
        advice: `Install it, or correct agents.${name}.command or PATH.`,
      };
    }),
  );
  return [...findings.filter((finding) => finding !== null), defaultAgent(config, chosen, catalogue)].flat();
}

function defaultAgent(
  config: Config,
  chosen: string,
  catalogue: ReadonlyMap<string, unknown>,
): readonly Finding[] {
  const check = 'default agent';
  if (!catalogue.has(chosen)) {
    return [
      { check, verdict: 'broken', text: `there is no agent ${chosen}`, advice: 'Correct default_agent.' },
    ];
  }
  if (chosen === DEMO_AGENT && config.default_agent !== DEMO_AGENT) {
    return [
      {
        check,
        verdict: 'warning',
        text: 'no coding agent is installed, so sessions run the demo agent',
        advice: 'Install one, such as Claude Code: npm install -g @anthropic-ai/claude-code',
      },
    ];
  }
  return [{ check, verdict: 'ok', text: chosen }];
}

/** The program that controls agents, when it is not our own. */
export async function checkAgentServer(config: Config, searchPath: string): Promise<Finding> {
  const check = 'agent server';
  if (config.agent_server === 'embedded') return { check, verdict: 'ok', text: 'embedded' };
  const lookup = await findProgram(config.agentapi_path, searchPath, '/');
  if (lookup.kind === 'missing') {
    return {
      check,
      verdict: 'broken',
      text: lookup.reason,
      advice: 'Install agentapi, correct agentapi_path, or set agent_server to embedded.',
    };
  }
  const version = await askVersion(lookup.path, searchPath);
  return { check, verdict: 'ok', text: [version, lookup.path].filter(Boolean).join(', ') };
}
