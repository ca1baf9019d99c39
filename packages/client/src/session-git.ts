import {
  gitDiffSchema,
  gitPushSchema,
  gitStatusSchema,
  pullRequestSchema,
  type GitDiff,
  type GitPush,
  type GitPushRequest,
  type GitStatus,
  type PullRequest,
  type PullRequestRequest,
} from './git-schemas.ts';
import { queryOf } from './paging.ts';
import type { CallOptions, Transport } from './transport.ts';

/** Options of {@link SessionGit.diff}. */
export interface GitDiffOptions extends CallOptions {
  /** File or folder to look at, relative to the workspace; without it all. */
  readonly path?: string | undefined;
  /** Compare with the last commit (`commit`, the default), or with the one that the session began with. */
  readonly since?: 'commit' | 'start' | undefined;
  /** Most bytes of text: 1,024 to 16 MiB, 1 MiB by default. The summary of the files is not counted. */
  readonly max_bytes?: number | undefined;
}

/** The server gives up after a minute, and says so. */
const GIT_TIMEOUT_MS = 90_000;

/** For a push it gives up after five. */
const PUSH_TIMEOUT_MS = 330_000;

/**
 * What the agent has changed in the session's repository, and how it gets to GitHub. Also for a session that has
 * ended, as long as its workspace is there.
 *
 * Every method rejects with an {@link ApiError} of kind `conflict` and code `not_a_repository` when the workspace is
 * no repository, or `workspace_missing` when it is gone.
 */
export class SessionGit {
  readonly #transport: Transport;
  readonly #path: string;

  /**
   * @internal
   * @param session - path of the session's record
   */
  constructor(transport: Transport, session: string) {
    this.#transport = transport;
    this.#path = `${session}/git`;
  }

  /** Branch, last commit, and which files differ from it. Changes nothing. */
  status(options: CallOptions = {}): Promise<GitStatus> {
    const path = `${this.#path}/status`;
    return this.#transport.json(
      { timeoutMs: GIT_TIMEOUT_MS, ...options, method: 'GET', path },
      gitStatusSchema,
    );
  }

  /** The changes of the files, new ones included, as `git diff` prints them. Changes nothing. */
  diff({ path, since, max_bytes, ...options }: GitDiffOptions = {}): Promise<GitDiff> {
    const query = queryOf({ path, since, max_bytes });
    const call = {
      timeoutMs: GIT_TIMEOUT_MS,
      ...options,
      method: 'GET',
      path: `${this.#path}/diff`,
    } as const;
    return this.#transport.json({ ...call, query }, gitDiffSchema);
  }

  /**
   * Pushes the last commit to GitHub; what is not committed stays behind. Never repeated, but harmless to repeat.
   *
   * @throws ApiError with code `nothing_to_push`, `no_github_token`, or `github_refused` with GitHub's reason
   */
  push(request: GitPushRequest = {}, options: CallOptions = {}): Promise<GitPush> {
    const call = {
      timeoutMs: PUSH_TIMEOUT_MS,
      ...options,
      method: 'POST',
      path: `${this.#path}/push`,
    } as const;
    return this.#transport.json({ ...call, json: request }, gitPushSchema);
  }

  /**
   * Opens a pull request for a branch that was pushed.
   *
   * @throws ApiError with code `no_github_token`, or `github_refused` with GitHub's reason
   */
  openPullRequest(request: PullRequestRequest, options: CallOptions = {}): Promise<PullRequest> {
    const path = `${this.#path}/pull-request`;
    const call = { timeoutMs: GIT_TIMEOUT_MS, ...options, method: 'POST', path } as const;
    return this.#transport.json({ ...call, json: request }, pullRequestSchema);
  }
}
