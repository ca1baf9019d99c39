import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { createHostCheck } from './host-check.ts';

test('AA-025: whatever a Host header says, only an allowed name with or without a port passes', () => {
  const check = createHostCheck(['localhost', '127.0.0.1', '[::1]']);
  const allowed = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d*)?$/i;
  const tricky = fc.stringMatching(
    /^(?:localhost|127\.0\.0\.1|\[::1\]|::1)?[@:/.\\#? [\]\d]{0,4}(?:localhost|evil)?$/,
  );
  fc.assert(
    fc.property(fc.oneof(tricky, fc.string()), (host) => {
      expect([host, check.allows(host)]).toEqual([host, allowed.test(host)]);
    }),
    { numRuns: 2000 },
  );
});

test('AA-024: the refusal shows the hosts without brackets', () => {
  expect(createHostCheck(['localhost', '[::1]']).shown).toBe('localhost, ::1');
});
