import { describe, expect, test } from 'vitest';
import { AppError } from '../errors.ts';
import { authorize, canAccess } from './authorize.ts';
import { PERMISSIONS, ROLE_PERMISSIONS } from './permissions.ts';

function principal(role: string, permissions: readonly string[]) {
  return { userId: 'alice', role, permissions: new Set(permissions) };
}

describe('authorize', () => {
  test.each(PERMISSIONS)('PX-047: %s alone permits exactly itself', (held) => {
    const permitted = PERMISSIONS.filter((wanted) => {
      try {
        authorize(principal('user', [held]), wanted);
        return true;
      } catch (error) {
        if (error instanceof AppError && error.code === 'insufficient_permissions') return false;
        throw error;
      }
    });
    expect(permitted).toEqual([held]);
  });

  test('PX-048: * permits everything', () => {
    for (const wanted of PERMISSIONS) expect(() => authorize(principal('user', ['*']), wanted)).not.toThrow();
  });

  test('PX-049: the role admin permits nothing by itself', () => {
    for (const wanted of PERMISSIONS) {
      expect(() => authorize(principal('admin', []), wanted)).toThrow('Insufficient permissions');
    }
  });

  test('PX-054: the permissions of readonly list sessions, but neither start nor use them', () => {
    const reader = principal('readonly', ROLE_PERMISSIONS.readonly);
    expect(() => authorize(reader, 'session:list')).not.toThrow();
    expect(() => authorize(reader, 'session:create')).toThrow('Insufficient permissions');
    expect(() => authorize(reader, 'session:access')).toThrow('Insufficient permissions');
  });
});

describe('canAccess', () => {
  test('PX-050: everybody but admin may use only the own sessions, even with *', () => {
    expect(canAccess(principal('user', ['*']), 'alice')).toBe(true);
    expect(canAccess(principal('user', ['*']), 'bob')).toBe(false);
  });

  test('PX-051: admin may use the sessions of others', () => {
    expect(canAccess(principal('admin', ['session:list']), 'bob')).toBe(true);
  });
});
