import type { AgentStatus, Message } from '@agentapi-proxy/client';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { changesSince, parseCursor } from './conversation.ts';
import type { Snapshot } from './conversation.ts';

const content = fc.string({ unit: 'grapheme', maxLength: 12 });
const status = fc.constantFrom<AgentStatus>('stable', 'running');

function conversationOf(contents: readonly string[]): readonly Message[] {
  return contents.map((text, id) => ({
    id,
    role: id % 2 === 0 ? 'agent' : 'user',
    content: text,
    time: '2026-01-01T00:00:00Z',
  }));
}

/** A conversation and what became of it: the last message has another text, and there are more. */
const growth = fc
  .record({
    before: fc.array(content, { maxLength: 5 }),
    last: content,
    more: fc.array(content, { maxLength: 4 }),
  })
  .map(({ before, last, more }) => ({
    before: conversationOf(before),
    after: conversationOf([...before.slice(0, -1), ...(before.length === 0 ? [] : [last]), ...more]),
  }));

function positionOf(snapshot: Snapshot) {
  return parseCursor(changesSince(undefined, snapshot).cursor) ?? undefined;
}

describe('changes since a cursor', () => {
  test('whoever applies them has the conversation as it is now', () => {
    fc.assert(
      fc.property(growth, status, status, ({ before, after }, statusBefore, statusAfter) => {
        const position = positionOf({ status: statusBefore, messages: before });
        const { events } = changesSince(position, { status: statusAfter, messages: after });
        const known = new Map(before.map((message) => [message.id, message]));
        let knownStatus = statusBefore;
        for (const event of events) {
          if (event.kind === 'status_change') knownStatus = event.status;
          else known.set(event.message.id, event.message);
        }
        expect([...known.values()]).toEqual(after);
        expect(knownStatus).toBe(statusAfter);
      }),
    );
  });

  test('there are none when nothing has happened, and the cursor stays the same', () => {
    fc.assert(
      fc.property(fc.array(content), status, (contents, now) => {
        const snapshot = { status: now, messages: conversationOf(contents) };
        const { cursor } = changesSince(undefined, snapshot);
        expect(changesSince(parseCursor(cursor) ?? undefined, snapshot)).toEqual({ events: [], cursor });
      }),
    );
  });

  test('what is no cursor is told from one', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(parseCursor(text)).toBeNull();
      }),
    );
    for (const value of ['', '{}', '[1,"x"]', '[1.5,"x","stable"]', '[1,"x","asleep"]', 'null']) {
      expect(parseCursor(Buffer.from(value).toString('base64url'))).toBeNull();
    }
  });
});
