import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { AGENT_TYPES } from '../../agent-type.ts';
import type { AgentType } from '../../agent-type.ts';
import { formatAgentMessage } from './pipeline.ts';
import { isBlank, linesOf } from '../text-lines.ts';

const rows = (...lines: string[]): string => lines.join('\n');
const format = (type: AgentType, ...lines: string[]): string => formatAgentMessage(type, rows(...lines), '');
const rule = '─'.repeat(20);
const dashed = '╌'.repeat(20);

describe('box of a > prompt', () => {
  test.each(['custom', 'claude', 'aider', 'copilot', 'gemini'] as const)(
    'AA-126: %s: a > under a border within the last six lines cuts there, border included',
    (type) => {
      expect(format(type, 'reply', rule, '> ')).toBe('reply');
      expect(format(type, 'reply', `╭${rule}╮`, '│ > typed  │', `╰${rule}╯`, 'hint')).toBe('reply');
      expect(format(type, 'reply', dashed, '> ', 'a', 'b', 'c', 'd', 'e')).toBe('reply');
    },
  );

  test('AA-126: a > further up than six lines is no prompt', () => {
    const seven = ['reply', '> ', 'a', 'b', 'c', 'd', 'e', 'f'];
    expect(format('custom', ...seven)).toBe(rows(...seven));
  });

  test('AA-126: without a border the cut is at the prompt itself', () => {
    expect(format('custom', 'reply', '> ')).toBe('reply');
    expect(format('custom', 'reply', '> ', '', 'status: idle')).toBe('reply');
    expect(format('custom', 'reply', '', '> ', 'status: idle')).toBe('reply');
    expect(format('amazonq', 'reply', '', '>')).toBe('reply');
    expect(format('aider', 'reply', 'architect> ')).toBe('reply');
    expect(format('amazonq', 'reply', '[helper] > ')).toBe('reply');
    expect(format('goose', 'reply', '( O)> Press Enter to send, Ctrl-J for new line')).toBe('reply');
    expect(format('custom', 'reply', '>>> ')).toBe('reply');
  });
});

describe('> in prose', () => {
  const endings: readonly (readonly [string, readonly string[]])[] = [
    ['an arrow', ['a -> b', 'x => y', 'Press Enter ->']],
    ['a comparison', ['it holds that 3 > 2', 'and 2 >1']],
    ['a quotation', ['> to be or not to be', '>', '> that is the question']],
    ['an element', ['<ul>', '  <li>one</li>', '</ul>']],
    ['an element over several lines', ['<a', '  href="x"', '>', '  text', '</a>']],
    ['a shell transcript', ['$ ls > out.txt', '$ cat <in >out']],
    ['a generic type', ['const m: Map<string, number>', 'Vec<u8>']],
    ['a table', ['│ a > b │ c │', '├───┼───┤', '│ > │ d │']],
  ];
  const boxes: Partial<Record<AgentType, readonly string[]>> = {
    claude: [rule, '❯', rule, '  ? for shortcuts'],
    gemini: [`╭${rule}╮`, '│ >   Type your message │', `╰${rule}╯`],
    cursor: [` ┌${rule}┐`, ' │ → Add a follow-up │', ` └${rule}┘`],
    auggie: [`╭${rule}╮`, '│ › Try │', `╰${rule}╯`],
    custom: ['> '],
    goose: ['( O)> '],
    amazonq: ['', '> '],
    aider: [rule, '> '],
  };

  test.each(endings)('AA-135: a reply that ends with %s is not cut', (_, lines) => {
    for (const type of AGENT_TYPES) {
      expect(format(type, 'reply', ...lines)).toBe(rows('reply', ...lines));
      const box = boxes[type] ?? [];
      expect(format(type, 'reply', '', ...lines, '', ...box)).toBe(rows('reply', '', ...lines));
    }
  });
});

describe('slim box', () => {
  test.each(['│ → Add a follow-up │', '| text', '❯', '❯ typed', '› Try', '*   Type your message'])(
    'AA-127: a border, the row %j and a border are a box, solid or dashed',
    (row) => {
      expect(format('claude', 'reply', rule, row, rule, 'hint')).toBe('reply');
      expect(format('custom', 'reply', dashed, row, dashed)).toBe('reply');
    },
  );

  test('AA-127: it starts within the last nine lines', () => {
    const below = (count: number): string[] => Array.from({ length: count }, (_, i) => `hint ${i}`);
    expect(format('claude', 'reply', rule, '❯', rule, ...below(6))).toBe('reply');
    const tooHigh = ['reply', rule, '❯', rule, ...below(7)];
    expect(format('claude', ...tooHigh)).toBe(rows(...tooHigh));
  });

  test('AA-127: a border is a run of 15 strokes of one kind', () => {
    const shorter = ['reply', '─'.repeat(14), '❯', '─'.repeat(14)];
    expect(format('claude', ...shorter)).toBe(rows(...shorter));
    const mixed = ['reply', '─╌'.repeat(10), '❯', '─╌'.repeat(10)];
    expect(format('claude', ...mixed)).toBe(rows(...mixed));
  });
});

describe('dialogs', () => {
  const nested = [
    `╭${rule}────╮`,
    '│ ? Shell  ls            │',
    `│ ╭${rule}╮ │`,
    '│ │ ls                 │ │',
    `│ ╰${rule}╯ │`,
    '│ ● 1. Allow once        │',
    '│   2. No (esc)          │',
    `╰${rule}────╯`,
  ];

  test('AA-127: a command that a dialog shows in a box is not taken for the input box', () => {
    expect(format('gemini', ...nested)).toBe(rows(...nested));
    const withoutChoices = nested.filter((row) => !/\d\./.test(row));
    expect(format('gemini', ...withoutChoices)).toBe(rows(...withoutChoices));
  });

  test('AA-113, AA-127: the result of a tool above a dialog is not taken for the input box', () => {
    const shown = [`╭${rule}╮`, '│ ✓ Shell ls │', `╰${rule}╯`, 'Go on?', '❯ 1. Yes', '  2. No'];
    expect(format('copilot', ...shown)).toBe(rows(...shown));
    expect(format('custom', ...shown)).toBe(rows(...shown));
  });
});

describe('agents with a box of their own', () => {
  test('AA-128: codex: the prompt row and the next one go, the status row stays', () => {
    expect(format('codex', 'reply', '› Ask Codex', '', '100% left')).toBe(rows('reply', '100% left'));
    expect(format('codex', 'reply', '› Ask Codex', '100% left')).toBe(
      rows('reply', '› Ask Codex', '100% left'),
    );
    expect(format('codex', '›', '')).toBe('›');
  });

  test('AA-128: codex: a choice of a dialog is not a prompt', () => {
    const dialog = ['Allow?', '  1. Yes', '› 2. No', '', '  Press enter to continue'];
    expect(format('codex', ...dialog)).toBe(rows(...dialog));
  });

  test('AA-128: opencode: the four lines above the bottom bar go with it and all below', () => {
    const bar = `  ╹${'▀'.repeat(17)}`;
    expect(format('opencode', 'reply', '┃', '┃', '┃', '┃ Build', bar, 'opencode v1')).toBe('reply');
    const short = ['┃', '┃', '┃', bar];
    expect(format('opencode', ...short)).toBe(rows(...short));
    const thin = ['reply', '┃', '┃', '┃', '┃', `╹${'▀'.repeat(16)}`];
    expect(format('opencode', ...thin)).toBe(rows(...thin));
  });

  test('AA-129: amp: the lowest complete rounded box goes with all below; nothing left reads Welcome to Amp', () => {
    expect(format('amp', '╭a╮', '╰a╯', 'reply', '╭─smart─╮', '│', '╰─╯', 'hint')).toBe(
      rows('╭a╮', '╰a╯', 'reply'),
    );
    expect(format('amp', 'reply', '│', '╰─╯')).toBe(rows('reply', '│', '╰─╯'));
    expect(format('amp', 'reply', '╭─╮', '│')).toBe(rows('reply', '╭─╮', '│'));
    expect(format('amp', 'text ╭─╮', '│', '╰─╯')).toBe(rows('text ╭─╮', '│', '╰─╯'));
    expect(format('amp', '╭─╮', '╰─╯')).toBe('Welcome to Amp');
    expect(format('amp', '')).toBe('Welcome to Amp');
  });

  test('AA-134: every type that can be given has its rules; only those of amp fill an empty message', () => {
    for (const type of AGENT_TYPES) {
      expect(format(type, 'text ')).toBe('text ');
      expect(format(type, '')).toBe(type === 'amp' ? 'Welcome to Amp' : '');
    }
  });
});

/** The end of the screens of Gemini CLI 0.61 and Qwen Code 0.15, which draw their boxes in another way. */
describe('newer versions', () => {
  const wide = '─'.repeat(80);
  const answer = ['Hello! An arrow: a -> b.', '', '> a quoted line', '', '  The end.'];
  const reply = answer.map((line, i) => (line === '' ? '' : `${i === 0 ? '✦' : ' '} ${line}`));
  const footer = ['', ' workspace (/directory)               sandbox', ' ~/ws             no sandbox'];
  const shortcuts = `${' '.repeat(64)}? for shortcuts `;
  const thinking = ' ⠏ Thinking... (esc to cancel, 3s)                              ? for shortcuts ';
  const prompt = ' >   Type your message or @path/to/file';

  test.each([
    ['at rest', [shortcuts, wide, ' Shift+Tab to accept edits', '', prompt]],
    ['at work', [thinking, wide, ' Shift+Tab to accept edits', '', prompt]],
    ['while everything is approved', [shortcuts, wide, ' YOLO Ctrl+Y', '', prompt.replace('>', '*')]],
    [
      'in shell mode',
      [shortcuts, wide, ' shell mode enabled (esc to disable)', '', ' !   Type your shell command'],
    ],
    ['with text of the user in the box', [wide, ' Shift+Tab to accept edits', '', ' > one', '   > two']],
    ['on a plain terminal', [thinking, wide, ' Shift+Tab to accept edits', '', '', prompt]],
  ])('AA-112: Gemini CLI 0.61 %s: only the answer is left', (_, box) => {
    expect(format('gemini', ...reply, '', '', ...box, ...footer)).toBe(rows(...answer));
  });

  test.each([
    ['at rest', [wide, prompt.trim(), wide, '  ? for shortcuts']],
    [
      'at work',
      ['  ⠋ Slapping the bass... (2s · esc to cancel)', wide, prompt.trim(), wide, '  ? for shortcuts'],
    ],
    [
      'at work, narrow',
      ['  ⠋ One moment, optimizing humor...', '  (2s · esc to cancel)', wide, prompt.trim(), wide],
    ],
    [
      'at work, with a hint in two rows',
      ['  ⠹Finishing the run (2s · ↓ 4 tokens · esc to', '             cancel)', wide, prompt.trim(), wide],
    ],
    [
      'while everything is approved',
      [wide, '*   Type your message', wide, '  YOLO mode (shift + tab to cycle)'],
    ],
  ])('AA-112: Qwen Code 0.15 %s: only the answer is left', (_, box) => {
    const further = reply.map((line) => (line === '' ? '' : `  ${line}`));
    expect(format('gemini', ...further, '', ...box)).toBe(rows(...answer));
  });

  test('AA-112: a list in an answer of Gemini CLI is not taken for its prompt', () => {
    const list = ['✦ Two things:', '', '  * one', '  * two', ''];
    expect(format('gemini', ...list, wide, ' Shift+Tab to accept edits', '', prompt, ...footer)).toBe(
      rows('Two things:', '', '* one', '* two'),
    );
  });

  test('AA-112: the sign goes from each answer of a message, the frames of tools stay', () => {
    const tool = ['  ╭───╮', '  │ ✓ │', '  ╰───╯'];
    const first = ['  ✦ I will write.', '      ✦ indented', ''];
    const second = ['', '  ✦ Done:', '    that file'];
    expect(format('gemini', ...first, ...tool, ...second)).toBe(
      rows('I will write.', '  ✦ indented', '', ...tool, '', 'Done:', 'that file'),
    );
    expect(format('gemini', ...tool, ...second)).toBe(rows(...tool, ...second));
    expect(format('gemini', '✦ ', '', '  Late.')).toBe('Late.');
    expect(format('custom', ...second.slice(1))).toBe(rows(...second.slice(1)));
  });

  test('AA-112, AA-125: the echo ends with the lower end of its frame, of whichever kind', () => {
    for (const frame of ['▀'.repeat(80), `╰${rule}╯`]) {
      expect(formatAgentMessage('gemini', rows(' > hi', frame, '✦ Hello!'), 'hi')).toBe('Hello!');
    }
  });
});

test('AA-126 … AA-130: for any text the message is some of its lines, in order, without outer blank ones', () => {
  const line = fc.oneof(
    fc.constantFrom(
      '',
      '  ',
      '>',
      '> q',
      rule,
      '❯',
      '│ > │',
      '› x',
      '╰─╯',
      '╭─╮',
      `╹${'▀'.repeat(17)}`,
      '( O)>',
    ),
    fc.string({ unit: 'binary' }).map((text) => text.replaceAll('\n', '')),
  );
  fc.assert(
    fc.property(
      fc.constantFrom(...AGENT_TYPES),
      fc.array(line, { maxLength: 30 }),
      line,
      (type, lines, user) => {
        const message = formatAgentMessage(type, rows(...lines), user);
        if (type === 'amp' && message === 'Welcome to Amp') return;
        const kept = linesOf(message);
        let next = 0;
        for (const row of lines) if (row === kept[next]) next += 1;
        expect(message === '' || next === kept.length).toBe(true);
        expect(message !== '' && (isBlank(kept[0] ?? '') || isBlank(kept.at(-1) ?? ''))).toBe(false);
      },
    ),
    { numRuns: 500 },
  );
});

test('AA-126 … AA-130: a megabyte of one line, of blank lines or of borders is formatted', () => {
  for (const unit of ['x', '\n', '> \n', `${rule}\n`, '╰╯\n', '[ ']) {
    const text = unit.repeat(1_000_000 / unit.length);
    for (const type of ['custom', 'gemini', 'goose', 'codex', 'opencode', 'amp'] as const) {
      expect(formatAgentMessage(type, text, unit).length).toBeLessThanOrEqual(text.length);
    }
  }
});
