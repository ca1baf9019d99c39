import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { agentArguments } from './agent-server.ts';
import type { AgentCommand, AgentServer, AgentServerLaunch, TerminalSize } from './agent-server.ts';

/** Bytes of entropy of a session's token. */
const TOKEN_BYTES = 32;

/** The agent server that ships with the product: one Node process per session. */
export class EmbeddedAgentServer implements AgentServer {
  readonly kind = 'embedded';
  readonly #size: TerminalSize;
  readonly #extraArgs: readonly string[];

  /** @param extraArgs - further flags of the agent server, from the operator (PX-090). */
  constructor(size: TerminalSize, extraArgs: readonly string[]) {
    this.#size = size;
    this.#extraArgs = extraArgs;
  }

  launch(agent: AgentCommand): AgentServerLaunch {
    const program = fileURLToPath(import.meta.resolve('@agentapi-proxy/agent-server/bin'));
    const args = [
      program,
      'server',
      ...['--control-fd', '3'],
      ...['--exit-report', agent.exitReport],
      ...(agent.debug ? ['--debug'] : []),
      ...(agent.transport === 'acp' ? [] : stateArgs(agent.stateFile)),
      ...agentArguments(agent, this.#size, this.#extraArgs),
    ];
    return {
      command: process.execPath,
      args: () => args,
      token: randomBytes(TOKEN_BYTES).toString('base64url'),
      control: true,
    };
  }
}

/** An ACP agent keeps its conversation itself. */
function stateArgs(stateFile: string | null): readonly string[] {
  return stateFile === null ? [] : ['--state-file', stateFile];
}
