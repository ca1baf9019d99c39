import type { ConversationMessage } from '@agentapi-proxy/client';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { lastEventOf, withMessages } from './message-list.ts';

const message = (id: number, event_id: number): ConversationMessage => ({
  id,
  role: 'agent',
  content: `${id} as of ${event_id}`,
  time: '2026-01-01T00:00:00Z',
  event_id,
});

test('pages and events may come in any order: of two versions the later counts, and all are in order', () => {
  const version = fc.tuple(fc.nat(20), fc.integer({ min: 1, max: 50 }));
  fc.assert(
    fc.property(fc.array(fc.array(version, { maxLength: 6 }), { maxLength: 20 }), (batches) => {
      const latest = new Map<number, number>();
      let known: readonly ConversationMessage[] = [];
      for (const batch of batches) {
        for (const [id, event] of batch) latest.set(id, Math.max(latest.get(id) ?? 0, event));
        known = withMessages(
          known,
          batch.map(([id, event]) => message(id, event)),
        );
      }
      const expected = [...latest].sort(([a], [b]) => a - b).map(([id, event]) => message(id, event));
      expect(known).toEqual(expected);
      expect(lastEventOf(known)).toBe(Math.max(0, ...latest.values()));
    }),
  );
});

test('messages that have not changed are the same objects, so that they are not drawn again', () => {
  const known = [message(0, 1), message(1, 2)];
  const after = withMessages(known, [message(1, 3)]);
  expect(after[0]).toBe(known[0]);
  expect(withMessages(known, [message(1, 2)])).toBe(known);
  expect(withMessages(known, [])).toBe(known);
});
