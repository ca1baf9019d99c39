import { AppError } from '../errors.ts';
import { ALL_PERMISSIONS, type Permission } from './permissions.ts';
import type { Principal } from './principal.ts';

/** The role that may use the sessions of everybody. */
const ADMIN_ROLE = 'admin';

/**
 * Returns when the caller holds the permission, `*` included. The role does not count: an admin without the
 * permission is refused (PX-047, PX-048, PX-049).
 * @throws AppError `insufficient_permissions`.
 */
export function authorize(principal: Principal, permission: Permission): void {
  if (!holds(principal, permission)) throw new AppError('insufficient_permissions');
}

/** Whether the caller holds the permission, `*` included. */
export function holds({ permissions }: Principal, permission: Permission): boolean {
  return permissions.has(permission) || permissions.has(ALL_PERMISSIONS);
}

/** Whether the caller may use what this owner has: the own, and for the role admin all (PX-050, PX-051). */
export function canAccess(principal: Principal, ownerId: string): boolean {
  return principal.userId === ownerId || isAdmin(principal);
}

/** Whether what everybody has is also the caller's. */
export function isAdmin(principal: Principal): boolean {
  return principal.role === ADMIN_ROLE;
}
