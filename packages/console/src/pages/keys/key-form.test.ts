import { expect, test } from 'vitest';
import { allowedKeyForm, NEW_KEY } from './key-form.ts';

test('a form that is gone on with under another key asks for nothing that this key cannot give', () => {
  const form = {
    ...NEW_KEY,
    name: 'CI',
    holder: 'bob',
    role: 'admin',
    isOfRole: false,
    permissions: new Set(['session:list', 'audit:read']),
  } as const;
  expect(allowedKeyForm(form, true, () => true)).toEqual(form);
  expect(allowedKeyForm(form, false, (permission) => permission !== 'audit:read')).toEqual({
    ...form,
    holder: '',
    role: 'user',
    permissions: new Set(['session:list']),
  });
});
