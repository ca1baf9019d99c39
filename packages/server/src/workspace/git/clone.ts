import { chmod, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Forge } from '../github/forge.ts';
import { cloneUrlOf } from '../github/forge.ts';
import { RepositoryError } from '../repository-error.ts';
import { fullNameOf } from '../repository.ts';
import type { RepositoryReference } from '../repository.ts';
import { failureOf, localFailureOf } from './git-failure.ts';
import type { CredentialOrigin } from './git-failure.ts';
import type { Git, GitResult, GitRun } from './git.ts';
import type { Mirrors } from './mirrors.ts';
import { parseRemoteRefs, resolveTarget } from './refs.ts';
import type { RemoteRefs, StartPoint, Target, WantedRef } from './refs.ts';

/** Asking for the names of a repository is one short exchange. */
const LIST_TIMEOUT_MS = 60_000;

/** Steps of a clone, in their order; `waiting` is for another session that fetches the same repository. */
export type CloneStep = 'connecting' | 'waiting' | 'fetching' | 'copying' | 'checkout';

/** How far a clone is. */
export interface CloneProgress {
  readonly step: CloneStep;
  /** Percent of the step; `null` while nothing is known. */
  readonly percent: number | null;
  /** In words. */
  readonly detail: string;
}

export interface CloneRequest extends WantedRef {
  readonly repository: RepositoryReference;
  /** Commits of history to fetch; `null` = all. */
  readonly depth: number | null;
  /** `null` = none. */
  readonly token: string | null;
  readonly tokenOrigin: CredentialOrigin;
  /** Where the clone comes to be: an empty folder, or none. Nothing is changed there unless all goes well. */
  readonly directory: string;
  /** See {@link GitRun.marker}. */
  readonly marker: string | null;
  /** For the whole clone, waiting for others included. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: CloneProgress) => void;
}

/** What a clone stands on. */
export interface Checkout {
  /** Branch that the work goes into by default: the one that was cloned or branched off; `null` when there is none. */
  readonly base: string | null;
  /** Commit that was checked out; `null` in a repository without commits. */
  readonly commit: string | null;
}

/** Clones repositories of one forge. */
export class Cloner {
  readonly #git: Git;
  readonly #mirrors: Mirrors | null;
  readonly #forge: Forge;

  /** @param mirrors - `null`: everything comes from the forge. */
  constructor(git: Git, mirrors: Mirrors | null, forge: Forge) {
    this.#git = git;
    this.#mirrors = mirrors;
    this.#forge = forge;
  }

  /**
   * Clones a repository. All of its history comes through the mirror, which makes the next clone fast; a part of it
   * (`depth`) comes from the forge directly, because that is fast by itself.
   * @throws RepositoryError with a reason for the session's owner; the abort reason of the signal. Nothing is left then.
   */
  async clone(request: CloneRequest): Promise<Checkout> {
    const late = new RepositoryError('timeout', `It took longer than ${request.timeoutMs / 1000} s`);
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(late), request.timeoutMs);
    const draft = `${request.directory}.new`;
    try {
      const signal = AbortSignal.any([request.signal, deadline.signal]);
      await rm(draft, { recursive: true, force: true, maxRetries: 3 });
      const checkout = await this.#cloneInto(draft, { ...request, signal });
      await chmod(draft, 0o700);
      await rename(draft, request.directory);
      return checkout;
    } catch (error) {
      await rm(draft, { recursive: true, force: true, maxRetries: 3 });
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  async #cloneInto(draft: string, request: CloneRequest): Promise<Checkout> {
    const work = new Work(this.#git, this.#forge, request);
    request.onProgress({ step: 'connecting', percent: null, detail: `asking ${this.#forge.host}` });
    const refs = await work.listRefs();
    const target = resolveTarget(refs, request);
    if (request.depth === null && this.#mirrors?.enabled === true && target.kind !== 'empty') {
      await this.#mirrors.withMirror(work.mirrorSource(refs), async (mirror) => work.copy(mirror, draft));
    } else {
      await work.fetch(draft, target);
    }
    return { base: baseOf(target, refs), commit: await work.checkout(draft, target) };
  }
}

/** One clone. */
class Work {
  readonly #git: Git;
  readonly #forge: Forge;
  readonly #request: CloneRequest;
  readonly #url: string;

  constructor(git: Git, forge: Forge, request: CloneRequest) {
    this.#git = git;
    this.#forge = forge;
    this.#request = request;
    this.#url = cloneUrlOf(forge, request.repository);
  }

  /** Learns what there is, and with it whether the caller may read it. */
  async listRefs(): Promise<RemoteRefs> {
    const args = ['ls-remote', '--symref', '--', this.#url, 'HEAD', 'refs/heads/*', 'refs/tags/*'];
    const timeoutMs = Math.min(LIST_TIMEOUT_MS, this.#request.timeoutMs);
    const result = await this.#run({ args, cwd: '/', timeoutMs, ...this.#remote() });
    if (result.code !== 0) throw this.#failureOf(result);
    return parseRemoteRefs(result.stdout.toString('utf8'));
  }

  mirrorSource({ defaultBranch }: RemoteRefs): Parameters<Mirrors['withMirror']>[0] {
    const { repository, signal, marker, onProgress } = this.#request;
    const { credential } = this.#remote();
    return {
      url: this.#url,
      host: this.#forge.host,
      repository,
      defaultBranch,
      credential,
      signal,
      marker,
      timeoutMs: this.#request.timeoutMs,
      onWait: () =>
        onProgress({ step: 'waiting', percent: null, detail: 'another session fetches the repository' }),
      onProgress: (progress) => onProgress({ step: 'fetching', ...progress }),
      failureOf: (result) => this.#failureOf(result),
    };
  }

  /** Copies everything out of a mirror; the two share no file afterwards. */
  async copy(mirror: string, draft: string): Promise<void> {
    this.#request.onProgress({ step: 'copying', percent: null, detail: 'copying the history' });
    const args = ['clone', '--quiet', '--local', '--no-hardlinks', '--no-checkout', '--template='];
    await this.#local([...args, '--', mirror, draft], dirname(draft), 'Copying the repository', 'file');
    await this.#local(['config', 'remote.origin.url', this.#url], draft, 'Setting up the clone');
  }

  /** Fetches from the forge: all of it, or with a depth what is wanted. */
  async fetch(draft: string, target: Target): Promise<void> {
    const { depth, onProgress } = this.#request;
    const init = ['init', '--quiet', '--template=', '--initial-branch', branchOf(target)];
    await this.#local([...init, '--', draft], dirname(draft), 'Making the clone');
    await this.#local(['remote', 'add', '--', 'origin', this.#url], draft, 'Setting up the clone');
    if (target.kind === 'empty') return;
    const refs =
      depth === null
        ? ['+refs/heads/*:refs/remotes/origin/*', '+refs/tags/*:refs/tags/*']
        : [refspecOf(target)];
    const result = await this.#run({
      args: [
        ...['fetch', '--no-tags', '--progress', '--no-write-fetch-head'],
        ...(depth === null ? [] : [`--depth=${depth}`]),
        ...['--', 'origin', ...refs],
      ],
      cwd: draft,
      timeoutMs: this.#request.timeoutMs,
      onProgress: (progress) => onProgress({ step: 'fetching', ...progress }),
      ...this.#remote(),
    });
    if (result.code !== 0) throw this.#failureOf(result, target);
  }

  /** @returns the commit that is checked out; `null` in a repository without commits. */
  async checkout(draft: string, target: Target): Promise<string | null> {
    if (target.kind === 'empty') return null;
    const { onProgress } = this.#request;
    onProgress({ step: 'checkout', percent: null, detail: 'writing the files' });
    const commit = await this.#commitOf(draft, target);
    const args =
      target.kind === 'branch'
        ? ['-B', target.branch, '--track', `refs/remotes/origin/${target.branch}`]
        : target.kind === 'new-branch'
          ? ['-b', target.branch, '--no-track', commit]
          : ['--detach', commit];
    const result = await this.#run({
      args: ['checkout', '--progress', ...args, '--'],
      cwd: draft,
      timeoutMs: this.#request.timeoutMs,
      onProgress: (progress) => onProgress({ step: 'checkout', ...progress }),
    });
    if (result.code !== 0) throw localFailureOf(result, 'Writing the files of the repository');
    return commit;
  }

  /** The commit as it is now in the clone: the branch may have moved on since the names were listed. */
  async #commitOf(draft: string, target: Exclude<Target, { kind: 'empty' }>): Promise<string> {
    const start = startOf(target);
    const name = start.kind === 'branch' ? `refs/remotes/origin/${start.branch}` : start.commit;
    const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{commit}`];
    const result = await this.#run({ args, cwd: draft, timeoutMs: this.#request.timeoutMs });
    const commit = result.stdout.toString('utf8').trim();
    if (result.code === 0 && commit !== '') return commit;
    throw new RepositoryError(
      'ref_not_found',
      `There is no commit ${name} in ${fullNameOf(this.#request.repository)}`,
    );
  }

  async #local(args: readonly string[], cwd: string, doing: string, protocols = 'none'): Promise<void> {
    const result = await this.#run({ args, cwd, timeoutMs: this.#request.timeoutMs, protocols });
    if (result.code !== 0) throw localFailureOf(result, doing);
  }

  async #run(run: Omit<GitRun, 'signal' | 'marker'>): Promise<GitResult> {
    const { signal, marker } = this.#request;
    return this.#git.run({ ...run, signal, marker });
  }

  #remote(): Pick<GitRun, 'protocols'> & { readonly credential: NonNullable<GitRun['credential']> | null } {
    const { token } = this.#request;
    return {
      protocols: 'http:https',
      credential: token === null ? null : { base: this.#forge.cloneBase, token },
    };
  }

  #failureOf(result: GitResult, target?: Target): RepositoryError {
    const { repository, tokenOrigin } = this.#request;
    const failure = failureOf(result, {
      repository: fullNameOf(repository),
      host: this.#forge.host,
      origin: tokenOrigin,
    });
    if (failure.kind !== 'ref_not_found' || target?.kind !== 'commit') return failure;
    return new RepositoryError(
      'ref_not_found',
      `There is no commit ${target.commit} in ${fullNameOf(repository)}; with a depth it must be given in full`,
      { cause: failure },
    );
  }
}

function branchOf(target: Target): string {
  return target.kind === 'empty' ? target.branch : 'main';
}

function startOf(target: Exclude<Target, { kind: 'empty' }>): StartPoint {
  return target.kind === 'new-branch' ? target.from : target;
}

/** What a shallow clone fetches. */
function refspecOf(target: Exclude<Target, { kind: 'empty' }>): string {
  const start = startOf(target);
  switch (start.kind) {
    case 'branch':
      return `+refs/heads/${start.branch}:refs/remotes/origin/${start.branch}`;
    case 'tag':
      return `+refs/tags/${start.tag}:refs/tags/${start.tag}`;
    case 'commit':
      return `+${start.commit}:refs/agentapi/start`;
  }
}

function baseOf(target: Target, { defaultBranch }: RemoteRefs): string | null {
  if (target.kind === 'empty') return null;
  const start = startOf(target);
  return start.kind === 'branch' ? start.branch : defaultBranch;
}
