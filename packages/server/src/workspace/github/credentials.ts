import { RepositoryError } from '../repository-error.ts';
import type { CredentialOrigin } from '../git/git-failure.ts';
import type { RepositoryReference } from '../repository.ts';
import type { AppTokens } from './app-tokens.ts';

/** A token for a repository and where it came from. */
export interface ChosenToken {
  /** `null` = none; public repositories need none. */
  readonly token: string | null;
  readonly origin: CredentialOrigin;
}

/** Tokens of the server. */
export interface ServerCredentials {
  /** `GITHUB_TOKEN` of the server; `null` = none. */
  readonly token: string | null;
  /** `null` = there is no GitHub App. */
  readonly app: AppTokens | null;
}

/**
 * The token that a session uses for a repository: its own (of the request, else the profile), else the server's,
 * else one of the GitHub App (DF-44). Asked for each use, because tokens of an App end after an hour.
 * @throws RepositoryError when the App cannot make one.
 */
export async function chooseToken(
  own: string | null,
  server: ServerCredentials,
  repository: RepositoryReference,
  signal: AbortSignal,
): Promise<ChosenToken> {
  if (own !== null) return { token: own, origin: 'request' };
  if (server.token !== null) return { token: server.token, origin: 'server' };
  if (server.app === null) return { token: null, origin: 'none' };
  try {
    return { token: await server.app.tokenFor(repository, signal), origin: 'app' };
  } catch (error) {
    signal.throwIfAborted();
    // Public repositories of others need no installation.
    if (error instanceof RepositoryError && error.kind === 'access_denied') {
      return { token: null, origin: 'none' };
    }
    throw error;
  }
}
