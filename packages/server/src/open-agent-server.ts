import type { AgentServer } from './agents/agent-server.ts';
import { EmbeddedAgentServer } from './agents/embedded.ts';
import { ExternalAgentServer } from './agents/external.ts';
import { findProgram } from './agents/find-program.ts';
import { StartScripts } from './agents/start-scripts.ts';
import { ConfigError } from './config/config-error.ts';
import type { Config } from './config/schema.ts';
import type { RootLog } from './log.ts';

/**
 * What runs agents, as the configuration says.
 * @throws ConfigError when the external agent server is wanted and its program is not there.
 */
export async function createAgentServer(config: Config): Promise<AgentServer> {
  const size = { columns: config.term_width, rows: config.term_height };
  if (config.agent_server === 'embedded') return new EmbeddedAgentServer(size, config.agent_server_args);
  const lookup = await findProgram(
    config.agentapi_path,
    config.inherited_environment['PATH'] ?? '',
    process.cwd(),
  );
  if (lookup.kind === 'found') return new ExternalAgentServer(lookup.path, size, config.agent_server_args);
  throw new ConfigError([
    {
      place: 'agentapi_path',
      text: `${lookup.reason}; install agentapi, name it with agentapi_path, or use agent_server "embedded"`,
    },
  ]);
}

/**
 * The scripts that start agent servers, as the configuration says.
 * @throws ConfigError when the operator's scripts cannot be used.
 */
export async function openScripts(config: Config, log: RootLog): Promise<StartScripts> {
  const bash = await findProgram('bash', config.inherited_environment['PATH'] ?? '', process.cwd());
  if (bash.kind === 'missing') {
    log.warn({ reason: bash.reason }, 'no start scripts: agent servers are started directly');
  }
  return StartScripts.open({
    folder: config.scripts_dir ?? null,
    standard: config.script,
    shell: bash.kind === 'found' ? bash.path : null,
  });
}
