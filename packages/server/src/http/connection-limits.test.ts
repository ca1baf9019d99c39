import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ConnectionLimits } from './connection-limits.ts';

test('one address gets its share, a trusted proxy stands for many', () => {
  const limits = new ConnectionLimits({
    total: 100,
    perAddress: 2,
    exempt: (address) => address === 'proxy',
  });
  expect(['a', 'a', 'a', 'b', 'proxy', 'proxy', 'proxy'].map((address) => limits.enter(address))).toEqual([
    ...['everything', 'everything', 'nothing', 'everything'],
    ...['everything', 'everything', 'everything'],
  ]);
  // Only those that were let in have a place to leave.
  limits.leave('a');
  expect(limits.enter('a')).toBe('everything');
});

test('beyond the total the control plane can still be reached, and there is an end to that too', () => {
  const limits = new ConnectionLimits({ total: 3, perAddress: 1_000, exempt: () => false });
  const answers = Array.from({ length: 70 }, (_, i) => limits.enter(`a${i}`));
  expect(answers.slice(0, 4)).toEqual(['everything', 'everything', 'everything', 'control']);
  expect(answers.filter((answer) => answer === 'control')).toHaveLength(64);
  expect(answers.at(-1)).toBe('nothing');
});

test('who is turned away takes no place of the others', () => {
  const limits = new ConnectionLimits({ total: 3, perAddress: 2, exempt: () => false });
  const flood = Array.from({ length: 100 }, () => limits.enter('a'));
  expect(flood.filter((answer) => answer !== 'nothing')).toHaveLength(2);
  expect(limits.enter('b')).toBe('everything');
});

test('whatever comes and goes, afterwards everybody is let in again', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 50 }), (addresses) => {
      const limits = new ConnectionLimits({ total: 5, perAddress: 2, exempt: () => false });
      const admitted = addresses.filter((address) => limits.enter(address) !== 'nothing');
      for (const address of admitted.toReversed()) limits.leave(address);
      expect(['a', 'a', 'b', 'b', 'c'].map((address) => limits.enter(address))).toEqual(
        Array.from({ length: 5 }, () => 'everything'),
      );
    }),
  );
});
