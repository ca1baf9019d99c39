/** Every permission a key can hold; `*` stands for all of them (proxy-api section 3). */
export const PERMISSIONS = [
  'session:create',
  'session:list',
  'session:delete',
  'session:access',
  'profile:create',
  'profile:list',
  'profile:read',
  'profile:update',
  'profile:delete',
] as const;
export type Permission = (typeof PERMISSIONS)[number];

/** Holds every permission. */
export const ALL_PERMISSIONS = '*';

/**
 * What a newly made key of a role may do, unless it is told otherwise (DF-64, PX-021). Checks never look at
 * it: a key's permissions are those written in its entry.
 */
export const ROLE_PERMISSIONS: Readonly<Record<'admin' | 'user' | 'readonly', readonly string[]>> = {
  admin: [ALL_PERMISSIONS],
  user: [...PERMISSIONS],
  readonly: ['session:list', 'profile:list', 'profile:read'],
};
