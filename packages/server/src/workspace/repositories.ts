import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Log } from '../log.ts';
import { diffOf, statusOf } from './git/changes.ts';
import type { WorkspaceDiff, WorkspaceStatus } from './git/changes.ts';
import { Cloner } from './git/clone.ts';
import type { CloneProgress } from './git/clone.ts';
import { Git } from './git/git.ts';
import { Mirrors } from './git/mirrors.ts';
import { push } from './git/push.ts';
import type { PushOutcome } from './git/push.ts';
import type { WantedRef } from './git/refs.ts';
import { RepositoryView } from './git/repository-view.ts';
import { chooseToken } from './github/credentials.ts';
import type { ServerCredentials } from './github/credentials.ts';
import { cloneUrlOf } from './github/forge.ts';
import type { Forge } from './github/forge.ts';
import { openPullRequest } from './github/pull-requests.ts';
import type { PullRequest } from './github/pull-requests.ts';
import { RepositoryError } from './repository-error.ts';
import { fullNameOf } from './repository.ts';
import type { RepositoryReference } from './repository.ts';
import type { Workspace } from './workspace.ts';

/** Answers about a workspace take a fraction of a second; who waits for them has a limit, too. */
const LOOK_TIMEOUT_MS = 60_000;
const PUSH_TIMEOUT_MS = 300_000;

export interface RepositoriesOptions {
  readonly forge: Forge;
  readonly credentials: ServerCredentials;
  /** Variables that programs of the server may have; git takes what it needs. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Folder of the mirrors. */
  readonly mirrorsFolder: string;
  readonly mirrorMaxAgeMs: number;
  readonly mirrorMaxBytes: number;
  readonly cloneTimeoutMs: number;
  /** Whether git in the terminal of a session may use the session's own token. */
  readonly agentCredentials: boolean;
  readonly log: Log;
}

/** What a session works on. */
export interface RepositoryPlan extends WantedRef {
  readonly repository: RepositoryReference;
  /** Commits of history; `null` = all. */
  readonly depth: number | null;
  /** Token of the session itself; `null` = it has none. */
  readonly token: string | null;
}

/** A session as far as its repository goes. */
export interface RepositorySession {
  readonly workspace: Workspace;
  /** `null` when the session was started without a repository. */
  readonly repository: RepositoryReference | null;
  readonly token: string | null;
}

export interface PullRequestWish {
  readonly title: string;
  readonly body: string;
  readonly base: string | null;
  readonly head: string | null;
  readonly draft: boolean;
}

const commit = z.string().regex(/^[0-9a-f]{40}$/);
const checkoutSchema = z.object({ base: z.string().nullable(), commit: commit.nullable() });
type StoredCheckout = z.infer<typeof checkoutSchema>;

/** Gives git the token of the environment that it runs in, when it asks. */
const AGENT_HELPER =
  '!f() { test "$1" = get && printf "username=x-access-token\\npassword=%s\\n" "$GITHUB_TOKEN"; }; f';

/** The file that says what a clone stands on, beside the workspace. */
const CHECKOUT_FILE = 'checkout.json';

/** Repositories of sessions: brought in, looked at, and brought back to the forge. */
export class Repositories {
  readonly #options: RepositoriesOptions;
  readonly #git: Git;
  readonly #mirrors: Mirrors;
  readonly #cloner: Cloner;

  constructor(options: RepositoriesOptions) {
    this.#options = options;
    this.#git = new Git(options.environment);
    this.#mirrors = new Mirrors({
      git: this.#git,
      folder: options.mirrorsFolder,
      maxAgeMs: options.mirrorMaxAgeMs,
      maxBytes: options.mirrorMaxBytes,
      log: options.log,
    });
    this.#cloner = new Cloner(this.#git, this.#mirrors, options.forge);
  }

  /**
   * What a session's environment needs so that git in its terminal uses the token that is in there; nothing unless the
   * operator allows it. The token itself stays where it is.
   */
  agentEnvironment(environment: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
    const { agentCredentials, forge } = this.#options;
    if (!agentCredentials || (environment['GITHUB_TOKEN'] ?? '') === '') return {};
    return {
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: `credential.${forge.cloneBase}.helper`,
      GIT_CONFIG_VALUE_0: AGENT_HELPER,
    };
  }

  /** Clears away mirrors that nobody needs, and what a crash has left of them. */
  async prune(): Promise<void> {
    await this.#mirrors.prune();
  }

  /**
   * Clones the repository of a session into its empty workspace.
   * @param marker - marks git's processes as those of the session.
   * @throws RepositoryError with a reason for the session's owner; the abort reason. The workspace is unchanged then.
   */
  async clone(
    plan: RepositoryPlan,
    workspace: Workspace,
    marker: string,
    signal: AbortSignal,
    onProgress: (progress: CloneProgress) => void,
  ): Promise<void> {
    const { forge, credentials, cloneTimeoutMs } = this.#options;
    onProgress({ step: 'connecting', percent: null, detail: `asking ${forge.host}` });
    const chosen = await chooseToken(plan.token, credentials, plan.repository, signal);
    const checkout = await this.#cloner.clone({
      ...plan,
      token: chosen.token,
      tokenOrigin: chosen.origin,
      directory: workspace.directory,
      marker,
      timeoutMs: cloneTimeoutMs,
      signal,
      onProgress,
    });
    await writeFile(join(workspace.root, CHECKOUT_FILE), JSON.stringify(checkout), { mode: 0o600 });
  }

  /** What differs from the last commit. @throws RepositoryError */
  async status({ workspace }: RepositorySession): Promise<WorkspaceStatus> {
    const { commit: start } = await readCheckout(workspace);
    return this.#look(workspace, LOOK_TIMEOUT_MS, async (view) => statusOf(view, start));
  }

  /**
   * The difference of the files from the last commit, or from the one that the session began with.
   * @throws RepositoryError
   */
  async diff(
    { workspace }: RepositorySession,
    wanted: { readonly since: 'commit' | 'start'; readonly path: string | null; readonly maxBytes: number },
  ): Promise<WorkspaceDiff> {
    const against = wanted.since === 'start' ? (await readCheckout(workspace)).commit : null;
    if (wanted.since === 'start' && against === null) {
      throw new RepositoryError('refused', 'It is not known with which commit the session began');
    }
    return this.#look(workspace, LOOK_TIMEOUT_MS, async (view) => diffOf(view, { ...wanted, against }));
  }

  /**
   * Pushes the last commit to the session's repository, with a token as for the clone.
   * @param wanted.branch - branch of the forge; `null` = the one that is checked out.
   * @throws RepositoryError
   */
  async push(
    session: RepositorySession,
    wanted: { readonly branch: string | null; readonly force: boolean },
  ): Promise<PushOutcome> {
    const { forge } = this.#options;
    const repository = repositoryOf(session);
    return this.#look(session.workspace, PUSH_TIMEOUT_MS, async (view, signal) => {
      const branch = wanted.branch ?? view.head.branch;
      if (branch === null) {
        throw new RepositoryError('refused', 'No branch is checked out; say which branch to push to');
      }
      const { token, origin } = await this.#tokenOf(session, repository, signal);
      return push(view, {
        url: cloneUrlOf(forge, repository),
        credential: { base: forge.cloneBase, token },
        branch,
        force: wanted.force,
        subject: { repository: fullNameOf(repository), host: forge.host, origin },
      });
    });
  }

  /**
   * Opens a pull request for a branch of the session's repository that has been pushed.
   * @throws RepositoryError
   */
  async openPullRequest(
    session: RepositorySession,
    wish: PullRequestWish,
  ): Promise<PullRequest & { readonly head: string }> {
    const { forge } = this.#options;
    const repository = repositoryOf(session);
    const checkout = await readCheckout(session.workspace);
    return this.#look(session.workspace, LOOK_TIMEOUT_MS, async (view, signal) => {
      const head = wish.head ?? view.head.branch;
      if (head === null) {
        throw new RepositoryError(
          'refused',
          'No branch is checked out; say which branch the pull request is for',
        );
      }
      const base = wish.base ?? (checkout.base === head ? null : checkout.base);
      const { token } = await this.#tokenOf(session, repository, signal);
      const draft = { ...wish, repository, head, base };
      return { ...(await openPullRequest(forge.apiUrl, token, draft, signal)), head };
    });
  }

  async #look<Result>(
    workspace: Workspace,
    timeoutMs: number,
    use: (view: RepositoryView, signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    const late = new RepositoryError('timeout', `This took longer than ${timeoutMs / 1000} s`);
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(late), timeoutMs);
    const { signal } = deadline;
    const place = { workspace: workspace.directory, scratch: workspace.root, signal };
    try {
      return await RepositoryView.use(this.#git, place, async (view) => use(view, signal));
    } finally {
      clearTimeout(timer);
    }
  }

  async #tokenOf(
    { token: own }: RepositorySession,
    repository: RepositoryReference,
    signal: AbortSignal,
  ): Promise<{ readonly token: string; readonly origin: Awaited<ReturnType<typeof chooseToken>>['origin'] }> {
    const { token, origin } = await chooseToken(own, this.#options.credentials, repository, signal);
    if (token !== null) return { token, origin };
    throw new RepositoryError('no_credentials', `There is no token for ${fullNameOf(repository)}`);
  }
}

function repositoryOf({ repository }: RepositorySession): RepositoryReference {
  if (repository !== null) return repository;
  throw new RepositoryError('not_a_repository', 'The session was started without a repository');
}

async function readCheckout({ root }: Workspace): Promise<StoredCheckout> {
  try {
    return checkoutSchema.parse(JSON.parse(await readFile(join(root, CHECKOUT_FILE), 'utf8')));
  } catch {
    return { base: null, commit: null };
  }
}
