import { describe, expect, test } from 'vitest';
import type { AgentType } from '../../agent-type.ts';
import { findDialog } from '../readiness.ts';

const UP = '\x1b[A';
const DOWN = '\x1b[B';

function choicesOn(type: AgentType, ...lines: readonly string[]) {
  return findDialog(type, `${lines.join('\n')}\n`)?.choices.map(({ label, keys }) => ({ label, keys }));
}

describe('the choices of a dialog and the keys that take them', () => {
  test('numbered ones, from the chosen one upwards and downwards', () => {
    expect(choicesOn('claude', 'Proceed?', '  1. Yes', '❯ 2. Yes, always', '  3. No (esc)')).toEqual([
      { label: 'Yes', keys: [UP, '\r'] },
      { label: 'Yes, always', keys: ['\r'] },
      { label: 'No (esc)', keys: [DOWN, '\r'] },
    ]);
  });

  test('numbered ones with descriptions in between', () => {
    expect(choicesOn('claude', 'Colour?', '❯ 1. Red', '     warm', '  2. Blue', '     cold')).toEqual([
      { label: 'Red', keys: ['\r'] },
      { label: 'Blue', keys: [DOWN, '\r'] },
    ]);
  });

  test('framed ones', () => {
    const framed = ['╭──────────╮', '│ Trust?   │', '│ ● 1. Yes │', '│   2. No  │', '╰──────────╯'];
    expect(choicesOn('gemini', ...framed)).toEqual([
      { label: 'Yes', keys: ['\r'] },
      { label: 'No', keys: [DOWN, '\r'] },
    ]);
  });

  test('ones without numbers', () => {
    expect(choicesOn('goose', '◆  Allow?', '│  ○ Allow', '│  ○ Always Allow', '│  ● Deny', '└')).toEqual([
      { label: 'Allow', keys: [UP, UP, '\r'] },
      { label: 'Always Allow', keys: [UP, '\r'] },
      { label: 'Deny', keys: ['\r'] },
    ]);
    expect(choicesOn('cursor', 'Run this command?', '→ Run (y) (enter)', '  Reject (esc or p)')).toEqual([
      { label: 'Run (y) (enter)', keys: ['\r'] },
      { label: 'Reject (esc or p)', keys: [DOWN, '\r'] },
    ]);
  });

  test('none where all stand in one row', () => {
    expect(
      choicesOn(
        'opencode',
        '┃  △ Permission required',
        '┃    $ ls',
        '┃',
        '┃  Allow once   Allow always   Reject',
      ),
    ).toEqual([]);
  });
});
