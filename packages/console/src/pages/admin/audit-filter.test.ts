import { expect, test } from 'vitest';
import { auditFilterOf, auditQueryOf, NO_AUDIT_QUERY, searchOf } from './audit-filter.ts';

test('filters come back from the address as they were', () => {
  const filters = { ...NO_AUDIT_QUERY, user: 'a b', outcome: 'denied', since: '2026-01-01T10:00' } as const;
  expect(auditQueryOf(searchOf(filters))).toEqual(filters);
  expect(searchOf(NO_AUDIT_QUERY).toString()).toBe('');
});

test('what chooses nothing, or cannot be understood, is left out', () => {
  expect(auditQueryOf(new URLSearchParams('outcome=perhaps')).outcome).toBe('');
  expect(auditFilterOf({ ...NO_AUDIT_QUERY, user: ' ', since: 'yesterday' })).toEqual({});
  const filter = auditFilterOf({ ...NO_AUDIT_QUERY, target: ' x ', until: '2026-01-01T10:00' });
  expect(filter).toEqual({ target_id: 'x', until: new Date('2026-01-01T10:00').toISOString() });
});
