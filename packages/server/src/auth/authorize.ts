import { AppError } from '../errors.ts';
import { ALL_PERMISSIONS, type Permission } from './permissions.ts';
import type { Principal } from './principal.ts';

/** The role that may use the sessions of everybody. */
export const ADMIN_ROLE = 'admin';

/** What a route asks of its caller: a permission, or only a valid credential. */
export type Requirement = Permission | 'authenticated';

/**
 * Returns when the caller holds the permission, `*` included. The role does not count: an admin without the
 * permission is refused (PX-047, PX-048, PX-049).
 * @throws AppError `insufficient_permissions`.
 */
export function authorize(principal: Principal, requirement: Requirement): void {
  if (requirement === 'authenticated' || holds(principal, requirement)) return;
  throw new AppError('insufficient_permissions');
}

/**
 * Returns when nobody else can have made the caller's browser send this.
 * @throws AppError `csrf` for a cookie without proof of where it comes from.
 */
export function checkProof({ byCookie }: Principal): void {
  if (byCookie === 'unproven') throw new AppError('csrf');
}

/** Whether the caller holds the permission, `*` included. */
export function holds({ permissions }: Principal, permission: string): boolean {
  return permissions.has(permission) || permissions.has(ALL_PERMISSIONS);
}

/** Whether the caller may use what this owner has: the own, and for the role admin all (PX-050, PX-051). */
export function canAccess(principal: Principal, ownerId: string): boolean {
  if (principal.linkedSession !== undefined) return false;
  return principal.userId === ownerId || isAdmin(principal);
}

/** Whether what everybody has is also the caller's. */
export function isAdmin(principal: Principal): boolean {
  return principal.role === ADMIN_ROLE;
}

/** What somebody wants with a session: look on, talk to the agent, or decide about it (end it, share it). */
export type SessionUse = 'read' | 'write' | 'manage';

/** What a user may do with a session by a grant; `null` = nothing. */
export type GrantedAccess = (sessionId: string, userId: string) => 'read' | 'write' | null;

/** Whether the caller may use a session that way: as its owner or admin, by a grant, or by a link. */
export function canUseSession(
  principal: Principal,
  session: { readonly id: string; readonly ownerId: string },
  use: SessionUse,
  granted: GrantedAccess,
): boolean {
  if (canAccess(principal, session.ownerId)) return true;
  if (principal.linkedSession !== undefined) return use === 'read' && principal.linkedSession === session.id;
  if (use === 'manage') return false;
  const access = granted(session.id, principal.userId);
  return access === 'write' || (access === 'read' && use === 'read');
}

/** Methods with which somebody who may only look on can do no harm. */
const READING: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** What a proxied request with this method does to a session. */
export function useOfMethod(method: string): 'read' | 'write' {
  return READING.has(method) ? 'read' : 'write';
}
