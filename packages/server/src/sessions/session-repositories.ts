import { AppError } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import type { Store } from '../store/store.ts';
import type { Repositories, RepositorySession } from '../workspace/repositories.ts';
import { RepositoryError } from '../workspace/repository-error.ts';
import type { RepositoryFailure } from '../workspace/repository-error.ts';
import type { Workspaces } from '../workspace/workspace.ts';
import type { SessionView } from './session.ts';
import { ownTokenOf } from './start-plan.ts';

const CODES: Readonly<Record<RepositoryFailure, ErrorCode>> = {
  authentication_failed: 'github_refused',
  access_denied: 'github_refused',
  repository_not_found: 'github_refused',
  ref_not_found: 'github_refused',
  refused: 'github_refused',
  host_unreachable: 'github_unreachable',
  timeout: 'git_timeout',
  disk_full: 'git_failed',
  no_credentials: 'no_github_token',
  not_a_repository: 'not_a_repository',
  nothing_to_push: 'nothing_to_push',
  failed: 'git_failed',
};

/** The codes with which work on a session's repository is refused. */
export const REPOSITORY_REFUSALS: readonly ErrorCode[] = [
  'workspace_missing',
  ...new Set(Object.values(CODES)),
];

/** Repositories of recorded sessions, of those that have ended as well, as long as their workspaces are there. */
export class SessionRepositories {
  readonly #store: Store;
  readonly #workspaces: Workspaces;
  readonly #repositories: Repositories;

  constructor(store: Store, workspaces: Workspaces, repositories: Repositories) {
    this.#store = store;
    this.#workspaces = workspaces;
    this.#repositories = repositories;
  }

  /**
   * Does something with the repository of a session.
   * @throws AppError of {@link REPOSITORY_REFUSALS}, or `session_not_found` when it was deleted meanwhile; StoreError.
   */
  async use<Result>(
    { facts }: SessionView,
    work: (repositories: Repositories, session: RepositorySession) => Promise<Result>,
  ): Promise<Result> {
    const start = await this.#store.sessions.readSecrets(facts.id);
    if (start === null) throw new AppError('session_not_found');
    if (!(await this.#workspaces.isThere(facts.id))) throw new AppError('workspace_missing');
    try {
      return await work(this.#repositories, {
        workspace: this.#workspaces.locate(facts.id),
        repository: start.repository?.repository ?? null,
        token: ownTokenOf(start),
      });
    } catch (error) {
      if (!(error instanceof RepositoryError)) throw error;
      throw new AppError(CODES[error.kind], {
        message: error.message,
        details: { failure: error.kind },
        cause: error,
      });
    }
  }
}
