import type { ComponentType } from 'preact';
import type { IconName } from './components/icon.tsx';
import { PROFILES } from './texts/profiles.ts';
import { NAVIGATION } from './texts/navigation.ts';
import { SESSIONS } from './texts/sessions.ts';

/** A page of the console. To add one, add an entry here; see README.md. */
export interface PageRoute {
  /** Below the console; as wouter has it: `:name` for a part, `*?` for any rest. */
  readonly path: string;
  /** Fetches the page's code when somebody goes there. */
  readonly load: () => Promise<ComponentType>;
  /** Permission without which the page is not offered. */
  readonly permission?: string;
  /** True for pages that only admins see. */
  readonly adminOnly?: boolean;
  /** Entry of the navigation; absent for pages that are reached from others. */
  readonly navigation?: { readonly label: string; readonly icon: IconName };
  /** Look of the frame; a session takes the whole height of a telephone. */
  readonly frame?: 'session';
}

/** All pages; the first that fits the address is shown. */
export const ROUTES: readonly PageRoute[] = [
  {
    path: '/sessions',
    load: async () => (await import('./pages/sessions-page.tsx')).SessionsPage,
    permission: 'session:list',
    navigation: { label: SESSIONS.page, icon: 'list' },
  },
  {
    path: '/sessions/new',
    load: async () => (await import('./pages/new-session-page.tsx')).NewSessionPage,
    permission: 'session:create',
  },
  {
    path: '/sessions/:id/*?',
    load: async () => (await import('./pages/session-page.tsx')).SessionPage,
    frame: 'session',
  },
  {
    path: '/profiles',
    load: async () => (await import('./pages/profiles-page.tsx')).ProfilesPage,
    permission: 'profile:list',
    navigation: { label: PROFILES.page, icon: 'bookmark' },
  },
  {
    path: '/profiles/new',
    load: async () => (await import('./pages/profile-page.tsx')).NewProfilePage,
    permission: 'profile:create',
  },
  {
    path: '/profiles/:id',
    load: async () => (await import('./pages/profile-page.tsx')).ProfilePage,
    permission: 'profile:read',
  },
  {
    path: '/keys',
    load: async () => (await import('./pages/keys-page.tsx')).KeysPage,
    permission: 'key:list',
    navigation: { label: NAVIGATION.keys, icon: 'key' },
  },
  {
    path: '/admin/*?',
    load: async () => (await import('./pages/admin-page.tsx')).AdminPage,
    adminOnly: true,
    navigation: { label: NAVIGATION.admin, icon: 'shield' },
  },
];
