import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { describe, expect, test } from 'vitest';

import { agentTypeOfWord } from '../../agent-type.ts';
import type { AgentType } from '../../agent-type.ts';
import { formatAgentMessage, removeEcho, removeToolCalls } from './pipeline.ts';

const FIXTURES = fileURLToPath(
  new URL('../../../test/fixtures/agentapi/lib/msgfmt/testdata/', import.meta.url),
);

const read = (path: string): string => readFileSync(`${FIXTURES}${path}`, 'utf8');

/** The conformance row of each agent's fixtures; each of these types must have some. */
const FIXTURE_ROWS = {
  claude: 'AA-108',
  goose: 'AA-109',
  aider: 'AA-110',
  codex: 'AA-111',
  gemini: 'AA-112',
  copilot: 'AA-113',
  amp: 'AA-114',
  cursor: 'AA-115',
  auggie: 'AA-116',
  amazonq: 'AA-117',
  opencode: 'AA-118',
} satisfies Partial<Record<AgentType, string>>;

describe.each(Object.entries(FIXTURE_ROWS))('recorded screens of %s', (agent, id) => {
  const type = agentTypeOfWord(agent) ?? 'custom';
  test.each(readdirSync(`${FIXTURES}format/${agent}`))(`${id}: ${agent}/%s`, (name) => {
    const folder = `format/${agent}/${name}`;
    const formatted = formatAgentMessage(type, read(`${folder}/msg.txt`), read(`${folder}/user.txt`));
    const { text, calls } = removeToolCalls(type, formatted);
    expect(text).toBe(read(`${folder}/expected.txt`));
    const expectedCalls = `${folder}/expected_tool_calls.txt`;
    expect(calls.join('\n---\n')).toBe(existsSync(`${FIXTURES}${expectedCalls}`) ? read(expectedCalls) : '');
  });
});
test('AA-108 … AA-118: every folder of recorded screens is used', () => {
  expect(readdirSync(`${FIXTURES}format`).sort()).toEqual(Object.keys(FIXTURE_ROWS).sort());
});

describe('echo', () => {
  test.each(readdirSync(`${FIXTURES}remove-user-input`))('AA-119: recorded echo %s', (name) => {
    const folder = `remove-user-input/${name}`;
    expect(removeEcho('custom', read(`${folder}/msg.txt`), read(`${folder}/user.txt`))).toBe(
      read(`${folder}/expected.txt`),
    );
  });
});
