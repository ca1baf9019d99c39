import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isLive, Session, SESSION_STATES } from './session.ts';

function newSession(): Session {
  return new Session(
    {
      id: '3f0e2f0c-5a0e-4f7a-9f43-8a5ac1b7a001',
      ownerId: 'alice',
      agent: 'demo',
      agentType: 'custom',
      agentServer: 'embedded',
      tags: {},
      environmentNames: [],
      createdAt: new Date(),
    },
    9000,
  );
}

describe('Session', () => {
  test('keeps every state with its time and reason', () => {
    const session = newSession();
    session.transition('starting');
    session.transition('failed', 'no program');
    expect(session.history.map(({ state, reason }) => [state, reason])).toEqual([
      ['creating', undefined],
      ['starting', undefined],
      ['failed', 'no program'],
    ]);
    expect(session.reason).toBe('no program');
    for (const { at } of session.history) expect(at).toBeInstanceOf(Date);
  });

  test('whatever is tried, a state is left only forwards and an end is final', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...SESSION_STATES), { maxLength: 12 }), (attempts) => {
        const session = newSession();
        for (const attempt of attempts) {
          const before = session.state;
          const moved = session.transition(attempt);
          if (!isLive(before)) expect(moved).toBe(false);
          if (!moved) expect(session.state).toBe(before);
          if (attempt === 'failed' && moved) expect(['creating', 'starting', 'running']).toContain(before);
        }
        const states = session.history.map(({ state }) => state);
        expect(new Set(states).size).toBe(states.length);
        expect(session.ended.aborted).toBe(['stopping', 'stopped', 'failed'].includes(session.state));
      }),
    );
  });

  test('untilStarted waits for the end of the start, whatever it is', async () => {
    for (const end of ['running', 'failed', 'stopping'] as const) {
      const session = newSession();
      session.transition('starting');
      const waiting = session.untilStarted(AbortSignal.timeout(5_000));
      session.transition(end);
      await expect(waiting).resolves.toBeUndefined();
      await expect(session.untilStarted(AbortSignal.timeout(5_000))).resolves.toBeUndefined();
    }
  });

  test('untilStarted rejects when its caller gives up', async () => {
    const session = newSession();
    const controller = new AbortController();
    const waiting = session.untilStarted(controller.signal);
    controller.abort(new Error('given up'));
    await expect(waiting).rejects.toThrow('given up');
    await expect(session.untilStarted(controller.signal)).rejects.toThrow('given up');
  });
});
