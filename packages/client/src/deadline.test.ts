import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Deadline, sleep, untilAborted } from './deadline.ts';
import { TimeoutError } from './errors.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe('Deadline', () => {
  test('aborts with a TimeoutError when the limit passes, not before', () => {
    const deadline = new Deadline('It', 1000);
    vi.advanceTimersByTime(999);
    expect(deadline.signal.aborted).toBe(false);
    expect(deadline.remainingMs()).toBe(1);
    vi.advanceTimersByTime(1);
    expect(deadline.signal.reason).toBeInstanceOf(TimeoutError);
    expect(deadline.remainingMs()).toBe(0);
  });

  test('aborts with the reason of the outer signal, also when that came first', () => {
    const outer = new AbortController();
    const during = new Deadline('It', 1000, outer.signal);
    const reason = new Error('enough');
    outer.abort(reason);
    expect(during.signal.reason).toBe(reason);
    expect(new Deadline('It', 1000, outer.signal).signal.reason).toBe(reason);
    during.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  test('takes limits that no timer can hold for "no limit"', () => {
    for (const limit of [Infinity, 2 ** 40]) {
      const deadline = new Deadline('It', limit);
      vi.advanceTimersByTime(60_000);
      expect(deadline.signal.aborted).toBe(false);
    }
    expect(vi.getTimerCount()).toBe(0);
  });

  test('leaves neither timer nor listener when closed', () => {
    const { signal } = new AbortController();
    const deadline = new Deadline('It', 1000, signal);
    deadline.close();
    expect(vi.getTimerCount()).toBe(0);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});

test('sleep ends by time or by abort, and leaves nothing behind either way', async () => {
  const stop = new AbortController();
  const slept = sleep(1000, stop.signal);
  await vi.advanceTimersByTimeAsync(1000);
  await slept;
  expect(getEventListeners(stop.signal, 'abort')).toEqual([]);
  const interrupted = sleep(1000, stop.signal);
  stop.abort(new Error('enough'));
  await expect(interrupted).rejects.toThrow('enough');
  await expect(sleep(1000, stop.signal)).rejects.toThrow('enough');
  expect(vi.getTimerCount()).toBe(0);
});

test('untilAborted follows the promise, or the signal if that is first, and detaches from it', async () => {
  const stop = new AbortController();
  expect(await untilAborted(Promise.resolve(1), stop.signal)).toBe(1);
  await expect(untilAborted(Promise.reject(new Error('no')), stop.signal)).rejects.toThrow('no');
  await Promise.resolve();
  expect(getEventListeners(stop.signal, 'abort')).toEqual([]);
  const waiting = untilAborted(new Promise(() => undefined), stop.signal);
  stop.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
});
