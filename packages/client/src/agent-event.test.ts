import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseAgentEvent } from './agent-event.ts';

test('PX-215: the known events are typed; additional members are tolerated', () => {
  expect(
    parseAgentEvent({
      name: 'message_update',
      data: '{"id":3,"role":"agent","message":"a\\u003cb","time":"2026-01-01T00:00:00+02:00","x":1}',
    }),
  ).toEqual({
    kind: 'message_update',
    message: { id: 3, role: 'agent', content: 'a<b', time: '2026-01-01T00:00:00+02:00' },
  });
  expect(
    parseAgentEvent({ name: 'status_change', data: '{"status":"stable","agent_type":"claude"}' }),
  ).toEqual({
    kind: 'status_change',
    status: 'stable',
    agent_type: 'claude',
  });
  const error = { message: 'm', level: 'warning', time: 't' };
  expect(parseAgentEvent({ name: 'agent_error', data: JSON.stringify(error) })).toEqual({
    kind: 'agent_error',
    ...error,
  });
});

test('PX-215: unknown names and unreadable data are passed on as they are', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.constantFrom('message_update', 'status_change', 'agent_error')),
      fc.oneof(fc.string(), fc.json()),
      (name, data) => {
        expect(parseAgentEvent({ name, data })).toEqual({ kind: 'unknown', name, data });
      },
    ),
  );
});
