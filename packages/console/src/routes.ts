import type { ComponentType } from 'preact';
import type { IconName } from './components/icon.tsx';
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
    path: '/sessions/:id/*?',
    load: async () => (await import('./pages/session-page.tsx')).SessionPage,
    frame: 'session',
  },
];
