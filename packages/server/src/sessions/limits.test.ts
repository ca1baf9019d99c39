import { describe, expect, test, vi } from 'vitest';
import { StartLimiter } from './limits.ts';

const NOW = 1_000_000;

describe('StartLimiter', () => {
  test('PX-092: refuses a session over the limit of its owner, and takes it when one has ended', () => {
    const limiter = new StartLimiter({ perUser: 1, total: 10, startsPerMinute: 10 });
    const release = limiter.admit('alice', NOW);
    expect(() => limiter.admit('alice', NOW)).toThrow(
      expect.objectContaining({ code: 'too_many_sessions', retryAfterSeconds: expect.any(Number) }),
    );
    expect(() => limiter.admit('bob', NOW)).not.toThrow();
    release();
    expect(() => limiter.admit('alice', NOW)).not.toThrow();
  });

  test('PX-092: refuses a session over the limit of the server', () => {
    const limiter = new StartLimiter({ perUser: 10, total: 2, startsPerMinute: 10 });
    limiter.admit('alice', NOW);
    limiter.admit('bob', NOW);
    expect(() => limiter.admit('carol', NOW)).toThrow(expect.objectContaining({ code: 'too_many_sessions' }));
  });

  test('giving a place back twice frees one place only', () => {
    const limiter = new StartLimiter({ perUser: 2, total: 2, startsPerMinute: 10 });
    const release = limiter.admit('alice', NOW);
    limiter.admit('alice', NOW);
    release();
    release();
    limiter.admit('alice', NOW);
    expect(() => limiter.admit('alice', NOW)).toThrow();
  });

  test('DF-21: limits the rate of starts by owner, and says when to come back', () => {
    const limiter = new StartLimiter({ perUser: 10, total: 10, startsPerMinute: 2 });
    limiter.admit('alice', NOW)();
    limiter.admit('alice', NOW + 20_000)();
    expect(() => limiter.admit('alice', NOW + 30_000)).toThrow(
      expect.objectContaining({ code: 'too_many_starts', retryAfterSeconds: 30 }),
    );
    expect(() => limiter.admit('bob', NOW + 30_000)).not.toThrow();
    expect(() => limiter.admit('alice', NOW + 60_000)).not.toThrow();
  });

  test('DF-21: a minute is over after a minute, also when the time of day is set back meanwhile', () => {
    vi.useFakeTimers({ toFake: ['Date', 'performance'] });
    try {
      const limiter = new StartLimiter({ perUser: 10, total: 10, startsPerMinute: 1 });
      limiter.admit('alice')();
      vi.setSystemTime(Date.now() - 3_600_000);
      expect(() => limiter.admit('alice')).toThrow(
        expect.objectContaining({ code: 'too_many_starts', retryAfterSeconds: 60 }),
      );
      vi.advanceTimersByTime(60_000);
      expect(() => limiter.admit('alice')).not.toThrow();
    } finally {
      vi.useRealTimers();
    }
  });
});
