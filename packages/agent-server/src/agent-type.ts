/** Canonical agent types (agentapi section 1.3). */
export const AGENT_TYPES = [
  'claude',
  'goose',
  'aider',
  'codex',
  'gemini',
  'copilot',
  'amp',
  'auggie',
  'cursor',
  'amazonq',
  'opencode',
  'custom',
] as const;
export type AgentType = (typeof AGENT_TYPES)[number];

/** Words that stand for a type of another name. */
const ALIASES: Readonly<Record<string, AgentType>> = { 'cursor-agent': 'cursor', q: 'amazonq' };

/** The canonical type that a `--type` value or a program's name stands for; `null` for any other word. */
export function agentTypeOfWord(word: string): AgentType | null {
  return (
    AGENT_TYPES.find((type) => type === word) ??
    (Object.hasOwn(ALIASES, word) ? (ALIASES[word] ?? null) : null)
  );
}
