import { basename } from 'node:path';
import type { AgentDefinition } from '../config/agents.ts';

/** What a session starts with so that its agent follows a system prompt. */
export interface SystemPromptPlan {
  /** Come before the arguments of the request. */
  readonly agentArgs: readonly string[];
  readonly workspaceFiles: readonly { readonly path: string; readonly content: string }[];
  /** Comes before the first message, or is the first message; `null` when the agent reads the prompt elsewhere. */
  readonly messagePrefix: string | null;
}

type Delivery =
  | { readonly kind: 'flag'; readonly flag: string }
  /** `head` precedes the prompt in the file; `args` make the agent read the file. */
  | {
      readonly kind: 'file';
      readonly path: string;
      readonly head?: string;
      readonly args?: readonly string[];
    }
  | { readonly kind: 'message' };

const FIRST_MESSAGE: Delivery = { kind: 'message' };

/**
 * How each type of agent gets a system prompt; docs/profile-api.md has the same table. Where an agent reads a
 * folder of rules the file is ours alone; otherwise it is the one that a repository may bring, too.
 */
const BY_TYPE: Readonly<Record<AgentDefinition['type'], Delivery>> = {
  // Works in a terminal since Claude Code 1.0.51.
  claude: { kind: 'flag', flag: '--append-system-prompt' },
  codex: { kind: 'file', path: 'AGENTS.md' },
  gemini: { kind: 'file', path: 'GEMINI.md' },
  opencode: { kind: 'file', path: 'AGENTS.md' },
  amp: { kind: 'file', path: 'AGENTS.md' },
  copilot: { kind: 'file', path: 'AGENTS.md' },
  cursor: { kind: 'file', path: '.cursor/rules/agentapi-proxy.mdc', head: '---\nalwaysApply: true\n---\n\n' },
  auggie: {
    kind: 'file',
    path: '.augment/rules/agentapi-proxy.md',
    head: '---\ntype: always_apply\n---\n\n',
  },
  goose: { kind: 'file', path: '.goosehints' },
  // Aider keeps `.aider*` out of commits.
  aider: {
    kind: 'file',
    path: '.aider.system-prompt.md',
    args: ['--read', '.aider.system-prompt.md'],
  },
  amazonq: { kind: 'file', path: '.amazonq/rules/agentapi-proxy.md' },
  custom: FIRST_MESSAGE,
};

/** Programs that look like an agent of another type, and read another file. */
const BY_PROGRAM: ReadonlyMap<string, Delivery> = new Map([['qwen', { kind: 'file', path: 'QWEN.md' }]]);

/** Agents whose program for the Agent Client Protocol does not know the flag of their terminal program. */
const BY_TYPE_OVER_ACP: Readonly<Partial<Record<AgentDefinition['type'], Delivery>>> = {
  claude: { kind: 'file', path: 'CLAUDE.md' },
  aider: FIRST_MESSAGE,
};

/**
 * How a system prompt reaches an agent (PX-207). A prompt without text needs nothing.
 * @param prompt - no NUL and at most 100,000 bytes, because one agent gets it as an argument.
 */
export function systemPromptPlan(
  agent: Pick<AgentDefinition, 'type' | 'command' | 'transport'>,
  prompt: string,
): SystemPromptPlan {
  const text = prompt.trim();
  const nothing: SystemPromptPlan = { agentArgs: [], workspaceFiles: [], messagePrefix: null };
  if (text === '') return nothing;
  const delivery = deliveryTo(agent);
  switch (delivery.kind) {
    case 'flag':
      // One argument, so that a prompt that begins with a dash is no flag.
      return { ...nothing, agentArgs: [`${delivery.flag}=${text}`] };
    case 'file': {
      const file = { path: delivery.path, content: `${delivery.head ?? ''}${text}\n` };
      return { ...nothing, workspaceFiles: [file], agentArgs: delivery.args ?? [] };
    }
    case 'message':
      return { ...nothing, messagePrefix: text };
  }
}

function deliveryTo(agent: Pick<AgentDefinition, 'type' | 'command' | 'transport'>): Delivery {
  const overAcp = agent.transport === 'acp' ? BY_TYPE_OVER_ACP[agent.type] : undefined;
  return BY_PROGRAM.get(basename(agent.command)) ?? overAcp ?? BY_TYPE[agent.type];
}
