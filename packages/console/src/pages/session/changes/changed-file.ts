import type { GitChange, GitDiff } from '@agentapi-proxy/client';
import { parseUnifiedDiff, type DiffSection } from './unified-diff.ts';

/** A file that has changed, with what is known of its lines. */
export interface ChangedFile {
  readonly path: string;
  /** Former path of a renamed or copied file. */
  readonly from: string | undefined;
  readonly change: GitChange;
  /** Lines; `null` for a file that is not text. */
  readonly added: number | null;
  readonly removed: number | null;
  /** `null` when the text of the answer ends before this file does. */
  readonly section: DiffSection | null;
}

/** The files of an answer, each with its part of the text. */
export function changedFiles({ files, diff, truncated }: GitDiff): ChangedFile[] {
  const sections = parseUnifiedDiff(diff);
  // The last one may have been cut; it is fetched on its own when it is looked at.
  if (truncated) sections.pop();
  const byPath = new Map(sections.map((section) => [section.path, section]));
  return files.map(({ path, from, change, added, removed }) => ({
    path,
    from,
    change,
    added,
    removed,
    section: byPath.get(path) ?? null,
  }));
}

/** Sum of the lines of all files. */
export function sumOfLines(files: readonly Pick<ChangedFile, 'added' | 'removed'>[]): {
  readonly added: number;
  readonly removed: number;
} {
  let [added, removed] = [0, 0];
  for (const file of files) {
    added += file.added ?? 0;
    removed += file.removed ?? 0;
  }
  return { added, removed };
}

/** Files by folder, in the order of the files. */
export function byFolder<File extends { readonly path: string }>(
  files: readonly File[],
): { readonly folder: string; readonly files: readonly File[] }[] {
  const folders = new Map<string, File[]>();
  for (const file of files) {
    const folder = splitPath(file.path).folder;
    const known = folders.get(folder);
    if (known === undefined) folders.set(folder, [file]);
    else known.push(file);
  }
  return [...folders].map(([folder, list]) => ({ folder, files: list }));
}

/** Folder, with the slash behind it, and name. */
export function splitPath(path: string): { readonly folder: string; readonly name: string } {
  const at = path.lastIndexOf('/') + 1;
  return { folder: path.slice(0, at), name: path.slice(at) };
}

/** Lines of files that are shown unfolded from the beginning. */
const OPEN_LINES = 400;
/** A longer file waits until somebody asks for it. */
const OPEN_FILE_LINES = 250;

/** Which files to show unfolded: the first ones, as long as they are short. */
export function initiallyOpen(files: readonly ChangedFile[]): ReadonlySet<string> {
  const open = new Set<string>();
  let lines = 0;
  for (const { path, section } of files) {
    const own = section?.lines.length ?? Infinity;
    if (own > OPEN_FILE_LINES || lines + own > OPEN_LINES) continue;
    lines += own;
    open.add(path);
  }
  return open;
}
