import type { AgentDefinition } from '../config/agents.ts';
import { DEMO_AGENT } from '../config/agents.ts';
import { findProgram } from './find-program.ts';

/**
 * The agent of sessions that name none: the configured one, or for `auto` the first in the catalogue whose
 * program is installed. The catalogue ends with `demo`, which always is.
 * @param searchPath - PATH of sessions.
 */
export async function chooseDefaultAgent(
  configured: string,
  agents: ReadonlyMap<string, AgentDefinition>,
  searchPath: string,
): Promise<string> {
  if (configured !== 'auto') return configured;
  for (const { name, command } of agents.values()) {
    const lookup = await findProgram(command, searchPath, '/');
    if (lookup.kind === 'found') return name;
  }
  return DEMO_AGENT;
}
