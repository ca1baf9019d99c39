import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AgentType } from '@agentapi-proxy/agent-server/agent-type';

/** An agent that sessions can run. */
export interface AgentDefinition {
  /** What requests, `default_agent` and `/search` call it. */
  readonly name: string;
  /** Program: a name looked up in the session's PATH, or a path. */
  readonly command: string;
  readonly args: readonly string[];
  /** Variables for this agent; a request's `environment` wins over them. */
  readonly env: Readonly<Record<string, string>>;
  readonly type: AgentType;
  readonly transport: Transport;
  /** What makes it go on with its last conversation in a workspace; `null` when it cannot. */
  readonly resume: ResumeOption | null;
}

/** Arguments that are added when an agent that has been talked to is started again in its workspace. */
export interface ResumeOption {
  readonly args: readonly string[];
  /** Before or after the agent's other arguments. */
  readonly place: 'before' | 'after';
}

/** How an agent server talks to its agent: through its terminal, or the Agent Client Protocol over stdio. */
export const TRANSPORTS = ['pty', 'acp'] as const;
export type Transport = (typeof TRANSPORTS)[number];

/** The agent that needs nothing but this package; the fallback of `default_agent: auto`. */
export const DEMO_AGENT = 'demo';

/** Programs that are known by name, in the order in which `default_agent: auto` looks for them. */
const KNOWN_PROGRAMS: readonly (readonly [name: string, command: string, type: AgentType])[] = [
  ['claude', 'claude', 'claude'],
  ['codex', 'codex', 'codex'],
  ['gemini', 'gemini', 'gemini'],
  ['opencode', 'opencode', 'opencode'],
  ['goose', 'goose', 'goose'],
  ['aider', 'aider', 'aider'],
  ['amp', 'amp', 'amp'],
  ['copilot', 'copilot', 'copilot'],
  ['cursor', 'cursor-agent', 'cursor'],
  ['auggie', 'auggie', 'auggie'],
  ['amazonq', 'q', 'amazonq'],
  // Descends from Gemini CLI and looks like it.
  ['qwen', 'qwen', 'gemini'],
];

/**
 * What makes these agents speak the Agent Client Protocol: arguments put first, or another program (the
 * adapters for claude and codex are packages of their own).
 */
const ACP_PRESETS: Readonly<Record<string, { readonly command?: string; readonly args: readonly string[] }>> =
  {
    claude: { command: 'claude-code-acp', args: [] },
    codex: { command: 'codex-acp', args: [] },
    gemini: { args: ['--acp'] },
    opencode: { args: ['acp'] },
    goose: { args: ['acp'] },
    copilot: { args: ['--acp'] },
    cursor: { args: ['acp'] },
    auggie: { args: ['--acp'] },
    qwen: { args: ['--acp'] },
  };

/**
 * The agents that continue the last conversation *of the working directory* when they are asked to, by the name of
 * their program. An agent that takes the last one of the whole home folder must not be here: it could be another
 * user's.
 */
const RESUME_OPTIONS: Readonly<Record<string, ResumeOption>> = {
  claude: { args: ['--continue'], place: 'after' },
  codex: { args: ['resume', '--last'], place: 'before' },
  gemini: { args: ['--resume', 'latest'], place: 'after' },
  qwen: { args: ['--continue'], place: 'after' },
};

/** What a program in a terminal is given to continue, unless the configuration says something else. */
function resumeOptionOf(command: string): ResumeOption | null {
  const name = basename(command);
  return Object.hasOwn(RESUME_OPTIONS, name) ? (RESUME_OPTIONS[name] ?? null) : null;
}

/** Names that need no `command` in the configuration. */
export const BUILT_IN_AGENTS: readonly string[] = [...KNOWN_PROGRAMS.map(([name]) => name), DEMO_AGENT];

/** An entry of `agents` in the configuration; what is absent comes from the built-in agent of that name. */
export interface AgentEntry {
  readonly command?: string | undefined;
  readonly args?: readonly string[] | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly type?: AgentType | undefined;
  readonly transport?: Transport | undefined;
  readonly resume_args?: readonly string[] | undefined;
}

/** What an agent of this name is without the configuration; `script` precedes the arguments. */
function builtIn(name: string): { command: string; script: readonly string[]; type: AgentType } | null {
  if (name === DEMO_AGENT) {
    const program = fileURLToPath(import.meta.resolve('@agentapi-proxy/agent-server/demo-agent'));
    return { command: process.execPath, script: [program], type: 'custom' };
  }
  const known = KNOWN_PROGRAMS.find(([knownName]) => knownName === name);
  return known === undefined ? null : { command: known[1], script: [], type: known[2] };
}

/** A program known by name keeps its type under another agent's name. */
function typeOfCommand(command: string): AgentType {
  return KNOWN_PROGRAMS.find(([, known]) => known === command)?.[2] ?? 'custom';
}

/**
 * Every agent that sessions can run, by name: the built-in ones in the order of `default_agent: auto`, each
 * with what the configuration changes, then the configuration's own, `demo` last. `claude_args` are appended
 * to the arguments of `claude` (PX-090).
 */
export function agentCatalogue(config: {
  readonly agents: Readonly<Record<string, AgentEntry>>;
  readonly claude_args: readonly string[];
}): ReadonlyMap<string, AgentDefinition> {
  const names = [
    ...KNOWN_PROGRAMS.map(([name]) => name),
    ...Object.keys(config.agents).filter((name) => !BUILT_IN_AGENTS.includes(name)),
    DEMO_AGENT,
  ];
  return new Map(
    names.map((name): [string, AgentDefinition] => {
      const base = builtIn(name);
      const entry = Object.hasOwn(config.agents, name) ? config.agents[name] : undefined;
      const transport = entry?.transport ?? 'pty';
      const acp = transport === 'acp' && Object.hasOwn(ACP_PRESETS, name) ? ACP_PRESETS[name] : undefined;
      const command = entry?.command ?? acp?.command ?? base?.command ?? name;
      const script = entry?.command === undefined ? [...(base?.script ?? []), ...(acp?.args ?? [])] : [];
      const args = [...script, ...(entry?.args ?? []), ...(name === 'claude' ? config.claude_args : [])];
      const type = entry?.type ?? base?.type ?? typeOfCommand(command);
      const builtInResume = transport === 'pty' ? resumeOptionOf(command) : null;
      const resume: ResumeOption | null =
        entry?.resume_args === undefined ? builtInResume : { args: entry.resume_args, place: 'after' };
      return [name, { name, command, args, env: entry?.env ?? {}, type, transport, resume }];
    }),
  );
}
