import { startApp } from './app.ts';
import type { TestApp } from './app.ts';
import { ProfileCaller } from './profile-wire.ts';

/** What an ordinary user may do. */
export const USER_PERMISSIONS = [
  'session:create',
  'profile:create',
  'profile:list',
  'profile:read',
  'profile:update',
  'profile:delete',
];
export const UNKNOWN_ID = '00000000-0000-4000-8000-000000000000';

function key(name: string, user: string, permissions: readonly string[], role = 'user'): object {
  return { key: name, user_id: user, role, permissions };
}

const KEYS = [
  key('key-of-alice', 'alice', USER_PERMISSIONS),
  key('key-of-bob', 'bob', USER_PERMISSIONS),
  key('key-of-carol', 'carol', USER_PERMISSIONS),
  key('reading-key-of-alice', 'alice', ['profile:list', 'profile:read'], 'readonly'),
  key('key-of-admin', 'root', ['*'], 'admin'),
  ...USER_PERMISSIONS.map((permission) => key(`only-${permission}`, 'alice', [permission])),
];

/** A server, and people who use its profiles. */
export interface ProfileApp extends AsyncDisposable {
  readonly app: TestApp;
  readonly alice: ProfileCaller;
  readonly bob: ProfileCaller;
  readonly admin: ProfileCaller;
}

export async function startProfileApp(): Promise<ProfileApp> {
  const app = await startApp({ auth: { enabled: true, api_keys: KEYS } });
  return {
    app,
    alice: new ProfileCaller(app, 'key-of-alice'),
    bob: new ProfileCaller(app, 'key-of-bob'),
    admin: new ProfileCaller(app, 'key-of-admin'),
    [Symbol.asyncDispose]: () => app[Symbol.asyncDispose](),
  };
}
