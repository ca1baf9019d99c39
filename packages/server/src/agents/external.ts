import type { AgentCommand, AgentServer, AgentServerLaunch, TerminalSize } from './agent-server.ts';

/** The real `agentapi` binary. It has no token; see docs/security.md. */
export class ExternalAgentServer implements AgentServer {
  readonly kind = 'external';
  readonly #path: string;
  readonly #size: TerminalSize;
  readonly #extraArgs: readonly string[];

  /**
   * @param path - the `agentapi` program.
   * @param extraArgs - further flags of `agentapi server`, from the operator (PX-090).
   */
  constructor(path: string, size: TerminalSize, extraArgs: readonly string[]) {
    this.#path = path;
    this.#size = size;
    this.#extraArgs = extraArgs;
  }

  launch(agent: AgentCommand): AgentServerLaunch {
    const args = (port: number): readonly string[] => [
      'server',
      ...['--port', String(port)],
      ...['--type', agent.type],
      ...['--term-width', String(this.#size.columns)],
      ...['--term-height', String(this.#size.rows)],
      ...(agent.transport === 'acp' ? ['--experimental-acp'] : []),
      ...this.#extraArgs,
      '--',
      agent.program,
      ...agent.args,
    ];
    return { command: this.#path, args, token: null, control: false };
  }
}
