import { z } from 'zod';
import { AppError } from '../errors.ts';
import type { StoredRepository } from '../store/session-record.ts';
import { plainText } from '../plain-text.ts';
import { isCommitName, isRefName } from '../workspace/git/ref-name.ts';
import type { RepositoryRules } from '../workspace/repository-rules.ts';
import { fullNameOf, parseRepository } from '../workspace/repository.ts';

/** Tokens of GitHub have up to about three hundred characters. */
export const MAX_TOKEN_CHARS = 4096;

/** Members of a start's body that say what is cloned. */
export const repositoryMembers = {
  repository: plainText().min(1).max(1024).optional().meta({
    description: 'Repository to work on: `owner/name`, or its address. The same as the tag `repository`.',
  }),
  branch: plainText().min(1).max(1024).optional().meta({
    description: 'Branch to be on; without it the default branch. The tag `branch` does the same.',
  }),
  ref: plainText().min(1).max(1024).optional().meta({
    description: 'Branch, tag or commit to check out; with `create_branch` where the new branch begins.',
  }),
  depth: z.int().min(0).max(1_000_000).optional().meta({
    description: 'Commits of history to fetch; 0 = all.',
  }),
  create_branch: z.boolean().optional().meta({
    description: 'Make `branch` when the repository does not have it.',
  }),
  github_token: plainText().max(MAX_TOKEN_CHARS).optional().meta({
    description: 'Token for the repository. The agent does not get it.',
  }),
};

/** The same of a body; tags and `params` count, too. */
export interface RepositoryBody {
  readonly repository?: string | undefined;
  readonly branch?: string | undefined;
  readonly ref?: string | undefined;
  readonly depth?: number | undefined;
  readonly create_branch?: boolean | undefined;
  readonly github_token?: string | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
  readonly params?: { readonly github_token?: string | undefined } | undefined;
}

/** What a request wants to work on. */
export interface RepositoryRequest {
  readonly repository: StoredRepository | null;
  /** With the repository among them, so that it can be searched for. */
  readonly tags: Readonly<Record<string, string>>;
  readonly token: string | null;
}

/**
 * Reads what a request wants to work on.
 * @throws AppError `invalid_repository` or `invalid_ref`, naming the member (PX-098).
 */
export function repositoryRequestOf(body: RepositoryBody, rules: RepositoryRules): RepositoryRequest {
  const tags = body.tags ?? {};
  const token = tokenOf(body, rules);
  const address = body.repository ?? tags['repository'] ?? '';
  if (address === '') {
    refuseWithoutRepository(body);
    return { repository: null, tags, token };
  }
  const field = body.repository === undefined ? 'tags.repository' : 'repository';
  const repository = parseRepository(address, { field, host: rules.host });
  const tag = tags['repository'] ?? '';
  if (field === 'repository' && tag !== '') {
    const tagged = parseRepository(tag, { host: rules.host });
    if (fullNameOf(tagged).toLowerCase() !== fullNameOf(repository).toLowerCase()) {
      throw new AppError('invalid_repository', {
        message: 'repository and tags.repository name different repositories; one of them is enough',
        details: { field: 'repository' },
      });
    }
  }
  return {
    repository: { repository, ...refOf(body), depth: depthOf(body.depth, rules) },
    tags: tag === '' ? { ...tags, repository: address } : tags,
    token,
  };
}

function refOf(body: RepositoryBody): Pick<StoredRepository, 'branch' | 'ref' | 'createBranch'> {
  const tag = body.tags?.['branch'] ?? '';
  const branch = body.branch ?? (tag === '' ? null : tag);
  const { ref = null, create_branch: createBranch = false } = body;
  if (branch !== null && !isRefName(branch)) {
    throw invalidRef(body.branch === undefined ? 'tags.branch' : 'branch', 'must be the name of a branch');
  }
  if (ref !== null && !isRefName(ref) && !isCommitName(ref)) {
    throw invalidRef('ref', 'must be the name of a branch or tag, or a commit');
  }
  if (createBranch && branch === null)
    throw invalidRef('create_branch', 'needs branch, the name of the new one');
  if (body.branch !== undefined && ref !== null && !createBranch) {
    throw invalidRef('ref', 'goes with branch only when create_branch is true');
  }
  // Labels of earlier starts must not stand in the way of what is asked for now.
  return { branch: ref !== null && !createBranch ? null : branch, ref, createBranch };
}

function depthOf(wanted: number | undefined, rules: RepositoryRules): number | null {
  if (wanted === undefined) return rules.depth;
  return wanted === 0 ? null : wanted;
}

/** The token that is meant for the repository; an API key of this server is none. */
function tokenOf({ github_token: own, params }: RepositoryBody, { isKey }: RepositoryRules): string | null {
  const candidates = [own, params?.github_token];
  return candidates.find((text) => text !== undefined && text !== '' && !isKey(text)) ?? null;
}

function refuseWithoutRepository(body: RepositoryBody): void {
  for (const name of ['branch', 'ref', 'depth', 'create_branch'] as const) {
    if (body[name] !== undefined) throw invalidRef(name, 'needs repository');
  }
}

function invalidRef(field: string, what: string): AppError {
  return new AppError('invalid_ref', { message: `${field} ${what}`, details: { field } });
}
