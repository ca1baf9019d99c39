import { afterEach, expect, test, vi } from 'vitest';
import { observe, type Conversation } from './observe.ts';
import { sleep } from './deadline.ts';

afterEach(() => {
  vi.useRealTimers();
});

test('a stream held back by something in between is replaced by polling', async () => {
  vi.useFakeTimers();
  const closed = { stream: false };
  const conversation: Conversation = {
    id: 's1',
    async *events({ signal }) {
      try {
        await sleep(3_600_000, signal);
        yield { kind: 'status_change', status: 'running' };
      } finally {
        closed.stream = true;
      }
    },
    status: () => Promise.resolve({ status: 'stable' }),
    messages: () => Promise.resolve([{ id: 0, role: 'agent', content: 'Hi', time: 't' }]),
    send: () => Promise.reject(new Error('not part of this test')),
    details: () => Promise.reject(new Error('not part of this test')),
  };
  const observations = observe(conversation, new AbortController().signal);
  const first = observations.next();
  await vi.advanceTimersByTimeAsync(9_000);
  expect(closed.stream).toBe(false);
  await vi.advanceTimersByTimeAsync(2_000);
  const { value } = await first;
  expect(closed.stream).toBe(true);
  expect(value).toMatchObject({ status: 'stable', statusReports: 1 });
  await observations.return();
  expect(vi.getTimerCount()).toBe(0);
});
