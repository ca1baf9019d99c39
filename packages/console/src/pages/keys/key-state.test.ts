import { expect, test } from 'vitest';
import { expiryTime, keyState } from './key-state.ts';

test('a key is good until it ends or is revoked', () => {
  const at = '2026-01-01T00:00:00.000Z';
  const now = Date.parse(at);
  expect(keyState({ revoked_at: null, expires_at: null }, now)).toBe('active');
  expect(keyState({ revoked_at: null, expires_at: at }, now - 1)).toBe('active');
  expect(keyState({ revoked_at: null, expires_at: at }, now)).toBe('expired');
  expect(keyState({ revoked_at: at, expires_at: at }, now)).toBe('revoked');
});

test('a new key ends when it was asked to, or never', () => {
  expect(expiryTime('never', 0)).toBeNull();
  expect(expiryTime('week', 0)).toBe('1970-01-08T00:00:00.000Z');
});
