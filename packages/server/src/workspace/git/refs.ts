import { closestName } from '../../config/closest-name.ts';
import { RepositoryError } from '../repository-error.ts';
import { isCommitName } from './ref-name.ts';

/** What a forge has of a repository. */
export interface RemoteRefs {
  /** Name of the default branch; `null` for a repository without commits. */
  readonly defaultBranch: string | null;
  /** Commits by the name of the branch. */
  readonly branches: ReadonlyMap<string, string>;
  /** Commits by the name of the tag. */
  readonly tags: ReadonlyMap<string, string>;
}

/** What somebody wants to work on. */
export interface WantedRef {
  /** Branch to be on; `null` = the default one, or none when `ref` is given. */
  readonly branch: string | null;
  /** Branch, tag or commit; where a new branch begins. */
  readonly ref: string | null;
  /** Whether a branch that is not there is made. */
  readonly createBranch: boolean;
}

/** Something that is there. */
export type StartPoint =
  | { readonly kind: 'branch'; readonly branch: string; readonly commit: string }
  | { readonly kind: 'tag'; readonly tag: string; readonly commit: string }
  /** `commit` may be abbreviated, and may not exist. */
  | { readonly kind: 'commit'; readonly commit: string };

/** What is checked out. */
export type Target =
  | StartPoint
  | { readonly kind: 'new-branch'; readonly branch: string; readonly from: StartPoint }
  /** A repository without commits. */
  | { readonly kind: 'empty'; readonly branch: string };

/** How many names a message offers. */
const MAX_OFFERED = 5;
/** Branch of a repository without commits when none is asked for. */
const EMPTY_BRANCH = 'main';

/** Reads what `git ls-remote --symref` prints. */
export function parseRemoteRefs(text: string): RemoteRefs {
  let defaultBranch: string | null = null;
  const branches = new Map<string, string>();
  const tags = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [what = '', name = ''] = line.split('\t');
    if (name === 'HEAD' && what.startsWith('ref: refs/heads/')) defaultBranch = what.slice(16);
    else if (name.startsWith('refs/heads/')) branches.set(name.slice(11), what);
    // A tag with a message has a second line with the commit that it stands for.
    else if (name.startsWith('refs/tags/')) tags.set(name.slice(10).replace(/\^\{\}$/, ''), what);
  }
  const isThere = defaultBranch !== null && branches.has(defaultBranch);
  const [first = null] = branches.keys();
  return { defaultBranch: isThere ? defaultBranch : first, branches, tags };
}

/**
 * Finds what is to be checked out (DF-47).
 * @throws RepositoryError `ref_not_found`, naming what is near.
 */
export function resolveTarget(refs: RemoteRefs, wanted: WantedRef): Target {
  const { branch, ref, createBranch } = wanted;
  const known = branch === null ? undefined : refs.branches.get(branch);
  if (branch !== null && known !== undefined) return { kind: 'branch', branch, commit: known };
  const start = ref === null ? defaultStart(refs) : namedStart(refs, ref);
  if (start === null) return { kind: 'empty', branch: branch ?? EMPTY_BRANCH };
  if (branch === null) return start;
  if (!createBranch) throw unknown('branch', branch, [...refs.branches.keys()]);
  return { kind: 'new-branch', branch, from: start };
}

function defaultStart({ defaultBranch, branches }: RemoteRefs): StartPoint | null {
  const commit = defaultBranch === null ? undefined : branches.get(defaultBranch);
  return defaultBranch === null || commit === undefined
    ? null
    : { kind: 'branch', branch: defaultBranch, commit };
}

function namedStart({ branches, tags }: RemoteRefs, ref: string): StartPoint {
  const branch = branches.get(ref);
  if (branch !== undefined) return { kind: 'branch', branch: ref, commit: branch };
  const tag = tags.get(ref);
  if (tag !== undefined) return { kind: 'tag', tag: ref, commit: tag };
  if (isCommitName(ref)) return { kind: 'commit', commit: ref };
  throw unknown('branch, tag or commit', ref, [...branches.keys(), ...tags.keys()]);
}

function unknown(what: string, name: string, names: readonly string[]): RepositoryError {
  const near = nearNames(name, names);
  const offer =
    names.length === 0
      ? 'the repository has none'
      : near.length > 0
        ? `near it: ${near.join(', ')}`
        : `there are: ${names.slice(0, MAX_OFFERED).join(', ')}${names.length > MAX_OFFERED ? ', …' : ''}`;
  return new RepositoryError('ref_not_found', `There is no ${what} ${JSON.stringify(name)}; ${offer}`);
}

/** The names that somebody may have meant, the nearest first. */
function nearNames(name: string, names: readonly string[]): readonly string[] {
  const plain = name.toLowerCase();
  const alike = names.filter((other) => {
    const known = other.toLowerCase();
    return (
      known.includes(plain) || plain.includes(known) || known.split('/').at(-1) === plain.split('/').at(-1)
    );
  });
  const closest = closestName(name, names);
  return [...new Set([...(closest === null ? [] : [closest]), ...alike])].slice(0, MAX_OFFERED);
}
