import { describe, expect, test } from 'vitest';
import { closestName } from './closest-name.ts';

describe('closestName', () => {
  test.each([
    ['auht', 'auth'],
    ['prot', 'port'],
    ['startPort', 'start_port'],
    ['data-dir', 'data_dir'],
    ['PORT', 'port'],
    ['hosts', 'host'],
  ])('%s most likely means %s', (mistyped, meant) => {
    expect(closestName(mistyped, ['auth', 'port', 'start_port', 'data_dir', 'host'])).toBe(meant);
  });

  test.each(['completely_different', 'x'.repeat(5000), ''])('nothing is near to %s', (mistyped) => {
    expect(closestName(mistyped, ['auth', 'port', 'start_port'])).toBeNull();
  });
});
