import { expect, test } from 'vitest';
import { pair, pairProblems, problemsBelow, recordOf, withPairs } from './pairs.ts';

const shown = (pairs: ReturnType<typeof withPairs>) => pairs.map(({ name, value }) => [name, value]);

test('lines become a record: blank ones do not count, names lose the blanks around them', () => {
  expect(recordOf([pair(' A ', ' 1 '), pair(), pair('B', '')])).toEqual({ A: ' 1 ', B: '' });
});

test('lines that are added take the place of those with their name, and of blank ones', () => {
  const before = [pair('A', '1'), pair(), pair('B', '', true)];
  const after = withPairs(before, [
    { name: 'B', value: '2' },
    { name: 'C', value: '3' },
  ]);
  expect(shown(after)).toEqual([
    ['A', '1'],
    ['B', '2'],
    ['C', '3'],
  ]);
  expect(after[1]).toMatchObject({ key: before[2]?.key });
  expect(after[1]?.isKept).toBeUndefined();
});

test('a line without a name, and a name that is there twice, are problems', () => {
  expect([...pairProblems([pair('A', '1'), pair()])]).toEqual([]);
  expect([...pairProblems([pair('A', '1'), pair(' A ', '2'), pair('', '3')]).keys()]).toEqual(['A', '']);
  // What the server has must not be lost without a word.
  expect([...pairProblems([pair('A', '', true), pair('A', '2')]).keys()]).toEqual(['A']);
});

test('problems of a member are told by the names of its lines, dots or not', () => {
  const problems = new Map([
    ['environment', 'too many'],
    ['environment.A.B', 'bad'],
    ['environments', 'other'],
    ['tags.A', 'other'],
  ]);
  expect([...problemsBelow(problems, 'environment')]).toEqual([
    ['', 'too many'],
    ['A.B', 'bad'],
  ]);
});
