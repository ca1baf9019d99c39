import { readFileSync } from 'node:fs';
import { AGENT_TYPES } from '@agentapi-proxy/agent-server/agent-type';
import { describe, expect, test } from 'vitest';
import { agentCatalogue, BUILT_IN_AGENTS } from '../config/agents.ts';
import { systemPromptPlan } from './system-prompt.ts';

const TEXT = 'Answer in German.';

/** What a plan does, in the words of the table in docs/profile-api.md. */
function described(
  type: (typeof AGENT_TYPES)[number],
  command: string,
  transport: 'pty' | 'acp' = 'pty',
): string {
  const plan = systemPromptPlan({ type, command, transport }, TEXT);
  const [file] = plan.workspaceFiles;
  if (plan.messagePrefix !== null) return 'first message';
  return [
    ...(file === undefined ? [] : [`file \`${file.path}\``]),
    ...(plan.agentArgs.length === 0 ? [] : [`\`${plan.agentArgs.join(' ').replace(`=${TEXT}`, '')}\``]),
  ].join(', ');
}

describe('systemPromptPlan', () => {
  test.each(AGENT_TYPES)('PX-207: %s gets the text in exactly one place', (type) => {
    for (const transport of ['pty', 'acp'] as const) {
      const plan = systemPromptPlan({ type, command: type, transport }, `  ${TEXT}\n`);
      const places = [
        ...plan.agentArgs.filter((argument) => argument.includes(TEXT)),
        ...plan.workspaceFiles.map(({ content }) => content).filter((content) => content.includes(TEXT)),
        ...(plan.messagePrefix === null ? [] : [plan.messagePrefix]),
      ];
      expect(places).toHaveLength(1);
    }
  });

  test.each(AGENT_TYPES)('%s without a text gets nothing', (type) => {
    expect(systemPromptPlan({ type, command: type, transport: 'pty' }, ' \n')).toEqual({
      agentArgs: [],
      workspaceFiles: [],
      messagePrefix: null,
    });
  });

  test('PX-207: a text that begins with a dash is one argument and no flag', () => {
    const plan = systemPromptPlan({ type: 'claude', command: 'claude', transport: 'pty' }, '--help me');
    expect(plan.agentArgs).toEqual(['--append-system-prompt=--help me']);
  });

  test('rules that must say that they always hold say so before the text', () => {
    const [cursor] = systemPromptPlan(
      { type: 'cursor', command: 'cursor-agent', transport: 'pty' },
      TEXT,
    ).workspaceFiles;
    expect(cursor?.content).toBe(`---\nalwaysApply: true\n---\n\n${TEXT}\n`);
    const [auggie] = systemPromptPlan(
      { type: 'auggie', command: 'auggie', transport: 'pty' },
      TEXT,
    ).workspaceFiles;
    expect(auggie?.content).toBe(`---\ntype: always_apply\n---\n\n${TEXT}\n`);
  });

  test('a program that looks like another agent reads its own file, wherever it lies', () => {
    expect(described('gemini', '/opt/bin/qwen')).toBe('file `QWEN.md`');
    expect(described('gemini', '/opt/bin/gemini')).toBe('file `GEMINI.md`');
  });

  test('over the Agent Client Protocol no flags of terminal programs are used', () => {
    expect(described('claude', 'claude-code-acp', 'acp')).toBe('file `CLAUDE.md`');
    expect(described('aider', 'aider', 'acp')).toBe('first message');
    expect(described('gemini', 'gemini', 'acp')).toBe('file `GEMINI.md`');
  });

  test('the documentation has the same table', () => {
    const page = readFileSync(new URL('../../../../docs/profile-api.md', import.meta.url), 'utf8');
    const agents = agentCatalogue({ agents: {}, claude_args: [] });
    for (const name of BUILT_IN_AGENTS) {
      const agent = agents.get(name);
      expect(agent).toBeDefined();
      if (agent === undefined) continue;
      expect(page).toContain(`| \`${name}\` | ${described(agent.type, agent.command)} |`);
    }
  });
});
