import { describe, expect, test } from 'vitest';
import { agentCatalogue } from './agents.ts';

describe('agentCatalogue', () => {
  test('has every built-in agent in the order of the automatic choice, demo last', () => {
    const names = [...agentCatalogue({ agents: { mine: { command: '/opt/mine' } }, claude_args: [] }).keys()];
    expect(names).toEqual([
      ...['claude', 'codex', 'gemini', 'opencode', 'goose', 'aider'],
      ...['amp', 'copilot', 'cursor', 'auggie', 'amazonq', 'qwen', 'mine', 'demo'],
    ]);
  });

  test('names and programs may differ', () => {
    const agents = agentCatalogue({ agents: {}, claude_args: [] });
    expect(agents.get('cursor')).toEqual({
      name: 'cursor',
      transport: 'pty',
      command: 'cursor-agent',
      args: [],
      env: {},
      type: 'cursor',
      resume: null,
    });
    expect(agents.get('amazonq')).toMatchObject({ command: 'q', type: 'amazonq' });
    expect(agents.get('qwen')).toMatchObject({ command: 'qwen', type: 'gemini' });
  });

  test('demo runs the program of the agent server package with this Node', () => {
    const demo = agentCatalogue({ agents: { demo: { args: ['--slow'] } }, claude_args: [] }).get('demo');
    expect(demo).toMatchObject({ command: process.execPath, type: 'custom' });
    expect(demo?.args).toEqual([
      expect.stringMatching(/agent-server\/dist\/program\/demo-agent\.js$/),
      '--slow',
    ]);
  });

  test('an entry changes what it names and keeps the rest', () => {
    const agents = agentCatalogue({
      agents: {
        codex: { args: ['--full'] },
        goose: { command: '/opt/goose', env: { A: 'b' } },
        demo: { command: 'cat' },
      },
      claude_args: [],
    });
    expect(agents.get('codex')).toMatchObject({ command: 'codex', args: ['--full'], type: 'codex' });
    expect(agents.get('goose')).toMatchObject({ command: '/opt/goose', env: { A: 'b' }, type: 'goose' });
    expect(agents.get('demo')).toMatchObject({ command: 'cat', args: [] });
  });

  test('a new agent takes its type from its entry, else from a command known by name, else custom', () => {
    const agents = agentCatalogue({
      agents: {
        a: { command: '/opt/a', type: 'gemini' },
        b: { command: 'cursor-agent' },
        c: { command: '/opt/claude' },
      },
      claude_args: [],
    });
    expect(['a', 'b', 'c'].map((name) => agents.get(name)?.type)).toEqual(['gemini', 'cursor', 'custom']);
  });

  test('programs that continue the conversation of their folder do so when resumed, in a terminal', () => {
    const agents = agentCatalogue({
      agents: {
        mine: { command: '/opt/claude' },
        own: { command: '/opt/own', resume_args: ['--go-on'] },
        gemini: { transport: 'acp' },
        qwen: { resume_args: [] },
      },
      claude_args: [],
    });
    expect(agents.get('claude')?.resume).toEqual({ args: ['--continue'], place: 'after' });
    expect(agents.get('mine')?.resume).toEqual({ args: ['--continue'], place: 'after' });
    expect(agents.get('codex')?.resume).toEqual({ args: ['resume', '--last'], place: 'before' });
    expect(agents.get('own')?.resume).toEqual({ args: ['--go-on'], place: 'after' });
    expect(agents.get('gemini')?.resume).toBeNull();
    expect(agents.get('qwen')?.resume).toEqual({ args: [], place: 'after' });
    expect(agents.get('demo')?.resume).toBeNull();
  });

  test('PX-090: claude_args come after the arguments of claude, and of no other agent', () => {
    const agents = agentCatalogue({ agents: { claude: { args: ['-x'] } }, claude_args: ['--append', 'a b'] });
    expect(agents.get('claude')?.args).toEqual(['-x', '--append', 'a b']);
    expect(agents.get('codex')?.args).toEqual([]);
  });

  test('transport acp brings what makes a built-in agent speak the protocol, unless its command is the operator’s', () => {
    const agents = agentCatalogue({
      agents: {
        gemini: { transport: 'acp', args: ['--model', 'x'] },
        claude: { transport: 'acp' },
        goose: { transport: 'acp', command: '/opt/goose', args: ['serve'] },
        mine: { transport: 'acp', command: 'mine' },
      },
      claude_args: [],
    });
    expect(agents.get('gemini')).toMatchObject({
      command: 'gemini',
      args: ['--acp', '--model', 'x'],
    });
    expect(agents.get('claude')).toMatchObject({ command: 'claude-code-acp', args: [], type: 'claude' });
    expect(agents.get('goose')).toMatchObject({ command: '/opt/goose', args: ['serve'], transport: 'acp' });
    expect(agents.get('mine')).toMatchObject({ command: 'mine', args: [], transport: 'acp' });
    expect(agents.get('codex')).toMatchObject({ command: 'codex', args: [], transport: 'pty' });
  });
});
