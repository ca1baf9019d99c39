import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { looksLikeMarkdown, partsOf } from './agent-text.ts';

const kinds = (text: string, source: 'user' | 'terminal' | 'acp' = 'terminal') =>
  partsOf(text, source).map(({ kind }) => kind);

describe('texts of agents in a terminal', () => {
  test('keep their line breaks, and are Markdown only when they are', () => {
    expect(kinds('total 8\n# a comment\n-rw-r--r-- 1 me me 12 app.ts')).toEqual(['plain']);
    expect(kinds('Done:\n\n```ts\nconst a = 1;\n```\n')).toEqual(['markdown']);
    expect(kinds('| a | b |\n|---|---|\n| 1 | 2 |')).toEqual(['markdown']);
    expect(kinds('## Result\n\nI changed **two** files.')).toEqual(['markdown']);
    expect(kinds('costs $2 * 3 ** 4')).toEqual(['plain']);
  });

  test('have frames that keep their shape', () => {
    const parts = partsOf('Look:\n┌───┐\n│ x │\n└───┘\nThat is it.', 'terminal');
    expect(parts).toEqual([
      { kind: 'plain', text: 'Look:' },
      { kind: 'drawing', text: '┌───┐\n│ x │\n└───┘' },
      { kind: 'plain', text: 'That is it.' },
    ]);
  });

  test('have tool calls with what came of them', () => {
    const text = [
      '⏺ Let me look,',
      '  line by line.',
      '',
      '⏺ Bash(ls -la',
      '      --color)',
      '  ⎿  total 8',
      '     app.ts',
      '',
      '     … +10 lines (ctrl+o to expand)',
      '',
      '⏺ There it is.',
    ].join('\n');
    expect(partsOf(text, 'terminal')).toEqual([
      { kind: 'plain', text: 'Let me look,\nline by line.' },
      {
        kind: 'tool',
        title: 'Bash(ls -la --color)',
        output: 'total 8\napp.ts\n\n… +10 lines (ctrl+o to expand)',
      },
      { kind: 'plain', text: 'There it is.' },
    ]);
    expect(partsOf('• Ran npm test\n  └ 3 passed', 'terminal')).toEqual([
      { kind: 'tool', title: 'Ran npm test', output: '3 passed' },
    ]);
    expect(partsOf('● Read(src/app.ts)', 'terminal')).toEqual([
      { kind: 'tool', title: 'Read(src/app.ts)', output: '' },
    ]);
  });

  test('with bullets are lists, not tool calls', () => {
    expect(kinds('• one\n• two\n  more of two\n• three')).toEqual(['plain']);
  });
});

test('of agents that speak ACP everything is Markdown, and tool calls stand where they were made', () => {
  const text = 'First.\n\n[Tool: read] Read src/app.ts\n\n[Tool Status: completed]\nThen.';
  expect(partsOf(text, 'acp')).toEqual([
    { kind: 'markdown', text: 'First.' },
    { kind: 'tool', title: 'Read src/app.ts', output: '' },
    { kind: 'markdown', text: 'Then.' },
  ]);
});

test('what a person writes is shown as it was written, unless it is Markdown', () => {
  expect(kinds('  two  blanks\nand a line', 'user')).toEqual(['plain']);
  expect(kinds('Why does `a` fail?\n\n```\na()\n```', 'user')).toEqual(['markdown']);
});

test('no text is too strange, and no word of it is lost', () => {
  const line = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom(
      '⏺ Bash(ls)',
      '  ⎿  out',
      '     more',
      '│ a │',
      '```',
      '# h',
      '- a',
      '',
      '   ',
      '• x',
      '\t',
    ),
  );
  fc.assert(
    fc.property(
      fc.array(line, { maxLength: 20 }),
      fc.constantFrom('user', 'terminal', 'acp'),
      (lines, source) => {
        const text = lines.join('\n');
        const shown = partsOf(text, source)
          .map((part) => (part.kind === 'tool' ? `${part.title} ${part.output}` : part.text))
          .join(' ');
        for (const word of text.match(/[a-z]{2,}/giu) ?? []) expect(shown).toContain(word);
      },
    ),
  );
});

test('no text repeats itself too often', () => {
  for (const piece of ['```\n', '[a](', '**', '|', '⏺ a\n ', '`', '- ']) {
    expect(looksLikeMarkdown(piece.repeat(50_000))).toBeTypeOf('boolean');
    expect(partsOf(piece.repeat(50_000), 'terminal')).toBeDefined();
  }
});
