import type { Head } from './repository-head.ts';
import type { RepositoryView } from './repository-view.ts';

/** The tree without files, under the name that git computes for it. */
const EMPTY_TREE = '4b825dc642cb6eb9a060e54bf8d69288fbee4904';
/** The file without content, likewise. */
const EMPTY_BLOB = 'e69de29bb2d1d6434b8b29ae775ad8c2e48c5391';
/** What one answer can hold; a folder of packages that nobody ignores has more. */
const MAX_FILES = 2_000;
const MAX_LIST_BYTES = 4 * 1024 ** 2;

/** What can have happened to a file. */
export const CHANGE_KINDS = [
  ...(['added', 'modified', 'deleted', 'renamed', 'copied'] as const),
  ...(['type_changed', 'conflicted', 'untracked'] as const),
] as const;
export type ChangeKind = (typeof CHANGE_KINDS)[number];

/** Git's letters. */
const KINDS: ReadonlyMap<string | undefined, ChangeKind> = new Map([
  ['A', 'added'],
  ['M', 'modified'],
  ['D', 'deleted'],
  ['R', 'renamed'],
  ['C', 'copied'],
  ['T', 'type_changed'],
  ['U', 'conflicted'],
]);

/** A file that differs from the last commit. */
export interface StatusEntry {
  readonly path: string;
  /** Of the two that git distinguishes; `null` = none. */
  readonly staged: ChangeKind | null;
  readonly unstaged: ChangeKind | null;
  /** Former path of a renamed or copied file. */
  readonly from: string | null;
}

export interface WorkspaceStatus extends Head {
  /** Commits since the one that the session began with; `null` when that is not known. */
  readonly commits: number | null;
  readonly files: readonly StatusEntry[];
  /** Whether there are more files. */
  readonly truncated: boolean;
}

/** What a file contributes to a difference. */
export interface DiffFile {
  readonly path: string;
  readonly kind: ChangeKind;
  readonly from: string | null;
  /** Lines; `null` for a file that is not text. */
  readonly added: number | null;
  readonly removed: number | null;
}

export interface WorkspaceDiff {
  /** Commit that the files are compared with; `null` = nothing at all. */
  readonly against: string | null;
  readonly files: readonly DiffFile[];
  /** As `git diff` prints it. */
  readonly text: string;
  /** Whether text or files are left out. */
  readonly truncated: boolean;
}

/**
 * What differs from the last commit, files that git does not know included.
 * @param start - commit that the session began with.
 * @throws RepositoryError
 */
export async function statusOf(view: RepositoryView, start: string | null): Promise<WorkspaceStatus> {
  const args = ['status', '--porcelain=v2', '-z', '--untracked-files=all', '--ignore-submodules=dirty'];
  const listed = await view.output({ args, maxOutputBytes: MAX_LIST_BYTES }, 'Reading the status');
  const files = parseStatus(listed.stdout.toString('utf8'), listed.truncated);
  return {
    ...view.head,
    commits: await commitsSince(view, start),
    files: files.slice(0, MAX_FILES),
    truncated: listed.truncated || files.length > MAX_FILES,
  };
}

/**
 * The difference of the files from a commit, files that git does not know included.
 * @param against - commit; `null` = the last one.
 * @param path - file or folder to look at; `null` = all.
 * @throws RepositoryError
 */
export async function diffOf(
  view: RepositoryView,
  wanted: { readonly against: string | null; readonly path: string | null; readonly maxBytes: number },
): Promise<WorkspaceDiff> {
  const against = wanted.against ?? view.head.commit;
  const paths = wanted.path === null ? [] : [wanted.path];
  const isCut = await announceUntracked(view, paths);
  const base = ['diff', '--no-ext-diff', '--no-textconv', '--no-color', '--find-renames'];
  const what = ['--ignore-submodules=dirty', against ?? EMPTY_TREE, '--', ...paths];
  const summary = await view.output(
    { args: [...base, '--raw', '--numstat', '-z', '--abbrev=40', ...what], maxOutputBytes: MAX_LIST_BYTES },
    'Comparing the files',
  );
  const text = await view.output(
    { args: [...base, '--patch', ...what], maxOutputBytes: wanted.maxBytes },
    'Comparing the files',
  );
  const files = parseDiffSummary(summary.stdout.toString('utf8'), summary.truncated);
  return {
    against,
    files: files.slice(0, MAX_FILES),
    text: wholeLines(text.stdout, text.truncated),
    truncated: isCut || summary.truncated || text.truncated || files.length > MAX_FILES,
  };
}

/** Lets the copy of the index know of new files, so that they are compared like others. @returns whether there are too many. */
async function announceUntracked(view: RepositoryView, paths: readonly string[]): Promise<boolean> {
  const list = await view.output(
    {
      args: ['ls-files', '-z', '--others', '--exclude-standard', '--', ...paths],
      maxOutputBytes: MAX_LIST_BYTES,
    },
    'Listing the new files',
  );
  const names = parts(list.stdout.toString('utf8'), list.truncated)
    // Repositories within the repository are folders of their own.
    .filter((name) => !name.endsWith('/'));
  const some = names.slice(0, MAX_FILES);
  if (some.length > 0) {
    const input = some.map((name) => `100644 ${EMPTY_BLOB}\t${name}\0`).join('');
    await view.output(
      { args: ['update-index', '-z', '--add', '--replace', '--index-info'], input },
      'Listing the new files',
    );
  }
  return list.truncated || some.length < names.length;
}

async function commitsSince(view: RepositoryView, start: string | null): Promise<number | null> {
  if (start === null || view.head.commit === null) return null;
  const result = await view.run({ args: ['rev-list', '--count', `${start}..${view.head.commit}`, '--'] });
  // The agent may have thrown the commit away.
  return result.code === 0 ? Number(result.stdout.toString('utf8')) : null;
}

/** Text up to its last line end, when the rest is missing. */
function wholeLines(bytes: Buffer, isCut: boolean): string {
  const end = isCut ? bytes.lastIndexOf(0x0a) + 1 : bytes.length;
  return bytes.subarray(0, end).toString('utf8');
}

function parts(text: string, isCut: boolean): string[] {
  const all = text.split('\0');
  // Behind the last NUL is nothing, or something that was cut off.
  all.pop();
  if (isCut) all.pop();
  return all;
}

/** Reads `git status --porcelain=v2 -z`. */
export function parseStatus(text: string, isCut = false): readonly StatusEntry[] {
  const entries: StatusEntry[] = [];
  const records = parts(text, isCut)[Symbol.iterator]();
  for (const record of records) {
    const kind = record[0];
    if (kind === '?') {
      entries.push({ path: record.slice(2), staged: null, unstaged: 'untracked', from: null });
    } else if (kind === '1' || kind === '2' || kind === 'u') {
      const fields = record.split(' ');
      const [, states = '..'] = fields;
      const before = kind === '1' ? 8 : kind === '2' ? 9 : 10;
      const from = kind === '2' ? records.next().value : null;
      entries.push({
        path: fields.slice(before).join(' '),
        staged: kind === 'u' ? 'conflicted' : kindOf(states[0]),
        unstaged: kind === 'u' ? 'conflicted' : kindOf(states[1]),
        from: typeof from === 'string' ? from : null,
      });
    }
  }
  return entries;
}

/** Reads `git diff --raw --numstat -z`: first every file with its kind, then every file with its lines. */
export function parseDiffSummary(text: string, isCut = false): readonly DiffFile[] {
  const kinds = new Map<string, { kind: ChangeKind; from: string | null }>();
  const files: DiffFile[] = [];
  const records = parts(text, isCut)[Symbol.iterator]();
  const next = (): string => {
    const { value } = records.next();
    return typeof value === 'string' ? value : '';
  };
  for (const record of records) {
    if (record.startsWith(':')) {
      const kind = kindOf(record.split(' ')[4]?.[0]) ?? 'modified';
      const hasTwo = kind === 'renamed' || kind === 'copied';
      const first = next();
      kinds.set(hasTwo ? next() : first, { kind, from: hasTwo ? first : null });
      continue;
    }
    const [added = '', removed = '', name = ''] = record.split('\t');
    let path = name;
    if (name === '') {
      next();
      path = next();
    }
    files.push({
      path,
      ...(kinds.get(path) ?? { kind: 'modified', from: null }),
      added: added === '-' ? null : Number(added),
      removed: removed === '-' ? null : Number(removed),
    });
  }
  return files;
}

function kindOf(letter: string | undefined): ChangeKind | null {
  return KINDS.get(letter) ?? null;
}

/** Whether a path, as callers may name it, lies within the workspace. */
export function isPathInside(path: string): boolean {
  return path !== '' && !path.startsWith('/') && !path.split('/').includes('..') && !path.includes('\0');
}
