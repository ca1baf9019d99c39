import type { Role } from '@agentapi-proxy/client';
import type { Expiry } from './key-state.ts';

/** What is asked about a new key. */
export interface KeyForm {
  readonly name: string;
  /** Whose it is; empty = one's own. */
  readonly holder: string;
  readonly role: Role;
  /** Whether it may do what its role may. */
  readonly isOfRole: boolean;
  /** What it may do otherwise. */
  readonly permissions: ReadonlySet<string>;
  readonly expiry: Expiry;
}

/** What the form shows at first. */
export const NEW_KEY: KeyForm = {
  name: '',
  holder: '',
  role: 'user',
  isOfRole: true,
  permissions: new Set(),
  expiry: 'quarter',
};

/** A form without what the person may not give, whose key is another than when it was filled in. */
export function allowedKeyForm(
  form: KeyForm,
  isAdmin: boolean,
  may: (permission: string) => boolean,
): KeyForm {
  return {
    ...form,
    holder: isAdmin ? form.holder : '',
    role: form.role === 'admin' && !isAdmin ? 'user' : form.role,
    permissions: new Set([...form.permissions].filter(may)),
  };
}
