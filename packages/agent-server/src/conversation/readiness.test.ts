import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { AGENT_TYPES, agentTypeOfWord } from '../agent-type.ts';
import type { AgentType } from '../agent-type.ts';
import { findDialog, isBusy, isReady } from './readiness.ts';

const FIXTURES = fileURLToPath(new URL('../../test/fixtures/agentapi/lib/msgfmt/testdata/', import.meta.url));
const read = (path: string): string => readFileSync(`${FIXTURES}${path}`, 'utf8');
const rows = (...lines: string[]): string => lines.join('\n');
/** A screen as the terminal gives it: padded rows down to a height that leaves most of them blank. */
const screen = (...lines: string[]): string =>
  Array.from({ length: 200 }, (_, i) => `${(lines[i] ?? '').padEnd(80)}\n`).join('');

const wide = '─'.repeat(80);
const geminiBox = [
  wide,
  ' Shift+Tab to accept edits',
  '',
  ' >   Type your message or @path/to/file',
  '',
  ' ~/ws   sandbox',
];
const claudeBox = [wide, '❯ ', wide, '  ? for shortcuts'];

const recorded = readdirSync(`${FIXTURES}initialization`).flatMap((agent) =>
  readdirSync(`${FIXTURES}initialization/${agent}`).flatMap((state) =>
    readdirSync(`${FIXTURES}initialization/${agent}/${state}`).map((file) => [agent, state, file] as const),
  ),
);

describe('readiness', () => {
  test.each(recorded)('AA-120: recorded screen %s/%s/%s', (agent, state, file) => {
    const type = agentTypeOfWord(agent);
    expect(type).not.toBeNull();
    expect(isReady(type ?? 'custom', read(`initialization/${agent}/${state}/${file}`))).toBe(
      state === 'ready',
    );
  });

  test('AA-120: outer blank rows make no difference', () => {
    expect(isReady('custom', screen('', '', 'hello', '> '))).toBe(true);
    expect(isReady('custom', screen('hello'))).toBe(false);
    expect(isReady('codex', screen('welcome', '› Ask Codex', '', '100% left'))).toBe(true);
  });

  test('AA-120: a > anywhere in the last six rows is enough, as in the reference', () => {
    expect(isReady('custom', screen('my-agent v1', 'enter text -> and press Enter'))).toBe(true);
    expect(isReady('custom', screen('a > b', '1', '2', '3', '4', '5', '6'))).toBe(false);
  });

  test('AA-120: Gemini CLI and Qwen Code are ready while everything is approved, where their prompt is *', () => {
    const yolo = geminiBox.map((row) => row.replace('>', '*'));
    expect(isReady('gemini', screen('Tips', ...yolo))).toBe(true);
    expect(isReady('gemini', screen('Tips', wide, '*   Type your message', wide, '  YOLO mode'))).toBe(true);
    expect(isReady('custom', screen('Tips', wide, '*   Type your message', wide, '  YOLO mode'))).toBe(true);
  });

  test('AA-136: amp is ready when its box is there, not on an empty screen', () => {
    expect(isReady('amp', screen())).toBe(false);
    expect(isReady('amp', '')).toBe(false);
    expect(isReady('amp', screen('splash'))).toBe(false);
    expect(isReady('amp', screen('╭─smart──╮', '│        │', '╰────────╯'))).toBe(true);
  });

  test.each(AGENT_TYPES)('AA-136: %s is not ready on an empty screen', (type: AgentType) => {
    expect(isReady(type, '')).toBe(false);
    expect(isReady(type, screen())).toBe(false);
  });

  test('AA-120: an agent that asks whether to trust the folder is not ready', () => {
    expect(
      isReady(
        'codex',
        screen('> You are in ~/ws', '', '  1. Allow', '› 2. Ask', '', '  Press Enter to continue'),
      ),
    ).toBe(false);
    const question = [
      '│ Do you trust the files in -> ~/ws?',
      '│ ❯ 1. Yes, proceed',
      '│   2. No, exit',
      '╰───',
    ];
    expect(isReady('claude', screen('╭───', ...question))).toBe(false);
  });
});

describe('busy', () => {
  const busy: readonly (readonly [AgentType, string, readonly string[]])[] = [
    [
      'claude',
      'indicator',
      ['⏺ Hi', '', '✻ Thinking… (3s · ↑ 24 tokens · esc to interrupt)', '', ...claudeBox],
    ],
    ['claude', 'indicator without a key', ['✶ Pondering… (12s · ↓ 2.1k tokens)', '', ...claudeBox]],
    [
      'claude',
      'indicator over a list of tasks',
      ['· Fixing… (esc to interrupt)', '  ⎿  ☒ one', '     ☐ two', '', ...claudeBox],
    ],
    ['claude', 'footer', [wide, '❯ ', wide, '  ⏵⏵ accept edits on (shift+tab to cycle) · esc to interrupt']],
    ['gemini', 'indicator', [' ⠏ Thinking... (esc to cancel, 3s)           ? for shortcuts', ...geminiBox]],
    [
      'gemini',
      'Qwen Code',
      ['  ⠋ Slapping the bass... (2s · esc to cancel)', wide, '>   Type', wide, '  ? for'],
    ],
    [
      'gemini',
      'Qwen Code, narrow',
      ['  ⠋ One moment, optimizing...', '  (2s · esc to cancel)', wide, '>   Type', wide],
    ],
    [
      'codex',
      'indicator',
      ['• Working (0s • esc to interrupt)', '', '› Ask Codex', '', '  100% context left'],
    ],
    [
      'codex',
      'heading of the model',
      ['• Reviewing files (1m 02s • esc to interrupt)', '', '› Ask', '', '  98% left'],
    ],
    [
      'copilot',
      'indicator',
      ['● Thinking (Esc to cancel · 1.2 KiB)', '', `╭${wide}`, '│ > Enter', `╰${wide}`],
    ],
    ['cursor', 'footer', [' ⬢ Reading', `┌${wide}`, '│ → Add a follow-up      ctrl+c to stop │', `└${wide}`]],
    [
      'opencode',
      'footer',
      ['┃', '┃', '┃', '┃ Build', `╹${'▀'.repeat(40)}`, ' ⬝⬝⬝■■■  esc interrupt   tab agents'],
    ],
    ['goose', 'indicator', ['◐  Untangling the threads...  ']],
    ['aider', 'indicator', ['> hello', '', '░█        Waiting for gpt-4o']],
    ['amazonq', 'indicator', ['> hello', '', '⠸ Thinking...']],
    ['amp', 'indicator', ['  ∼ Thinking…', '╭─smart──╮', '│        │', '╰────────╯']],
    ['custom', 'demonstration agent', ['> hello', '⠹ Working']],
    [
      'custom',
      'Qwen Code',
      ['  ⠋ Slapping the bass... (2s · esc to cancel)', wide, '>   Type', wide, '  ? for'],
    ],
  ];
  test.each(busy)('AA-074: %s works: %s', (type, _, lines) => {
    expect(isBusy(type, screen(...lines))).toBe(true);
  });

  test.each([
    ['auggie', 'auggie/thinking'],
    ['codex', 'codex/thinking'],
    ['cursor', 'cursor/thinking'],
  ] as const)('AA-074: %s works on the recorded screen %s', (type, name) => {
    expect(isBusy(type, read(`format/${name}/msg.txt`))).toBe(true);
  });

  const resting = readdirSync(`${FIXTURES}format`).flatMap((agent) =>
    readdirSync(`${FIXTURES}format/${agent}`)
      .filter((name) => name !== 'thinking')
      .map((name) => [agent, name] as const),
  );
  test.each([
    ...resting.map(([agent, name]) => [agent, `format/${agent}/${name}/msg.txt`] as const),
    ...recorded.map(([agent, state, file]) => [agent, `initialization/${agent}/${state}/${file}`] as const),
  ])('AA-074: %s does not work on the recorded screen %s', (agent, path) => {
    expect(isBusy(agentTypeOfWord(agent) ?? 'custom', read(path))).toBe(false);
  });

  test('AA-074: the line that closes a turn is no indicator', () => {
    expect(isBusy('claude', screen('⏺ Done.', '', '✻ Brewed for 1m 12s', '', ...claudeBox))).toBe(false);
  });

  test.each(busy)('AA-074: %s: what a reply says further up counts for nothing: %s', (type, _, lines) => {
    const text = Array.from({ length: 15 }, (_, i) => `line ${i} of the reply`);
    expect(isBusy(type, screen(...lines, ...text))).toBe(false);
    expect(
      isBusy(type, screen(...lines, ...text, ...(type === 'claude' ? claudeBox : [wide, '> ', wide]))),
    ).toBe(false);
  });

  test('AA-074: prose that names the key is no indicator', () => {
    for (const type of AGENT_TYPES) {
      for (const prose of [
        'Press esc to interrupt the agent.',
        '  Use Esc to cancel, or Ctrl+C to interrupt.',
        'Working…',
      ]) {
        expect(isBusy(type, screen('⏺ A reply', prose, '', wide, '> ', wide))).toBe(false);
      }
    }
  });
});

describe('dialogs', () => {
  test('AA-113: copilot asks for permission to run a command', () => {
    const text = findDialog('copilot', read('format/copilot/confirmation_box/msg.txt'))?.text ?? '';
    expect(text).toMatch(/^Search for files containing the useEffect code with polling setup:\n/);
    expect(text).toContain('\nDo you want to run this command?\n\n❯ 1. Yes\n  2. Yes, and approve');
    expect(text).toMatch(/Cancel with Esc$/);
  });

  test('AA-115: cursor asks for permission to run a command', () => {
    const text = findDialog('cursor', read('format/cursor/confirmation_box/msg.txt'))?.text ?? '';
    expect(text).toContain('$ git rev-parse --show-toplevel');
    expect(text).toContain('Run this command?\n');
    expect(text).toContain('\n → Run (y) (enter)\n   Reject (esc or p)\n');
  });

  test('AA-111: codex asks whether to trust a folder', () => {
    const path = 'format/codex/confirmation_box/msg.txt';
    expect(findDialog('codex', read(path))?.text).toBe(read(path).trimEnd());
  });

  test('AA-112: Gemini CLI asks whether to trust a folder', () => {
    const shown = screen(
      'Tips for getting started:',
      '1. Create GEMINI.md files to customize your interactions',
      '',
      ` ╭${'─'.repeat(76)}╮ `,
      ` │${' '.repeat(76)}│ `,
      ` │ ${'Do you trust the files in this folder?'.padEnd(75)}│ `,
      ` │${' '.repeat(76)}│ `,
      ` │ ${'● 1. Trust folder (ws)'.padEnd(75)}│ `,
      ` │ ${'  2. Trust parent folder (home)'.padEnd(75)}│ `,
      ` │ ${"  3. Don't trust".padEnd(75)}│ `,
      ` │${' '.repeat(76)}│ `,
      ` ╰${'─'.repeat(76)}╯ `,
    );
    expect(findDialog('gemini', shown)).toMatchObject({
      text: rows(
        'Do you trust the files in this folder?',
        '',
        '● 1. Trust folder (ws)',
        '  2. Trust parent folder (home)',
        "  3. Don't trust",
      ),
    });
    expect(isReady('gemini', shown)).toBe(false);
  });

  test('AA-112: Gemini CLI asks for permission, the command in a box of its own', () => {
    const { text } = findDialog(
      'gemini',
      screen(
        ' > use a tool',
        '',
        `╭${'─'.repeat(78)}╮`,
        `│ ${'? Shell  touch made-by-tool'.padEnd(77)}│`,
        `│ ╭${'─'.repeat(74)}╮ │`,
        `│ │ ${'touch made-by-tool'.padEnd(73)}│ │`,
        `│ ╰${'─'.repeat(74)}╯ │`,
        `│ ${'Allow execution of [Shell]?'.padEnd(77)}│`,
        `│${' '.repeat(78)}│`,
        `│ ${'● 1. Allow once'.padEnd(77)}│`,
        `│ ${'  2. Allow for this session'.padEnd(77)}│`,
        `│ ${'  3. No, suggest changes (esc)'.padEnd(77)}│`,
        `╰${'─'.repeat(78)}╯`,
      ),
    ) ?? { text: '' };
    expect(text).toMatch(/^\? Shell {2}touch made-by-tool\n/);
    expect(text).toContain('│ touch made-by-tool');
    expect(text).toMatch(
      /● 1\. Allow once\n {2}2\. Allow for this session\n {2}3\. No, suggest changes \(esc\)$/,
    );
  });

  test.each(['gemini', 'custom'] as const)('AA-112: Qwen Code asks for permission, as type %s', (type) => {
    const shown = screen(
      '  > use a tool',
      `  ╭${'─'.repeat(74)}╮`,
      `  │ ${"Allow execution of: 'touch'?".padEnd(73)}│`,
      `  │${' '.repeat(74)}│`,
      `  │ ${'› 1. Yes, allow once'.padEnd(73)}│`,
      `  │ ${"  2. Always allow run 'touch *' commands".padEnd(73)}│`,
      `  │ ${'  3. No, suggest changes (esc)'.padEnd(73)}│`,
      `  ╰${'─'.repeat(74)}╯`,
      '',
      '  ⠏ Waiting for user confirmation...',
    );
    expect(findDialog(type, shown)?.text).toMatch(
      /^Allow execution of: 'touch'\?\n\n› 1\. Yes, allow once\n/,
    );
    expect(isBusy(type, shown)).toBe(false);
  });

  test('AA-108: Claude Code asks a question whose choices have descriptions', () => {
    const text = findDialog(
      'claude',
      screen(
        '⏺ Reply',
        '',
        wide,
        ' ☐ Colour',
        '',
        'Which colour?',
        '',
        '❯ 1. Red',
        '     warm',
        '  2. Blue',
        '     cold',
        wide,
        '  3. Chat about this',
        '',
        'Enter to select · Esc to cancel',
      ),
    )?.text;
    expect(text).toMatch(/^ ☐ Colour\n\nWhich colour\?\n\n❯ 1\. Red\n/);
    expect(text).toMatch(/Enter to select · Esc to cancel$/);
  });

  test('AA-109: goose asks for permission', () => {
    const lines = [
      '◆  Goose would like to call the above tool, do you allow?',
      '│  ● Allow (Allow the tool call once)',
      '│  ○ Always Allow',
      '│  ○ Deny',
      '└',
    ];
    expect(findDialog('goose', screen('─── shell ───', '', '', ...lines))?.text).toContain('● Allow');
  });

  test('AA-118: opencode asks for permission', () => {
    const lines = [
      '┃  △ Permission required',
      '┃    # Lists files',
      '┃    $ ls',
      '┃',
      '┃  Allow once   Allow always   Reject    enter confirm',
    ];
    expect(findDialog('opencode', screen('reply', '', ...lines))?.text).toMatch(
      /△ Permission required\n[^]*Allow once/,
    );
  });

  test('AA-110, AA-117: questions that take a line of text are none', () => {
    expect(findDialog('amazonq', read('format/amazonq/confirmation_box/msg.txt'))).toBeNull();
    expect(
      findDialog('aider', screen("Add file to the chat? (Y)es/(N)o/(D)on't ask again [Yes]:")),
    ).toBeNull();
  });

  const choices = ['❯ 1. Yes', '  2. No'];
  test('AA-120: choices with an input box below belong to the conversation', () => {
    expect(findDialog('claude', screen('Question?', ...choices))).not.toBeNull();
    expect(findDialog('claude', screen('Question?', ...choices, '', ...claudeBox))).toBeNull();
    expect(findDialog('gemini', screen('● 1. one', '  2. two', ...geminiBox))).toBeNull();
  });

  test('AA-120: choices with a reply below belong to the conversation', () => {
    const reply = Array.from({ length: 7 }, (_, i) => `line ${i}`);
    expect(findDialog('claude', screen(...choices, ...reply))).toBeNull();
  });

  test('AA-120: numbered lines that the user types into the box are no choices', () => {
    expect(findDialog('claude', screen('⏺ Hi', wide, ...choices, wide, '  ? for shortcuts'))).toBeNull();
  });

  test.each([
    ['a numbered list', ['1. one', '2. two', '3. three']],
    ['numbers that do not count on', ['❯ 1. one', '  4. four']],
    ['a single item', ['❯ 1. one']],
    ['bullets', ['● one', '● two']],
    ['a quotation', ['> 1. one', '> 2. two']],
  ])('AA-120: %s is no dialog', (_, lines) => {
    for (const type of AGENT_TYPES) expect(findDialog(type, screen('Reply:', ...lines))).toBeNull();
  });
});

test('AA-120: for any text nothing throws, and what a dialog says is on the screen', () => {
  const line = fc.oneof(
    fc.constantFrom(
      '',
      ' ',
      '❯ 1. a',
      '› 2. b',
      '  2. b',
      '● 1. c',
      '│ ● 3. x │',
      '╭──╮',
      '╰──╯',
      wide,
      '> ',
      '○ x',
      '→ Run (y)',
      'No (n)',
    ),
    fc.string({ unit: 'binary' }).map((text) => text.replaceAll('\n', '')),
  );
  fc.assert(
    fc.property(fc.constantFrom(...AGENT_TYPES), fc.array(line, { maxLength: 40 }), (type, lines) => {
      const text = rows(...lines);
      expect(isBusy(type, text)).toBeTypeOf('boolean');
      const dialog = findDialog(type, text);
      if (dialog === null) return;
      expect(isReady(type, text)).toBe(false);
      for (const row of dialog.text.split('\n')) expect(text).toContain(row);
    }),
    { numRuns: 500 },
  );
});

test('AA-120: a megabyte in one row or in many is looked at', () => {
  for (const unit of ['x', '\n', '● 1. a\n', '⠏ (a', '• a (1s•', '✻ … ']) {
    const text = unit.repeat(1_000_000 / unit.length);
    for (const type of ['custom', 'claude', 'codex', 'gemini', 'amp', 'opencode'] as const) {
      expect([isReady(type, text), isBusy(type, text), findDialog(type, text) === null]).toHaveLength(3);
    }
  }
});
