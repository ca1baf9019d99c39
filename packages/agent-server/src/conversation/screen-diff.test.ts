import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { screenDiff } from './screen-diff.ts';
import { isBlank } from './text-lines.ts';

const FIXTURES = fileURLToPath(
  new URL('../../test/fixtures/agentapi/lib/screentracker/testdata/diff/', import.meta.url),
);
const read = (path: string): string => readFileSync(`${FIXTURES}${path}`, 'utf8');

/** A screen as the terminal gives it: rows padded to the width, an LF after each. */
function screenOf(rows: readonly string[], height: number, width = 20): string {
  return Array.from({ length: height }, (_, i) => `${(rows[i] ?? '').padEnd(width)}\n`).join('');
}

/** The rule of agentapi section 4.3, word for word: what the reference does. */
function referenceDiff(oldScreen: string, newScreen: string, opencode = false): string {
  const old = new Set(oldScreen.split('\n'));
  const lines = newScreen.split('\n');
  const compared = lines.slice(opencode && lines.length >= 3 ? 3 : 0);
  const found = compared.findIndex((line) => !old.has(line));
  let rest = found === -1 ? [] : lines.slice(found);
  if (rest.some((line) => !isBlank(line))) {
    rest = rest.slice(
      rest.findIndex((line) => !isBlank(line)),
      rest.findLastIndex((line) => !isBlank(line)) + 1,
    );
  }
  return rest.join('\n');
}

describe('recorded screens', () => {
  test.each(readdirSync(FIXTURES))('AA-105: the new part of %s', (name) => {
    const diff = screenDiff(read(`${name}/before.txt`), read(`${name}/after.txt`), 'custom');
    expect(diff).toBe(read(`${name}/expected.txt`));
  });
});

test('AA-105: equal screens have no new part', () => {
  expect(screenDiff('123', '123', 'custom')).toBe('');
  expect(screenDiff('a\nb\n', 'a\nb\n', 'opencode')).toBe('');
});

test('AA-105: the new part starts with the first unseen line, without outer blank lines, with inner ones', () => {
  expect(screenDiff('123', '123\n  \n  \n  \n42', 'custom')).toBe('42');
  expect(screenDiff('89', '42', 'custom')).toBe('42');
  expect(screenDiff('', 'hello  \n\nworld\n\n', 'custom')).toBe('hello  \n\nworld');
  expect(screenDiff('a\nbox', 'a\nnew\n \nmore\nbox', 'custom')).toBe('new\n \nmore\nbox');
});

test('AA-105: a new part that is all blank stays as it is', () => {
  expect(screenDiff('a', 'a\n  \n ', 'custom')).toBe('  \n ');
});

test('AA-106: the header of opencode is not compared, and the start is counted without it', () => {
  const before = 'title\n10 tokens\n$0.01\nhello';
  expect(screenDiff(before, 'title\n20 tokens\n$0.02\nhello', 'opencode')).toBe('');
  expect(screenDiff(before, 'title\n20 tokens\n$0.02\nhello\nnew', 'opencode')).toBe(
    '20 tokens\n$0.02\nhello\nnew',
  );
  expect(screenDiff('a\nb', 'a\nc', 'opencode')).toBe('c');
  expect(screenDiff(before, 'title\n20 tokens\n$0.02\nhello', 'custom')).toBe('20 tokens\n$0.02\nhello');
});

test('AA-105: a reply that repeats what is on the screen is still new', () => {
  const before = screenOf(['> hi', 'hello', '>'], 20);
  const after = screenOf(['> hi', 'hello', '> hi', 'hello', '>'], 20);
  expect(
    screenDiff(before, after, 'custom')
      .split('\n')
      .map((row) => row.trim()),
  ).toEqual(['> hi', 'hello', '>']);
});

test('AA-107: a reply is found on a screen that has scrolled, also when it repeats rows that are gone', () => {
  const history = Array.from({ length: 18 }, (_, i) => `row ${i}`);
  const before = screenOf([...history, 'tail', '>'], 20);
  const scrolledBy = 4;
  const reply = ['> again', 'row 0', 'row 1', 'row 2'];
  const after = screenOf([...history.slice(scrolledBy), 'tail', ...reply, '>'], 20);
  expect(
    screenDiff(before, after, 'custom')
      .split('\n')
      .map((row) => row.trim()),
  ).toEqual([...reply, '>']);
  const repeated = screenOf([...history.slice(3), 'tail', 'row 0', 'row 1', 'row 2', '>'], 20);
  expect(
    screenDiff(before, repeated, 'custom')
      .split('\n')
      .map((row) => row.trim()),
  ).toEqual(['row 0', 'row 1', 'row 2', '>']);
});

test('AA-105: a screen that was cleared and filled anew is new as a whole', () => {
  expect(screenDiff(screenOf(['a', 'b'], 5), screenOf(['x', 'y'], 5), 'custom').split('\n')).toHaveLength(2);
});

/** Few different rows, so that repetitions, moves and scrolling are frequent. */
const rows = fc.array(fc.constantFrom('a', 'b', 'c', '', ' ', '  ', 'long row', '>', '🌮'), {
  maxLength: 40,
});
const anyScreen = fc.oneof(
  rows.map((lines) => lines.join('\n')),
  fc.string({ unit: 'binary', maxLength: 300 }),
);

test('AA-105: for any two screens the new part is a run of rows of the new one, at least what the reference finds', () => {
  fc.assert(
    fc.property(anyScreen, anyScreen, fc.boolean(), (before, after, opencode) => {
      const diff = screenDiff(before, after, opencode ? 'opencode' : 'custom');
      expect(`\n${after}\n`).toContain(diff === '' ? '' : `\n${diff}\n`);
      const reference = referenceDiff(before, after, opencode);
      const covered = diff.endsWith(reference) || isBlank(reference);
      expect(covered || before === after).toBe(true);
    }),
    { numRuns: 500 },
  );
});

test('AA-105: where no row repeats and nothing scrolls, the new part is the reference’s', () => {
  const distinct = fc.uniqueArray(
    fc.string({ unit: 'binary', minLength: 1 }).filter((row) => !/\s/u.test(row)),
    {
      minLength: 2,
    },
  );
  fc.assert(
    fc.property(distinct, fc.nat(), fc.nat(), (lines, a, b) => {
      const kept = lines.slice(0, a % lines.length);
      const before = [...kept, 'box'].join('\n');
      const after = [...kept, ...lines.slice(kept.length, kept.length + (b % lines.length)), 'box'].join(
        '\n',
      );
      expect(screenDiff(before, after, 'custom')).toBe(referenceDiff(before, after));
    }),
  );
});

test('AA-105: a megabyte of one line, of empty lines or of equal rows is compared', () => {
  const size = 1_000_000;
  for (const unit of ['x', '\n', 'ab\n', ' \n']) {
    const text = unit.repeat(size / unit.length);
    expect(screenDiff(text, `${text}\nend`, 'custom')).toBe('end');
    expect(screenDiff(`start\n${text}`, text, 'custom').length).toBeLessThanOrEqual(size);
  }
});
