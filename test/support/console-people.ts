/** Keys of the people that {@link authOf} lets in. */
export const ADMIN = 'key-of-the-admin-0123456789abcdef';
export const ALICE = 'key-of-alice-0123456789abcdef';
export const BOB = 'key-of-bob-0123456789abcdef';
/** May look at lists of sessions and at profiles. */
export const READER = 'key-of-the-reader-0123456789abcdef';

/** The part `auth` of a configuration: an admin, two users, somebody who only reads, and whom else a test wants. */
export function authOf(...others: readonly Readonly<Record<string, unknown>>[]) {
  const reading = ['session:list', 'profile:list', 'profile:read'];
  return {
    enabled: true,
    api_keys: [
      { key: ADMIN, user_id: 'root', role: 'admin', permissions: ['*'] },
      { key: ALICE, user_id: 'alice', role: 'user', permissions: ['*'] },
      { key: BOB, user_id: 'bob', role: 'user', permissions: ['*'] },
      { key: READER, user_id: 'rita', role: 'readonly', permissions: reading },
      ...others,
    ],
  };
}
