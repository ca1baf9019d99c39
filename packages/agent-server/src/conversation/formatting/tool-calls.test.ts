import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { AGENT_TYPES } from '../../agent-type.ts';
import { removeToolCalls } from './pipeline.ts';

const rows = (...lines: string[]): string => lines.join('\n');
const head = '⏺ coder - coder_report_task (MCP)(summary: "Snake", state: "working")';
const result = ['  ⎿  {', '       "message": "Thanks for reporting!"', '     }'];

describe('claude', () => {
  const remove = (...lines: string[]) => removeToolCalls('claude', rows(...lines));

  test('AA-131: complete calls are taken out and returned, the last one first', () => {
    const second = head.replace('Snake', 'Done');
    expect(remove('one', head, ...result, '', 'two', second, ...result, 'three')).toEqual({
      text: rows('one', '', 'two', 'three'),
      calls: [rows(second, ...result), rows(head, ...result)],
    });
  });

  test('AA-131: a call at the head leaves no line ends behind', () => {
    expect(remove(head, ...result, '', '', 'reply')).toEqual({
      text: 'reply',
      calls: [rows(head, ...result)],
    });
    expect(remove('', '', 'reply', '')).toEqual({ text: 'reply\n', calls: [] });
    // Only line ends: a row of spaces is part of the text.
    expect(remove('', '  ', 'reply')).toEqual({ text: '  \nreply', calls: [] });
  });

  test('AA-131: a call that is being drawn goes down to the last blank line, and is not returned', () => {
    expect(remove('one', head, '  ⎿  {', '', 'between', '  ', 'two')).toEqual({
      text: rows('one', 'two'),
      calls: [],
    });
    expect(remove('one', head, '  ⎿  {', '     "message": "Tha')).toEqual({ text: 'one', calls: [] });
    expect(remove('one', head, '  ⎿  {', '     "message": "Thanks for reporting!"')).toEqual({
      text: 'one',
      calls: [],
    });
  });

  test('AA-131: a complete call before one that is being drawn is returned', () => {
    expect(remove(head, ...result, 'text', head, '  ⎿  {')).toEqual({
      text: 'text',
      calls: [rows(head, ...result)],
    });
  });

  test('AA-131: a blank line before a second head does not end the part that is hidden', () => {
    // The reference remembers it, and its range would end before it begins.
    expect(remove('one', head, '  ⎿  failed', '', 'two', head, '  ⎿  {')).toEqual({
      text: rows('one', head, '  ⎿  failed', '', 'two'),
      calls: [],
    });
  });

  test('AA-131: the result counts only between an opening and a closing brace', () => {
    const open = [head, '  ⎿  ', '       "message": "Thanks for reporting!"', '     }', 'more'];
    expect(remove('one', ...open)).toEqual({ text: 'one', calls: [] });
  });
});

describe('codex', () => {
  const remove = (...lines: string[]) => removeToolCalls('codex', rows(...lines));
  const call = [
    '•  Called',
    '  └ Coder.coder_report_task({"state":"working"})',
    '    {"message": "Thanks for reporting!"}',
  ];

  test('AA-132: calls are taken out with the blank lines after them, and returned last one first', () => {
    expect(remove('one', ...call, '', '  ', 'two', ...call)).toEqual({
      text: rows('one', 'two'),
      calls: [rows(...call), rows(...call, '', '  ')],
    });
  });

  test('AA-132: an unfinished call stays, and so do calls of other tools', () => {
    const unfinished = ['one', ...call.slice(0, 2)];
    expect(remove(...unfinished)).toEqual({ text: rows(...unfinished), calls: [] });
    const other = ['• Called', '  └ Coder.coder_list()', '    {"message": "Thanks for reporting!"}'];
    expect(remove(...other)).toEqual({ text: rows(...other), calls: [] });
  });

  test('AA-132: line ends at the end go, also where nothing was found', () => {
    expect(remove('one', '', '')).toEqual({ text: 'one', calls: [] });
    expect(remove('one', ...call, 'two', '', '')).toEqual({
      text: rows('one', 'two'),
      calls: [rows(...call)],
    });
  });
});

test('AA-132: other types keep their text', () => {
  const text = rows(
    '',
    head,
    ...result,
    '• Called',
    '  └ Coder.coder_report_task()',
    '{"message": "Thanks for reporting!"}',
    '',
  );
  for (const type of AGENT_TYPES.filter((type) => type !== 'claude' && type !== 'codex')) {
    expect(removeToolCalls(type, text)).toEqual({ text, calls: [] });
  }
});

test('AA-131, AA-132: for any arrangement of parts, what is left and what is returned are lines of the text', () => {
  const part = fc.constantFrom(
    ...[
      head,
      ...result,
      '',
      '  ',
      'text',
      '• Called',
      '  └ Coder.coder_report_task({})',
      '{"message": "Thanks for reporting!"}',
    ],
  );
  fc.assert(
    fc.property(fc.constantFrom('claude', 'codex'), fc.array(part, { maxLength: 40 }), (type, lines) => {
      const { text, calls } = removeToolCalls(type, rows(...lines));
      for (const call of calls) expect(`\n${rows(...lines)}\n`).toContain(`\n${call}\n`);
      let next = 0;
      const kept = text.split('\n');
      for (const line of lines) if (line === kept[next]) next += 1;
      expect(text === '' || next === kept.length).toBe(true);
    }),
    { numRuns: 500 },
  );
});

test('AA-131, AA-132: a megabyte of heads, results or blank lines is handled', () => {
  for (const unit of [
    `${head}\n`,
    '\n',
    '"message": "Thanks for reporting!"\n',
    '• Called\nCoder.coder_report_task\n',
  ]) {
    const text = `${head}\nCoder.coder_report_task\n${unit.repeat(1_000_000 / unit.length)}`;
    for (const type of ['claude', 'codex'] as const) {
      expect(removeToolCalls(type, text).text.length).toBeLessThanOrEqual(text.length);
    }
  }
});
