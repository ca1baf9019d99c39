import { expect, test } from 'vitest';
import { stopwatch, takesMessages, workOf } from './session-work.ts';

test('what a session does follows from its state, its agent and whether that asks', () => {
  expect(workOf('creating', undefined, false)).toBe('preparing');
  expect(workOf('running', undefined, false)).toBe('connecting');
  expect(workOf('running', 'running', false)).toBe('working');
  expect(workOf('running', 'running', true)).toBe('asking');
  expect(workOf('running', 'stable', false)).toBe('waiting');
  expect(workOf('failed', 'stable', true)).toBe('failed');
});

test('messages are taken from the beginning of a session to its end', () => {
  const works = ['preparing', 'starting', 'connecting', 'working', 'waiting', 'asking'] as const;
  expect(works.every(takesMessages)).toBe(true);
  expect((['stopping', 'stopped', 'failed'] as const).some(takesMessages)).toBe(false);
});

test('durations look like those of a stopwatch', () => {
  expect([-5, 0, 999, 61_000, 3_723_000].map(stopwatch)).toEqual(['0:00', '0:00', '0:00', '1:01', '1:02:03']);
});
