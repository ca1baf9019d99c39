import type { AgentType } from '@agentapi-proxy/agent-server/agent-type';

/** The agent program of a session, already found. */
export interface AgentCommand {
  /** Path of the program. */
  readonly program: string;
  readonly args: readonly string[];
  readonly type: AgentType;
  readonly transport: 'pty' | 'acp';
  /** Where the conversation is kept and found again; `null` when it is not. */
  readonly stateFile: string | null;
  /** Where the agent server leaves its last report. */
  readonly exitReport: string;
  /** Whether the agent server tells more in its log; the external one cannot. */
  readonly debug: boolean;
}

/** How a runtime starts the agent server of a session. */
export interface AgentServerLaunch {
  readonly command: string;
  /** Arguments, given the port that the runtime has reserved. */
  readonly args: (port: number) => readonly string[];
  /** Secret that requests must carry; `null` when the program cannot check one. */
  readonly token: string | null;
  /** Whether the program takes port and token over the control channel and reports on it. */
  readonly control: boolean;
}

/** The program that puts agentapi's HTTP API on one agent. */
export interface AgentServer {
  readonly kind: 'embedded' | 'external';
  launch(agent: AgentCommand): AgentServerLaunch;
}

/** Terminal size of every agent; part of what the reference fixes at 80 × 1000 (agentapi section 1.2). */
export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** The flags that both agent servers share, and the agent's own command line behind them. */
export function agentArguments(
  agent: AgentCommand,
  size: TerminalSize,
  extraArgs: readonly string[],
): readonly string[] {
  return [
    ...['--type', agent.type],
    ...['--term-width', String(size.columns)],
    ...['--term-height', String(size.rows)],
    ...(agent.transport === 'acp' ? ['--experimental-acp'] : []),
    ...extraArgs,
    '--',
    agent.program,
    ...agent.args,
  ];
}
