import { expect, test } from 'vitest';
import { AttemptLimiter } from './attempt-limiter.ts';

const NOW = 1_800_000_000_000;

function failures(limiter: AttemptLimiter, address: string, count: number, now = NOW): void {
  for (let i = 0; i < count; i += 1) limiter.failed(address, now);
}

test('an address waits for the end of the minute after its last allowed failure, and no longer', () => {
  const limiter = new AttemptLimiter(3);
  failures(limiter, '192.0.2.1', 2);
  expect(limiter.waitSeconds('192.0.2.1', NOW)).toBe(0);
  failures(limiter, '192.0.2.1', 1, NOW + 20_500);
  expect(limiter.waitSeconds('192.0.2.1', NOW + 20_500)).toBe(40);
  expect(limiter.waitSeconds('192.0.2.1', NOW + 59_999)).toBe(1);
  expect(limiter.waitSeconds('192.0.2.1', NOW + 60_000)).toBe(0);
  failures(limiter, '192.0.2.1', 2, NOW + 60_000);
  expect(limiter.waitSeconds('192.0.2.1', NOW + 60_001)).toBe(0);
});

test('addresses are counted apart, IPv6 ones by the network of one subscriber', () => {
  const limiter = new AttemptLimiter(1);
  failures(limiter, '192.0.2.1', 1);
  expect(limiter.waitSeconds('192.0.2.2', NOW)).toBe(0);
  failures(limiter, '2001:db8:1:2:aaaa::1', 1);
  for (const same of ['2001:db8:1:2::9', '2001:0db8:0001:0002:ffff:ffff:ffff:ffff', '2001:DB8:1:2::']) {
    expect([same, limiter.waitSeconds(same, NOW)]).toEqual([same, 60]);
  }
  for (const other of ['2001:db8:1:3::9', '2001:db8::1:2', '::1', 'fe80::1%eth0']) {
    expect([other, limiter.waitSeconds(other, NOW)]).toEqual([other, 0]);
  }
});

test('no number of addresses makes it remember more than ten thousand', () => {
  const limiter = new AttemptLimiter(1);
  limiter.failed('10.0.0.0', NOW);
  for (let i = 1; i <= 10_000; i += 1) {
    limiter.failed(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, NOW);
  }
  expect(limiter.waitSeconds('10.0.0.0', NOW)).toBe(0);
  expect(limiter.waitSeconds('10.0.0.1', NOW)).toBe(60);
});

test('0 in the configuration is no limit', () => {
  const limiter = new AttemptLimiter(Number.POSITIVE_INFINITY);
  failures(limiter, '192.0.2.1', 1000);
  expect(limiter.waitSeconds('192.0.2.1', NOW)).toBe(0);
});
