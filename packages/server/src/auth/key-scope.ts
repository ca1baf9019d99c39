import { AppError } from '../errors.ts';
import { ADMIN_ROLE, holds, isAdmin } from './authorize.ts';
import { ALL_PERMISSIONS, isPermission, PERMISSIONS, ROLE_PERMISSIONS } from './permissions.ts';
import type { Role } from './permissions.ts';
import type { Principal } from './principal.ts';

/** What a role's keys can do by default, without what the creator cannot do. */
export function allowedPermissions(creator: Principal, role: Role): readonly string[] {
  const wanted = ROLE_PERMISSIONS[role];
  if (creator.permissions.has(ALL_PERMISSIONS)) return wanted;
  const names = wanted.includes(ALL_PERMISSIONS) ? PERMISSIONS : wanted;
  return names.filter((name) => holds(creator, name));
}

/**
 * Returns when the creator may have a key with this role and these permissions: nobody makes one that can do more.
 * @throws AppError `invalid_request` for a permission that there is not, `permissions_exceeded`.
 */
export function checkRights(creator: Principal, role: string, permissions: readonly string[]): void {
  if (role === ADMIN_ROLE && !isAdmin(creator)) {
    throw new AppError('permissions_exceeded', {
      message: 'Only an admin can make a key with the role admin',
      details: { field: 'role' },
    });
  }
  checkPermissions(creator, permissions);
}

/**
 * Returns when the creator holds everything that a key of theirs shall hold.
 * @throws AppError `invalid_request` for an unknown name, `permissions_exceeded` for one that the creator lacks.
 */
function checkPermissions(creator: Principal, wanted: readonly string[]): void {
  for (const name of wanted) {
    if (name !== ALL_PERMISSIONS && !isPermission(name)) {
      throw new AppError('invalid_request', {
        message: `permissions: there is no permission ${JSON.stringify(name.slice(0, 64))}; known ones: *, ${PERMISSIONS.join(', ')}`,
        details: { field: 'permissions' },
      });
    }
    if (!holds(creator, name)) {
      throw new AppError('permissions_exceeded', { details: { field: 'permissions', permission: name } });
    }
  }
}
