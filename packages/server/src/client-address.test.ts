import { expect, test } from 'vitest';
import { TrustedProxies } from './client-address.ts';

const proxies = new TrustedProxies(['10.0.0.0/8', '2001:db8::/32']);

test.each([
  ['192.0.2.1', undefined, '192.0.2.1'],
  ['::ffff:192.0.2.1', undefined, '192.0.2.1'],
  // Whoever is no proxy says nothing that counts.
  ['192.0.2.1', '198.51.100.7', '192.0.2.1'],
  ['10.0.0.1', '198.51.100.7', '198.51.100.7'],
  ['::ffff:10.0.0.1', '198.51.100.7', '198.51.100.7'],
  // What stands before the last address outside can have been made up.
  ['10.0.0.1', '203.0.113.9, 198.51.100.7', '198.51.100.7'],
  ['10.0.0.1', '203.0.113.9, 198.51.100.7, 10.9.9.9', '198.51.100.7'],
  ['10.0.0.1', '10.1.1.1', '10.1.1.1'],
  ['2001:db8::1', '2a00::7', '2a00::7'],
  ['10.0.0.1', '[2a00::7]', '2a00::7'],
  ['10.0.0.1', '198.51.100.7, unknown', '10.0.0.1'],
  ['10.0.0.1', '', '10.0.0.1'],
  [undefined, '198.51.100.7', ''],
])('DF-16: from %s with X-Forwarded-For %s the client is %s', (peer, forwarded, client) => {
  const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded };
  expect(proxies.clientOf(peer, headers)).toBe(client);
});

test('DF-16: without trusted proxies nobody is believed', () => {
  expect(new TrustedProxies([]).clientOf('10.0.0.1', { 'x-forwarded-for': '192.0.2.1' })).toBe('10.0.0.1');
});
