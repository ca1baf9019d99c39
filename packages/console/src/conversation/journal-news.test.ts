import fc from 'fast-check';
import { expect, test } from 'vitest';
import { newsOf } from './journal-news.ts';

test('events of the journal are read', () => {
  const time = '2026-01-01T00:00:00Z';
  const data = { id: 3, role: 'agent', message: 'hi', time };
  expect(newsOf({ id: 7, name: 'message_update', data })).toEqual({
    kind: 'message',
    message: { id: 3, role: 'agent', content: 'hi', time, event_id: 7 },
  });
  expect(newsOf({ id: 1, name: 'status_change', data: { status: 'stable' } })).toMatchObject({
    status: 'stable',
  });
  expect(
    newsOf({ id: 1, name: 'agent_error', data: { message: 'm', level: 'warning', time } }),
  ).toMatchObject({
    notice: { level: 'warning' },
  });
  expect(newsOf({ id: 1, name: 'state_change', data: { state: 'failed', reason: 'r' } })).toEqual({
    kind: 'state',
    state: 'failed',
    reason: 'r',
  });
  expect(newsOf({ id: 1, name: 'journal_gap', data: {} })).toEqual({ kind: 'gap' });
});

test('what is not as it should be is left out, not thrown', () => {
  const names = fc.constantFrom(
    'message_update',
    'status_change',
    'agent_error',
    'state_change',
    'of the future',
  );
  fc.assert(
    fc.property(names, fc.jsonValue(), (name, data) => {
      expect(() => newsOf({ id: 1, name, data })).not.toThrow();
    }),
  );
});
