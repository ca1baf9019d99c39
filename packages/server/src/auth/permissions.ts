/** Every permission a key can hold and what it is good for; `*` stands for all of them (proxy-api section 3). */
export const PERMISSION_PURPOSES = {
  'session:create': 'start sessions, with and without a profile',
  'session:list': 'list and search sessions',
  'session:delete': 'end and remove sessions',
  'session:access': 'use sessions: details, log, shares, everything below `/:sessionId/`',
  'profile:create': 'make profiles',
  'profile:list': 'list profiles',
  'profile:read': 'read a profile',
  'profile:update': 'change profiles, and see the values of the own ones’ variables',
  'profile:delete': 'remove profiles',
  'key:create': 'make API keys, and replace them by new ones',
  'key:list': 'list API keys; the keys themselves are never shown',
  'key:revoke': 'revoke API keys',
  'audit:read': 'read the audit log, together with the role admin',
  'metrics:read': 'read the metrics of the server, together with the role admin',
} as const;
export type Permission = keyof typeof PERMISSION_PURPOSES;

/** The names of all permissions. */
export const PERMISSIONS: readonly Permission[] = Object.keys(PERMISSION_PURPOSES).filter(isPermission);

/** Whether this is the name of a permission; `*` is none. */
export function isPermission(name: string): name is Permission {
  return Object.hasOwn(PERMISSION_PURPOSES, name);
}

/** Holds every permission. */
export const ALL_PERMISSIONS = '*';

/** Roles of API keys. A key's role matters only when it is `admin`: what others have is its holder's, too. */
export const ROLES = ['admin', 'user', 'readonly'] as const;
export type Role = (typeof ROLES)[number];

/**
 * What a newly made key of a role may do, unless it is told otherwise (DF-64, PX-021). Checks never look at
 * it: a key's permissions are those written in its entry.
 */
export const ROLE_PERMISSIONS: Readonly<Record<Role, readonly string[]>> = {
  admin: [ALL_PERMISSIONS],
  // Of the audit log and the metrics only the role admin gets anything.
  user: PERMISSIONS.filter((name) => name !== 'audit:read' && name !== 'metrics:read'),
  readonly: ['session:list', 'profile:list', 'profile:read'],
};
