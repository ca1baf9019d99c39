import type { FastifyInstance } from 'fastify';
import type { Authenticator } from './auth/authenticate.ts';
import { ConsoleCookies } from './auth/console-cookies.ts';
import type { TrustedProxies } from './client-address.ts';
import { consoleRoutes } from './http/routes/console.ts';
import { signInRoutes } from './http/routes/console-sign-in.ts';
import type { Store } from './store/store.ts';

/** What {@link openConsole} builds on. */
export interface ConsoleFoundation {
  readonly authenticator: Authenticator;
  readonly store: Pick<Store, 'keysFor'>;
  readonly trustedProxies: TrustedProxies;
  /** The built console, elsewhere than the build puts it. */
  readonly folder: string | undefined;
}

/** The web console at `/console/` of `app`, and its cookies, which are sealed with the keys of the store. */
export function openConsole(app: FastifyInstance, foundation: ConsoleFoundation): void {
  const { authenticator, store, trustedProxies, folder } = foundation;
  const cookies = new ConsoleCookies(() => store.keysFor('console cookies'));
  authenticator.acceptCookies(cookies);
  signInRoutes(app, { authenticator, cookies, trustedProxies });
  consoleRoutes(app, folder);
}
