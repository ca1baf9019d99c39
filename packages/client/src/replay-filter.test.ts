import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AgentEvent } from './agent-event.ts';
import { ReplayFilter } from './replay-filter.ts';
import type { AgentStatus } from './schemas.ts';

const message = (id: number, content: string, role: 'agent' | 'user' = 'agent'): AgentEvent => ({
  kind: 'message_update',
  message: { id, role, content, time: '2026-01-01T00:00:00Z' },
});
const status = (status: AgentStatus): AgentEvent => ({ kind: 'status_change', status, agent_type: 'demo' });
const agentError = (text: string, time = '2026-01-01T00:00:00Z'): AgentEvent => ({
  kind: 'agent_error',
  message: text,
  level: 'error',
  time,
});

function connect(filter: ReplayFilter, events: readonly AgentEvent[]): AgentEvent[] {
  filter.connected();
  return events.filter((event) => filter.isNews(event));
}

describe('ReplayFilter', () => {
  test('PX-215: an unchanged replay is no news', () => {
    const filter = new ReplayFilter();
    const events = [
      message(0, 'hi'),
      message(1, 'x', 'user'),
      status('stable'),
      agentError('e'),
      agentError('e'),
    ];
    expect(connect(filter, events)).toEqual(events);
    expect(connect(filter, events)).toEqual([]);
    expect(connect(filter, events)).toEqual([]);
  });

  test('PX-215: what changed while the connection was gone is news, and so is the status that completes it', () => {
    const filter = new ReplayFilter();
    connect(filter, [message(0, 'hi'), status('stable')]);
    expect(
      connect(filter, [message(0, 'hi'), message(1, 'q', 'user'), message(2, 'a'), status('stable')]),
    ).toEqual([message(1, 'q', 'user'), message(2, 'a'), status('stable')]);
  });

  test('an error repeated by the agent itself is news; the same one replayed is not', () => {
    const filter = new ReplayFilter();
    connect(filter, [agentError('e')]);
    expect(connect(filter, [agentError('e'), agentError('e'), agentError('f')])).toEqual([
      agentError('e'),
      agentError('f'),
    ]);
  });

  test('events of unknown meaning are never dropped', () => {
    const filter = new ReplayFilter();
    const unknown: AgentEvent = { kind: 'unknown', name: 'new', data: '1' };
    expect(connect(filter, [unknown, unknown])).toEqual([unknown, unknown]);
    expect(connect(filter, [unknown])).toEqual([unknown]);
  });

  test('PX-215: wherever connections break, the consumer ends with the state of the server', () => {
    const change = fc.oneof(
      fc.record({ id: fc.nat(3), content: fc.constantFrom('a', 'b', 'c') }),
      fc.record({ status: fc.constantFrom<AgentStatus>('stable', 'running') }),
      fc.record({ error: fc.constantFrom('e', 'f') }),
      fc.constant('break' as const),
    );
    fc.assert(
      fc.property(fc.array(change), (changes) => {
        const filter = new ReplayFilter();
        const server = {
          messages: new Map<number, string>(),
          status: 'running' as AgentStatus,
          errors: [] as string[],
        };
        const seen = {
          messages: new Map<number, string>(),
          status: undefined as AgentStatus | undefined,
          errors: [] as string[],
        };
        let repeated = 0;
        const deliver = (event: AgentEvent) => {
          if (!filter.isNews(event)) return;
          if (event.kind === 'message_update') {
            if (seen.messages.get(event.message.id) === event.message.content) repeated += 1;
            seen.messages.set(event.message.id, event.message.content);
          } else if (event.kind === 'status_change') seen.status = event.status;
          else if (event.kind === 'agent_error') seen.errors.push(event.message);
        };
        const replay = () => {
          filter.connected();
          for (const [id, content] of server.messages) deliver(message(id, content));
          deliver(status(server.status));
          for (const error of server.errors) deliver(agentError(error));
        };
        let online = true;
        replay();
        for (const step of changes) {
          if (step === 'break') {
            if (!online) replay();
            online = !online;
          } else if ('id' in step) {
            if (server.messages.get(step.id) === step.content) continue;
            server.messages.set(step.id, step.content);
            if (online) deliver(message(step.id, step.content));
          } else if ('status' in step) {
            if (server.status === step.status) continue;
            server.status = step.status;
            if (online) deliver(status(step.status));
          } else {
            server.errors.push(step.error);
            if (online) deliver(agentError(step.error));
          }
        }
        if (!online) replay();
        expect(seen).toEqual(server);
        expect(repeated).toBe(0);
      }),
    );
  });
});
